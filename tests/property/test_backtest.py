"""A backtest over what the journal recorded decides what the hub had decided, to the microsecond, whatever happened."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model.ids import EntityId
from hub.model.reading import Alarm, Contact, Presence, Quality
from hub.model.site import Mode
from hub.model.time import HOUR, SECOND, Instant
from tests.kit.gate import Gate, local
from tests.kit.recorder import Recorder

RULES = {
    "for": "trigger: {vehicle: present, for: 10 s}\nconditions: [{not: {mode: maintenance}}]\ntolerate_gap: 6 s",
    "confirm": "trigger: {vehicle: present, confirm: all}\nconditions: [{door: closed}]\ncooldown: 20 s",
    "count": "trigger: {count: {door: open, times: 2, within: 30 s}}",
    "order": "trigger: {door: open, without: {card: active, within: 15 s}}\ntolerate_gap: 0 s",
    "limit": "trigger: {temperature: {above: 60, until: 55}, for: 5 s}\nconditions: [{silent: {card: 20 s}}]",
    "silent": "trigger: {any: [{silent: {vehicle: 12 s}}, {mode: typhoon}]}\ntolerate_gap: 3 s",
    "time": 'trigger: {all: [{time: {from: "12:01", to: "12:02"}}, {door: open}], for: 3 s}\n'
    'quiet_hours: {from: "12:01", to: "13:00", volume: 0}',
}
REST = """
rule: watch
zones: {kind: gate}
actions: [{say: {text: 请注意}}, {capture: snapshot}, {open_incident: {severity: low}}]
escalation: [{after: 8 s, every: 8 s, times: 2, actions: [{say: {text: 再次}}]}]
clear: {all: [{vehicle: absent}, {door: closed}], for: 4 s, actions: [{close_incident: cleared}]}
"""

READ: dict[str, Any] = {
    "vehicle.a": st.sampled_from(Presence),
    "vehicle.b": st.sampled_from(Presence),
    "door.a": st.sampled_from(Contact),
    "card.a": st.sampled_from(Alarm),
    "temperature.a": st.sampled_from([20.0, 54.0, 57.5, 59.0, 61.0]),
}
qualities = st.sampled_from([Quality.GOOD] * 6 + [Quality.STALE, Quality.UNKNOWN])
readings = st.sampled_from(sorted(READ)).flatmap(
    lambda name: st.tuples(st.just(EntityId(name)), st.one_of(READ[name], READ[name], st.none()), qualities)
)
pauses = st.sampled_from([0, 1, 1, 2, 3, 5, 9, 14, 40])
ordinary = st.one_of(
    st.tuples(st.just("hear"), st.lists(readings, min_size=1, max_size=3)),
    st.tuples(st.just("hear"), st.lists(readings, min_size=1, max_size=1)),
    st.tuples(st.just("again"), st.integers(1, 4)),
)
rare = st.one_of(
    st.tuples(st.just("mode"), st.sampled_from([Mode.MAINTENANCE, Mode.TYPHOON]), st.sampled_from([None, 4, 30])),
    st.tuples(st.just("calm"), st.sampled_from([Mode.MAINTENANCE, Mode.TYPHOON])),
    st.tuples(st.just("lost")),
    st.tuples(st.just("back"), st.booleans()),
    st.tuples(st.just("restart"), st.integers(0, 40)),
    st.tuples(st.just("jump"), st.sampled_from([HOUR + 137, -HOUR - 137])),
    st.tuples(st.just("adopt")),
)
events = st.tuples(st.integers(0, 3).flatmap(lambda dice: rare if dice == 0 else ordinary), pauses)


class History:
    """Lives through a list of events with a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.last: tuple[EntityId, Any, Quality] | None = None
        self.number = 0

    async def live(self, history: list[Any]) -> None:
        rest = list(history)
        while True:
            down = 0
            async with self.recorder.running():
                while rest:
                    (kind, *arguments), pause = rest.pop(0)
                    if kind == "restart":
                        down = arguments[0]
                        break
                    await getattr(self, kind)(*arguments)
                    await self.wait(pause)
                else:
                    await self.wait(60)
                    return
            self.number += 1
            self.recorder.clock.advance(down * SECOND + 100 + self.number)

    async def wait(self, seconds: int) -> None:
        """Never a whole number of seconds: what falls due inside the microseconds of one batch has no order."""
        self.number += 1
        await self.recorder.clock.run(seconds * SECOND + 100 + self.number)

    async def hear(self, read: list[tuple[EntityId, Any, Quality]]) -> None:
        self.last = read[-1]
        await self.recorder.hear(*read)

    async def again(self, times: int) -> None:
        """A heartbeat."""
        for _ in range(times if self.last else 0):
            await self.recorder.hear(self.last)  # type: ignore[arg-type]
            await self.wait(7)

    async def mode(self, mode: Mode, seconds: int | None) -> None:
        until = None if seconds is None else Instant(self.recorder.clock.now() + seconds * SECOND)
        await self.recorder.mode(mode, on=True, until=until)

    async def calm(self, mode: Mode) -> None:
        await self.recorder.mode(mode, on=False)

    async def lost(self) -> None:
        self.recorder.intake.lost("test")
        await self.wait(0)

    async def back(self, resumed: bool) -> None:
        self.recorder.intake.synced(resumed=resumed)
        await self.wait(0)

    async def jump(self, by: int) -> None:
        await self.recorder.jump(by)

    async def adopt(self) -> None:
        self.recorder.runtime.change_rules(self.recorder.program)
        await self.wait(0)


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=60)
@given(history=st.lists(events, min_size=5, max_size=40))
def test_a_backtest_decides_what_the_hub_decided(rule: str, history: list[Any]) -> None:
    program = Gate(RULES[rule] + REST, both=("vehicle",)).program
    start = local("2026-11-20 12:00")
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder), program, start)
        asyncio.run(History(recorder).live(history))
        try:
            assert recorder.replayed(start) == recorder.decisions
        finally:
            recorder.close()
