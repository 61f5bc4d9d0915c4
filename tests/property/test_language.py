"""The engine decides what an independent model of the whole rule language decides, whatever happens to the site."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.model.ids import EntityId, RuleId
from hub.model.reading import Alarm, Contact, Presence, Quality, Value
from hub.model.site import Mode
from hub.model.time import DAY, MINUTE
from tests.kit.estate import BACK, BOILER, FRONT, LEFT, NIGHTS, OTHER, OVEN, READER, RIGHT, WATCH, Draft, Night, site
from tests.kit.machine import Machine
from tests.kit.reference import Reference
from tests.kit.words import told
from tests.property.rules import bare, drafts, events

CALM: dict[EntityId, Value] = {
    FRONT: Contact.CLOSED,
    BACK: Contact.CLOSED,
    LEFT: Presence.ABSENT,
    RIGHT: Presence.ABSENT,
    READER: Alarm.CLEAR,
    OVEN: 20.0,
    BOILER: 20.0,
}


class Both:
    """The engine and the model, living through the same."""

    def __init__(self, night: Night, **drafts: Draft) -> None:
        self.lost_years = 0
        self.drafts = {RuleId(name): draft for name, draft in drafts.items()}
        rules = [draft.rule(name) for name, draft in self.drafts.items()]
        self.engine = Machine(*rules, places=site(), calendar=night.calendar, start=night.start)
        self.engine.edit(*rules)  # as a hub that starts takes its rules over
        self.model = Reference(site(), night.almanac, night.start, rules, MINUTE)
        self.model.look()

    def hear(self, entity: EntityId, value: Value | None, quality: Quality) -> None:
        self.engine.hear(entity, value, quality)
        self.model.world.hear(entity, value, str(quality))
        self.model.look()

    def bounce(self, door: EntityId, times: int) -> None:
        for _ in range(times):
            self.hear(door, Contact.OPEN, Quality.GOOD)
            self.passing(1)
            self.hear(door, Contact.CLOSED, Quality.GOOD)

    def passing(self, number: int) -> None:
        self.engine.pass_time(number * MINUTE)
        self.model.pass_time(number * MINUTE)

    def stall(self, number: int) -> None:
        """Nobody looks for a while; then everything that was due is looked at."""
        self.engine.stall(number * MINUTE)
        self.model.stall(number * MINUTE)
        self.passing(0)

    def mode(self, on: bool) -> None:
        self.engine.mode(Mode.TYPHOON, on=on)
        self.model.world.modes = {Mode.TYPHOON} if on else set()
        self.model.look()

    def jump(self, by: int | None) -> None:
        if by is None:  # to a day after 1970 began, each time to another one, and to another time of the day
            self.lost_years += 1
            by = (self.lost_years * DAY - self.engine.now) // MINUTE
        self.engine.jump(by * MINUTE)
        self.model.jump(by * MINUTE)

    def restart(self, down: int) -> None:
        self.engine.restart(down * MINUTE)
        self.model.restart(down * MINUTE)

    def link(self, lost: bool) -> None:
        if lost:
            self.engine.lose("test")
        else:
            self.engine.regain()
        self.model.link(lost=lost)

    def edit(self, rule: RuleId, volume: int) -> None:
        self._edit(rule, self.drafts[rule].but(volume=volume))

    def retrigger(self, rule: RuleId, hold: int) -> None:
        self._edit(rule, self.drafts[rule].but(hold=hold))

    def _edit(self, rule: RuleId, draft: Draft) -> None:
        self.drafts[rule] = draft
        self.engine.edit(*(kept.rule(name) for name, kept in self.drafts.items()))
        self.model.edit(draft.rule(rule))

    def live(self, history: list[tuple[Any, ...]]) -> None:
        for kind, *arguments in history:
            if kind not in {"passing", "stall"}:
                self.passing(1)  # the runtime gives every input an instant of its own
            getattr(self, kind)(*arguments)
            if kind == "bounce":
                self.passing(1)


@given(
    night=st.sampled_from(NIGHTS),
    draft=drafts(),
    other=drafts(),
    plain=st.tuples(bare, bare, bare),
    calm=st.sampled_from([True, True, True, False]),
    history=st.lists(events, min_size=10, max_size=40),
)
def test_engine_decides_as_the_model(
    night: Night,
    draft: Draft,
    other: Draft,
    plain: tuple[Draft, ...],
    calm: bool,
    history: list[tuple[Any, ...]],
) -> None:
    """Semantic 7: every form of condition, joined at random, with 1 to 6 happening to it."""
    both = Both(night, **{WATCH: draft, OTHER: other}, **dict(zip("abc", plain, strict=True)))
    for entity, value in CALM.items() if calm else ():
        both.hear(entity, value, Quality.GOOD)
    both.live(history)
    both.passing(15)
    decided = told(both.engine.decisions)
    expected = {key: lines for key, lines in both.model.told.items() if lines}
    assert decided == expected
