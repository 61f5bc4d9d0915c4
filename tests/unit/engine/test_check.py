"""What is wrong with a rule that reads well: each finding at its place, and its nearest neighbour that is fine."""

# ruff: noqa: E501 - a table is read line by line

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config.yaml import loads
from hub.engine.calendar import Calendar, Weekday
from hub.engine.check import check
from hub.engine.parse import RuleParser
from hub.engine.terms import All, AnyOf, Beyond, Is, ModeIs, Not, Term, TimeIs, WeekdayIs
from hub.engine.truth import compile_term
from hub.engine.view import View
from hub.engine.worlds import truths
from hub.model.entry import ModeChange
from hub.model.ids import AreaId, EntityId, SiteId, ZoneId
from hub.model.memory import Memory
from hub.model.reader import Reader
from hub.model.reading import Contact, Presence, Quality, State
from hub.model.site import Mode, Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import Instant

RULE = """\
rule: {name}
name: {{zh: {zh}}}
zones: {{kind: gate}}
trigger: {trigger}
conditions: {conditions}
actions: {actions}
escalation: {escalation}
clear: {clear}
"""
FINE = {
    "name": "watch", "zh": "看守", "trigger": "{vehicle: present}", "conditions": "[]", "actions": "[]",
    "escalation": "[]", "clear": "{vehicle: absent}",
}  # fmt: skip
#: Everything is bound once; vehicles twice.
BOUND = {
    role: tuple(EntityId(f"x.{role}_{number}") for number in range(2 if role is Role.VEHICLE else 1)) for role in Role
}
ONE = Zone(ZoneId("east"), ZoneKind.GATE, Text("东门"), bind=BOUND)


def site(*zones: Zone) -> Site:
    return Site(SiteId("s"), Text("s"), "Asia/Shanghai", {}, {zone.id: zone for zone in zones or (ONE,)}, {}, {})


def found(*rules: dict[str, str], at: Site | None = None) -> list[str]:
    """Check rules; return what is found."""
    place = at or site()
    read = []
    for number, fields in enumerate(rules):
        reader = Reader()
        document = loads(RULE.format(**{**FINE, **fields}), f"{number}.yaml")
        rule = RuleParser(reader, place).rule(document)
        assert rule is not None, [str(finding) for finding in reader.findings]
        read.append((rule, document))
    return [str(finding) for finding in check(read, place)]


def test_a_good_rule_has_no_finding() -> None:
    assert found({}) == []
    assert found({}, {"name": "other", "zh": "另一条"}) == []


