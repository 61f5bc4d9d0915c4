"""The codec's tables, exhaustively, against G.711's own definition of the decoder."""

from __future__ import annotations

import warnings
from array import array
from bisect import bisect_right

import pytest

from hub.sdk.g711 import SILENCE, Codec, encode, table
from integrations.rtp_speaker.tests.receiver import decode

ALL = range(-32_768, 32_768)
CODECS: tuple[Codec, ...] = ("pcmu", "pcma")


@pytest.mark.parametrize(
    ("codec", "vectors"),
    [
        # Signs, ends and segment borders of G.711, tables 1a to 2b; 32124 and 32256 are the outermost levels.
        ("pcmu", {0: 0xFF, -1: 0x7F, 32_767: 0x80, -32_768: 0x00, 32_124: 0x80, -32_124: 0x00, 1_000: 0xCE}),
        ("pcma", {0: 0xD5, -1: 0x55, 32_767: 0xAA, -32_768: 0x2A, 32_256: 0xAA, -32_256: 0x2A, 1_000: 0xFA}),
    ],
)
def test_known_vectors(codec: Codec, vectors: dict[int, int]) -> None:
    assert {sample: encode(array("h", [sample]).tobytes(), codec)[0] for sample in vectors} == vectors


@pytest.mark.parametrize("codec", CODECS)
def test_every_code_means_itself(codec: Codec) -> None:
    levels = decode(bytes(range(256)), codec)
    again = encode(array("h", levels).tobytes(), codec)
    assert {code for code in range(256) if again[code] != code} <= {0x7F}  # µ-law has a negative zero


def decision_values(codec: Codec) -> list[int]:
    """Where each of the 128 intervals begins: G.711, tables 1a (A-law, of 4096) and 2a (µ-law, of 8159)."""
    if codec == "pcma":
        runs = [(32, 2), *((16, 2 << segment) for segment in range(1, 7))]
        values = [0]
    else:
        runs = [(15, 2), *((16, 2 << segment) for segment in range(1, 8))]
        values = [0, 1]
    for count, width in runs:
        values += [values[-1] + width * (i + 1) for i in range(count)]
    assert values.pop() == (4096 if codec == "pcma" else 8159)
    return values


@pytest.mark.parametrize("codec", CODECS)
def test_every_sample_falls_into_its_interval(codec: Codec) -> None:
    values = decision_values(codec)
    assert len(values) == 128
    for sample, got in zip(ALL, encode(array("h", ALL).tobytes(), codec), strict=True):
        magnitude = (~sample if sample < 0 else sample) >> (3 if codec == "pcma" else 2)
        interval = bisect_right(values, magnitude) - 1
        character = interval if sample < 0 else interval | 0x80
        inverted = character ^ 0x55 if codec == "pcma" else (character & 0x80) | (0x7F - interval)
        assert got == inverted, sample


@pytest.mark.parametrize("codec", CODECS)
def test_round_trip_is_within_half_a_step(codec: Codec) -> None:
    for sample, got in zip(ALL, decode(encode(array("h", ALL).tobytes(), codec), codec), strict=True):
        assert abs(got - sample) <= max(16, (abs(sample) + 132) / 31), sample  # 132 is the bias of µ-law


@pytest.mark.parametrize("codec", CODECS)
def test_order_and_symmetry(codec: Codec) -> None:
    decoded = decode(encode(array("h", ALL).tobytes(), codec), codec)
    assert list(decoded) == sorted(decoded)
    assert list(decoded) == [-level for level in reversed(decoded)]  # sample s and its complement ~s
    assert table(codec)[0] == SILENCE[codec]


@pytest.mark.parametrize("codec", CODECS)
def test_against_the_standard_library(codec: Codec) -> None:
    """Python's own C code, where it still is. For negative µ-law it rounds the other way when it drops two bits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop", reason="audioop left Python in 3.13")
    if codec == "pcma":
        assert encode(array("h", ALL).tobytes(), codec) == audioop.lin2alaw(array("h", ALL).tobytes(), 2)
    else:
        same = [sample + 4 if sample < 0 else sample for sample in ALL if not -4 <= sample < 0]
        ours = encode(array("h", (sample for sample in ALL if not -4 <= sample < 0)).tobytes(), codec)
        assert ours == audioop.lin2ulaw(array("h", same).tobytes(), 2)


@pytest.mark.parametrize("codec", ["pcmu", "pcma"])
def test_volume_is_a_part_of_the_amplitude(codec: Codec) -> None:
    loud, half = (array("h", levels).tobytes() for levels in ([8_000, -8_000, 0], [4_000, -4_000, 0]))
    assert encode(loud, codec, 50) == encode(half, codec) != encode(loud, codec)
    assert encode(loud, codec, 0) == bytes([SILENCE[codec]]) * 3
