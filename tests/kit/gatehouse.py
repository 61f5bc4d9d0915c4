"""A gate that lives through more: another calendar, restarts, jumps of the clock, edits of its rule."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from typing import TypeVar

from hub.config.yaml import loads
from hub.engine.calendar import Calendar
from hub.engine.parse import RuleParser
from hub.engine.step import adopt, requalify, step
from hub.model.decision import Decision
from hub.model.entry import ClockJump
from hub.model.reading import Quality
from hub.model.time import SECOND, Instant
from tests.kit.gate import SHANGHAI, Gate
from tests.kit.machine import picture, restored

Kind = TypeVar("Kind", bound=Decision)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def at(text: str, zone: zoneinfo.ZoneInfo = SHANGHAI, fold: int = 0) -> Instant:
    """Return the instant of a local time; ``fold`` 1 is the second of two."""
    moment = datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)
    return Instant(round(moment.timestamp()) * SECOND)


class Gatehouse(Gate):
    """Starts as a hub does: with its rule taken over before anything is heard."""

    def __init__(
        self, rule: str, *, both: tuple[str, ...] = (), start: Instant, calendar: Calendar | None = None
    ) -> None:
        super().__init__(rule, both=both)
        self.now = start
        self.calendar = calendar or self.calendar
        self._adopt()

    def restart(self, down: float = 0) -> None:
        """Kill the hub, let time pass, start it: only what the journal keeps is known, and nothing of it confirmed."""
        self.now = Instant(self.now + round(down * SECOND))
        self.state = restored(picture(self.state))
        trusted = [entity for entity, state in self.state.states.items() if state.quality is Quality.GOOD]
        made = requalify(self.program, self.state, trusted, Quality.STALE, self.now)
        self.state.apply(made)
        self.decisions += made.decisions
        self._adopt()
        self.wait(0)

    def jump(self, by: int) -> None:
        """Move the wall clock by microseconds."""
        self.now = Instant(self.now + by)
        made = step(self.program, self.state, ClockJump(self.now, by), self.now)
        self.state.apply(made)
        self.decisions += made.decisions
        self.wait(0)

    def edit(self, rule: str) -> None:
        """Save the rule anew."""
        self.rule = RuleParser(self.reader, self.site).rule(loads(rule, "rule.yaml"))
        self._adopt()

    def wait_until(self, instant: Instant) -> None:
        """Let time pass until the clock shows ``instant``."""
        self.wait((instant - self.now) / SECOND)

    def made(self, kind: type[Kind]) -> list[Kind]:
        """Return the decisions of one kind."""
        return [decision for decision in self.decisions if isinstance(decision, kind)]

    def _adopt(self) -> None:
        made = adopt(self.program, self.state, self.now)
        self.state.apply(made)
        self.decisions += made.decisions
