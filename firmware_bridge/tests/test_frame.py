"""Frames and serial lines: what is whole comes through, and nothing else raises more than BadFrame."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import BadFrame, Refused
from firmware_bridge.frame import HEADER, MAX_BODY, Frame, Op, decode, encode, read_map
from firmware_bridge.serial_framing import MAX_LINE, Assembler, lines_of
from firmware_bridge.tests import STEADY

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.booleans() | NUMBERS | st.text(max_size=20) | st.binary(max_size=40)
BODIES = st.dictionaries(st.text(max_size=8), LEAVES | st.lists(LEAVES, max_size=4), max_size=30)
FRAMES = st.builds(Frame, st.sampled_from(Op), st.integers(0, 65_535), st.integers(0, 255), st.integers(0, 255), BODIES)


@STEADY
@given(FRAMES)
def test_what_is_written_is_read(frame: Frame) -> None:
    assert decode(encode(frame)) == frame


@STEADY
@given(st.binary(max_size=200))
def test_noise_is_a_bad_frame_or_a_frame(data: bytes) -> None:
    with suppress(BadFrame):
        decode(data)


@STEADY
@given(st.binary(max_size=300))
def test_noise_in_a_map(data: bytes) -> None:
    with suppress(BadFrame):
        assert isinstance(read_map(data), dict)


@pytest.mark.parametrize(
    "coded",
    [
        "",
        "80",  # a list
        "a0a0",  # something follows
        "a10102",  # a key that is no text
        "a16161f97e00",  # NaN
        "a16161f6",  # null
        "a16161f7",  # undefined
        "a16161e0",  # a simple value
        "a16161c11a514b67b0",  # a tagged time
        "a16161c249ffffffffffffffffff",  # a tagged large number
        "a16161c5821bffffffffffffffff01",  # 2^(2^64)
        "bf6161616261ffff",  # indefinite map
        "a161617f6161ff",  # indefinite text
        "a2616101616102",  # a key twice
        "a16161818181818101",  # too deep
        "a1616162ffff",  # no UTF-8
        "a161619bffffffffffffffff",  # a list of 2^64
        "a161615bffffffffffffffff",  # bytes of 2^64
        "a161615a7fffffff",
    ],
)
def test_cbor_that_is_not_allowed(coded: str) -> None:
    with pytest.raises(BadFrame):
        read_map(bytes.fromhex(coded))


@pytest.mark.parametrize(
    "header",
    [
        (0x02, 0, 1, 0, 0, 0),  # version 1
        (0x12, 0, 1, 0, 0, 0),  # version 3
        (0x0C, 0, 1, 0, 0, 0),  # operation 4
        (0x0A, 0, 2, 0, 0, 0),  # a longer map than came
        (0x0A, 0, 0, 0, 0, 0),  # a shorter one
    ],
)
def test_headers_that_are_not_allowed(header: tuple[int, ...]) -> None:
    with pytest.raises(BadFrame):
        decode(HEADER.pack(*header) + b"\xa0")


def test_limits_of_length() -> None:
    with pytest.raises(BadFrame):
        encode(Frame(Op.WRITE, 0, 0, 0, {"d": bytes(MAX_BODY)}))
    with pytest.raises(BadFrame):
        decode(HEADER.pack(0x0A, 0, MAX_BODY + 1, 0, 0, 0) + bytes(MAX_BODY + 1))


@pytest.mark.parametrize("body", [{"rc": 8}, {"err": {"group": 1, "rc": 8}}])
def test_an_answer_that_reports_a_failure(body: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        Frame(Op.WRITE_ANSWER, 1, 0, 0, body).check()
    assert refused.value.code == 8


@pytest.mark.parametrize("body", [{"rc": "8"}, {"err": {}}, {"err": {"rc": b"x", "group": []}}])
def test_an_answer_that_reports_nonsense_is_refused_too(body: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        Frame(Op.WRITE_ANSWER, 1, 0, 0, body).check()


@STEADY
@given(st.lists(st.one_of(FRAMES, st.just(b"I: booted\r\n")), max_size=4), st.integers(1, 50))
def test_frames_between_the_console_in_pieces_of_any_size(parts: list[Frame | bytes], size: int) -> None:
    frames = [encode(part) for part in parts if isinstance(part, Frame)]
    stream = b"".join(lines_of(encode(part)) if isinstance(part, Frame) else part for part in parts)
    assembler = Assembler()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert [frame for piece in pieces for frame in assembler.feed(piece)] == frames
    assert all(len(line) <= MAX_LINE for line in stream.splitlines(keepends=True))
    assert assembler.broken == 0


@STEADY
@given(FRAMES, st.data())
def test_one_changed_byte_never_gives_another_frame(frame: Frame, data: st.DataObject) -> None:
    whole = encode(frame)
    lines = bytearray(lines_of(whole))
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] ^= data.draw(st.integers(1, 255))
    assert list(Assembler().feed(bytes(lines))) in ([], [whole])


@STEADY
@given(
    st.lists(st.binary(max_size=300) | st.binary(max_size=99).map(lambda tail: b"\x06\x09" + tail + b"\n"), max_size=9)
)
def test_noise_on_the_line_is_survived(pieces: list[bytes]) -> None:
    assembler = Assembler()
    for piece in pieces:
        list(assembler.feed(piece))
    frame = encode(Frame(Op.WRITE, 0, 7, 0, {"d": "hi"}))
    assert list(assembler.feed(b"\n" + lines_of(frame)))[-1:] == [frame]
