"""One utterance as RTP packets, a pure function of the clip and the command's key, and their pace."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

from hub.model.ids import CommandKey
from hub.sdk import g711
from hub.sdk.media import Clip

#: Payload types (RFC 3551, table 4).
PAYLOAD_TYPES: dict[g711.Codec, int] = {"pcmu": 0, "pcma": 8}
#: Seconds of sound in a packet (RFC 3551, section 4.2) and its samples at 8 kHz.
PACKET_SECONDS, PACKET_SAMPLES = 0.02, 160
#: Packets of silence before the speech. A receiver may drop all of a new source until it has seen two packets in
#: sequence (RFC 3550, section 6.2.1 and appendix A.1, MIN_SEQUENTIAL), and clips begin without silence: the first
#: syllable (您好) would be cut. Three are 60 ms.
LEAD_IN = 3


@dataclass(frozen=True, slots=True)
class Stream:
    """What RFC 3550, section 5.1 wants random at the start of a stream."""

    ssrc: int
    sequence: int
    timestamp: int

    @classmethod
    def of(cls, key: CommandKey) -> Stream:
        """Derive all three from the command's key: as good as random, yet the same in a repeat after a crash.

        A receiver that keeps the SSRC of what it played last can tell the repeat from a new utterance; one that does
        not keep it still takes the repeat for the same source begun again.
        """
        return cls(*struct.unpack_from(">IHI", hashlib.sha256(b"menshen rtp " + key.encode()).digest()))


def packets(clip: Clip, volume: int, codec: g711.Codec, stream: Stream) -> Iterator[bytes]:
    """Yield the packets of ``clip``, coded one at a time as they are needed.

    ``volume`` (0 to 100) is the part of the clip's amplitude in percent: 50 is 6 dB less. The first packet carries the
    marker of a talkspurt (RFC 3551, section 4.1). The last one is filled up with silence.
    """
    size = 2 * PACKET_SAMPLES
    silence = bytes([g711.SILENCE[codec]]) * PACKET_SAMPLES
    for number in range(-LEAD_IN, -(-len(clip.pcm) // size)):
        payload = silence
        if number >= 0:
            payload = g711.encode(clip.pcm[number * size : (number + 1) * size], codec, volume)
            payload += silence[len(payload) :]
        index = number + LEAD_IN
        yield (
            struct.pack(
                ">BBHII",
                2 << 6,  # version 2; no padding, extension or contributing sources
                PAYLOAD_TYPES[codec] | (0x80 if index == 0 else 0),
                (stream.sequence + index) & 0xFFFF,
                (stream.timestamp + index * PACKET_SAMPLES) & 0xFFFF_FFFF,
                stream.ssrc,
            )
            + payload
        )


async def pace(
    stream: Iterable[bytes],
    send: Callable[[bytes], None],
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Send one packet each ``PACKET_SECONDS`` and return when the last has been heard.

    Each is due at a multiple after the first, never "so long after the one before": what the loop is late with one is
    made good with the next, and the error does not add up.
    """
    start, number = now(), 0
    for number, packet in enumerate(stream, start=1):
        send(packet)
        await sleep(max(0.0, start + number * PACKET_SECONDS - now()))
