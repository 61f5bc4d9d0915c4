"""Still pictures: ``GET /ISAPI/Streaming/channels/<channel>01/picture`` (01 is the main stream)."""

from __future__ import annotations

import aiohttp

from hub.sdk import DecodeError, Picture, Request, Unsupported, fetch
from integrations.hikvision.config import Config


class HikvisionCamera:
    """One channel."""

    def __init__(self, http: aiohttp.ClientSession, base: str, config: Config) -> None:
        self._http = http
        self._request = Request(
            f"{base}/ISAPI/Streaming/channels/{config.channel}01/picture",
            user=config.user,
            password=config.password,
            timeout=config.timeout_s,
        )

    async def snapshot(self) -> Picture:
        """Take one picture now. Raises DeviceError."""
        try:
            return Picture.from_bytes(await fetch(self._http, self._request))
        except DecodeError as error:
            raise Unsupported(error.reason) from None
