"""Pieces for a browser, cut out of the ring of a real stream: what was sent, in one unbroken time, and only whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest

from hub.vision.worker.ring import Ring
from hub.vision.worker.wire import Group, Listed
from hub.web.onlook import playlist

#: Pictures a second, and in a group.
RATE, GROUP = 10, 10


def filmed(seconds: int) -> bytes:
    memory = io.BytesIO()
    options = {"preset": "ultrafast", "g": str(GROUP), "bf": "2", "threads": "1"}
    with av.open(memory, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(seconds * RATE):
            picture = np.full((144, 160), 40 + number % 150, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return memory.getvalue()


def kept(film: bytes, first: int = 1, seconds: float = 60.0) -> tuple[Ring, list[bytes]]:
    sent = []
    with av.open(io.BytesIO(film), "r") as file:
        stream = file.streams.video[0]
        ring = Ring(stream, seconds, first)
        for packet in file.demux(stream):
            if packet.size:
                sent.append(bytes(packet))
                ring.add(packet, 1_000.0 + float((packet.pts or 0) * (packet.time_base or 0)))
    return ring, sent


def played(data: bytes) -> Iterator[tuple[float, bytes]]:
    with av.open(io.BytesIO(data), "r") as file:
        for packet in file.demux(video=0):
            if packet.size:
                yield float((packet.pts or 0) * (packet.time_base or 0)), bytes(packet)


def test_groups_become_one_film_of_the_same_packets() -> None:
    ring, sent = kept(filmed(4))
    groups = ring.groups()
    assert [group.number for group in groups] == [1, 2, 3]
    assert [group.seconds for group in groups] == pytest.approx([1.0] * 3)
    parts = [ring.group(group.number) for group in groups]
    assert all(part is not None for part in parts)
    begins = {part[0] for part in parts if part}
    assert len(begins) == 1, "one initialization section serves all"
    whole = begins.pop() + b"".join(part[1] for part in parts if part)
    found = list(played(whole))
    assert [data for _, data in found] == sent[: len(found)]
    times = sorted(at for at, _ in found)
    assert np.diff(times) == pytest.approx(1 / RATE, abs=0.002), "no gap and no overlap between the pieces"


def test_what_is_not_whole_or_not_kept_is_not_given() -> None:
    ring, _ = kept(filmed(4), first=7)
    assert [group.number for group in ring.groups()] == [7, 8, 9]
    assert ring.group(6) is None
    assert ring.group(10) is None, "it still grows"
    assert ring.next == 11


def test_old_groups_leave_and_keep_their_numbers() -> None:
    ring, _ = kept(filmed(20), seconds=5)
    assert ring.groups()[-1].number == 19
    assert ring.groups()[0].number > 3
    assert ring.group(1) is None


def test_the_list_names_the_last_seconds() -> None:
    groups = tuple(Group(number, 1_760_000_000.0 + 2 * number, 2.0) for number in range(30))
    text = playlist(Listed(1, 3, groups))
    assert "#EXT-X-TARGETDURATION:2" in text
    assert "#EXT-X-MEDIA-SEQUENCE:24" in text
    assert '#EXT-X-MAP:URI="live/begin-3"' in text
    assert text.count("#EXTINF:2.000,") == 6
    assert text.endswith("live/29\n")


def test_groups_of_half_a_minute_are_listed_too() -> None:
    groups = tuple(Group(number, 1_760_000_000.0 + 30 * number, 30.0) for number in range(6))
    assert playlist(Listed(1, 1, groups)).count("#EXTINF") == 4
