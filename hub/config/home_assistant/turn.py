"""One automation to the rules that do the same, each of them read back by our own parser before it is given out."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from hub.config.home_assistant.actions import Sequence, turn_actions
from hub.config.home_assistant.conditions import Conditions
from hub.config.home_assistant.notes import Note, Notes
from hub.config.home_assistant.places import opposite
from hub.config.home_assistant.read import Automation, NotTurned, automation, disabled, entities, is_off, title
from hub.config.home_assistant.terms import Leaves, join
from hub.config.home_assistant.triggers import Triggers, Watch
from hub.config.home_assistant.write import write
from hub.config.yaml import loads
from hub.engine.calendar import Sun
from hub.engine.parse import RuleParser
from hub.engine.rule import Clear, Escalation, Rule, Trigger
from hub.engine.terms import All, AnyOf, Is, Not, SunIs, Term, TimeIs, WeekdayIs, leaves
from hub.model.document import Mapping, Mark, Node
from hub.model.document import Sequence as NodeList
from hub.model.errors import ConfigError
from hub.model.ids import RuleId, ZoneId
from hub.model.reader import Reader
from hub.model.text import Text, clean
from hub.model.time import HOUR, MINUTE, SECOND, Duration, format_duration

if TYPE_CHECKING:
    from hub.config.home_assistant.places import Places

#: How long the opposite must hold until it is over; the shipped rules use the same.
CALM = Duration(30 * SECOND)
#: Latest step of a rule that begins at a time of day: it must be over before that time comes again.
LATEST = Duration(22 * HOUR)
_DAY = 24 * 3600
_ADDED = f"added, for an automation has no end: it is over when the opposite held for {format_duration(CALM)}"


class Outcome(StrEnum):
    """How much of an automation was turned."""

    TURNED = "turned"
    PARTLY = "partly"
    NOT = "not"


class Written(msgspec.Struct, frozen=True):
    """One rule and its file."""

    rule: Rule
    text: str


class Turned(msgspec.Struct, frozen=True):
    """What became of one automation."""

    mark: Mark
    alias: str
    rules: tuple[Written, ...]
    notes: tuple[Note, ...]

    @property
    def outcome(self) -> Outcome:
        """How much of it was turned."""
        if not self.rules:
            return Outcome.NOT
        return Outcome.PARTLY if any(note.lost for note in self.notes) else Outcome.TURNED


class Importer:
    """Turns automations for one site; ``taken`` are ids that are in use."""

    def __init__(
        self, places: Places, taken: set[str], *, sun_known: bool, live: bool = False, zone: ZoneId | None = None
    ) -> None:
        self._places = places
        self._taken = set(taken)
        self._sun_known = sun_known
        self._live = live
        self._zone = zone

    def turn(self, node: Node) -> Turned:
        """Turn one automation."""
        notes = Notes()
        rules: list[Rule] = []
        try:
            read = automation(node)
            rules = self._rules(read, notes)
        except NotTurned as error:
            notes.lose(error)
        name = title(node)
        written = [self._written(rule, name, node, notes) for rule in rules]
        return Turned(node.mark, name, tuple(one for one in written if one is not None), notes.all())

    def _rules(self, read: Automation, notes: Notes) -> list[Rule]:
        """Return the rules of an automation, still without ids: one for each zone and each ``for``."""
        if read.mode not in {"single", "restart"}:
            notes.lose(NotTurned(read.node, f"mode `{clean(read.mode, 20)}`: a rule runs once at a time in a zone"))
        if is_off(read.node, "initial_state"):
            notes.tell(read.node, "is switched off in Home Assistant (`initial_state`)")
        shared = Leaves(self._places, notes, sun_known=self._sun_known)
        watches = _watches(read, Triggers(shared), notes)
        zones = dict.fromkeys(watch.zone for watch in watches if watch.zone is not None)
        found: dict[Rule, list[ZoneId]] = {}
        for zone in zones or {self._lone_zone(read): None}:
            here = [watch for watch in watches if watch.zone in {None, zone}]
            try:
                for rule in self._in_zone(read, zone, here, Conditions(shared), notes):
                    found.setdefault(rule, []).append(zone)
            except NotTurned as error:
                notes.lose(error)
        return [msgspec.structs.replace(rule, only=tuple(only)) for rule, only in found.items()]

    def _lone_zone(self, read: Automation) -> ZoneId:
        """Return the zone of an automation whose triggers look at no entity: that of its other entities."""
        zones = dict.fromkeys(_zones(self._places, (*read.conditions, *read.actions)))
        if len(zones) == 1:
            return next(iter(zones))
        if zones:
            raise NotTurned(read.node, f"acts in several zones ({', '.join(zones)}); a rule acts in its own")
        if self._zone is None:
            raise NotTurned(read.node, "names no entity of a zone, and a rule belongs to one: give --zone ZONE")
        return self._zone

    def _in_zone(
        self, read: Automation, zone: ZoneId, watches: list[Watch], turner: Conditions, notes: Notes
    ) -> list[Rule]:
        sequence = turn_actions(read.actions, self._places, notes, zone)
        conditions = turner.conditions((*read.conditions, *sequence.conditions), zone)
        if not sequence.steps:
            raise NotTurned(read.node, "none of its actions could be turned")
        if conditions:
            notes.tell(read.node, "a condition that does not hold yet holds the rule back, and does not end it")
        at_once = list(dict.fromkeys(watch.term for watch in watches if not watch.hold))
        triggers = [Trigger(join(at_once, AnyOf), Duration(0))] if at_once else []
        triggers += dict.fromkeys(Trigger(watch.term, watch.hold) for watch in watches if watch.hold)
        if len(triggers) > 1:
            notes.tell(read.node, "triggers with a `for` of their own became rules of their own")
        return [self._rule(read, zone, trigger, tuple(conditions), sequence, notes) for trigger in triggers]

    def _rule(
        self,
        read: Automation,
        zone: ZoneId,
        trigger: Trigger,
        conditions: tuple[Term, ...],
        sequence: Sequence,
        notes: Notes,
    ) -> Rule:
        begins = any(isinstance(leaf, TimeIs) for leaf in leaves(trigger.condition))
        steps = [step for step in sequence.steps if not begins or step.at <= LATEST]
        if len(steps) < len(sequence.steps):
            notes.lose(NotTurned(read.node, f"what comes later than {format_duration(LATEST)} after a time of day"))
        if any(step.at >= SECOND for step in steps) and not begins:
            notes.tell(read.node, "what follows a delay is done only while it is still so")
        if not steps:
            raise NotTurned(read.node, "none of its actions could be turned")
        last = max(step.at for step in steps)
        cooldown = sequence.rest if read.mode == "single" else Duration(0)
        if cooldown:
            notes.tell(read.node, "the delay at the end became `cooldown`, which counts from when it is over")
        return Rule(
            id=RuleId(""),
            name=Text(read.alias, read.alias),
            zone_kind=self._places.zone(zone).kind,
            trigger=trigger,
            actions=tuple(action for step in steps if step.at < SECOND for action in step.actions),
            escalation=tuple(Escalation(step.at, step.actions) for step in steps if step.at >= SECOND),
            clear=Clear(over(trigger.condition, last), CALM, ()),
            conditions=conditions,
            cooldown=cooldown,
            dry_run=not self._live,
        )

    def _written(self, rule: Rule, alias: str, node: Node, notes: Notes) -> Written | None:
        """Give a rule its id and its file, which our own parser must read back to the same rule."""
        rule_id = self._free_id(alias)
        file = f"{rule_id}.yaml"
        name = rule.name if alias else Text(rule_id, rule_id)
        rule = msgspec.structs.replace(rule, id=rule_id, name=name, file=file)
        comments = (
            f'from Home Assistant automation "{alias}", {node.mark.file}:{node.mark.line}',
            *(("核对无误后再删去 dry_run / remove dry_run when you have looked at it",) if rule.dry_run else ()),
            *(f"{'left out' if note.lost else 'note'}, line {note.mark.line}: {note.sentence}" for note in notes.all()),
        )
        text = write(rule, comments, _ADDED)
        reader = Reader()
        try:
            again = RuleParser(reader, self._places.site).rule(loads(text, file))
            why = "; ".join(finding.sentence for finding in reader.findings) or "it reads otherwise"
        except ConfigError as error:
            again, why = None, str(error)
        if again == rule:
            self._taken.add(rule_id)
            return Written(rule, text)
        notes.lose(NotTurned(node, f"cannot be written as a rule: {why}"))
        return None

    def _free_id(self, alias: str) -> RuleId:
        """Return an id made of ``alias``, or ``imported_1`` where it has no plain letters."""
        alias = alias.removesuffix("…")  # what was too long was cut there
        word = re.sub(r"[^a-z0-9]+", "_", alias.lower()).strip("_")[:48].strip("_") if alias.isascii() else ""
        if word and not word[0].isalpha():
            word = f"imported_{word}"
        number = 1
        while (name := (word if number == 1 else f"{word}_{number}") if word else f"imported_{number}") in self._taken:
            number += 1
        return RuleId(name)


def _watches(read: Automation, turner: Triggers, notes: Notes) -> list[Watch]:
    """Turn the triggers; any of them fires, so one that cannot be turned leaves the others."""
    found: list[Watch] = []
    for node in read.triggers:
        try:
            if disabled(node):
                notes.tell(node, "a trigger that is switched off was left out")
            else:
                found += turner.trigger(node)
        except NotTurned as error:
            notes.lose(error)
    if not found:
        raise NotTurned(read.node, "none of its triggers could be turned")
    return found


def _zones(places: Places, nodes: tuple[Node, ...]) -> list[ZoneId]:
    """Return the zones of all entities that are named anywhere in ``nodes``."""
    found: list[ZoneId] = []
    for node in nodes:
        if isinstance(node, NodeList):
            found += _zones(places, node.items)
        for key, value in node.items if isinstance(node, Mapping) else ():
            if key.text not in {"entity_id", "media_player_entity_id"}:
                found += _zones(places, (value,))
                continue
            try:
                found += [places.place(place, entity).zone for place, entity in entities(value, node)]
            except NotTurned:
                continue  # said where it is turned
    return found


def over(term: Term, tail: Duration) -> Term:
    """Return when a trigger is over: its opposite. A time of day is over a ``tail`` later, so that its steps fit."""
    match term:
        case Is():
            return Is(term.role, opposite(term.role, term.value))
        case SunIs():
            return SunIs(Sun.DOWN if term.sun is Sun.UP else Sun.UP)
        case TimeIs():
            # conditions may hold the beginning back for as long as the window is
            more = 60 * (math.ceil(tail / MINUTE) + 1) if tail else 0
            return Not(TimeIs(term.begin, (term.end + more) % _DAY))
        case AnyOf():
            return All(tuple(over(part, tail) for part in term.terms))
        case All():
            return join([over(part, tail) for part in term.terms if not isinstance(part, WeekdayIs)], AnyOf)
        case _:
            return Not(term)
