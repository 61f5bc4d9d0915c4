"""Devices that are opened, run, lost and opened again; what they report is committed; none disturbs another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from hub.model.errors import BadCredentials, Unreachable, Unsupported
from hub.model.ids import EntityId
from hub.model.reading import Alarm, Capability, Contact, Entity, Quality, Value
from hub.model.text import Text
from hub.model.time import SECOND
from hub.runtime.registry import Registry
from hub.runtime.reports import BURST, RATE, Reports
from hub.runtime.sessions import FAULTS, LOOK, MISSING_AFTER, SERVICE, DeviceSession, Sessions
from hub.sdk import Connection, Equipment, Sample, Vitals
from tests.kit.clock import settle
from tests.kit.lane import seconds
from tests.kit.loop import Loop
from tests.kit.patience import eventually

DOOR, OTHER = EntityId("gate.door"), EntityId("gate.other")
Run = Callable[[], Awaitable[None]]


def contact(name: EntityId) -> Equipment:
    return Equipment(Entity(name, Capability.CONTACT, Text("门"), "gate"))


class Far:
    """The far end of one device, told how to behave each time it is opened."""

    def __init__(
        self, *lives: Exception | Run | None, close: Exception | None = None, equipment: Equipment | None = None
    ) -> None:
        self._equipment = equipment or contact(DOOR)
        self.lives = list(lives)
        self.opened = self.closed = 0
        self._close = close

    async def open(self) -> Connection | tuple[Equipment, ...]:
        self.opened += 1
        life = self.lives.pop(0) if len(self.lives) > 1 else self.lives[0]
        if isinstance(life, Exception):
            raise life
        return (self._equipment,) if life is None else Connection((self._equipment,), life, self.close)

    async def close(self) -> None:
        self.closed += 1
        if self._close is not None:
            raise self._close


class House:
    """A runtime with sessions."""

    def __init__(self, **devices: Far) -> None:
        self.loop = Loop()
        self.registry = Registry()
        self.reports = Reports(self.loop.runtime, self.registry, self.loop.problems, self.loop.clock)
        self.sessions = Sessions(
            self.loop.runtime,
            self.registry,
            self.loop.problems,
            self.loop.clock,
            tuple(DeviceSession("gate", name, far.open) for name, far in devices.items()),
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with self.loop.running():
            task = asyncio.create_task(self.sessions.run())
            await settle()
            yield
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def wait(self, time: float) -> None:
        await self.loop.clock.run(seconds(time))
        await settle()

    async def say(self, *said: Sample | Vitals, name: str = "a") -> None:
        await self.reports.take("gate", name, said)

    def state(self, entity: EntityId = DOOR) -> tuple[Value | None, Quality]:
        state = self.loop.runtime.state.states[entity]
        return state.value, state.quality

    def told(self) -> str:
        return " | ".join(text.en for text in self.loop.problems.texts())


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def test_what_a_session_reports_is_committed_before_report_returns() -> None:
    house = House(a=Far(forever))
    async with house.open():
        await house.say(Sample(DOOR, Contact.OPEN))
        assert house.state() == (Contact.OPEN, Quality.GOOD)
        assert [reading.value for entry in house.loop.journal.entries for reading in entry.readings] == [Contact.OPEN]
        house.loop.journal.gate.clear()
        waiting = asyncio.create_task(house.say(Sample(DOOR, Contact.CLOSED)))
        await settle()
        assert not waiting.done()
        house.loop.journal.gate.set()
        await waiting


async def test_a_lost_device_is_stale_and_comes_back_by_itself() -> None:
    lost = asyncio.Event()

    async def until_lost() -> None:
        await lost.wait()
        raise Unreachable("cable")

    far = Far(until_lost, Unreachable("still away"), forever)
    house = House(a=far)
    async with house.open():
        await house.say(Sample(DOOR, Contact.OPEN))
        lost.set()
        await settle()
        assert house.state() == (Contact.OPEN, Quality.STALE)
        assert (far.closed, house.told()) == (1, "Device a: cable")
        await house.wait(2)
        assert (far.opened, house.told()) == (2, "Device a: still away")
        await house.wait(4)
        assert (far.opened, house.told()) == (3, "")
        assert house.state()[1] is Quality.STALE, "open is not heard"
        await house.say(Sample(DOOR, Contact.OPEN))
        assert house.state() == (Contact.OPEN, Quality.GOOD)


async def test_a_driver_alone_needs_nothing_running() -> None:
    far = Far(None)
    house = House(a=far)
    async with house.open():
        await house.wait(600)
        assert (far.opened, house.sessions.devices[0].state) == (1, "running")


async def test_a_device_that_only_listens_is_missed_when_its_plug_is_out_and_comes_back() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    house = House(pole=Far(None))
    (pole,) = house.sessions.devices
    pole.values = {"url": f"http://127.0.0.1:{port}/play"}

    async def until(state: str) -> float:
        """Let time pass until the device is shown as ``state``; return how long it took."""
        began = house.loop.clock.now()

        async def look() -> str:
            await house.wait(1)
            return pole.state

        await eventually(look, lambda found: found == state)
        return (house.loop.clock.now() - began) / SECOND

    async with house.open():
        await house.wait(2 * MISSING_AFTER)
        assert pole.state == "running"
        server.close()
        await server.wait_closed()
        await until("retrying")
        assert pole.reason == f"Connect to 127.0.0.1:{port}: refused"
        assert pole.key in house.loop.problems
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
        assert await until("running") <= LOOK + 5
        assert pole.key not in house.loop.problems
        server.close()
        await server.wait_closed()


async def test_somebody_else_s_server_is_looked_at_less_often() -> None:
    looks: list[str] = []

    async def serve(name: str) -> asyncio.Server:
        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            looks.append(name)
            writer.close()

        return await asyncio.start_server(accept, "127.0.0.1", 0)

    servers = {name: await serve(name) for name in ("pole", "group")}
    robot = Equipment(Entity(EntityId("chat.robot"), Capability.NOTIFIER, Text("群"), "chat"))
    house = House(pole=Far(None), group=Far(None, equipment=robot))
    for device in house.sessions.devices:
        device.values = {"url": f"http://127.0.0.1:{servers[device.name].sockets[0].getsockname()[1]}"}

    async def looked() -> int:
        return looks.count("pole")

    async with house.open():
        for number in range(1, 3 * SERVICE + 1):
            await house.wait(LOOK)
            await eventually(looked, lambda found, wanted=number: found >= wanted)  # type: ignore[misc]
    assert 2 <= looks.count("group") <= 4
    for server in servers.values():
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("error", "state"), [(BadCredentials("who?"), "needs_credentials"), (Unsupported("never"), "failed")]
)
async def test_what_a_person_must_mend_is_not_tried_again(error: Exception, state: str) -> None:
    far = Far(error)
    house = House(a=far)
    async with house.open():
        await house.wait(600)
        assert (far.opened, house.sessions.devices[0].state) == (1, state)


async def test_a_plugin_that_always_fails_is_held_and_disturbs_no_other() -> None:
    bad, good = Far(ZeroDivisionError("x")), Far(forever)
    house = House(a=bad, b=good)
    async with house.open():
        await house.wait(600)
        assert bad.opened == FAULTS + 1
        assert house.sessions.devices[0].state == "failed"
        assert "held after 5 restarts in a minute" in house.told()
        assert (good.opened, house.sessions.devices[1].state) == (1, "running")


async def test_a_fault_while_closing_is_kept_from_the_others() -> None:
    async def lost() -> None:
        raise Unreachable("away")

    far = Far(lost, close=OSError("socket"))
    house = House(a=far)
    async with house.open():
        assert house.told() == "Device a: away"


async def test_a_session_speaks_for_its_own_entities_only() -> None:
    house = House(a=Far(forever))
    async with house.open():
        await house.say(Sample(OTHER, Contact.OPEN), Sample(DOOR, Alarm.ACTIVE))
        assert house.loop.runtime.state.states == {}
        assert house.told() == "Device a reports values that are not its own"


async def test_a_device_that_reports_too_much_waits() -> None:
    house = House(a=Far(forever))
    async with house.open():
        for _ in range(BURST):
            await house.say(Sample(DOOR, Contact.OPEN))
        assert house.told() == ""
        slow = asyncio.create_task(house.say(*[Sample(DOOR, Contact.OPEN)] * RATE))
        await settle()
        assert not slow.done()
        assert house.told() == "Device a reports too often; it is slowed down"
        await house.wait(1)
        assert slow.done()
        await house.wait(600)
        await house.say(Sample(DOOR, Contact.OPEN))
        assert house.told() == ""


async def test_a_poll_that_finds_the_same_is_not_written_again_for_a_while() -> None:
    house = House(a=Far(forever))
    async with house.open():
        for _ in range(11):
            await house.say(Sample(DOOR, Contact.OPEN))
            await house.wait(1)
        times = [(r.at - house.loop.clock.now()) // SECOND for e in house.loop.journal.entries for r in e.readings]
        assert len(times) == 3
        await house.say(Sample(DOOR, Contact.CLOSED))
        await house.say(Sample(DOOR, Contact.OPEN))
        assert house.state() == (Contact.OPEN, Quality.GOOD)
        assert sum(len(entry.readings) for entry in house.loop.journal.entries) == 5


async def test_how_a_unit_is_stays_known() -> None:
    house = House(a=Far(forever))
    async with house.open():
        await house.say(Vitals("gate", battery=80, signal=-70))
        await house.say(Vitals("gate", battery=79))
        assert house.registry.vitals("gate", "gate") == Vitals("gate", 79, -70)


def test_an_entity_has_one_owner() -> None:
    registry = Registry()
    assert registry.equip("gate", "a", [contact(DOOR)]) == ()
    assert registry.equip("gate", "b", [contact(DOOR), contact(OTHER)]) == (DOOR,)
    assert registry.equip("lift", "a", [contact(EntityId("gate.third"))]) == ("gate.third",)
    assert registry.equip("gate", "a", []) == ()
    assert registry.equip("gate", "b", [contact(DOOR)]) == ()
    assert set(registry.entities) == {DOOR}


async def test_a_device_that_is_named_no_more_is_closed_and_forgotten_and_a_new_one_opened() -> None:
    async def lasting() -> None:
        await asyncio.get_running_loop().create_future()

    kept, gone, new, edited = (Far(lasting) for _ in range(4))
    forgotten: list[str] = []
    house = House()
    make = partial(DeviceSession, "gate")
    old = make("old", gone.open, {"url": "a"}, lambda: forgotten.append("old"))
    house.sessions = Sessions(
        house.loop.runtime, house.registry, house.loop.problems, house.loop.clock, (make("kept", kept.open, {}), old)
    )
    async with house.open():
        assert (kept.opened, gone.opened) == (1, 1)
        await house.sessions.change((make("kept", kept.open, {}), make("new", new.open, {})))
        await settle()
        assert (kept.opened, kept.closed, gone.closed, new.opened) == (1, 0, 1, 1)
        assert forgotten == ["old"]
        assert [device.name for device in house.sessions.devices] == ["kept", "new"]
        assert house.registry.brought("gate", "old") == ()
        await house.sessions.change((make("kept", kept.open, {}), make("new", edited.open, {"url": "b"})))
        await settle()
        assert (kept.closed, new.closed, edited.opened) == (0, 1, 1)
    assert (kept.closed, edited.closed) == (1, 1)


async def test_bookmarks_are_there_once_they_are_committed_and_have_limits() -> None:
    house = House(a=Far(None))
    async with house.open():
        await house.reports.take("gate", "a", (Sample(DOOR, Contact.OPEN),), {"one": "1", "two": "2"})
        assert house.loop.journal.entries[-1].bookmarks[0].value == "1"
        await house.reports.take("gate", "a", (), {"one": "", "two": "3"})
        assert house.reports.bookmarks("gate", "a") == {"two": "3"}
        assert house.reports.bookmarks("gate", "b") == {}
        for too_much in ({"": "1"}, {"k" * 65: "1"}, {"k": "v" * 257}, {str(n): "v" for n in range(32)}):
            with pytest.raises(Unsupported):
                await house.reports.take("gate", "a", (), too_much)
        assert house.reports.bookmarks("gate", "a") == {"two": "3"}
