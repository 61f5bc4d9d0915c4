"""The engine decides what an independent model of DESIGN.md section 6 decides, whatever happens to the site."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.engine.rule import Rule
from hub.model.reading import Contact, Presence, Quality, Value
from hub.model.site import Mode
from hub.model.time import DAY, HOUR, SECOND
from tests.kit.clock import START
from tests.kit.lane import CAR, DOOR, LEFT, OTHER, RIGHT, RULE, Plan, site
from tests.kit.machine import Machine
from tests.kit.reference import Reference
from tests.kit.reference_terms import Almanac
from tests.kit.words import told

#: Odd, so that two activations never begin at the same microsecond by accident.
HOUR_OR_SO = HOUR + 137

plans = st.builds(
    Plan,
    hold=st.sampled_from([0, 1, 5, 10]),
    clear_hold=st.sampled_from([0, 1, 4]),
    gap=st.sampled_from([0, 1, 6]),
    cooldown=st.sampled_from([0, 0, 5]),
    steps=st.sampled_from([(), (3,), (4, 9)]),
    quiet=st.booleans(),
    closed=st.sampled_from([False, False, True]),
)
cars = st.sampled_from([CAR, CAR, LEFT, RIGHT])
values = st.tuples(
    st.sampled_from([Presence.PRESENT, Presence.PRESENT, Presence.ABSENT, None]),
    st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.STALE, Quality.UNKNOWN]),
)
doors = st.tuples(
    st.sampled_from([Contact.CLOSED, Contact.CLOSED, Contact.OPEN, None]),
    st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.STALE]),
)
few = st.integers(0, 12)
ordinary = st.one_of(
    st.tuples(st.just("hear"), st.just(CAR), st.tuples(st.sampled_from(Presence), st.just(Quality.GOOD))),
    st.tuples(st.just("hear"), cars, st.tuples(st.sampled_from(Presence), st.just(Quality.GOOD))),
    st.tuples(st.just("hear"), cars, values),
    st.tuples(st.just("passing"), st.integers(0, 5)),
    st.tuples(st.just("passing"), few),
)
rare = st.one_of(
    st.tuples(st.just("hear"), st.just(DOOR), doors),
    st.tuples(st.just("stall"), few),
    st.tuples(st.just("mode"), st.booleans()),
    st.tuples(st.just("jump"), st.sampled_from([HOUR_OR_SO, -HOUR_OR_SO, None])),
    st.tuples(st.just("restart"), few),
    st.tuples(st.just("edit_other"), st.integers(1, 5)),
    st.tuples(st.just("edit"), st.integers(1, 100)),
    st.tuples(st.just("retrigger"), st.sampled_from([2, 5, 7])),
)
#: Mostly ordinary life: a warning must open and clear before its rarer fates can be seen.
events = st.integers(0, 4).flatmap(lambda dice: rare if dice == 0 else ordinary)


class Both:
    """The engine and the model, living through the same."""

    def __init__(self, plan: Plan) -> None:
        self.lost_years = 0
        self.plan, self.other = plan, Plan(hold=3, steps=())
        rules = (plan.rule(), self.other.rule(OTHER))
        self.engine = Machine(*rules)
        self.model = Reference(site(), Almanac(UTC), START, rules, SECOND)

    def hear(self, name: Any, reading: tuple[Value | None, Quality]) -> None:
        value, quality = reading
        self.engine.hear(name, value, quality)
        self.model.world.hear(name, value, str(quality))
        self.model.look()

    def passing(self, number: int) -> None:
        self.engine.pass_time(number * SECOND)
        self.model.pass_time(number * SECOND)

    def stall(self, number: int) -> None:
        """Nobody looks for a while; then everything that was due is looked at."""
        self.engine.stall(number * SECOND)
        self.model.stall(number * SECOND)

    def mode(self, on: bool) -> None:
        self.engine.mode(Mode.MAINTENANCE, on=on)
        self.model.world.modes = {Mode.MAINTENANCE} if on else set()
        self.model.look()

    def jump(self, by: int | None) -> None:
        if by is None:  # to a little after 1970 began, each time to another day
            self.lost_years += 1
            by = self.lost_years * DAY + SECOND // 2 - self.engine.now
        self.engine.jump(by)
        self.model.jump(by)

    def restart(self, down: int) -> None:
        self.engine.restart(down * SECOND)
        self.model.restart(down * SECOND)

    def edit_other(self, volume: int) -> None:
        self.other = self.other.but(volume=volume, hold=volume)
        self._edit(self.other.rule(OTHER))

    def edit(self, volume: int) -> None:
        self.plan = self.plan.but(volume=volume)
        self._edit(self.plan.rule(RULE))

    def retrigger(self, hold: int) -> None:
        self.plan = self.plan.but(hold=hold)
        self._edit(self.plan.rule(RULE))

    def _edit(self, rule: Rule) -> None:
        self.engine.edit(self.plan.rule(), self.other.rule(OTHER))
        self.model.edit(rule)

    def live(self, history: list[tuple[Any, ...]]) -> None:
        stalled = False
        for kind, *arguments in history:
            if not stalled and kind not in {"passing", "stall"}:
                self.passing(1)  # the runtime gives every input an instant of its own
            stalled = kind == "stall" and arguments[0] > 0
            getattr(self, kind)(*arguments)


@given(plan=plans, history=st.lists(events, min_size=12, max_size=60))
def test_engine_decides_as_the_model(plan: Plan, history: list[tuple[Any, ...]]) -> None:
    both = Both(plan)
    both.live(history)
    both.passing(30)
    decided = told(both.engine.decisions)
    expected = {key: lines for key, lines in both.model.told.items() if lines}
    assert decided == expected
