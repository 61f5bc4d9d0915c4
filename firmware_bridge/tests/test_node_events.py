"""Points, events and the relay of the C node, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from firmware_bridge.frame import Group, Op
from firmware_bridge.messages import Event, NodeCommand
from firmware_bridge.node_process import NodeProcess
from firmware_bridge.tests.small_hub import SmallHub, needs_compiler, running

pytestmark = needs_compiler

DOOR, BAY, X, RELAY, BATTERY = 0, 1, 2, 5, 6
AT_THE_CLAIM = {(DOOR, False), (BAY, False), (RELAY, False), (BATTERY, 100)}


@asynccontextmanager
async def owned(state: Path, **said: Any) -> AsyncIterator[tuple[NodeProcess, SmallHub, list[Event]]]:
    """Run a claimed node whose events are answered and collected, those that report its state at the claim left out."""
    events: list[Event] = []

    def take(event: Event) -> bool:
        if event not in events or "faults" in said:  # a long tick leaves no time to answer: it is repeated
            events.append(event)
        return True

    async with running(state, manual_clock=True, **said) as (node, hub):
        await hub.hello()
        await hub.claim()
        hub.on_event = take
        await node.tick(1_000)
        hub.answer(await hub.next(NodeCommand.HELLO), {"rc": 0, "t": 0})
        for _ in range(50):  # on a busy machine what was sent may still be on its way
            await settled(node, hub)
            known = {(event.pt, event.v) for event in events}
            if known >= AT_THE_CLAIM:
                break
        assert known >= AT_THE_CLAIM
        await settled(node, hub)  # their repeats, if they are sent twice
        events.clear()
        yield node, hub, events


async def settled(node: NodeProcess, hub: SmallHub) -> dict[str, Any]:
    """Wait until the node has what was sent to it, and everything that it sent then was heard; return its stats."""
    await hub.ask(Op.READ, Group.OS, 6)
    await hub.ask(Op.READ, Group.OS, 6)
    return await node.stats()


async def test_a_door_that_bounces_is_one_event(tmp_path: Path) -> None:
    async with owned(tmp_path) as (node, hub, events):
        await node.say("door open")
        await node.tick(200)
        await node.say("door close")
        await node.tick(200)
        await settled(node, hub)
        assert [(event.pt, event.v) for event in events] == [(DOOR, True), (DOOR, False)]
        assert [event.seq for event in events] == [5, 6]
        assert 1_060 <= events[0].up <= 1_110, "50 ms after it has stopped bouncing"


async def test_a_door_is_not_believed_before_its_contact_has_kept_still(tmp_path: Path) -> None:
    async with running(tmp_path, manual_clock=True) as (node, hub):
        await hub.hello()
        events = hub.collect()
        await node.say("door open")  # it moves while the node starts
        await hub.claim()
        await node.tick(1_000)
        hub.answer(await hub.next(NodeCommand.HELLO), {"rc": 0, "t": 0})
        for _ in range(50):  # on a busy machine what was sent may still be on its way
            await settled(node, hub)
            if {event.pt for event in events} >= {point for point, _ in AT_THE_CLAIM}:
                break
        assert {event.v for event in events if event.pt == DOOR} == {True}, "never closed, as it was first"


async def test_a_car_that_passes_is_none_that_parks(tmp_path: Path) -> None:
    async with owned(tmp_path) as (node, hub, events):
        await node.tick(5_000)
        await node.say("car pass")
        await node.tick(6_000)
        await settled(node, hub)
        assert events == []
        await node.say("car park")
        await node.tick(8_000)
        await settled(node, hub)
        assert (events[0].pt, events[0].v) == (BAY, True)
        assert 14_000 <= events[0].up <= 17_000
        field = [event.v for event in events if X <= event.pt < X + 3]
        assert len(field) >= 3
        assert all(-200 < value < 200 for value in field)
        await node.say("car leave")
        await node.tick(5_000)
        await settled(node, hub)
        assert [event.v for event in events if event.pt == BAY] == [True, False]


async def test_a_car_that_stands_there_over_a_restart_is_still_there(tmp_path: Path) -> None:
    async with owned(tmp_path) as (node, hub, _events):
        await node.say("car park")
        await node.tick(8_000)
        await settled(node, hub)
    seen = hub.collect()
    async with running(tmp_path, manual_clock=True, hub=hub) as (node, hub):
        await hub.hello()
        await node.tick(20_000)
        await settled(node, hub)
        assert [event.v for event in seen if event.pt == BAY][-1] is True
        await node.say("car leave")
        await node.tick(5_000)
        await settled(node, hub)
        assert [event.v for event in seen if event.pt == BAY][-1] is False


async def test_slow_drift_of_the_field_is_no_car(tmp_path: Path) -> None:
    async with owned(tmp_path) as (node, hub, events):
        for _ in range(60):
            await node.tick(60_000)
            await settled(node, hub)
        assert [event for event in events if event.pt == BAY] == []


async def test_an_event_is_repeated_ever_more_slowly_until_it_is_answered(tmp_path: Path) -> None:
    async with owned(tmp_path) as (node, hub, events):
        hub.on_event = None
        await node.say("door open")
        await node.tick(70)
        first = await hub.next(NodeCommand.EVENT)
        times = []
        for wait in (1000, 2000, 4000, 8000, 16_000, 30_000, 30_000):
            await settled(node, hub)
            hub.drain()
            await node.tick(wait - 20)
            await settled(node, hub)
            assert [f for f in hub.drain() if f.body.get("pt") == DOOR] == []
            await node.tick(20)
            await settled(node, hub)
            (again,) = [f for f in hub.drain() if f.body.get("pt") == DOOR]
            times.append(again.body["seq"])
            assert again.body["up"] == first.body["up"]
            assert again.seq != first.seq, "a new frame with the same event"
        assert set(times) == {first.body["seq"]}
        hub.answer_event(again)
        await settled(node, hub)
        await node.tick(60_000)
        await settled(node, hub)
        assert [f for f in hub.drain() if f.body.get("pt") == DOOR] == []
        assert events == []


async def test_at_most_eight_are_under_way_oldest_first(tmp_path: Path) -> None:
    async with owned(tmp_path) as (node, hub, _events):
        hub.on_event = None
        for turn in range(20):
            await node.say("door open" if turn % 2 == 0 else "door close")
            await node.tick(100)
        await settled(node, hub)
        seen = sorted({f.body["seq"] for f in hub.drain() if f.command == NodeCommand.EVENT})
        assert seen == list(range(5, 13))


async def test_events_carry_the_wall_clock_once_it_is_set(tmp_path: Path) -> None:
    async with owned(tmp_path) as (node, hub, events):
        await hub.ask(Op.WRITE, Group.OS, 4, {"datetime": "2026-11-21T09:30:00.500Z"})
        await node.tick(1_000)
        await node.say("door open")
        await node.tick(100)
        await settled(node, hub)
        assert events[-1].t == 1_795_253_400_500 + events[-1].up - 1_000


async def test_what_happened_while_the_hub_was_away_comes_after_a_kill(tmp_path: Path) -> None:
    async with owned(tmp_path) as (node, hub, _events):
        hub.on_event = None
        for turn in range(30):
            await node.say("door open" if turn % 2 == 0 else "door close")
            await node.tick(100)
        await node.kill()
    came = hub.collect()
    async with running(tmp_path, manual_clock=True, hub=hub) as (node, hub):
        await hub.hello()
        for _ in range(20):
            await settled(node, hub)
            await node.tick(10)
        got = [(event.boot, event.seq) for event in came]
        assert got[:30] == [(1, seq) for seq in range(5, 35)]
        assert [name for name in got[30:] if name[0] == 1] == []


async def test_the_node_ends_what_it_was_told_to_switch_on(tmp_path: Path) -> None:
    async with owned(tmp_path) as (node, hub, events):
        on = {"pt": RELAY, "v": True}
        for missing in (on, {**on, "max": 0}, {**on, "max": 61}, {**on, "max": "5"}):
            assert (await hub.ask(Op.WRITE, Group.NODE, NodeCommand.SET, missing))["rc"] == 3
        assert (await hub.ask(Op.WRITE, Group.NODE, NodeCommand.SET, {**on, "max": 5, "pt": 0}))["rc"] == 8
        assert (await hub.ask(Op.WRITE, Group.NODE, NodeCommand.SET, {**on, "max": 5, "pt": 99}))["rc"] == 5
        assert (await hub.ask(Op.WRITE, Group.NODE, NodeCommand.SET, {**on, "max": 5}))["v"] is True
        assert (await hub.ask(Op.READ, Group.NODE, NodeCommand.HEALTH))["alarm"]
        await node.tick(4_900)
        assert (await node.stats())["relay"]
        await node.tick(200)
        assert not (await settled(node, hub))["relay"]
        assert [(event.pt, event.v) for event in events] == [(RELAY, True), (RELAY, False)]


async def test_repeated_orders_end_after_a_minute_all_the_same(tmp_path: Path) -> None:
    async with owned(tmp_path) as (node, hub, _events):
        for _ in range(6):
            await hub.ask(Op.WRITE, Group.NODE, NodeCommand.SET, {"pt": RELAY, "v": True, "max": 20})
            await node.tick(10_000)
            assert (await node.stats())["relay"] == (_ < 5)
        await hub.ask(Op.WRITE, Group.NODE, NodeCommand.SET, {"pt": RELAY, "v": True, "max": 1})
        assert (await node.stats())["relay"], "it was off, so it may be switched on again"


async def test_telemetry_goes_first_when_the_store_is_full(tmp_path: Path) -> None:
    async with owned(tmp_path, events=100.0) as (node, hub, _events):
        hub.on_event = None
        await node.say("door open")
        await node.tick(100)
        await node.tick(60_000)
        assert (await settled(node, hub))["dropped"] > 1_000
        got = hub.collect()
        await node.tick(30_000)
        for _ in range(20):
            await settled(node, hub)
        assert (DOOR, True) in [(event.pt, event.v) for event in got]


async def test_events_sent_twice_have_one_name(tmp_path: Path) -> None:
    async with owned(tmp_path, faults={"duplicate": 0.5}) as (node, hub, events):
        for turn in range(10):
            await node.say("door open" if turn % 2 == 0 else "door close")
            await node.tick(100)
            await settled(node, hub)
        names = [(event.boot, event.seq) for event in events]
        assert 10 < len(names) <= 20
        assert sorted(set(names)) == [(1, seq) for seq in range(5, 15)]
