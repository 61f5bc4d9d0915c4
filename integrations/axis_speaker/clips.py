"""Clips that are stored in the device: found by their name, and played as the chime before the speech.

::

    GET /axis-cgi/param.cgi?action=list&group=MediaClip     root.MediaClip.M0.Name=Ding dong, one line each
    GET /axis-cgi/playclip.cgi?clip=0&volume=60             answers at once and plays on

Source: developer.axis.com, VAPIX, Audio systems, Media clip API ("List media clips", "Play a media clip").
"""

from __future__ import annotations

import asyncio
import re

import aiohttp

from hub.sdk import Request, Unsupported, clean, fetch
from integrations.axis_speaker.config import Config

LIST, PLAY = "/axis-cgi/param.cgi?action=list&group=MediaClip", "/axis-cgi/playclip.cgi?clip={}&volume={}"
#: Largest list in bytes, most names shown to a technician, and most digits of a clip's number.
_LIMIT, _SHOWN = 64 * 1024, 5
_NAME = re.compile(r"^root\.MediaClip\.M([0-9]{1,4})\.Name=(.*?)\r?$", re.M)


class Chime:
    """The stored clip that a site names."""

    def __init__(self, http: aiohttp.ClientSession, base: str, config: Config) -> None:
        self._http = http
        self._base = base
        self._config = config
        self._number: int | None = None

    async def play(self, volume: int) -> None:
        """Play it and wait as long as it takes to hear it. Raises DeviceError."""
        if self._number is None:
            self._number = find(await self._ask(LIST), self._config.chime)
        try:
            await self._ask(PLAY.format(self._number, volume))
        except Unsupported:
            self._number = None  # the clips of the device may have changed
            raise
        await asyncio.sleep(self._config.chime_s)

    async def _ask(self, path: str) -> bytes:
        config = self._config
        request = Request(
            self._base + path, user=config.user, password=config.password, timeout=config.timeout_s, limit=_LIMIT
        )
        return await fetch(self._http, request)


def find(answer: bytes, name: str) -> int:
    """Return the number of the clip of that name. Raises Unsupported, with the names that there are."""
    clips = {said.strip(): int(number) for number, said in reversed(_NAME.findall(answer.decode("utf-8", "replace")))}
    if name in clips:
        return clips[name]
    known = ", ".join(clean(said, 30) for said in list(clips)[-_SHOWN:]) or "none"
    raise Unsupported(f"the device has no clip {clean(name, 40)!r}; it has: {known}")
