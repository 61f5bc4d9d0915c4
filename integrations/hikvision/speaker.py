"""The camera's loudspeaker: two-way audio, channel 1.

::

    GET  /ISAPI/System/TwoWayAudio/channels/1             audioCompressionType: G.711ulaw or G.711alaw, at 8 kHz
    PUT  /ISAPI/System/TwoWayAudio/channels/1/open        answers <TwoWayAudioSession><sessionId>…
    PUT  /ISAPI/System/TwoWayAudio/channels/1/audioData?sessionId=…
    PUT  /ISAPI/System/TwoWayAudio/channels/1/close

Source: ISAPI developer guide (General Application), 15.10.186 to 15.10.190.
"""

from __future__ import annotations

import contextlib
import re
from typing import Literal

import aiohttp

from hub.sdk import Clip, CommandKey, DecodeError, DeviceError, Request, Unreachable, Unsupported, clean, fetch, g711
from integrations.hikvision.alert import xml
from integrations.hikvision.call import send
from integrations.hikvision.config import Config

CHANNEL = "/ISAPI/System/TwoWayAudio/channels/1"
#: Seconds of silence at the end: ``close`` drops what the camera still holds back, and that must not be speech.
TAIL = 0.2

_CODECS: dict[str, g711.Codec] = {"G.711ulaw": "pcmu", "G.711alaw": "pcma"}
_SESSION = re.compile(r"[0-9A-Za-z-]{1,64}")


class HikvisionSpeaker:
    """The loudspeaker of one camera."""

    def __init__(self, http: aiohttp.ClientSession, base: str, config: Config) -> None:
        self._http = http
        self._base = base
        self._config = config

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Speak ``clip`` and return when it was heard. Raises DeviceError. The channel is closed whatever happens.

        The protocol has no place for ``key``.
        """
        codec = await self._codec()
        sound = g711.encode(clip.pcm, codec, volume) + bytes([g711.SILENCE[codec]]) * round(TAIL * 8000)
        try:
            session = await self._open()
            query = f"?sessionId={session}" if session else ""
            await send(self._base, f"{CHANNEL}/audioData{query}", self._config, sound)
        finally:
            await self._close()

    async def _codec(self) -> g711.Codec:
        """Ask how the camera wants its sound; in another coding it would be noise. Raises DeviceError."""
        name = _text(await self._ask("GET", ""), "audioCompressionType")
        if name not in _CODECS:
            raise Unsupported(f"two-way audio is {clean(name, 20)!r}; set it to G.711ulaw on the camera's audio page")
        return _CODECS[name]

    async def _open(self) -> str:
        """Open the channel; return its session, which some firmwares leave out. Raises DeviceError."""
        try:
            answer = await self._ask("PUT", "/open")
        except (Unreachable, Unsupported):
            await self._close()  # left open by a hub that was killed while it spoke
            answer = await self._ask("PUT", "/open")
        session = _text(answer, "sessionId") if answer.strip() else ""
        if session and not _SESSION.fullmatch(session):
            raise Unsupported(f"a session of an unknown form: {clean(session, 20)!r}")
        return session

    async def _close(self) -> None:
        """Close the channel; a failure changes nothing of what was heard, and the next ``play`` closes again."""
        with contextlib.suppress(DeviceError):
            await self._ask("PUT", "/close")

    async def _ask(self, method: Literal["GET", "PUT"], path: str) -> bytes:
        config = self._config
        request = Request(
            self._base + CHANNEL + path,
            method=method,
            data=b"" if method == "PUT" else None,
            user=config.user,
            password=config.password,
            timeout=config.timeout_s,
            limit=64 * 1024,
        )
        return await fetch(self._http, request)


def _text(document: bytes, name: str) -> str:
    """Return the text of the first element ``name``, empty when there is none. Raises Unsupported for no XML."""
    try:
        found = xml(document).findtext(f".//{{*}}{name}")
    except DecodeError as error:
        raise Unsupported(f"the camera's answer is {error.reason}") from None
    return (found or "").strip()
