"""RTP packets and G.711, against FFmpeg's decoder and the examples of the standards."""

from __future__ import annotations

from array import array

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.sim import g711
from integrations.sim.rtp import NotRtp, Packet, fragments


@pytest.mark.parametrize(("kind", "codec"), [(g711.PCMU, "pcm_mulaw"), (g711.PCMA, "pcm_alaw")])
def test_g711_is_what_ffmpeg_says(kind: int, codec: str) -> None:
    reference = av.CodecContext.create(codec, "r")
    assert isinstance(reference, av.AudioCodecContext)
    reference.sample_rate, reference.layout = 8000, "mono"
    codes = bytes(range(256))
    frame = reference.decode(av.Packet(codes))[0]
    due = array("h", bytes(frame.planes[0])[: 2 * len(codes)])
    assert g711.decode(kind, codes) == due


@given(
    st.builds(
        Packet,
        st.integers(0, 127),
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.binary(max_size=400),
        st.booleans(),
    )
)
def test_a_packet_comes_back(packet: Packet) -> None:
    assert Packet.decode(packet.encode()) == packet


@given(st.binary(max_size=80))
def test_any_datagram_is_a_packet_or_refused(data: bytes) -> None:
    try:
        packet = Packet.decode(data)
    except NotRtp:
        return
    assert len(packet.payload) <= len(data) - 12


def test_sources_extension_and_padding_are_skipped() -> None:
    head = bytes([0xB1, 0x00]) + bytes(10)
    data = head + bytes(4) + bytes([0, 0, 0, 1]) + bytes(4) + b"sound" + b"\x00\x00\x03"
    assert Packet.decode(data).payload == b"sound"


@given(st.binary(min_size=1, max_size=5000), st.integers(10, 1400))
def test_fragments_join_to_the_unit(unit: bytes, limit: int) -> None:
    parts = fragments(unit, limit)
    assert all(len(part) <= limit for part in parts)
    if len(parts) == 1:
        assert parts == [unit]
        return
    assert [part[1] & 0xC0 for part in parts] == [0x80, *[0] * (len(parts) - 2), 0x40]
    first = bytes([parts[0][0] & 0xE0 | parts[0][1] & 0x1F])
    assert first + b"".join(part[2:] for part in parts) == unit
