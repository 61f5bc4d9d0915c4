"""A link under hostile frames and floods: nothing raises, nothing is believed, what is well goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_bridge.auth import Direction, Distrust, seal
from firmware_bridge.ble import Joiner, cut
from firmware_bridge.errors import LinkLost, NoAnswer
from firmware_bridge.frame import MAX_FRAME, Frame, Group, Op, decode, encode
from firmware_bridge.link import AGAIN, LINK_RATE, NODE_RATE, STRANGERS, Bucket, Link
from firmware_bridge.messages import Hello, NodeCommand
from firmware_bridge.peer import Address, Peer
from firmware_bridge.registry import BadRegistry, Registry
from firmware_bridge.tests import STEADY

NODE, KEY, HERE, THERE = b"NODE0001", bytes(range(16)), ("10.0.0.1", 1), ("10.0.0.2", 1)
EVENT = Frame(Op.WRITE, Group.NODE, 1, NodeCommand.EVENT, {"boot": 1, "seq": 1, "up": 1, "t": 0, "pt": 0, "v": True})


class Wire:
    """A carrier that keeps what is sent."""

    home: Address | None = None

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Address]] = []

    def send(self, frame: bytes, to: Address) -> None:
        self.sent.append((frame, to))

    async def close(self) -> None:
        """Nothing to close."""


class Place:
    """A link with one node of ours, and a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_000.0
        self.wire = Wire()
        self.registry = Registry(folder / "nodes.json")
        record = self.registry.record(NODE)
        record.key = KEY.hex()
        self.link = Link(self.registry, lambda: self.now)
        self.count = 0

    async def open(self) -> Peer:
        async def carry(_: Link) -> Wire:
            return self.wire

        await self.link.open(carry)
        return self.link.join(NODE)

    def say(self, frame: Frame, address: Address = HERE, node: bytes = NODE, start: int = 1) -> bytes:
        data = self.sealed(frame, node, start)
        self.link.received(data, address)
        return data

    def sealed(self, frame: Frame, node: bytes = NODE, start: int = 1) -> bytes:
        """Return the next frame of the node, which nobody has sent yet."""
        self.count += 1
        return seal(frame, KEY, Direction.FROM_NODE, node, start << 32 | self.count)


def hello(node: bytes) -> bytes:
    body = {"id": node, "model": "m", "ver": "1", "dig": bytes(8), "boot": 1, "up": 0, "why": "", "claimed": False}
    return encode(Frame(Op.WRITE, Group.NODE, 1, NodeCommand.HELLO, body))


@settings(STEADY, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=200) | st.tuples(st.integers(0, 60), st.integers(1, 255)), max_size=20))
async def test_nothing_hostile_is_believed_or_raises(tmp_path: Path, frames: list[bytes | tuple[int, int]]) -> None:
    (tmp_path / "nodes.json").unlink(missing_ok=True)  # of the example before
    place = Place(tmp_path)
    peer = await place.open()
    good = seal(EVENT, KEY, Direction.FROM_NODE, NODE, 1 << 32 | 900)
    for frame in frames:
        if isinstance(frame, tuple):
            changed = bytearray(good)
            changed[frame[0] % len(good)] ^= frame[1]
            frame = bytes(changed)
        place.link.received(frame, HERE)
    assert peer.requests.empty()
    place.say(EVENT)
    assert peer.requests.qsize() == 1
    assert sum(place.link.counts.values()) == len(frames)


async def test_answers_and_requests_are_told_apart(tmp_path: Path) -> None:
    place = Place(tmp_path)
    peer = await place.open()
    place.say(EVENT)
    asking = asyncio.ensure_future(peer.request(Op.READ, Group.NODE, NodeCommand.HEALTH))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    question = decode(place.wire.sent[-1][0])
    place.say(EVENT)
    place.say(Frame(Op.READ_ANSWER, Group.NODE, question.seq, NodeCommand.DESCRIBE, {"rc": 0}))  # another question's
    place.say(Frame(Op.READ_ANSWER, Group.NODE, question.seq, NodeCommand.HEALTH, {"ok": True}))
    assert (await asking)["ok"] is True
    assert peer.requests.qsize() == 2


async def test_a_request_is_repeated_and_given_up(tmp_path: Path) -> None:
    place = Place(tmp_path)
    peer = await place.open()
    with pytest.raises(NoAnswer, match="not been heard"):
        await peer.request(Op.READ, Group.OS, 0)
    place.say(EVENT)
    with pytest.raises(NoAnswer):
        await peer.request(Op.READ, Group.OS, 0, timeout=0.01, tries=3)
    assert len({decode(frame).seq for frame, _ in place.wire.sent}) == len(place.wire.sent) == 3


async def test_a_flood_of_one_node_does_not_take_the_place_of_another(tmp_path: Path) -> None:
    place = Place(tmp_path)
    peer = await place.open()
    place.say(EVENT)
    for _ in range(int(NODE_RATE[1]) + 500):
        place.link.received(b"x" * 40, HERE)
    assert place.link.counts["flood"] == 500
    other = place.link.join(b"NODE0002")
    other.greet(Hello(b"NODE0002", "m", "1", bytes(8), 1, 0, "", claimed=False), THERE, place.now)
    place.link.received(hello(b"NODE0002"), THERE)
    assert other.address == THERE
    assert peer.requests.qsize() == 1
    place.now += 10
    place.say(EVENT)
    assert peer.requests.qsize() == 2


