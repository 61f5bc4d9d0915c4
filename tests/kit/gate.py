"""One zone of any kind and one rule written as YAML: what the tests of the rule language play with."""

from __future__ import annotations

import zoneinfo
from datetime import datetime

from hub.config.yaml import loads
from hub.engine.calendar import Calendar
from hub.engine.parse import RuleParser
from hub.engine.program import Program
from hub.engine.rule import Rule
from hub.engine.state import EngineState
from hub.engine.step import step, wake
from hub.model.decision import Decision, Opened
from hub.model.entry import ModeChange
from hub.model.ids import EntityId, SiteId, ZoneId
from hub.model.reader import Reader
from hub.model.reading import Quality, Reading, Value
from hub.model.site import Mode, Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import SECOND, Instant

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")
ZONE = ZoneId("gate")


def local(text: str) -> Instant:
    """Return the instant of a local time, ``2026-11-20 21:59``."""
    return Instant(round(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()) * SECOND)


class Gate:
    """A zone in which every role has an entity ``role.a``, and ``role.b`` where it is asked for."""

    def __init__(self, rule: str, *, both: tuple[str, ...] = (), start: str = "2026-11-20 12:00") -> None:
        bind = {
            role: tuple(EntityId(f"{role}.{name}") for name in (("a", "b") if role in both else ("a",)))
            for role in Role
        }
        zone = Zone(id=ZONE, kind=ZoneKind.GATE, name=Text("东门", "East gate"), bind=bind)
        self.site = Site(SiteId("s"), Text("s"), "Asia/Shanghai", {}, {ZONE: zone}, {}, {})
        self.reader = Reader()
        self.rule = RuleParser(self.reader, self.site).rule(loads(rule, "rule.yaml"))
        self.calendar = Calendar(zone=SHANGHAI)
        self.now = local(start)
        self.state = EngineState()
        self.decisions: list[Decision] = []

    @property
    def program(self) -> Program:
        """The rule, compiled; it must have no finding."""
        assert isinstance(self.rule, Rule), [str(finding) for finding in self.reader.findings]
        return Program((self.rule,), self.site, self.calendar)

    def hear(self, entity: str, value: Value | None, quality: Quality = Quality.GOOD) -> None:
        """Take a reading in now."""
        made = step(self.program, self.state, Reading(EntityId(entity), value, quality, self.now), self.now)
        self.state.apply(made)
        self.decisions += made.decisions

    def mode(self, mode: Mode, *, on: bool) -> None:
        """Switch a mode now."""
        made = step(self.program, self.state, ModeChange(mode, on, self.now), self.now)
        self.state.apply(made)
        self.decisions += made.decisions

    def wait(self, seconds: float) -> None:
        """Let time pass, waking the engine when it asked for it."""
        end = Instant(self.now + round(seconds * SECOND))
        while (due := self.state.next_wake()) is not None and due <= end:
            self.now = max(self.now, due)
            key = self.state.take_due(self.now)
            assert key is not None
            made = wake(self.program, self.state, key, self.now)
            self.state.apply(made)
            self.decisions += made.decisions
        self.now = end

    @property
    def opened(self) -> list[Instant]:
        """When the rule fired."""
        return [decision.at for decision in self.decisions if isinstance(decision, Opened)]
