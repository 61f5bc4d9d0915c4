"""The engine as the runtime drives it, without runtime: batches, timers, clock jumps, and restarts by way of JSON."""

from __future__ import annotations

import msgspec

from hub.engine.calendar import Calendar
from hub.engine.listening import Absences
from hub.engine.program import Program
from hub.engine.rule import Rule
from hub.engine.state import EngineState, Step
from hub.engine.step import Event, adopt, requalify, step, wake
from hub.model.activation import Slot, SlotKey
from hub.model.decision import Decision
from hub.model.entry import ClockJump, LinkBack, LinkLost, ModeChange, Started
from hub.model.ids import EntityId, RuleId, ZoneId
from hub.model.memory import Memory
from hub.model.reading import Quality, Reading, State, Value, value_from_store
from hub.model.site import Mode, Site
from hub.model.time import Duration, Instant
from tests.kit.clock import START
from tests.kit.lane import site


def picture(state: EngineState) -> bytes:
    """Write all that the engine remembers as JSON, the way the journal does."""
    return msgspec.json.encode(
        {
            "states": {name: (s.value, s.quality, s.since, s.at) for name, s in sorted(state.states.items())},
            "memories": sorted(state.memories.items()),
            "slots": [(*key, slot) for key, slot in sorted(state.slots.items())],
            "modes": [change for _, change in sorted(state.modes.items())],
            "absences": state.absences,
        }
    )


def restored(stored: bytes) -> EngineState:
    """Read such a picture back, as a restarted hub does."""
    tables = msgspec.json.decode(stored)
    states = {
        EntityId(name): State(value_from_store(value), Quality(quality), since, at)
        for name, (value, quality, since, at) in tables["states"].items()
    }
    slots = {
        SlotKey(RuleId(rule), ZoneId(zone)): msgspec.convert(body, Slot, strict=True)
        for rule, zone, body in tables["slots"]
    }
    memories = {EntityId(name): msgspec.convert(body, Memory) for name, body in tables["memories"]}
    modes = [msgspec.convert(change, ModeChange) for change in tables["modes"]]
    absences = msgspec.convert(tables["absences"], Absences)
    return EngineState(states, slots, modes, memories, absences)


class Machine:
    """An engine with its memory and a clock that moves when told."""

    def __init__(
        self, *rules: Rule, places: Site | None = None, calendar: Calendar | None = None, start: Instant = START
    ) -> None:
        self.site = places or site()
        self.calendar = calendar
        self.program = Program(rules, self.site, calendar)
        self.state = EngineState()
        self.now = start
        self.decisions: list[Decision] = []

    # what the world does

    def hear(self, entity: EntityId, value: Value | None, quality: Quality = Quality.GOOD) -> list[Decision]:
        """Hear one reading."""
        return self._taken(self._feed(Reading(entity, value, quality, self.now)))

    def mode(self, mode: Mode, *, on: bool, until: Instant | None = None) -> list[Decision]:
        """Switch a mode."""
        return self._taken(self._feed(ModeChange(mode, on, self.now, until)))

    def pass_time(self, duration: int) -> list[Decision]:
        """Let time pass and look whenever something is due."""
        before, end = len(self.decisions), self.now + duration
        while (due := self.state.next_wake()) is not None and due <= end:
            self.now = max(self.now, due)
            self._look()
        self.now = Instant(end)
        return self.decisions[before:]

    def stall(self, duration: int) -> None:
        """Let time pass without looking, as a hub that is held up does; what is due stays due."""
        self.now = Instant(self.now + duration)

    def jump(self, by: int) -> None:
        """Move the wall clock."""
        self.now = Instant(self.now + by)
        self._feed(ClockJump(self.now, by))

    def lose(self, *integrations: str) -> None:
        """Lose the link on which the devices of these integrations speak."""
        self._feed(LinkLost(self.now, integrations))

    def regain(self) -> list[Decision]:
        """Have the link again."""
        return self._taken(self._feed(LinkBack(self.now)))

    def restart(self, down: int = 0) -> list[Decision]:
        """Kill the hub, let time pass, start it: nothing that was known is confirmed any more."""
        before = len(self.decisions)
        since = self.now
        self.stall(down)
        self.state = restored(picture(self.state))
        self._feed(Started(self.now, since))
        trusted = [entity for entity, state in self.state.states.items() if state.quality is Quality.GOOD]
        self._take(requalify(self.program, self.state, trusted, Quality.STALE, self.now))
        self._take(adopt(self.program, self.state, self.now))
        self._look()
        return self.decisions[before:]

    def reopen(self) -> None:
        """Write all memory down and read it back; nothing else happens."""
        self.state = restored(picture(self.state))

    def edit(self, *rules: Rule, places: Site | None = None) -> list[Decision]:
        """Replace the rule set."""
        self.site = places or self.site
        self.program = Program(rules, self.site, self.calendar)
        return self._taken(self._take(adopt(self.program, self.state, self.now)))

    # how it does it

    def _feed(self, event: Event) -> int:
        return self._take(step(self.program, self.state, event, self.now))

    def _take(self, change: Step) -> int:
        before = len(self.decisions)
        self.state.apply(change)
        self.decisions.extend(change.decisions)
        return before

    def _taken(self, before: int) -> list[Decision]:
        self._look()
        return self.decisions[before:]

    def _look(self) -> None:
        while (key := self.state.take_due(self.now)) is not None:
            self._take(wake(self.program, self.state, key, self.now))

    def ran(self, duration: float) -> Duration:
        """Return seconds as a duration."""
        return Duration(round(duration * 1_000_000))
