"""What becomes of recorded bytes, of broken ones, and of whatever hypothesis thinks of."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import DecodeError
from hub.sdk.multipart import Parts, boundary_of
from integrations.dahua.event import MAX_MESSAGE, Event, Heartbeat, channels, decode
from integrations.dahua.stream import HEAD_END
from integrations.sim.dahua_camera import HEARTBEAT, event

CAPTURES = Path(__file__).parents[1] / "captures"


@pytest.mark.parametrize("file", sorted(CAPTURES.glob("*.bin")), ids=lambda file: file.stem)
@pytest.mark.parametrize("step", [0, 1, 7, 1460])
def test_captures(file: Path, step: int) -> None:
    data = file.read_bytes()
    parts = Parts(b"--myboundary", HEAD_END)
    pieces = [data[at : at + step] for at in range(0, len(data), step)] if step else [data]
    said = [decode(body) for piece in pieces for body in parts.feed(piece)]
    expected = [json.loads(line) for line in file.with_suffix(".expect").read_text().splitlines()]
    assert [[found.code, found.action, found.index] if isinstance(found, Event) else "Heartbeat" for found in said] == (
        expected
    )


def test_every_capture_is_looked_at() -> None:
    assert len(list(CAPTURES.glob("*.bin"))) == len(list(CAPTURES.glob("*.expect"))) == 2


def test_a_message_is_there_when_it_is_complete_and_not_with_the_next() -> None:
    parts = Parts(b"--myboundary", HEAD_END)
    assert [decode(body) for body in parts.feed(event("VideoMotion"))] == [Event("VideoMotion", "Start", 0)]


@pytest.mark.parametrize("length", [b"1", b"40", b"60", b"99999", b"x"])
def test_a_wrong_length_costs_at_most_its_own_part(length: bytes) -> None:
    wrong = event("VideoMotion").replace(b"Content-Length:45", b"Content-Length:" + length)
    assert wrong != event("VideoMotion")
    bodies = Parts(b"--myboundary", HEAD_END).feed(wrong + HEARTBEAT + HEARTBEAT)
    assert [decode(body) for body in bodies[1:]] == [Heartbeat(), Heartbeat()]


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/x-mixed-replace; boundary=myboundary", b"--myboundary"),
        ("multipart/x-mixed-replace;boundary=--myboundary", b"--myboundary"),
        ("multipart/x-mixed-replace; boundary=", None),
        ("multipart/x-mixed-replace; boundary=" + "x" * 71, None),
        ("text/plain;charset=utf-8", None),
        ("", None),
    ],
)
def test_the_boundary_is_checked(header: str, boundary: bytes | None) -> None:
    assert boundary_of(header) == boundary


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"hello",
        b"heartbeat",
        b"Code=;action=Start;index=0",
        b"Code=VideoMotion",
        b"Code=VideoMotion;action=;index=0",
        b"Code=VideoMotion;action=Start;index=123456",
        b"Code=Video\x1b[2J;action=Start;index=0",
        b"Code=" + b"x" * 65 + b";action=Start;index=0",
        b"Code=VideoMotion;action=" + b"x" * 17 + b";index=0",
        b"Code=VideoMotion;action=Start;index=0;data=" + b"x" * MAX_MESSAGE,
    ],
)
def test_broken_and_hostile_messages_are_refused(part: bytes) -> None:
    if b"123456" in part:  # an index that is none: the event is of no known channel
        assert decode(part) == Event("VideoMotion", "Start", None)
        return
    with pytest.raises(DecodeError) as caught:
        decode(part)
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 200


def test_data_cannot_pose_as_an_event() -> None:
    said = b'Code=VideoMotion;action=Stop;index=3;data={"Name":"\nCode=VideoLoss;action=Start;index=0"}'
    assert decode(said) == Event("VideoMotion", "Stop", 3)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"channels[0]=0\r\nchannels[1]=11\r\n", frozenset({0, 11})),
        (b"channels[0]=2", frozenset({2})),
        (b"Error: No Events\r\n", frozenset()),
        (b"Error\r\nBad Request!\r\n", None),
        (b"channels[0]=-1", None),
        (b"xchannels[0]=1", None),
        (b"<html>channels[0]=1</html>", None),
        (b"", None),
    ],
)
def test_what_lasts(answer: bytes, expected: frozenset[int] | None) -> None:
    assert channels(answer) == expected


PIECES = st.sampled_from(
    [b"Code=", b"VideoMotion", b";action=", b"Start", b";index=", b"0", b";data={", b"\n", b"Heartbeat"]
)


@given(st.lists(PIECES | st.binary(max_size=5), max_size=9).map(b"".join))
def test_no_message_raises_anything_else(part: bytes) -> None:
    channels(part)
    with suppress(DecodeError):
        said = decode(part)
        assert isinstance(said, Heartbeat) or (said.code + said.action).isascii()


HEADS = (
    b"Content-Length: 5\r\n",
    b"Content-Length: x\r\n",
    b"Content-Length: 999999\r\n",
    b"Content-Type: text/plain\r\n",
)
BLOCKS = st.sampled_from([HEARTBEAT, event("VideoMotion"), b"--myboundary", b"\r\n\r\n", b"\n", b"\nCode=", *HEADS])


@given(st.lists(BLOCKS | st.binary(max_size=30), max_size=12), st.integers(1, 500))
def test_no_stream_raises_anything_else_and_how_it_is_cut_does_not_matter(blocks: list[bytes], step: int) -> None:
    data = b"".join(blocks)

    def bodies(pieces: list[bytes]) -> list[bytes] | str:
        parts, found = Parts(b"--myboundary", HEAD_END), []
        try:
            for piece in pieces:
                found += parts.feed(piece)
        except DecodeError as error:
            return error.reason
        return found

    assert bodies([data]) == bodies([data[at : at + step] for at in range(0, len(data), step)])
