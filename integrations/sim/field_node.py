"""A node that measures the magnetic field of a bay and posts it raw, signed (docs/integrations/parking.md).

Its HMAC is written out (RFC 2104), as a microcontroller's would be. It begins with what it measured of the empty bay.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from pathlib import Path
from typing import Any

import aiohttp

#: Block of SHA-256 in bytes.
_BLOCK = 64
#: The field of the earth here, and what a car adds to it, in µT on three axes; and the sensor's noise.
EARTH, CAR, NOISE = (31.2, -4.8, 40.1), (-14.0, 9.0, 22.0), 0.1
#: Seconds between two measurements, and of those that the node kept of the empty bay; how many it kept.
EVERY, KEPT_EVERY, KEPT = 1.0, 10, 20
#: Seconds for one push.
PATIENCE = aiohttp.ClientTimeout(total=3)


def hmac_sha256(key: bytes, body: bytes) -> str:
    """Return the signature of a body, hexadecimal."""
    padded = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + body).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).hexdigest()


class FieldNode:
    """One node in one bay. ``url`` is the hub's, ``key`` what it signs with.

    ``marked`` is a file that says that the bay was marked as empty: once is enough, whatever becomes of the power.
    """

    def __init__(self, url: str, key: str, marked: Path) -> None:
        self._url, self._key, self._marked = url, key.encode(), marked
        self._chance = random.Random(8)  # noqa: S311 - noise, no secret
        self.vehicle = False

    async def keep(self) -> None:
        """Push until cancelled; who cannot be reached is told later."""
        async with aiohttp.ClientSession(timeout=PATIENCE) as http:
            marked = self._marked.exists()
            while True:
                said = {"samples": [self._sample(0)], "battery": 93} if marked else self._history()
                if await self._push(http, said) and not marked:
                    marked = True
                    self._marked.touch()
                await asyncio.sleep(EVERY)

    async def _push(self, http: aiohttp.ClientSession, report: dict[str, Any]) -> bool:
        body = json.dumps(report).encode()
        try:
            async with http.post(self._url, data=body, headers={"X-Signature": hmac_sha256(self._key, body)}) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _history(self) -> dict[str, Any]:
        return {"samples": [self._sample(KEPT_EVERY * ago) for ago in range(KEPT, -1, -1)], "empty": True}

    def _sample(self, ago: int) -> dict[str, Any]:
        """Return what was measured so many seconds ago: a car counts only now."""
        there = CAR if self.vehicle and not ago else (0.0, 0.0, 0.0)
        field = [round(earth + car + self._chance.gauss(0, NOISE), 2) for earth, car in zip(EARTH, there, strict=True)]
        return {"at": int((time.time() - ago) * 1000), "field": field, "temperature": 18.5}
