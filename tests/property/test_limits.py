"""Semantics 6, 8 and 9 of DESIGN.md section 6: what is limited, what is explained, and what no rule can do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from hub.config.yaml import loads
from hub.engine.parse import RuleParser
from hub.engine.rule import Rule, RuleAction
from hub.engine.terms import All, AnyOf, Is, Not, Term
from hub.model.decision import Capture, Command, Escalated, Notify, Opened, Say, Switch
from hub.model.ids import SiteId
from hub.model.reader import Reader
from hub.model.reading import Capability, Contact, Quality
from hub.model.site import Role, Site, fits
from hub.model.text import Text
from hub.model.time import DAY, HOUR, SECOND, Instant, isoformat
from tests.kit.estate import FRONT, NIGHTS, WINDOWS, Draft, site
from tests.kit.machine import Machine
from tests.property.rules import drafts, words

RULE = """\
rule: watch
zones: {{kind: gate}}
trigger: {{door: open}}
actions: [{action}]
clear: {{door: closed}}
{more}
"""
OPEN = Is(Role.DOOR, Contact.OPEN)


def parsed(action: str = "capture: snapshot", more: str = "") -> Rule | None:
    reader = Reader()
    place = Site(SiteId("s"), Text("s"), "UTC", {}, {}, {}, {})
    return RuleParser(reader, place).rule(loads(RULE.format(action=f"{{{action}}}", more=more), "rule.yaml"))


@given(after=st.integers(1, 5), every=st.integers(1, 5), times=st.integers(1, 30), passing=st.integers(0, 300))
def test_a_step_is_repeated_as_often_as_it_says_and_no_more(after: int, every: int, times: int, passing: int) -> None:
    """Semantic 6: repeats have a limit, and each comes at its time."""
    machine = Machine(Draft(OPEN, steps=((after, every, times),)).rule(), places=site())
    machine.hear(FRONT, Contact.OPEN)
    start = machine.now
    machine.pass_time(passing * 60 * SECOND)
    at = [made.at - start for made in machine.decisions if isinstance(made, Escalated) and made.zone == "wide"]
    due = [(after + turn * every) * 60 * SECOND for turn in range(times)]
    assert at == [instant for instant in due if instant <= passing * 60 * SECOND]


@given(
    window=st.sampled_from(WINDOWS), volume=st.integers(0, 100), loud=st.integers(1, 100), begin=st.integers(0, 60 * 24)
)
def test_no_voice_is_louder_than_quiet_hours_allow(window: tuple[int, int], volume: int, loud: int, begin: int) -> None:
    """Semantic 6: in quiet hours a voice is at most so loud, at other times as loud as it is written."""
    night = NIGHTS[0]
    rule = Draft(OPEN, quiet=(*window, volume), volume=loud, steps=((3, 7, 30),)).rule()
    start = Instant(night.start + begin * 60 * SECOND)
    machine = Machine(rule, places=site(), calendar=night.calendar, start=start)
    machine.hear(FRONT, Contact.OPEN)
    machine.pass_time(4 * HOUR)
    for made in machine.decisions:
        if isinstance(made, Command) and isinstance(made.action, Say):
            second = (made.at // SECOND + 8 * 3600) % 86_400  # Shanghai is eight hours ahead
            within = window[0] <= second < window[1] if window[0] < window[1] else not window[1] <= second < window[0]
            assert made.action.volume == (min(loud, volume) if within else loud), isoformat(made.at)


@given(st.sampled_from(["every", "times"]), st.integers(1, 99))
def test_a_repeat_without_a_limit_is_refused(key: str, number: int) -> None:
    """Semantic 6: who repeats says how often, at most thirty times."""
    one = f"{key}: {number}{' min' if key == 'every' else ''}"
    step = "escalation: [{{after: 1 min, {}, actions: [{{capture: snapshot}}]}}]"
    assert parsed(more=step.format(one)) is None
    both = parsed(more=step.format(f"every: 1 min, times: {number}"))
    assert (both is not None) is (2 <= number <= 30)


def rebuilt(term: Term, holds: list[bool | None]) -> bool | None:
    """Work a condition out again from the witnesses of its leaves."""
    match term:
        case Not():
            inner = rebuilt(term.term, holds)
            return None if inner is None else not inner
        case All() | AnyOf():
            found = [rebuilt(part, holds) for part in term.terms]
            decisive = isinstance(term, AnyOf)
            return decisive if decisive in found else None if None in found else not decisive
    return holds.pop(0)


@given(draft=drafts(), history=st.lists(words, max_size=30))
def test_the_trace_of_an_activation_proves_it(draft: Draft, history: list[tuple[str, object, object, Quality]]) -> None:
    """Semantic 8: from the trace alone it can be seen that trigger and conditions held, and by which reading."""
    machine = Machine(draft.but(conditions=(*draft.conditions, OPEN)).rule(), places=site())
    machine.edit(draft.but(conditions=(*draft.conditions, OPEN)).rule())
    for _, entity, value, quality in history:
        made = machine.hear(entity, value, quality)  # type: ignore[arg-type]  # what `words` draws
        made += machine.pass_time(60 * SECOND)
        for opened in (one for one in made if isinstance(one, Opened)):
            leaves = [None if line.holds is None else line.holds is not line.negated for line in opened.trace]
            for term in (draft.trigger, *draft.conditions, OPEN):
                assert rebuilt(term, leaves) is True
            assert leaves == []
            door = opened.trace[-1]
            assert (door.value, door.holds) == ("open", True)
            assert door.entity is not None
            assert door.since is not None
            assert door.since <= opened.at


@given(seconds=st.integers(1, 2 * DAY // SECOND), role=st.sampled_from(list(Role)))
def test_no_rule_holds_a_door_longer_than_a_minute_or_switches_what_is_no_relay(seconds: int, role: Role) -> None:
    """Semantic 9: a door-hold ends after 60 s; the only other relays let go within the hour."""
    rule = parsed(f"switch: {{role: {role}, for: {seconds} s}}")
    longest = 60 if role is Role.DOOR_HOLD else 3600
    allowed = fits(role, Capability.RELAY) and seconds <= longest
    assert (rule is not None) is allowed


def test_there_is_no_word_for_closing_or_locking() -> None:
    """Semantic 9: the hub never closes or locks: a switch can only be held, and lets go by itself."""
    assert set(get_args(RuleAction)) - {Capture, Say, Notify, Switch} == {
        kind for kind in get_args(RuleAction) if kind.__name__ in {"OpenIncident", "CloseIncident"}
    }
    assert Switch.__struct_fields__ == ("role", "hold")


@given(st.text("abcdefghijklmnopqrstuvwxyz_. ", max_size=12))
def test_no_text_names_a_person_or_a_plate(variable: str) -> None:
    """Semantic 9: the only variables are the zone, its area and the minutes; all else in braces is refused."""
    rule = parsed(f'say: {{text: "车{{{variable}}}"}}')
    assert (rule is not None) is (variable in {"zone", "area", "minutes"})


def test_every_semantic_has_a_test_with_its_number() -> None:
    """The nine of DESIGN.md section 6."""
    text = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert set(re.findall(r'    """Semantic (\d)[:,]', text)) == set("123456789")
