"""The platform as a far end: signs like it, asks like it, and sends again what was not answered with 200.

The signature is made here anew, so that a mistake in the integration's own is not made twice.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

NONCE = "bs3L(#b?"
#: The sensor's number at the platform, and its data stream (LwM2M digital input).
DEVICE, STREAM = 2016617, "3200_0_5500"


@dataclass
class Platform:
    """One push instance that was entered for ``url`` with ``token``."""

    http: aiohttp.ClientSession
    url: URL
    token: str
    tries: int = 3

    def sign(self, text: str, nonce: str = NONCE) -> str:
        """Return the signature of a push or a question."""
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
        """Send a body until it is taken, or as often as the platform does; return the last status."""
        for _ in range(self.tries):
            async with self.http.post(self.url, data=body, headers={"Content-Type": "application/json"}) as answer:
                status = answer.status
                if status == 200:
                    break
        return status


class Push:
    """One sensor behind the platform."""

    def __init__(self, platform: Platform, said: Callable[[str, int], None] = lambda _what, _status: None) -> None:
        """``said`` is called with what was asked (``check``, ``push``) and the status; 0 is no answer."""
        self.platform = platform
        self._said = said
        self.value: object = 0
        self.changed = asyncio.Event()
        self._waiting: list[dict[str, object]] = []

    async def keep(self, every: float) -> None:
        """Verify the address until it is ours, then push."""
        while await self._checked() != 200:  # noqa: ASYNC110 - the hub is another process
            await asyncio.sleep(every)
        while True:
            self.changed.clear()
            at = time.time_ns() // 1_000_000
            self._waiting.append({"type": 1, "dev_id": DEVICE, "ds_id": STREAM, "at": at, "value": self.value})
            if await self._pushed() == 200:
                self._waiting.clear()
            try:
                async with asyncio.timeout(every):
                    await self.changed.wait()
            except TimeoutError:
                continue

    async def _checked(self) -> int:
        try:
            status, body = await self.platform.check("is-it-you")
        except aiohttp.ClientError:
            status, body = 0, ""
        return self._tell("check", status if status != 200 or body == "is-it-you" else 0)

    async def _pushed(self) -> int:
        try:
            return self._tell("push", await self.platform.push(self._waiting))
        except aiohttp.ClientError:
            return self._tell("push", 0)

    def _tell(self, what: str, status: int) -> int:
        self._said(what, status)
        return status
