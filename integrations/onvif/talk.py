"""The camera's loudspeaker, by the back channel of its stream.

::

    DESCRIBE, SETUP, PLAY with "Require: www.onvif.org/ver20/backchannel"; in the SDP the sound that the camera takes is
    m=audio … / a=sendonly (from where the client stands); then RTP, interleaved in the connection ($, channel, length)

Source: ONVIF Streaming Specification, 5.3 "Back Channel Connection"; interleaving: RFC 2326, section 10.12.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urljoin

from hub.sdk import Clip, CommandKey, Unreachable, Unsupported, check_address, g711, rtp
from integrations.onvif.config import Config
from integrations.onvif.rtsp import Rtsp

REQUIRE = "Require: www.onvif.org/ver20/backchannel"
#: Seconds of silence after the speech: a camera that is told good-bye drops what it still holds back.
TAIL = 0.2
#: Bytes that may wait for a camera; one that takes no more has stopped listening. Four seconds of sound.
WAITING = 32 * 1024
#: Sections and lines of an SDP that are looked at.
_MAX_LINES = 500
_CODECS: dict[str, g711.Codec] = {"0": "pcmu", "8": "pcma"}
_CONTROL = re.compile(r"[!-~]{1,512}")
_SESSION = re.compile(r"[!-:<-~]{1,128}")
_CHANNEL = re.compile(r"interleaved=([0-9]{1,3})\b")


@dataclass(frozen=True, slots=True)
class Track:
    """Where sound is sent to, and how it is coded."""

    control: str
    codec: g711.Codec


class BackChannel:
    """The loudspeaker behind one stream, ``address`` being that of the stream (rtsp, rtsps)."""

    def __init__(self, address: str, config: Config) -> None:
        check_address(address, "rtsp", "rtsps")
        self._address = address
        self._config = config

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Speak ``clip`` and return when it was heard. Raises DeviceError. When cancelled, nothing more is sent.

        A repeat after a crash has the same SSRC and numbers, from which a camera could tell it.
        """
        config = self._config
        line: Rtsp | None = None
        try:
            async with asyncio.timeout(config.timeout_s):
                line = await Rtsp.open(self._address, config.user, config.password)
                track, channel = await self._begin(line)
            async with asyncio.timeout(clip.seconds + 2 * TAIL + config.timeout_s):
                await _speak(line, channel, rtp.packets(_with_tail(clip), volume, track.codec, rtp.Stream.of(key)))
                with contextlib.suppress(OSError):
                    line.say("TEARDOWN", self._address)
                    await line.writer.drain()
                    line.writer.close()
        except TimeoutError:
            raise Unreachable(f"the camera's stream did not answer within {config.timeout_s:g} s") from None
        except (OSError, EOFError) as error:
            raise Unreachable(f"no connection for sound ({type(error).__name__})") from None
        finally:
            if line is not None:
                line.drop()

    async def _begin(self, line: Rtsp) -> tuple[Track, int]:
        """Open the back channel; return its track and its channel in the connection. Raises DeviceError."""
        answer = await line.ask("DESCRIBE", self._address, "Accept: application/sdp", REQUIRE)
        base = answer.headers.get("content-base", "") or self._address
        track = read_sdp(answer.body, base)
        set_up = await line.ask("SETUP", track.control, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", REQUIRE)
        session = set_up.headers.get("session", "").partition(";")[0].strip()
        found = _CHANNEL.search(set_up.headers.get("transport", ""))
        if not _SESSION.fullmatch(session) or found is None or int(found[1]) > 255:
            raise Unsupported("the camera does not take sound in the connection of its stream")
        line.session = session
        await line.ask("PLAY", self._address, REQUIRE)
        return track, int(found[1])


def read_sdp(body: bytes, base: str) -> Track:
    """Return the first section of sound that the camera takes in G.711. Raises Unsupported."""
    lines = body.decode("utf-8", "replace").splitlines()[:_MAX_LINES]
    starts = [number for number, line in enumerate(lines) if line.startswith("m=")]
    coded = False
    for start, end in pairwise([*starts, len(lines)]):
        media, section = lines[start].split(), lines[start + 1 : end]
        if media[0] != "m=audio" or "a=sendonly" not in section:
            continue
        coded = True
        codec = next((_CODECS[number] for number in media[3:] if number in _CODECS), None)
        control = next((line[10:].strip() for line in section if line.startswith("a=control:")), "")
        whole = _joined(base, control) if control else ""
        if codec is not None and _CONTROL.fullmatch(whole):
            return Track(whole, codec)
    if coded:
        raise Unsupported("the back channel is not G.711; set the camera's audio output (decoder) to G.711")
    raise Unsupported("the camera's stream has no back channel for sound")


def _joined(base: str, control: str) -> str:
    try:
        return control if "://" in control else urljoin(base.rstrip("/") + "/", control)
    except ValueError:  # brackets that are no IPv6 address
        return ""


async def _speak(line: Rtsp, channel: int, packets: Iterable[bytes]) -> None:
    """Send packets in real time while the camera listens. Raises DeviceError, OSError, EOFError."""
    listening = asyncio.ensure_future(line.passed_over())

    def send(packet: bytes) -> None:
        if listening.done():
            listening.result()  # raises: the connection has ended
        if line.writer.transport.get_write_buffer_size() > WAITING:
            raise Unreachable("the camera does not take the sound")
        line.writer.write(b"$" + bytes((channel,)) + len(packet).to_bytes(2, "big") + packet)

    try:
        await rtp.pace(packets, send, asyncio.get_running_loop().time)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def _with_tail(clip: Clip) -> Clip:
    return Clip(pcm=clip.pcm + bytes(2 * round(TAIL * 8000)))
