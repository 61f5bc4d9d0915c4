"""What becomes of recorded bytes, of broken ones, and of whatever hypothesis thinks of."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import DecodeError
from hub.sdk.multipart import MAX_HEAD, MAX_PART, MAX_PICTURE, Parts, boundary_of
from integrations.hikvision.alert import Alert, decode
from integrations.sim.hikvision_camera import HEARTBEAT, alert

CAPTURES = Path(__file__).parents[1] / "captures"

BEAT = Alert("videoloss", active=False, channel=0)


def parse(data: bytes, boundary: bytes = b"--boundary", step: int = 0) -> list[Alert]:
    parts = Parts(boundary)
    pieces = [data[at : at + step] for at in range(0, len(data), step)] if step else [data]
    return [said for piece in pieces for body in parts.feed(piece) if (said := decode(body)) is not None]


@pytest.mark.parametrize("file", sorted(CAPTURES.glob("*.bin")), ids=lambda file: file.stem)
@pytest.mark.parametrize("step", [0, 1, 7, 1460])
def test_captures(file: Path, step: int) -> None:
    data = file.read_bytes()
    boundary = re.match(rb"--\w+", data)
    assert boundary is not None
    expected = [json.loads(line) for line in file.with_suffix(".expect").read_text().splitlines()]
    found = parse(data, boundary[0], step)
    assert [[said.type, said.active, said.channel] for said in found] == expected


def test_every_capture_is_looked_at() -> None:
    assert len(list(CAPTURES.glob("*.bin"))) == len(list(CAPTURES.glob("*.expect"))) == 3


@pytest.mark.parametrize("step", [0, 1000])
def test_a_large_picture_is_passed_over_and_never_kept(step: int) -> None:
    picture = bytes(MAX_PART + 100)
    head = b"--boundary\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
    assert parse(HEARTBEAT + head + picture + b"\r\n" + alert(), step=step) == [
        BEAT,
        Alert("vmd", active=True, channel=1),
    ]
    parts = Parts(b"--boundary")
    assert parts.feed(head + picture[:-1]) == []
    assert len(parts._buffer) == 0  # noqa: SLF001


@pytest.mark.parametrize("length", ["1", "400", "99999"])
def test_a_wrong_length_costs_at_most_its_own_part(length: str) -> None:
    wrong = re.sub(rb"Content-Length: \d+", b"Content-Length: " + length.encode(), alert())
    parts = Parts(b"--boundary")
    bodies = parts.feed(wrong + HEARTBEAT + HEARTBEAT)
    assert [decode(body) for body in bodies[1:]] == [BEAT, BEAT]


@pytest.mark.parametrize(
    "data",
    [
        b"--boundary\r\nContent-Type: application/xml\r\nContent-Length: 300000\r\n\r\n",
        b"--boundary\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % (MAX_PICTURE + 1),
        b"--boundary\r\nContent-Type: application/xml\r\n\r\n" + b"x" * (MAX_PART + MAX_HEAD + 1),
        b"--boundary\r\nX: " + b"x" * MAX_HEAD,
        b"--boundary\r\nX: " + b"x" * MAX_HEAD + b"\r\n\r\n",
    ],
)
def test_parts_beyond_the_limits_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Parts(b"--boundary").feed(data)


def test_what_stands_between_parts_is_not_kept() -> None:
    parts = Parts(b"--boundary")
    for _ in range(100):
        assert parts.feed(b"x" * 100_000) == []
        assert len(parts._buffer) < 20  # noqa: SLF001
    assert [decode(body) for body in parts.feed(HEARTBEAT)] == [BEAT]


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/mixed; boundary=boundary", b"--boundary"),
        ('multipart/mixed;boundary="MIME_boundary"', b"--MIME_boundary"),
        ("Multipart/X-Mixed-Replace; charset=utf-8; boundary=--b; x=y", b"--b"),
        ("multipart/mixed", None),
        ("multipart/mixed; boundary=", None),
        ("multipart/mixed; boundary=--", None),
        ("multipart/mixed; boundary=" + "x" * 71, None),
        ("multipart/mixed; boundary=a\r\nb", None),
        ("text/html; boundary=b", None),
        ("", None),
    ],
)
def test_the_boundary_is_checked(header: str, boundary: bytes | None) -> None:
    assert boundary_of(header) == boundary


def xml(
    event: str = "VMD", state: str = "active", channel: str = "<channelID>1</channelID>", before: str = ""
) -> bytes:
    body = f"<eventType>{event}</eventType><eventState>{state}</eventState>{channel}"
    return f"{before}<EventNotificationAlert>{body}</EventNotificationAlert>".encode()


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>'


@pytest.mark.parametrize(
    "part",
    [
        xml(before=BOMB),
        xml(before=BOMB.lower()),
        xml(before='<?xml version="1.0" encoding="UTF-16LE"?>' + BOMB).decode().encode("utf-16-le"),
        xml(before='<!DOCTYPE a SYSTEM "file:///etc/passwd">'),
        xml()[:-5],
        xml().replace(b"VMD", b"\xff\xfe"),
        xml("&b;"),
        xml(""),
        xml("VMD\x1b[2J"),
        xml("x" * 65),
        xml(state=""),
        xml(state="on"),
        xml(channel="<channelID>-1</channelID>"),
        xml(channel="<channelID>999999</channelID>"),
        xml(channel="<channelID>１</channelID>"),
        b"<html/>",
        b"<a>" * 80_000,
        b"<" + b"x" * MAX_PART,
        b"{",
        b"{" + b'"a":{' * 5_000,
        b'{"eventType": "VMD"}',
        b'{"eventType": ["VMD"], "eventState": "active"}',
        b'{"eventType": "VMD", "eventState": true}',
        b'{"eventType": "VMD", "eventState": "active", "channelID": 1.5}',
    ],
)
def test_broken_and_hostile_messages_are_refused(part: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(part)
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 200


@pytest.mark.parametrize("part", [b"", b"\xff\xd8\xff\xe0", b"hello", xml().decode().encode("utf-16")])
def test_parts_of_another_kind_say_nothing(part: bytes) -> None:
    assert decode(part) is None


@pytest.mark.parametrize(
    "namespace", ["http://www.isapi.org/ver20/XMLSchema", "http://www.std-cgi.com/ver20/XMLSchema", ""]
)
def test_the_namespace_does_not_matter(namespace: str) -> None:
    part = b"\xef\xbb\xbf\r\n" + xml("VMD ", " Active").replace(b"Alert>", b'Alert xmlns="%s">' % namespace.encode(), 1)
    assert decode(part) == Alert("vmd", active=True, channel=1)


TAGS = st.sampled_from(["EventNotificationAlert", "eventType", "eventState", "channelID", "a:b", "x"])
TEXTS = st.one_of(
    st.sampled_from(["VMD", "active", "inactive", "1", "<!DOCTYPE a>", "&amp;", "]]>"]), st.text(max_size=9)
)


@given(st.lists(st.tuples(TAGS, TEXTS), max_size=6), st.binary(max_size=40))
def test_no_message_raises_anything_else(fields: list[tuple[str, str]], tail: bytes) -> None:
    inner = "".join(f"<{tag}>{text}</{tag}>" for tag, text in fields)
    for part in (
        tail,
        f"<EventNotificationAlert>{inner}</EventNotificationAlert>".encode() + tail,
        b"{" + tail,
        b"<" + tail,
    ):
        with suppress(DecodeError):
            said = decode(part)
            assert said is None or (said.type.isascii() and said.type.isprintable())


HEADS = (
    b"Content-Length: 5\r\n",
    b"Content-Length: x\r\n",
    b"Content-Length: 999999\r\n",
    b"Content-Type: image/png\r\n",
)
BLOCKS = st.sampled_from([HEARTBEAT, alert(), b"--boundary", b"--boundary--", b"\r\n\r\n", b"\n", *HEADS])


@given(st.lists(BLOCKS | st.binary(max_size=30), max_size=12), st.integers(1, 500))
def test_no_stream_raises_anything_else_and_how_it_is_cut_does_not_matter(blocks: list[bytes], step: int) -> None:
    data = b"".join(blocks)

    def bodies(pieces: list[bytes]) -> list[bytes] | str:
        parts, found = Parts(b"--boundary"), []
        try:
            for piece in pieces:
                found += parts.feed(piece)
        except DecodeError as error:
            return error.reason
        return found

    assert bodies([data]) == bodies([data[at : at + step] for at in range(0, len(data), step)])