NEVER = "0.yaml:4:10: the trigger can never be true: its parts exclude each other"
#: What is written in the place of what, the finding, and what may be written.
LOGIC: dict[str, tuple[dict[str, str], str, dict[str, str]]] = {
    "both values": (
        {"trigger": "{all: [{vehicle: present}, {vehicle: absent}]}"}, NEVER,
        {"trigger": "{all: [{vehicle: present}, {person: absent}]}"},
    ),
    "itself and not": (
        {"trigger": "{all: [{door: open}, {not: {door: open}}]}", "clear": "{door: closed}"}, NEVER,
        {"trigger": "{any: [{door: open}, {all: [{door: open}, {not: {door: open}}]}]}", "clear": "{door: closed}"},
    ),
    "two times of day": (
        {"trigger": '{all: [{vehicle: present}, {time: {from: "22:00", to: "06:00"}}, {time: {from: "06:00", to: "08:00"}}]}'},
        NEVER,
        {"trigger": '{all: [{vehicle: present}, {time: {from: "22:00", to: "06:00"}}, {time: {from: "05:59", to: "08:00"}}]}'},
    ),
    "two weekdays": (
        {"trigger": "{all: [{vehicle: present}, {weekday: [sat]}, {weekday: [sun]}]}"}, NEVER,
        {"trigger": "{all: [{vehicle: present}, {weekday: [sat]}, {day: workday}]}"},
    ),
    "sun up and down": (
        {"trigger": "{all: [{vehicle: present}, {sun: up}, {not: {sun: up}}]}"}, NEVER,
        {"trigger": '{all: [{vehicle: present}, {sun: up}, {time: {from: "22:00", to: "06:00"}}]}'},
    ),
    "hot and cold": (
        {"trigger": "{all: [{temperature: {above: 60}}, {temperature: {below: 40}}]}", "clear": "{door: closed}"}, NEVER,
        {"trigger": "{all: [{temperature: {above: 60, until: 40}}, {temperature: {below: 50}}]}", "clear": "{door: closed}"},
    ),
    "conditions against the trigger": (
        {"trigger": "{mode: typhoon}", "conditions": "[{not: {mode: typhoon}}]", "clear": "{not: {mode: typhoon}}"},
        "0.yaml:5:13: the conditions exclude the trigger: this rule can never fire",
        {"trigger": "{mode: typhoon}", "conditions": "[{not: {mode: test}}]", "clear": "{not: {mode: typhoon}}"},
    ),
    "always": (
        {"trigger": "{any: [{door: open}, {not: {door: open}}]}"},
        "0.yaml:4:10: 提示 warning: the trigger is always true",
        {"trigger": "{any: [{door: open}, {not: {person: present}}]}"},
    ),
    "never over": (
        {"clear": "{all: [{vehicle: absent}, {vehicle: present}]}"},
        "0.yaml:8:8: `clear` can never be true: this rule would never be over",
        {"clear": "{all: [{vehicle: absent}, {person: absent}]}"},
    ),
    "over at once": (
        {"clear": "{vehicle: present}"},
        "0.yaml:8:8: `clear` holds whenever the trigger does: the rule would be over at once",
        {"trigger": "{vehicle: present, confirm: all}", "clear": "{not: {vehicle: present, confirm: all}}"},
    ),
    "over at once, in other words": (
        {"trigger": "{all: [{vehicle: present}, {door: open}]}", "clear": "{any: [{door: open}, {person: present}]}"},
        "0.yaml:8:8: `clear` holds whenever the trigger does",
        {"trigger": "{vehicle: present}", "clear": "{any: [{vehicle: absent}, {person: present}]}"},
    ),
    "more sources than there are": (
        {"trigger": "{vehicle: present, confirm: 3}"},
        "0.yaml:4:29: 提示 warning: 3 sources must agree, but no zone binds more than 2 as `vehicle`",
        {"trigger": "{vehicle: present, confirm: 2}"},
    ),
    "too late": (
        {"escalation": "[{after: 1 h, every: 24 h, times: 8, actions: []}]"},
        "0.yaml:7:14: the last repetition comes after 169 h; an escalation ends after 7 d",
        {"escalation": "[{after: 1 h, every: 23 h, times: 8, actions: []}]"},
    ),
    "a plate": (
        {"actions": "[{say: {text: 沪A12345车主请移车}}]"},
        "0.yaml:6:12: a text must not name a number plate",
        {"actions": "[{say: {text: A12345车主请移车}}]"},
    ),
    "a long text": (
        {"actions": f"[{{say: {{text: {'请' * 81}}}}}]"},
        "0.yaml:6:12: 提示 warning: 81 characters take about 20 s; nobody listens that long",
        {"actions": f"[{{say: {{text: {'请' * 80}}}}}]"},
    ),
    "too long with the name of the zone": (
        {"actions": f"[{{say: {{text: '{{zone}}{'请' * 154}'}}}}]"},
        "0.yaml:6:12: with the zone's name this has 161 characters, 160 are allowed",
        {"actions": f"[{{say: {{text: '{{zone}}{'请' * 70}'}}}}]"},
    ),
}  # fmt: skip
LONG_NAME = Zone(ZoneId("east"), ZoneKind.GATE, Text("小区东门消防通"), bind=BOUND)


@pytest.mark.parametrize(("bad", "sentence", "good"), LOGIC.values(), ids=LOGIC)
def test_each_finding_and_its_nearest_neighbour(bad: dict[str, str], sentence: str, good: dict[str, str]) -> None:
    (finding,) = found(bad, at=site(LONG_NAME))
    assert finding.startswith(sentence)
    assert found(good, at=site(LONG_NAME)) == []


def without(*roles: Role) -> Site:
    bind = {role: bound for role, bound in BOUND.items() if role not in roles}
    return site(Zone(ZoneId("east"), ZoneKind.GATE, Text("东门"), AreaId("a"), bind))


@pytest.mark.parametrize(
    ("missing", "rule", "sentence"),
    [
        (Role.EBIKE, {"trigger": "{ebike: present}"}, "4:11: 提示 warning: no gate binds a `ebike`: this rule can never"),
        (Role.PERMIT, {"conditions": "[{not: {permit: active}}]"}, "5:21: 提示 warning: no gate binds a `permit`: the rule"),
        (Role.DOOR, {"clear": "{door: closed}"}, "8:9: 提示 warning: no gate binds a `door`: this rule would never be over"),
        (Role.SPEAKER, {"actions": "[{say: {text: 请}}]"}, "6:12: 提示 warning: no `speaker` is bound in east"),
        (Role.CAMERA, {"actions": "[{capture: snapshot}]"}, "6:12: 提示 warning: no `camera` is bound in east"),
        (Role.LIGHT, {"actions": "[{switch: {role: light, for: 1 s}}]"}, "6:12: 提示 warning: no `light` is bound in east"),
        (Role.CARD, {"trigger": "{vehicle: present, after: {card: active, within: 9 s}}"}, "4:37: 提示 warning: no gate"),
    ],
)  # fmt: skip
def test_what_nothing_is_bound_as(missing: Role, rule: dict[str, str], sentence: str) -> None:
    (finding,) = found(rule, at=without(missing))
    assert finding.startswith(f"0.yaml:{sentence}")
    assert found(rule) == []


