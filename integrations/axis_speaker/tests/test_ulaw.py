"""The coder, over every sample, against G.711's own definition of the decoder."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.axis_speaker.ulaw import encode, table


def level(code: int) -> int:
    """Decode one code (ITU-T G.711, table 2a), in units of 16 bits."""
    code = ~code & 0xFF
    size = (((code & 0xF) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -size if code & 0x80 else size


def test_known_vectors() -> None:
    vectors = {0: 0xFF, -1: 0x7F, 32_767: 0x80, -32_768: 0x00, 32_124: 0x80, -32_124: 0x00, 1_000: 0xCE}
    assert {sample: encode(array("h", [sample]).tobytes(), 100)[0] for sample in vectors} == vectors


def test_every_sample_falls_into_its_interval() -> None:
    widths = [1, *[2] * 15, *(2 << segment for segment in range(1, 8) for _ in range(16))]  # table 2a, of 8159
    begins = [0, *accumulate(widths)]
    assert (len(widths), begins.pop()) == (128, 8159)
    for sample in range(-0x8000, 0x8000):
        interval = bisect_right(begins, (~sample if sample < 0 else sample) >> 2) - 1
        assert table()[sample & 0xFFFF] == (0x7F if sample < 0 else 0xFF) - interval, sample


@given(st.lists(st.integers(-32_768, 32_767)), st.integers(0, 100))
def test_one_byte_for_each_sample_and_never_louder(samples: list[int], volume: int) -> None:
    got = encode(array("h", samples).tobytes(), volume)
    assert len(got) == len(samples)
    loudest = max(map(abs, samples), default=0) * volume / 100
    assert max((abs(level(code)) for code in got), default=0) <= loudest * 1.04 + 8


def test_volume_is_amplitude() -> None:
    pcm = array("h", [20_000, -20_000]).tobytes()
    for volume, expected in ((100, 20_000), (50, 10_000), (0, 0)):
        assert [abs(level(code)) for code in encode(pcm, volume)] == pytest.approx([expected] * 2, rel=0.03, abs=8)
