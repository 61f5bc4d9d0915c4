"""A radio that is jammed, devices that die, and what a mode must never silence (F20), in virtual time.

The hub has no arming: who watches is told by modes, and a rule that says nothing of a mode watches in all of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest

from hub.config.yaml import loads
from hub.engine.parse import RuleParser
from hub.engine.rule import Rule
from hub.model.decision import Cleared, IncidentOpened, Opened
from hub.model.entry import ModeChange
from hub.model.ids import EntityId, ZoneId
from hub.model.reader import Reader
from hub.model.reading import Alarm, Capability, Entity, Quality
from hub.model.site import Mode, Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import SECOND, Instant
from hub.runtime.health import Health
from hub.runtime.registry import Registry
from hub.sdk import Device, Route
from tests.kit.clock import settle
from tests.kit.lane import site
from tests.kit.loop import Loop

#: Devices, and seconds between two of their messages.
DEVICES, BEAT = 20, 20
#: The jammer: of each minute the second half is lost.
ROUND, JAMMED = 60, 30
#: Seconds without a word after which a device is missing, and until this is told at the latest.
MISSING, TOLD = 65, 5
SILENT = """\
rule: silent
zones: {kind: gate}
trigger: {silent: {alarm: %d s}}
actions: [{open_incident: {severity: low}}]
clear: {not: {silent: {alarm: %d s}}, actions: [{close_incident: cleared}]}
"""
CALLED = """\
rule: called
zones: {kind: gate}
trigger: {alarm: active}
conditions: [%s]
actions: [{open_incident: {severity: high}}]
clear: {alarm: clear, actions: [{close_incident: cleared}]}
"""
NOT_IN_MAINTENANCE = "{not: {mode: maintenance}}"


def name_of(number: int) -> EntityId:
    return EntityId(f"radio.{number}")


def places() -> Site:
    zones = [
        Zone(ZoneId(f"gate_{number}"), ZoneKind.GATE, Text("门"), bind={Role.ALARM: (name_of(number),)})
        for number in range(DEVICES)
    ]
    return site(*zones)


def read(text: str, where: Site) -> Rule:
    reader = Reader()
    rule = RuleParser(reader, where).rule(loads(text, "rule.yaml"))
    assert isinstance(rule, Rule), [str(finding) for finding in reader.findings]
    return rule


class Radio:
    """Devices behind one gateway; what they send while it is jammed is lost."""

    def __init__(self, rule: str) -> None:
        where = places()
        self.loop = Loop(read(rule, where), of=where)
        self.registry = Registry()
        for number in range(DEVICES):
            name = name_of(number)
            entity = Entity(name, Capability.ALARM, Text(name), "d", expire_after=MISSING * SECOND)
            self.registry.announce("radio", name, (Device(name, Text("d"), (entity,), (Route(name, lambda _: ()),)),))
        self.health = Health(self.loop.runtime, self.registry, self.loop.clock)
        self.loop.runtime.listen(self.health.heard)
        self.began = self.loop.clock.now()
        self.heard: dict[int, Instant] = {}
        self.lost = 0

    @asynccontextmanager
    async def on_air(self) -> AsyncIterator[Loop]:
        async with self.loop.running():
            self.loop.runtime.post(lambda batch: batch.adopt(self.loop.runtime.program))
            for number in range(DEVICES):
                await self._send(number, Alarm.CLEAR)
            yield self.loop
            self.health.close()

    @property
    def second(self) -> int:
        """Seconds since it began."""
        return (self.loop.clock.now() - self.began) // SECOND

    async def send(self, number: int, value: Alarm) -> None:
        """Have a device send, in vain or not."""
        if self.second % ROUND >= ROUND - JAMMED:
            self.lost += 1
        else:
            await self._send(number, value)

    async def _send(self, number: int, value: Alarm) -> None:
        self.heard[number] = self.loop.clock.now()
        await self.loop.hear(name_of(number), value)

    async def live(self, seconds: int, dies: dict[int, int] | None = None) -> None:
        """Let time pass; devices beat, each at its own second, until they die."""
        for _ in range(seconds):
            for number in range(DEVICES):
                if self.second % BEAT == number % BEAT and self.second < (dies or {}).get(
                    number, seconds + self.second
                ):
                    await self.send(number, Alarm.CLEAR)
            await self.loop.clock.run(SECOND)

    def stale(self) -> set[int]:
        """Return who is not trusted."""
        states = self.loop.runtime.state.states
        return {number for number in range(DEVICES) if states[name_of(number)].quality is Quality.STALE}

    def silent(self, seconds: int) -> set[int]:
        """Return who has said nothing for so long."""
        now = self.loop.clock.now()
        return {number for number, at in self.heard.items() if now - at >= seconds * SECOND}

    def opened(self) -> list[Opened]:
        return [one for one in self.loop.journal.of(Opened) if isinstance(one, Opened)]


async def test_a_jammed_radio_is_no_reason_to_call_anybody_missing() -> None:
    radio = Radio(SILENT % (MISSING, MISSING))
    async with radio.on_air():
        await radio.live(10 * ROUND)
        assert radio.lost > DEVICES * 10
        assert radio.opened() == []
        assert radio.stale() == set()


async def test_whoever_dies_is_told_in_time_jammed_or_not() -> None:
    radio = Radio(SILENT % (MISSING, MISSING))
    dies = {number: 30 + 7 * number for number in range(DEVICES)}
    async with radio.on_air():
        for _ in range(5 * ROUND):
            await radio.live(1, dies)
            assert radio.silent(MISSING + 1) <= radio.stale() <= radio.silent(MISSING), "not earlier, and at once"
        assert radio.stale() == set(range(DEVICES))
        told = {str(one.zone): one.at for one in radio.opened()}
        assert len(told) == len(radio.opened()) == DEVICES
        for number, at in radio.heard.items():
            assert MISSING * SECOND <= told[f"gate_{number}"] - at <= (MISSING + TOLD) * SECOND


async def test_a_device_that_may_be_silent_for_less_than_the_jammer_is_told_of_each_time() -> None:
    radio, short = Radio(SILENT % (25, 25)), 25
    async with radio.on_air():
        await radio.live(5 * ROUND + BEAT)
        assert len(radio.opened()) == 5 * DEVICES, "once for each device and round"
        cleared = [one for one in radio.loop.journal.of(Cleared) if isinstance(one, Cleared)]
        assert len(cleared) == 5 * DEVICES, "and over when it is heard"
        assert short < JAMMED


@pytest.mark.parametrize("pressed", range(0, ROUND, 5))
async def test_a_button_that_repeats_itself_comes_through(pressed: int) -> None:
    radio = Radio(CALLED % "")
    async with radio.on_air() as loop:
        await radio.live(pressed)
        for _ in range(3):
            await radio.send(7, Alarm.ACTIVE)
            await loop.clock.run(15 * SECOND)
        assert [str(one.zone) for one in radio.opened()] == ["gate_7"], "once, however often it was heard"
        assert radio.opened()[0].at - radio.began <= (pressed + JAMMED) * SECOND + SECOND


MODES: Sequence[tuple[Mode, ...]] = [(), *((mode,) for mode in Mode), tuple(Mode)]


@pytest.mark.parametrize("modes", MODES, ids=lambda modes: "+".join(modes) or "none")
async def test_no_mode_silences_a_rule_that_does_not_ask_for_one(modes: tuple[Mode, ...]) -> None:
    """So for a button for help, the lid of a device, its empty battery: each is an alarm of an entity of its own."""
    radio = Radio(CALLED % "")
    async with radio.on_air() as loop:
        for mode in modes:
            loop.runtime.post(lambda batch, mode=mode: batch.feed(ModeChange(mode, on=True, at=batch.now)))  # type: ignore[misc]
        await settle()
        await loop.hear(name_of(3), Alarm.ACTIVE)
        (incident,) = loop.journal.of(IncidentOpened)
        assert isinstance(incident, IncidentOpened)
        assert incident.zone == "gate_3"


async def test_what_maintenance_holds_back_is_told_when_it_ends() -> None:
    """As near as a hub without arming comes to "arming refused": what is wrong then is an incident, with its reason."""
    radio = Radio(CALLED % NOT_IN_MAINTENANCE)
    async with radio.on_air() as loop:
        on = ModeChange(Mode.MAINTENANCE, on=True, at=loop.clock.now())
        loop.runtime.post(lambda batch: batch.feed(on))
        await settle()
        await loop.hear(name_of(3), Alarm.ACTIVE)
        await loop.clock.run(10 * SECOND)
        assert radio.opened() == []
        loop.runtime.post(lambda batch: batch.feed(msgspec.structs.replace(on, on=False, at=batch.now)))
        await settle()
        (opened,) = radio.opened()
        assert opened.zone == "gate_3"
        assert any(witness.entity == name_of(3) and witness.value == Alarm.ACTIVE for witness in opened.trace)
