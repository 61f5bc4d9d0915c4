"""A node as a far end: signs and posts like a microcontroller would."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from integrations.sim.field_node import hmac_sha256


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
