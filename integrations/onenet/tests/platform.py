"""The platform as a far end: signs like it, asks like it, and sends again what was not answered with 200.

The signature is made here anew, so that a mistake in the integration's own is not made twice.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

NONCE = "bs3L(#b?"


@dataclass
class Platform:
    """One push instance that was entered for ``url`` with ``token``."""

    http: aiohttp.ClientSession
    url: URL
    token: str
    tries: int = 3

    def sign(self, text: str, nonce: str = NONCE) -> str:
        return base64.b64encode(
            hashlib.md5(f"{self.token}{nonce}{text}".encode(), usedforsecurity=False).digest()
        ).decode()

    async def check(self, msg: str, *, escaped: bool = True, signature: str | None = None) -> tuple[int, str]:
        """Ask whether the address is ours; an older platform did not escape the signature's ``+``."""
        signature = self.sign(msg) if signature is None else signature
        url = self.url.with_query(msg=msg, nonce=NONCE, signature=signature)
        if not escaped:
            url = URL(f"{self.url}?{self.url.with_query(msg=msg, nonce=NONCE).query_string}".replace("#", "%23"))
            url = URL(f"{url}&signature={signature}", encoded=True)
        async with self.http.get(url) as answer:
            return answer.status, await answer.text()

    async def push(self, msg: Any, **changes: str) -> int:
        """Push as objects (the older envelope) and return the last status."""
        text = json.dumps(msg, ensure_ascii=False, separators=(",", ":"))
        rest = json.dumps({"msg_signature": self.sign(text), "nonce": NONCE} | changes)
        return await self.send(f'{{"msg":{text},{rest[1:]}'.encode())

    async def push_text(self, msg: Any) -> int:
        """Push as text (the newer envelope) and return the last status."""
        text = msg if isinstance(msg, str) else json.dumps(msg)
        body = {"msg": text, "signature": self.sign(text), "nonce": NONCE, "time": 1, "id": "x"}
        return await self.send(json.dumps(body).encode())

    async def send(self, body: bytes | io.BytesIO) -> int:
        for _ in range(self.tries):
            async with self.http.post(self.url, data=body, headers={"Content-Type": "application/json"}) as answer:
                status = answer.status
                if status == 200:
                    break
        return status
