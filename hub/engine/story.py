"""A story: readings on a timeline and exactly what must be decided, played by the live engine on a clock of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.engine.state import EngineState
from hub.engine.step import adopt, step, wake
from hub.model.decision import (
    Capture,
    Cleared,
    Command,
    Decision,
    IncidentClosed,
    IncidentOpened,
    Notify,
    Opened,
    Rehearsed,
    Say,
    Switch,
    Withheld,
)
from hub.model.document import Finding, Mark
from hub.model.entry import ModeChange
from hub.model.ids import EntityId, ZoneId
from hub.model.reading import Quality, Reading, Value
from hub.model.site import Mode
from hub.model.text import Text
from hub.model.time import SECOND, Duration, Instant, format_duration

if TYPE_CHECKING:
    from hub.engine.program import Program
    from hub.engine.state import Step
    from hub.model.decision import Action

#: What an expectation may begin with.
KINDS = ("opened", "capture", "say", "notify", "switch", "incident", "withheld", "rehearsed", "cleared", "closed")


class Hears(msgspec.Struct, frozen=True):
    """An entity says something."""

    entity: EntityId
    value: Value | None
    quality: Quality = Quality.GOOD


class Expected(msgspec.Struct, frozen=True):
    """One decision: its kind, and what it must be about (words of a text, a contact, a role, a severity)."""

    kind: str
    about: str
    mark: Mark
    zone: ZoneId | None = None


class Moment(msgspec.Struct, frozen=True):
    """What happens at one time of a story, and what must be decided since the moment before."""

    at: Duration
    mark: Mark
    hears: tuple[Hears, ...] = ()
    modes: tuple[tuple[Mode, bool], ...] = ()
    expects: tuple[Expected, ...] = ()


class Story(msgspec.Struct, frozen=True):
    """A name, when it begins, and its moments in order."""

    name: Text
    start: Instant
    moments: tuple[Moment, ...]


class Told(msgspec.Struct, frozen=True):
    """A decision as stories speak of it."""

    kind: str
    about: str
    zone: ZoneId
    at: Instant


def play(story: Story, program: Program) -> list[Finding]:
    """Play a story; return where it went otherwise than it says."""
    stage = _Stage(program, story.start)
    findings: list[Finding] = []
    for moment, following in zip(story.moments, (*story.moments[1:], None), strict=True):
        at = Instant(story.start + moment.at)
        until = at + SECOND if following is None else min(at + SECOND, story.start + following.at)
        findings += _compare(moment, stage.live(moment, at, Instant(until)), story.start)
    return findings


class _Stage:
    """The engine with its memory and a clock."""

    def __init__(self, program: Program, start: Instant) -> None:
        self._program = program
        self._state = EngineState()
        self._now = start
        self._made: list[Decision] = []
        self._take(adopt(program, self._state, start))

    def live(self, moment: Moment, at: Instant, until: Instant) -> list[Told]:
        """Let time pass until ``at``, take in what happens then, go on to ``until``, and return what was decided."""
        self._made = []
        self._pass(at)
        self._now = max(at, self._now)
        for mode, on in moment.modes:
            self._take(step(self._program, self._state, ModeChange(mode, on, self._now), self._now))
        for heard in moment.hears:
            reading = Reading(heard.entity, heard.value, heard.quality, self._now)
            self._take(step(self._program, self._state, reading, self._now))
        self._pass(until)  # what is due at this very moment comes after what is heard in it, as in the hub
        return [told for made in self._made for told in _tell(made)]

    def _pass(self, end: Instant) -> None:
        """Decide whatever is due before ``end``, each at its own time."""
        while (due := self._state.next_wake()) is not None and due < end:
            self._now = max(due, self._now)
            key = self._state.take_due(self._now)
            if key is not None:
                change = wake(self._program, self._state, key, self._now)
                self._state.apply(change)
                self._made += change.decisions

    def _take(self, change: Step) -> None:
        self._state.apply(change)
        self._made += change.decisions
        self._now = Instant(self._now + 1)


def _compare(moment: Moment, told: list[Told], start: Instant) -> list[Finding]:
    """Find what came without being expected, and what was expected and did not come; both must agree in order."""
    findings: list[Finding] = []
    waiting = list(moment.expects)
    due = start + moment.at
    for fact in told:
        when = format_duration(round((fact.at - start) / SECOND) * SECOND)
        if abs(fact.at - due) >= SECOND:
            sentence = f"`{_said(fact)}` came at {when}, and no step there expects it"
            findings.append(Finding(moment.mark, sentence))
        elif waiting and _fits(waiting[0], fact):
            waiting.pop(0)
        elif any(_fits(expected, fact) for expected in waiting):
            findings.append(Finding(waiting[0].mark, f"`{_said(fact)}` came before `{_wanted(waiting[0])}`"))
            waiting.remove(next(expected for expected in waiting if _fits(expected, fact)))
        else:
            findings.append(Finding(moment.mark, f"`{_said(fact)}` came at {when}, and nothing expects it"))
    at = format_duration(moment.at)
    findings += [
        Finding(expected.mark, f"`{_wanted(expected)}` did not come at {at}{_instead(expected, told)}")
        for expected in waiting
    ]
    return findings


def _fits(expected: Expected, fact: Told) -> bool:
    return (
        expected.kind == fact.kind
        and expected.about in fact.about
        and (expected.zone is None or expected.zone == fact.zone)
    )


def _instead(expected: Expected, told: list[Told]) -> str:
    others = [fact.about for fact in told if fact.kind == expected.kind and fact.about]
    return f"; there was `{others[0]}`" if others else ""


def _wanted(expected: Expected) -> str:
    return f"{expected.kind}: {expected.about}" if expected.about else expected.kind


def _said(fact: Told) -> str:
    return f"{fact.kind}: {fact.about}" if fact.about else fact.kind


def _tell(made: Decision) -> list[Told]:
    """Return a decision as stories speak of it; a ``for`` that begins or is dropped is not spoken of."""
    kind, about = "", ""
    match made:
        case Opened():
            kind = "opened"
        case Cleared():
            kind, about = "cleared", "" if made.reason == "cleared" else str(made.reason)
        case IncidentOpened():
            kind, about = "incident", str(made.severity)
        case IncidentClosed():
            kind = "closed"
        case Withheld():
            kind, about = "withheld", str(made.reason)
        case Rehearsed():
            kind, about = "rehearsed", _tell_action(made.action)[0]
        case Command():
            kind, about = _tell_action(made.action)
        case _:
            return []
    return [Told(kind, about, made.zone, made.at)]


def _tell_action(action: Action) -> tuple[str, str]:
    match action:
        case Capture():
            return "capture", ""
        case Say():
            return "say", f"{action.text.zh} ({action.volume})"
        case Notify():
            return "notify", action.contact
        case Switch():
            return "switch", f"{action.role} {format_duration(action.hold)}"
