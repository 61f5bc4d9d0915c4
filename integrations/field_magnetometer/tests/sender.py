"""A node as a far end: signs and posts like a microcontroller would. Its HMAC is written out (RFC 2104)."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

#: Block of SHA-256 in bytes.
_BLOCK = 64


def hmac_sha256(key: bytes, body: bytes) -> str:
    padded = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + body).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).hexdigest()


@dataclass
class Sender:
    """One node with its key."""

    http: aiohttp.ClientSession
    url: URL
    key: str

    async def push(self, report: Any) -> int:
        return await self.send(json.dumps(report).encode())

    async def send(self, body: bytes, signature: str | None = None) -> int:
        headers = {"X-Signature": hmac_sha256(self.key.encode(), body) if signature is None else signature}
        async with self.http.post(self.url, data=io.BytesIO(body), headers=headers) as answer:
            return answer.status
