"""Random small rules of the whole language, and what may happen to a site that lives by them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hub.engine.calendar import Day, Sun, Weekday
from hub.engine.terms import (
    All,
    AnyOf,
    Beyond,
    Count,
    DayIs,
    Is,
    ModeIs,
    Not,
    Preceded,
    Silent,
    SunIs,
    Term,
    TimeIs,
    WeekdayIs,
)
from hub.model.reading import Alarm, Contact, Presence, Quality
from hub.model.site import Mode, Role
from tests.kit.estate import BACK, BOILER, FRONT, LEFT, OVEN, READER, RIGHT, WINDOWS, Draft, minutes

confirms = st.sampled_from([1, 1, 0, 2])
states = st.one_of(
    st.builds(Is, st.just(Role.VEHICLE), st.just(Presence.PRESENT), confirms),
    st.builds(Is, st.just(Role.DOOR), st.just(Contact.OPEN), confirms),
    st.sampled_from([Is(Role.VEHICLE, Presence.ABSENT), Is(Role.DOOR, Contact.CLOSED)]),
)
limits = st.sampled_from(
    [
        Beyond(Role.TEMPERATURE, "above", 60.0, 55.0),
        Beyond(Role.TEMPERATURE, "above", 60.0, 60.0),
        Beyond(Role.TEMPERATURE, "below", 5.0, 8.0),
    ]
)
lengths = st.sampled_from([1, 2, 3, 5]).map(minutes)
orders = st.builds(
    Preceded,
    st.one_of(
        st.builds(Is, st.just(Role.DOOR), st.just(Contact.OPEN), confirms), st.just(Is(Role.DOOR, Contact.CLOSED))
    ),
    st.sampled_from([Is(Role.CARD, Alarm.ACTIVE), Is(Role.VEHICLE, Presence.PRESENT)]),
    lengths,
    st.booleans(),
)
counts = st.builds(
    Count,
    st.sampled_from([Is(Role.DOOR, Contact.OPEN), Is(Role.DOOR, Contact.CLOSED), Is(Role.VEHICLE, Presence.PRESENT)]),
    st.sampled_from([2, 2, 3]),
    st.sampled_from([4, 7, 12]).map(minutes),
)
silences = st.builds(Silent, st.sampled_from([Role.VEHICLE, Role.DOOR, Role.TEMPERATURE]), lengths)
times = st.one_of(
    st.sampled_from(WINDOWS).map(lambda window: TimeIs(*window)),
    st.sampled_from([(Weekday.SAT, Weekday.SUN), (Weekday.FRI,), (Weekday.THU, Weekday.SUN)]).map(WeekdayIs),
    st.sampled_from(Day).map(DayIs),
    st.sampled_from(Sun).map(SunIs),
)
modes = st.just(ModeIs(Mode.TYPHOON))
leaf = st.one_of(states, states, limits, limits, orders, orders, counts, silences, times, modes)


def _joined(parts: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(several.map(All), several.map(AnyOf), parts.map(Not))


terms: st.SearchStrategy[Term] = st.one_of(
    leaf, leaf, _joined(leaf), st.builds(lambda first, more: All((first, more)), leaf, _joined(leaf))
)
steps = st.sampled_from([(), ((2, 0, 1),), ((1, 2, 3),), ((2, 0, 1), (3, 3, 2)), ((1, 4, 2), (3, 0, 1))])
quiets = st.one_of(st.none(), st.none(), st.tuples(st.sampled_from(WINDOWS), st.sampled_from([0, 30])))


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """Return a rule. One whose clear may hold beside its trigger has a cooldown: nothing opens and clears for ever."""
    quiet = draw(quiets)
    clear = draw(st.one_of(st.none(), terms))
    return Draft(
        trigger=draw(terms),
        clear=clear,
        conditions=tuple(draw(st.lists(terms, max_size=1))),
        hold=draw(st.sampled_from([0, 0, 1, 2, 5])),
        clear_hold=draw(st.sampled_from([0, 0, 1, 3])),
        gap=draw(st.sampled_from([0, 1, 3])),
        cooldown=draw(st.sampled_from([0, 0, 0, 4] if clear is None else [1, 4])),
        steps=draw(steps),
        quiet=None if quiet is None else (*quiet[0], quiet[1]),
        dry=draw(st.sampled_from([False, False, False, True])),
    )


#: One condition and nothing else: what it says is seen at once.
bare = st.builds(Draft, trigger=st.one_of(limits, orders, counts, silences, times), gap=st.just(1))


def _hears(entity: Any, said: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just("hear"), st.just(entity), said, st.just(Quality.GOOD))


words = st.one_of(
    _hears(FRONT, st.sampled_from(Contact)),
    _hears(FRONT, st.sampled_from(Contact)),
    _hears(BACK, st.sampled_from(Contact)),
    _hears(LEFT, st.sampled_from(Presence)),
    _hears(RIGHT, st.sampled_from(Presence)),
    _hears(READER, st.sampled_from(Alarm)),
    _hears(OVEN, st.sampled_from([3.0, 5.0, 7.0, 8.0, 20.0, 55.0, 57.0, 60.0, 61.0])),
    _hears(BOILER, st.sampled_from([7.0, 20.0, 57.0, 61.0])),
)
gaps = st.tuples(
    st.just("hear"),
    st.sampled_from([FRONT, FRONT, BACK, LEFT, RIGHT, READER, OVEN, BOILER]),
    st.none(),
    st.sampled_from([Quality.STALE, Quality.UNKNOWN, Quality.GOOD]),
)
retained = st.tuples(st.just("hear"), st.sampled_from([FRONT, BACK]), st.sampled_from(Contact), st.just(Quality.STALE))
passing = st.tuples(st.just("passing"), st.sampled_from([0, 1, 2, 3, 7]))
bounces = st.tuples(st.just("bounce"), st.sampled_from([FRONT, BACK]), st.integers(1, 3))
rare = st.one_of(
    gaps,
    retained,
    st.tuples(st.just("stall"), st.integers(1, 6)),
    st.tuples(st.just("mode"), st.booleans()),
    st.tuples(st.just("jump"), st.sampled_from([60, -60, 17, None])),
    st.tuples(st.just("restart"), st.integers(0, 6)),
    st.tuples(st.just("link"), st.booleans()),
    st.tuples(st.just("edit"), st.sampled_from(["watch", "other"]), st.integers(1, 100)),
    st.tuples(st.just("retrigger"), st.sampled_from(["watch", "other"]), st.integers(1, 4)),
)
#: Mostly ordinary life: a warning must open and clear before its rarer fates can be seen.
events = st.sampled_from([rare] * 2 + [passing] * 3 + [bounces] + [words] * 4).flatmap(lambda kind: kind)
