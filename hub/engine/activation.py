"""The life of a rule in one zone: idle → pending → active → (cooldown) → idle. Pure.

The rules that decide whether a voice is right (DESIGN.md section 6):

* ``for`` ends at any opposite edge; a repeat of the same value does nothing. Of a silence, the time while the hub was
  away is no part of it.
* While the source is unknown a running ``for`` goes on, but nothing fires on it: it fires when the source is known
  again (marked late), or is dropped after ``tolerate_gap``.
* While the clear condition runs, escalation waits: the driver may be gone. While the source is unknown, a voice is
  withheld, but people are told.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from hub.engine.rule import CloseIncident, OpenIncident, RuleAction
from hub.model.activation import Phase, Slot, SlotKey
from hub.model.decision import (
    Action,
    Capture,
    Cleared,
    Command,
    Decision,
    Escalated,
    IncidentClosed,
    IncidentOpened,
    Opened,
    PendingDropped,
    PendingStarted,
    Reason,
    Rehearsed,
    Say,
    Withheld,
)
from hub.model.ids import ActivationId, CommandKey
from hub.model.text import Text
from hub.model.time import MINUTE, Duration, Instant, after

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.engine.program import SlotProgram
    from hub.engine.truth import Truth
    from hub.engine.view import View
    from hub.model.ids import EntityId
    from hub.model.site import Role

#: A picture later than this shows another moment; a notice later than this is given up.
PICTURE_STALE, NOTICE_STALE = MINUTE, Duration(30 * MINUTE)

replace = msgspec.structs.replace
# looked up once: an enum's attribute costs as much as a comparison
WATCHING, PENDING, ACTIVE, COOLDOWN = Phase.WATCHING, Phase.PENDING, Phase.ACTIVE, Phase.COOLDOWN
_INCIDENT = (OpenIncident, CloseIncident)


def advance(program: SlotProgram, slot: Slot | None, view: View, now: Instant) -> tuple[Slot | None, list[Decision]]:
    """Return the slot as it is at ``now`` and the decisions that lead there."""
    life = _Life(program, view, now)
    view.looked = None
    view.bound = program.zone.bind
    view.supplies = program.supplies
    before = slot
    phase = None if slot is None else slot.phase
    if phase is COOLDOWN and slot is not None and now >= (slot.due or now):
        slot = phase = None
    if phase is None or phase is WATCHING:
        slot = life.arm()
    elif phase is PENDING and slot is not None:
        slot = life.pend(slot, life.closures.trigger(view))
    if slot is not None and slot.phase is ACTIVE:
        slot = life.act(slot)
    if view.looked is not None and (slot is None or slot.phase is not COOLDOWN):  # which asks nothing but its end
        slot = _look(program, before, slot, view.looked, now)
    return slot, life.decisions


def end(key: SlotKey, slot: Slot, now: Instant) -> Iterable[Decision]:
    """Decide the end of a slot whose rule or trigger is no longer there."""
    if slot.activation is None:
        if slot.phase is Phase.PENDING and slot.announced:
            ran = Duration(now - slot.since)
            yield PendingDropped(rule=key.rule, zone=key.zone, at=now, reason=Reason.RULE_CHANGED, ran=ran)
        return
    reason = Reason.RULE_CHANGED
    yield Cleared(rule=key.rule, zone=key.zone, at=now, activation=slot.activation, reason=reason)
    if slot.incident:
        yield IncidentClosed(rule=key.rule, zone=key.zone, at=now, activation=slot.activation, reason=reason)


def _look(program: SlotProgram, before: Slot | None, slot: Slot | None, looked: Instant, now: Instant) -> Slot:
    """Have the slot looked at when time alone may change an answer.

    An idle slot that is looked at a little early keeps its row: a heartbeat then costs no write.
    """
    if slot is None:
        if before is not None and before.phase is WATCHING and now < (before.wake or now) <= looked:
            return before
        return Slot(phase=WATCHING, since=now, trigger=program.fingerprint, wake=looked)
    return slot if slot.wake is not None and slot.wake <= looked else replace(slot, wake=looked)


class _Life:
    """One look at one slot; collects decisions."""

    __slots__ = ("_at", "_now", "_program", "_rule", "_view", "closures", "decisions")

    def __init__(self, program: SlotProgram, view: View, now: Instant) -> None:
        self._program = program
        self.closures = program.shared.closures
        self._rule = program.shared.rule
        self._view = view
        self._now = now
        self._at = (*program.key, now)
        """What every decision begins with: rule, zone, instant."""
        self.decisions: list[Decision] = []

    def arm(self) -> Slot | None:
        """Idle: begin a ``for`` when the trigger is true, and look at it at once."""
        truth = self.closures.trigger(self._view)
        if truth is not True:
            return None
        due = after(self._now, self._rule.trigger.hold)
        if due > self._now:
            self.decisions.append(PendingStarted(*self._at, due))
        return self.pend(Slot(PENDING, self._now, self.closures.fingerprint, due, due), truth)

    def pend(self, slot: Slot, truth: Truth) -> Slot | None:
        """Pending: drop, go on, or open the activation."""
        if truth is False:
            return self._drop(slot, Reason.OPPOSITE_EDGE)
        if truth is None:
            slot, given_up = self._blind(slot)
            return self._drop(slot, Reason.SOURCE_UNKNOWN) if given_up else slot
        if self._was_blind(slot):  # nobody looked while it was: the ``for`` begins anew
            self._drop(slot, Reason.SOURCE_UNKNOWN)
            return self.arm()
        if self.closures.opens_by_silence and slot.due is not None:
            entities = self._bound(self.closures.opens_by_silence)
            slot = self._listened(slot, entities)
            if self._view.unheard(entities) and slot.due is not None and self._now < slot.due:
                return _seen(slot, wake=None)
        if slot.due is not None and self._now < slot.due:
            return slot if slot.blind_since is None and slot.wake == slot.due else _seen(slot, wake=slot.due)
        if self.closures.conditions and not all(test(self._view) is True for test in self.closures.conditions):
            # in time, but held back by a condition
            return replace(slot, blind_since=None, due=None if slot.announced else slot.due, wake=None)
        return self._open(slot)

    def act(self, slot: Slot) -> Slot | None:
        """Active: clear, escalate, or wait."""
        truth = self.closures.clear(self._view)
        if self._was_blind(slot):
            slot = replace(slot, clearing_since=None)
        if truth is None:
            slot, given_up = self._blind(slot)
            if not given_up:
                return slot
            slot = replace(slot, clearing_since=None, wake=None)
        elif truth is True:
            since = slot.clearing_since if slot.clearing_since is not None else self._now
            hold = self._rule.clear.hold
            end, unheard = after(since, hold), False
            if hold and self.closures.ends_by_silence:
                entities = self._bound(self.closures.ends_by_silence)
                end, unheard = self._view.listened(since, hold, entities), self._view.unheard(entities)
            if self._now >= end:
                return self._clear(slot)
            return replace(slot, clearing_since=since, blind_since=None, wake=None if unheard else end)
        else:
            slot = slot if slot.clearing_since is slot.blind_since is None else _seen(slot, clearing_since=None)
        return self._escalate(slot, truth)

    def _bound(self, roles: tuple[Role, ...]) -> tuple[EntityId, ...]:
        return tuple(entity for role in roles for entity in self._view.bound.get(role, ()))

    def _listened(self, slot: Slot, entities: tuple[EntityId, ...]) -> Slot:
        """Put the end of ``for`` off by as long as the hub or its link was away meanwhile."""
        due = self._view.listened(slot.since, self._rule.trigger.hold, entities)
        return slot if due == slot.due else replace(slot, due=due)

    def _blind(self, slot: Slot) -> tuple[Slot, bool]:
        """Note since when the source is unknown; True when that is longer than the rule tolerates."""
        since = slot.blind_since if slot.blind_since is not None else self._now
        blind = replace(slot, blind_since=since, wake=after(since, self._rule.tolerate_gap))
        return blind, self._was_blind(blind)

    def _was_blind(self, slot: Slot) -> bool:
        """Tell whether the source was unknown up to now for longer than the rule tolerates."""
        return slot.blind_since is not None and self._now >= after(slot.blind_since, self._rule.tolerate_gap)

    def _drop(self, slot: Slot, reason: Reason) -> Slot | None:
        if slot.announced:
            self.decisions.append(PendingDropped(*self._at, reason, Duration(self._now - slot.since)))
        return None

    def _open(self, slot: Slot) -> Slot:
        rule, zone, _ = self._at
        activation = ActivationId(f"{rule}@{zone}@{slot.since}")
        late_by = Duration(self._now - slot.due if slot.due is not None and slot.announced else 0)
        trace = self.closures.opening(self._view)
        self.decisions.append(Opened(*self._at, activation, slot.since, late_by, trace, self._rule.dry_run))
        opened = Slot(ACTIVE, self._now, slot.trigger, activation=activation, began=slot.since)
        return self._emit(opened, self._rule.actions, "open")

    def _escalate(self, slot: Slot, clear: Truth) -> Slot:
        stages = self._program.shared.stages
        while slot.step < len(stages):
            stage = stages[slot.step]
            due = after(slot.since, stage.after)
            if self._now < due:
                return replace(slot, wake=due)
            slot = replace(slot, step=slot.step + 1)
            self.decisions.append(Escalated(*self._at, _name(slot), slot.step, Duration(self._now - due)))
            slot = self._emit(slot, stage.actions, stage.name, voice=clear is False)
        return slot if slot.wake is None else replace(slot, wake=None)

    def _clear(self, slot: Slot) -> Slot | None:
        trace = self.closures.closing(self._view)
        self.decisions.append(Cleared(*self._at, _name(slot), Reason.CLEARED, trace))
        self._emit(slot, self._rule.clear.actions, "clear")
        if not self._rule.cooldown:
            self.closures.trigger(self._view)  # notes when time alone may make it true again
            return None
        due = after(self._now, self._rule.cooldown)
        return Slot(phase=COOLDOWN, since=self._now, trigger=slot.trigger, due=due, wake=due)

    def _emit(self, slot: Slot, actions: tuple[RuleAction, ...], step: str, *, voice: bool = True) -> Slot:
        """Decide every action of a step; ``voice`` False withholds speech."""
        for index, action in enumerate(actions):
            if isinstance(action, _INCIDENT):
                slot = self._incident(slot, action)
            elif isinstance(action, Say):
                self._say(slot, action, step, index, voice=voice)
            else:
                self._command(slot, action, step, index)
        return slot

    def _incident(self, slot: Slot, action: OpenIncident | CloseIncident) -> Slot:
        """Open an incident once, close it once; a dry run opens none."""
        opens = isinstance(action, OpenIncident)
        if opens is slot.incident or self._rule.dry_run:
            return slot
        if isinstance(action, OpenIncident):
            self.decisions.append(IncidentOpened(*self._at, _name(slot), action.severity))
        else:
            self.decisions.append(IncidentClosed(*self._at, _name(slot), Reason.CLEARED))
        return replace(slot, incident=opens)

    def _say(self, slot: Slot, action: Say, step: str, index: int, *, voice: bool) -> None:
        """Speak, softer in quiet hours, or withhold what could be wrong."""
        quiet = self._rule.quiet_hours
        if quiet is not None and self._program.calendar.within(self._now, quiet.begin, quiet.end):
            action = replace(action, volume=min(action.volume, quiet.volume))
        if voice and action.volume > 0:
            self._command(slot, replace(action, text=self._filled(action.text, slot)), step, index)
            return
        reason = Reason.QUIET_HOURS if voice else Reason.SOURCE_UNKNOWN
        self.decisions.append(Withheld(*self._at, _name(slot), action, reason))

    def _command(self, slot: Slot, action: Action, step: str, index: int) -> None:
        name = _name(slot)
        if self._rule.dry_run:
            self.decisions.append(Rehearsed(*self._at, name, step, action))
            return
        rate = self._rule.rate if isinstance(action, Say) else None
        key = command_key(name, step, index)
        self.decisions.append(Command(*self._at, key, name, step, action, self._stale_after(action), rate))

    def _filled(self, text: Text, slot: Slot) -> Text:
        """Put the zone's words in the place of ``{zone}``, ``{area}`` and ``{minutes}``; nothing else is a variable."""
        if "{" not in text.zh + text.en:
            return text
        zone, minutes = self._program.zone, max(1, (self._now - slot.began) // MINUTE)
        values = {"{zone}": zone.name.zh, "{area}": self._program.area, "{minutes}": str(minutes)}
        chinese, english = text.zh, text.en
        for name, value in values.items():
            chinese = chinese.replace(name, value)
            english = english.replace(name, zone.name.in_language("en") if name == "{zone}" else value)
        return Text(chinese, english)

    def _stale_after(self, action: Action) -> Duration:
        """A voice is bound by the rule, a picture by its moment; a person is told even when it took a while."""
        if isinstance(action, Say):
            return self._rule.stale_after
        return Duration(PICTURE_STALE + action.after) if isinstance(action, Capture) else NOTICE_STALE


def _name(slot: Slot) -> ActivationId:
    """Return the activation of an active slot."""
    return slot.activation or ActivationId("")


def _seen(slot: Slot, **more: Any) -> Slot:
    """Return the slot with its source known."""
    return replace(slot, blind_since=None, **more)


def command_key(activation: ActivationId | None, step: str, repetition: int) -> CommandKey:
    """Return the idempotency key of one command: the same activation, step and repetition always give the same."""
    return CommandKey(hashlib.sha256(f"{activation}|{step}|{repetition}".encode()).hexdigest()[:32])
