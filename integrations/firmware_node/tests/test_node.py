"""A node over UDP and on a terminal: claimed, described, heard once each, commanded, and distrusted."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from firmware_bridge.auth import Direction, seal
from firmware_bridge.errors import LinkLost
from firmware_bridge.frame import Frame, Group, Op, encode
from firmware_bridge.tests.py_node import CODE, PtyNode, UdpNode
from hub.sdk import Alarm, BadCredentials, Capability, CommandKey, Contact, Relay, Unreachable, Unsupported
from integrations.firmware_node import connect
from integrations.firmware_node.session import SYNC
from integrations.firmware_node.tests.site import Hub, config, free_port, opened, running
from tests.kit.patience import until


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with aiohttp.ClientSession(trust_env=False) as http:
        yield Hub(tmp_path, http)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def node(port: int) -> AsyncIterator[UdpNode]:
    one = UdpNode()
    await one.join(port)
    yield one
    one.leave()


async def test_a_node_is_claimed_described_and_heard(hub: Hub, node: UdpNode, port: int) -> None:
    async with opened(hub, node, port):
        assert node.key
        node.happen(0, True)
        node.happen(1, 48.5)
        node.happen(0, False)
        await until(lambda: len(node.acked) == 3)
        assert hub.values("0_door") == [Contact.OPEN, Contact.CLOSED]
        assert hub.values("1_field") == [48.5]
        await until(lambda: hub.values("fault") == [Alarm.CLEAR] and node.clock)
        assert hub.vitals[-1].battery == 90
    file = hub.folder / "nodes.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert node.key.hex() in file.read_text()


async def test_an_event_is_answered_only_when_it_is_committed_and_stored_once(
    hub: Hub, node: UdpNode, port: int
) -> None:
    async with opened(hub, node, port):
        await until(lambda: node.clock)
        hub.committing.clear()
        node.happen(0, True)
        node.flying.clear()
        node.push()  # a repetition while the first is on its way to the disk
        echo = Frame(Op.WRITE, Group.NODE, 99, 1, {})
        node.put(echo)  # something that is answered without the disk would come back first
        await asyncio.sleep(0)
        assert node.acked == []
        hub.committing.set()
        await until(lambda: node.acked)
        node.waiting.append({"boot": node.boot, "seq": 1, "up": 1, "t": 0, "pt": 0, "v": True})
        node.flying.clear()
        node.push()  # its answer was lost: it is repeated
        await until(lambda: not node.waiting)
        assert hub.values("0_door") == [Contact.OPEN]


async def test_a_lost_datagram_does_not_turn_open_and_closed_around(hub: Hub, node: UdpNode, port: int) -> None:
    async with opened(hub, node, port):
        await until(lambda: node.clock)
        node.lossy.append(True)
        node.happen(0, True)
        node.happen(0, False)
        await asyncio.sleep(0.2)
        assert node.acked == []
        node.flying.clear()
        node.push()
        await until(lambda: not node.waiting)
        assert hub.values("0_door") == [Contact.OPEN, Contact.CLOSED]


async def test_an_event_that_comes_much_too_late_is_kept_and_changes_nothing(
    hub: Hub, node: UdpNode, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.firmware_node.order.HOLD", 0.05)
    async with opened(hub, node, port):
        await until(lambda: node.clock)
        node.lossy.append(True)
        node.happen(0, True)
        node.happen(0, False)
        await until(lambda: node.acked == [(1, 2)])
        node.flying.clear()
        node.push()
        await until(lambda: not node.waiting)
        assert hub.values("0_door") == [Contact.CLOSED, Contact.OPEN, Contact.CLOSED]


async def test_the_hub_restarts_and_knows_node_key_and_events(hub: Hub, node: UdpNode, port: int) -> None:
    async with opened(hub, node, port):
        node.happen(0, True)
        await until(lambda: node.acked)
    connection = await connect("pole", config(node=node.id.hex(), udp=f"127.0.0.1:{port}", code=""), hub.tools)
    async with running(connection):  # it was asked at the address it had: no hello was needed
        node.waiting.append({"boot": node.boot, "seq": 1, "up": 1, "t": 0, "pt": 0, "v": True})
        node.flying.clear()
        node.push()
        await until(lambda: not node.waiting)
        assert hub.values("0_door") == [Contact.OPEN]


async def test_a_wrong_or_missing_code(hub: Hub, node: UdpNode, port: int) -> None:
    place = {"node": node.id.hex(), "udp": f"127.0.0.1:{port}"}
    with pytest.raises(BadCredentials, match="16 letters"):
        await connect("pole", config(**place, code="short"), hub.tools)
    greeting = asyncio.ensure_future(_hello_soon(node))
    with pytest.raises(BadCredentials, match="compare it with the label"):
        await connect("pole", config(**place, code="ZZZZZZZZZZZZZZZZ"), hub.tools)
    await greeting
    assert not node.key


async def test_a_lost_answer_to_the_claim_is_no_loss_of_the_node(hub: Hub, node: UdpNode, port: int) -> None:
    node.hello()
    node.lossy.extend([False, True])  # the first hello comes, the answer to the first claim does not
    async with opened(hub, node, port):
        node.happen(0, True)
        await until(lambda: node.acked)


async def test_unknown_nodes_go_to_the_inbox(hub: Hub, node: UdpNode, port: int) -> None:
    connection = await connect("entrance", config(udp=f"127.0.0.1:{port}"), hub.tools)
    async with running(connection):
        node.hello()
        node.hello()
        await until(lambda: hub.newcomers)
        assert [one.identity for one in hub.newcomers] == [node.id.hex()]
        assert hub.newcomers[0].values == {"node": node.id.hex(), "udp": f"127.0.0.1:{port}"}


async def test_the_relay_is_held_by_the_node_itself(hub: Hub, node: UdpNode, port: int) -> None:
    node.hello()
    greeting = asyncio.ensure_future(_hello_soon(node))
    connection = await connect("pole", config(node=node.id.hex(), udp=f"127.0.0.1:{port}"), hub.tools)
    await greeting
    async with running(connection):
        relay = next(one.driver for one in connection.equipment if one.entity.capability is Capability.RELAY)
        assert isinstance(relay, Relay)
        await relay.hold(2.2, CommandKey("a"))
        await relay.hold(2.2, CommandKey("a"))
        await relay.hold(999, CommandKey("b"))
        assert [(one["pt"], one["v"], one["max"]) for one in node.sets] == [(2, True, 3), (2, True, 60)]
        with pytest.raises(Unsupported):
            await relay.hold(0, CommandKey("c"))


async def test_forged_replayed_and_another_s_frames_are_refused_counted_and_shown(
    hub: Hub, node: UdpNode, port: int
) -> None:
    async with opened(hub, node, port):
        await until(lambda: hub.values("tamper") == [Alarm.CLEAR])
        event = Frame(Op.WRITE, Group.NODE, 1, 2, {"boot": 1, "seq": 9, "up": 1, "t": 0, "pt": 0, "v": True})
        node.send(seal(event, bytes(16), Direction.FROM_NODE, node.id, node.boot << 32 | 900))
        node.send(seal(event, node.key, Direction.FROM_NODE, b"\0" * 8, node.boot << 32 | 901))
        node.send(seal(event, node.key, Direction.FROM_HUB, node.id, node.boot << 32 | 902))
        node.send(encode(event))
        node.send(seal(event, node.key, Direction.FROM_NODE, node.id, node.boot << 32 | 1))  # an old counter
        node.send(seal(event, node.key, Direction.FROM_NODE, node.id, (node.boot - 1) << 32 | 999))  # an older start
        node.send(b"\x0a\x00\xff\xff")
        await until(lambda: 6.0 in hub.values("refused"))
        assert hub.values("tamper") == [Alarm.CLEAR, Alarm.ACTIVE]
        assert hub.values("0_door") == []
        node.happen(0, True)
        await until(lambda: node.acked)  # and the node itself is heard as before


async def test_the_clock_is_set_again_after_a_restart(hub: Hub, node: UdpNode, port: int) -> None:
    async with opened(hub, node, port):
        await until(lambda: node.clock)
        node.clock = ""
        node.reset()
        await until(lambda: node.clock)


async def test_the_clock_is_set_every_quarter_of_an_hour(
    hub: Hub, node: UdpNode, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SYNC == 15 * 60
    monkeypatch.setattr("integrations.firmware_node.session.SYNC", 0.2)
    monkeypatch.setattr("integrations.firmware_node.session.HEALTH", 0.2)
    async with opened(hub, node, port):
        for _ in range(3):
            node.clock = ""
            await until(lambda: node.clock)
        assert node.resets == 0


async def test_a_node_that_speaks_from_two_places_is_shown_as_a_clone(hub: Hub, node: UdpNode, port: int) -> None:
    async with opened(hub, node, port):
        await until(lambda: hub.values("tamper") == [Alarm.CLEAR] and node.clock)
        twin = UdpNode()
        await twin.join(port)
        for number, one in enumerate((twin, node, twin)):
            event = {"boot": 1, "seq": number + 1, "up": 1, "t": 0, "pt": 0, "v": number % 2 == 0}
            frame = Frame(Op.WRITE, Group.NODE, 1, 2, event)
            one.send(seal(frame, node.key, Direction.FROM_NODE, node.id, node.boot << 32 | 700 + number))
            await until(lambda: len(hub.values("0_door")) == number + 1)  # noqa: B023 - it is awaited here
        await until(lambda: hub.values("tamper")[-1] is Alarm.ACTIVE)
        twin.leave()


async def test_a_silent_node_is_missing(hub: Hub, node: UdpNode, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.firmware_node.session.MISSING", 0.3)
    async with opened(hub, node, port) as task:
        with pytest.raises(Unreachable, match="not heard"):
            await task


async def test_a_node_whose_button_was_pressed_is_claimed_again(
    hub: Hub, node: UdpNode, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.firmware_node.session.FIRST_WORD", 0.5)
    async with opened(hub, node, port):
        first = node.key
    node.key = b""
    async with opened(hub, node, port):
        assert node.key not in {b"", first}
        node.happen(0, True)
        await until(lambda: node.acked)


async def test_who_says_that_a_node_has_no_owner_is_not_believed(hub: Hub, node: UdpNode, port: int) -> None:
    async with opened(hub, node, port):
        await until(lambda: node.clock)
        liar = UdpNode()
        await liar.join(port)
        liar.hello()
        liar.happen(0, True)
        node.happen(0, False)
        await until(lambda: node.acked)
        liar.leave()
        assert liar.answers == []
        assert hub.values("0_door") == [Contact.CLOSED]


async def test_a_skewed_clock_and_a_failed_self_test_are_shown(hub: Hub, node: UdpNode, port: int) -> None:
    node.health |= {"t": 1_000_000_000_000, "ok": False, "bat": -1}
    async with opened(hub, node, port):
        await until(lambda: hub.values("clock") == [Alarm.ACTIVE] and hub.values("fault") == [Alarm.ACTIVE])
        skew = hub.values("skew")[0]
        assert isinstance(skew, float)
        assert skew < -1e8
        assert hub.vitals == []


async def test_events_that_make_no_sense_are_refused_and_end(hub: Hub, node: UdpNode, port: int) -> None:
    async with opened(hub, node, port):
        for point, value in ((9, True), (0, 1.5), (1, True)):
            node.happen(point, value)
        node.happen(1, 5000.0)  # outside its own range
        node.happen(0, True)
        await until(lambda: len(node.acked) == 5)
        assert hub.values("0_door") == [Contact.OPEN]
        assert hub.values("1_field") == [None]


async def test_a_node_on_a_serial_line_and_its_cable(hub: Hub) -> None:
    node = PtyNode(7)
    node.plug()
    greeting = asyncio.ensure_future(_hello_soon(node))
    connection = await connect("door", config(node=node.id.hex(), serial=node.path), hub.tools)
    await greeting
    async with running(connection) as task:
        node.happen(0, True)
        await until(lambda: node.acked)
        node.unplug()
        with pytest.raises(LinkLost, match="unplugged"):
            await task


@pytest.mark.parametrize("place", [{}, {"udp": "0.0.0.0:1337", "serial": "/dev/ttyUSB0"}])
async def test_one_way_must_be_given(hub: Hub, place: dict[str, str]) -> None:
    with pytest.raises(Unsupported, match="one of"):
        await connect("pole", config(**place), hub.tools)


async def _hello_soon(node: UdpNode | PtyNode) -> None:
    for _ in range(6):
        await asyncio.sleep(0.05)
        if not node.key:
            node.hello()


def test_the_code_of_the_far_end_is_one() -> None:
    assert len(CODE) == 16