async def test_unknown_nodes_are_told_once_a_minute_and_not_without_end(tmp_path: Path) -> None:
    place = Place(tmp_path)
    await place.open()
    told: list[bytes] = []
    place.link.on_stranger = lambda hello, address: told.append(hello.id)
    place.link.received(hello(b"STRANGER"), THERE)
    place.link.received(hello(b"STRANGER"), THERE)
    assert told == [b"STRANGER"]
    place.now += AGAIN
    place.link.received(hello(b"STRANGER"), THERE)
    assert len(told) == 2
    for number in range(2 * STRANGERS):
        place.now += 0.01
        place.link.received(hello(number.to_bytes(8, "big")), THERE)
    assert len(told) <= STRANGERS + 2


async def test_a_node_that_moves_is_followed_and_one_in_two_places_is_a_clone(tmp_path: Path) -> None:
    place = Place(tmp_path)
    peer = await place.open()
    place.say(EVENT, HERE)
    place.say(EVENT, THERE)
    assert peer.address == THERE
    assert peer.counts[Distrust.CLONE] == 0
    place.say(EVENT, HERE)
    assert peer.counts[Distrust.CLONE] == 1


async def test_gaps_and_replays_are_counted(tmp_path: Path) -> None:
    place = Place(tmp_path)
    peer = await place.open()
    first = place.say(EVENT)
    place.count += 3
    place.say(EVENT)
    place.link.received(first, HERE)
    assert (peer.counts[Distrust.GAP], peer.counts[Distrust.REPLAY]) == (3, 1)
    place.say(EVENT, start=2)
    place.say(EVENT, start=1)
    assert peer.counts[Distrust.CLONE] == 1


async def test_a_lost_carrier_ends_all_who_wait_for_it(tmp_path: Path) -> None:
    place = Place(tmp_path)
    await place.open()
    waiting = asyncio.ensure_future(place.link.broken())
    place.link.lost("unplugged")
    with pytest.raises(LinkLost, match="unplugged"):
        await waiting


def test_the_registry_is_private_whole_and_starts_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "nodes.json"
    registry = Registry(file)
    registry.record(NODE).key = KEY.hex()
    registry.record(NODE).commit(3, 9)
    start = registry.next_start()
    again = Registry(file)
    assert again.hub == registry.hub
    assert again.next_start() == start + 1
    assert again.record(NODE).is_committed(3, 9)
    assert file.stat().st_mode & 0o777 == 0o600
    assert again.changed() is None
    file.write_text("{}")
    with pytest.raises(BadRegistry):
        Registry(file)


def test_what_was_committed_is_kept_of_the_newest_starts(tmp_path: Path) -> None:
    record = Registry(tmp_path / "nodes.json").record(NODE)
    for boot in range(100):
        record.commit(boot, 1)
    assert sorted(record.committed) == list(range(92, 100))


def test_a_bucket() -> None:
    bucket = Bucket(*LINK_RATE)
    assert sum(bucket.take(0.0) for _ in range(20_000)) == LINK_RATE[1]
    assert bucket.take(1.0)


@STEADY
@given(st.lists(st.binary(min_size=1, max_size=600), max_size=5), st.integers(1, 600))
def test_frames_over_bluetooth_at_any_mtu(bodies: list[bytes], mtu: int) -> None:
    frames = [encode(Frame(Op.WRITE, 1, 0, 1, {"d": body})) for body in bodies]
    joiner = Joiner()
    assert [one for frame in frames for part in cut(frame, mtu) for one in joiner.feed(part)] == frames
    assert all(len(part) <= max(mtu, 23) - 3 for frame in frames for part in cut(frame, mtu))


@STEADY
@given(st.lists(st.binary(max_size=600), max_size=20))
def test_noise_over_bluetooth_is_bounded(parts: list[bytes]) -> None:
    joiner = Joiner()
    for part in parts:
        assert all(len(frame) <= MAX_FRAME for frame in joiner.feed(part))
    assert len(joiner) <= MAX_FRAME


async def test_after_a_kill_nothing_is_believed_that_may_be_a_copy(tmp_path: Path) -> None:
    """The registry's file is seconds old then: what was heard since is known to nobody but who listened."""
    place = Place(tmp_path)
    await place.open()
    place.registry.save()
    heard = [place.say(EVENT) for _ in range(3)]  # believed by the hub that is killed now, and recorded by somebody
    await place.link.close()
    again = Place(tmp_path)
    again.count = place.count
    peer = await again.open()
    for frame in heard:
        again.link.received(frame, THERE)
    assert (peer.requests.qsize(), peer.address) == (0, None)
    assert peer.counts[Distrust.UNPROVEN] == 3
    (asked, where), *more = again.wire.sent
    assert (where, more) == (THERE, []), "one question, to who spoke"
    question = decode(asked)
    assert len(str(question.body["d"])) >= 16

    wrong = Frame(Op.WRITE_ANSWER, Group.OS, question.seq, 0, {"r": "0" * len(question.body["d"])})
    again.say(wrong, THERE)
    assert peer.counts[Distrust.UNPROVEN] == 4
    late = again.sealed(EVENT)  # sent before the answer, and held back on the way
    again.say(question.answer({"r": question.body["d"]}))
    assert (peer.record.proven, peer.address) == (True, HERE)
    again.link.received(late, HERE)
    for frame in heard:
        again.link.received(frame, THERE)
    assert peer.requests.qsize() == 0
    assert peer.counts[Distrust.REPLAY] == 4
    again.say(EVENT)
    assert peer.requests.qsize() == 1, "what it says now"
    await again.link.close()
