"""Uploads a clip."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp

from hub.sdk import Clip, CommandKey, Request, fetch
from integrations.http_speaker.config import Config

#: Bytes of the answer that are read; nothing in it is used.
_MAX_ANSWER = 64 * 1024


class HttpSpeaker:
    """One loudspeaker behind one address."""

    def __init__(self, http: aiohttp.ClientSession, config: Config) -> None:
        self._http = http
        self._config = config

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Upload ``clip`` and return when the device has taken it. Raises DeviceError."""
        request = Request(
            url=_with_volume(self._config.url, volume),
            method="POST",
            data=clip.wav(),
            headers={"Content-Type": "audio/wav", "Idempotency-Key": key},
            user=self._config.user,
            password=self._config.password,
            timeout=self._config.timeout_s,
            limit=_MAX_ANSWER,
        )
        await fetch(self._http, request)


def _with_volume(url: str, volume: int) -> str:
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != "volume"]
    return parts._replace(query=urlencode([*query, ("volume", str(volume))]), fragment="").geturl()