def test_where_no_card_reader_is_bound_there_was_no_card() -> None:
    rule = {"trigger": "{vehicle: present, without: {card: active, within: 9 s}}"}
    assert found(rule, at=without(Role.CARD)) == []


def test_a_rule_without_a_zone_of_its_kind_waits_for_one() -> None:
    assert (
        found({"trigger": "{ebike: present}"}, at=site(Zone(ZoneId("a"), ZoneKind.FACADE, Text("楼"), bind={}))) == []
    )


def test_rules_that_disturb_each_other() -> None:
    first = {"actions": "[{switch: {role: light, for: 1 min}}]"}
    second = {"name": "other", "zh": "另一条", "actions": "[{switch: {role: light, for: 5 min}}]"}
    (finding,) = found(first, second)
    said = "rule `watch` holds x.light_0 for 1 min, this one 5 min: they would cut each other short"
    assert finding == f"1.yaml:6:12: 提示 warning: {said}"
    assert found(first, {**second, "actions": first["actions"]}) == []
    (finding,) = found({}, {"name": "other"})
    assert finding == "1.yaml:2:7: 提示 warning: rule `watch` has the same name; people cannot tell them apart"


def test_a_plate_is_an_error_wherever_it_is_said() -> None:
    escalated = {"escalation": "[{after: 1 min, actions: [{say: {text: 京AF12345请移车}}]}]"}
    (finding,) = found(escalated)
    assert finding.startswith("0.yaml:7:40: a text must not name a number plate")


def test_too_many_worlds_leave_the_question_open() -> None:
    many = All(tuple(Beyond(Role.LOAD, "above", float(limit), float(limit)) for limit in range(20)))
    assert truths((many,), ((Role.LOAD, (2,)),)) is None


# soundness: whatever the engine can see together, the worlds know of

CAR, DOOR, HOT = EntityId("x.car"), EntityId("x.door"), EntityId("x.hot")
LEAVES: tuple[Term, ...] = (
    Is(Role.VEHICLE, Presence.PRESENT), Is(Role.VEHICLE, Presence.ABSENT), Is(Role.DOOR, Contact.OPEN),
    Beyond(Role.TEMPERATURE, "above", 60, 50), Beyond(Role.TEMPERATURE, "below", 55, 58), ModeIs(Mode.TEST),
    TimeIs(0, 21_600), TimeIs(79_200, 3_600), WeekdayIs((Weekday.SAT, Weekday.SUN)),
)  # fmt: skip
TERMS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=5,
)
ABOVE, BELOW = LEAVES[3], LEAVES[4]


@given(
    terms=st.tuples(TERMS, TERMS),
    car=st.sampled_from(Presence),
    door=st.sampled_from(Contact),
    heat=st.sampled_from([40.0, 50.0, 53.0, 55.0, 57.0, 58.0, 59.0, 60.0, 61.0]),
    past=st.tuples(st.booleans(), st.booleans()),
    mode=st.booleans(),
    now=st.integers(0, 14 * 86_400),
)
def test_nothing_that_can_be_seen_is_called_impossible(
    terms: tuple[Term, Term], car: Presence, door: Contact, heat: float, past: tuple[bool, bool], mode: bool, now: int
) -> None:
    assert isinstance(ABOVE, Beyond)
    assert isinstance(BELOW, Beyond)
    latches = [ABOVE.latch] * (heat > 60 or (heat >= 50 and past[0])) + [BELOW.latch] * (
        heat < 55 or (heat <= 58 and past[1])
    )
    at = Instant(now * 1_000_000)
    states = {name: State(value, Quality.GOOD, at, at) for name, value in ((CAR, car), (DOOR, door), (HOT, heat))}
    modes = {Mode.TEST: ModeChange(Mode.TEST, True, at)} if mode else {}
    bound = {Role.VEHICLE: (CAR,), Role.DOOR: (DOOR,), Role.TEMPERATURE: (HOT,)}
    view = View(at, states, {}, {HOT: Memory((), tuple(latches))}, {}, modes, bound)
    seen = tuple(compile_term(term, Calendar())(view) for term in terms)
    known = truths(terms, tuple((role, (1,)) for role in bound))
    assert known is None or seen in known
