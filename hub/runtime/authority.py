"""Asks an authority for a time stamp over HTTP (RFC 3161, section 3.4)."""

from __future__ import annotations

import aiohttp

#: Seconds that an authority may take, and bytes of its answer that are looked at.
PATIENCE, MOST = 20.0, 65_536


async def ask_authority(http: aiohttp.ClientSession, url: str, asked: bytes) -> bytes:
    """Send a request and return the answer. Raises OSError."""
    headers, limit = {"Content-Type": "application/timestamp-query"}, aiohttp.ClientTimeout(total=PATIENCE)
    try:
        async with http.post(url, data=asked, headers=headers, timeout=limit, allow_redirects=False) as reply:
            reply.raise_for_status()
            return await reply.content.read(MOST)
    except aiohttp.ClientError as error:
        raise OSError(f"the authority of time stamps: {error}") from error
