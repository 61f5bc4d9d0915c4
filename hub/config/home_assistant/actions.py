"""The action sequence of an automation as the steps of a rule: what is done at once, and what after a delay.

What cannot be turned is left out and noted. What decides whether the rest is done at all (a condition, a wait, a
branch) ends the reading: the rest would otherwise be done where Home Assistant would not have done it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec

from hub.config.home_assistant.places import Places
from hub.config.home_assistant.read import (
    NotTurned,
    disabled,
    duration,
    entities,
    fields,
    is_null,
    scalar,
)
from hub.engine.parse import MAX_DOOR_HOLD, MAX_HOLD, MAX_SPEECH
from hub.engine.rule import RuleAction
from hub.model.decision import Capture, Notify, Say, Switch
from hub.model.document import Mapping, Node, Scalar
from hub.model.ids import ZoneId
from hub.model.reading import Capability
from hub.model.site import Role
from hub.model.text import Text, clean
from hub.model.time import DAY, SECOND, Duration, format_duration

if TYPE_CHECKING:
    from hub.config.home_assistant.notes import Notes

_CALL = (
    "service", "action", "target", "data", "data_template", "entity_id", "alias", "enabled", "metadata",
    "continue_on_error", "response_variable",
)  # fmt: skip
_TURN_ON = ("switch.turn_on", "light.turn_on", "homeassistant.turn_on")
_TURN_OFF = ("switch.turn_off", "light.turn_off", "homeassistant.turn_off")
_CONDITION = ("condition", "and", "or", "not")
#: These are done or not, and what follows is done in any case.
_BESIDE = ("event", "scene", "variables", "set_conversation_response")
_LONGEST_READ = 10_000
#: Most actions of one automation that are read.
_MOST = 200


class Step(msgspec.Struct, frozen=True):
    """What is done ``at`` a time after the trigger."""

    at: Duration
    actions: tuple[RuleAction, ...]


class Sequence(msgspec.Struct, frozen=True):
    """A whole action sequence. ``conditions`` stood before its first action; ``rest`` is a delay after its last."""

    conditions: tuple[Node, ...]
    steps: tuple[Step, ...]
    rest: Duration


class _Call(msgspec.Struct, frozen=True):
    """One service call, at its time."""

    at: Duration
    node: Mapping
    service: str

    @property
    def data(self) -> Mapping:
        """What it is given, or the call itself where that is no mapping."""
        found = self.node.get("data") or self.node.get("data_template")
        return found if isinstance(found, Mapping) else self.node


def turn_actions(nodes: tuple[Node, ...], places: Places, notes: Notes, zone: ZoneId) -> Sequence:
    """Turn an action sequence for a zone."""
    gates = tuple(_gates(nodes))
    reader = _Timeline(notes)
    calls = reader.read(nodes[len(gates) :])
    turner = _Turner(places, notes, zone)
    steps: dict[Duration, list[RuleAction]] = {}
    for call, until in _held(calls):
        try:
            steps.setdefault(call.at, []).append(turner.turn(call, until))
        except NotTurned as error:
            notes.lose(error)
    done = tuple(Step(at, tuple(actions)) for at, actions in steps.items() if actions)
    last = max((call.at for call in calls), default=Duration(0))
    return Sequence(gates, done, Duration(0) if reader.ended else Duration(reader.now - last))


def _gates(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """Yield the conditions that an action sequence begins with: they stand for the whole automation."""
    for node in nodes:
        if not isinstance(node, Mapping) or not any(node.get(key) for key in _CONDITION):
            return
        yield node


class _Timeline:
    """Adds up delays."""

    def __init__(self, notes: Notes) -> None:
        self.now = Duration(0)
        self.ended = False
        """Whether something at the end was left out that may take its own time."""
        self._notes = notes

    def read(self, nodes: tuple[Node, ...]) -> list[_Call]:
        """Return the calls with their times, up to where it cannot be said whether they are made."""
        calls: list[_Call] = []
        if len(nodes) > _MOST:
            self._notes.lose(NotTurned(nodes[_MOST], f"only the first {_MOST} actions are read"))
        for index, node in enumerate(nodes[:_MOST]):
            try:
                if _skipped(node):
                    self._notes.tell(node, "an action that is switched off was left out")
                elif (call := self._one(node)) is not None:
                    calls.append(call)
            except NotTurned as error:
                rest = len(nodes) - index - 1
                self.ended = self.ended or error.ends
                if not error.ends or not rest:
                    self._notes.lose(error)
                    continue
                more = f"{error.finding.sentence}, and the {rest} that follow, which depend on it"
                self._notes.lose(NotTurned(node, more))
                break
        return calls

    def _one(self, node: Node) -> _Call | None:
        if not isinstance(node, Mapping):
            raise NotTurned(node, "an action that is no list of `key: value` lines was left out", ends=True)
        if (delay := node.get("delay")) is not None:
            self._delay(node, delay)
            return None
        name = node.get("service") or node.get("action")
        if name is not None:
            fields(node, "an action", *_CALL)
            return _Call(self.now, node, scalar(name, node, "the name of an action").text.strip().lower())
        first = next((key.text for key, _ in node.items if key.text not in {"alias", "enabled"}), "")
        if first in _BESIDE or node.get("device_id") is not None:
            raise NotTurned(node, f"`{first}` has no counterpart")
        raise NotTurned(node, f"`{clean(first, 40)}` has no counterpart and was left out", ends=True)

    def _delay(self, node: Mapping, delay: Node) -> None:
        try:
            after = duration(delay, "`delay`")
        except NotTurned as error:
            raise NotTurned(node, error.finding.sentence, ends=True) from None
        if self.now + after > DAY:
            raise NotTurned(node, "delays add up to more than a day", ends=True)
        self.now = Duration(self.now + after)


def _skipped(node: Node) -> bool:
    """Tell whether an action is switched off; where a template decides, so does it of what follows."""
    try:
        return disabled(node)
    except NotTurned as error:
        raise NotTurned(node, error.finding.sentence, ends=True) from None


def _held(calls: list[_Call]) -> Iterator[tuple[_Call, Duration | None]]:
    """Yield the calls; one that switches on together with when it is switched off, which then is no call any more."""
    used: set[int] = set()
    for index, call in enumerate(calls):
        if index in used:
            continue
        until = None
        if call.service in _TURN_ON:
            for later in range(index + 1, len(calls)):
                if calls[later].service in _TURN_OFF and _same(call, calls[later]):
                    used.add(later)
                    until = Duration(calls[later].at - call.at)
                    break
        yield call, until


def _same(one: _Call, other: _Call) -> bool:
    try:
        return {name for _, name in _targets(one)} == {name for _, name in _targets(other)}
    except NotTurned:
        return False


def _targets(call: _Call) -> tuple[tuple[Scalar, str], ...]:
    """Return the entities that a call names; an area or a device is none."""
    target = call.node.get("target")
    for part in (target, call.data):
        for key in ("area_id", "device_id", "floor_id", "label_id"):
            if isinstance(part, Mapping) and part.get(key) is not None:
                raise NotTurned(part, f"names a `{key}`; only single entities can be looked up")
    found = target.get("entity_id") if isinstance(target, Mapping) else None
    return entities(found or call.data.get("entity_id") or call.node.get("entity_id"), call.node)


class _Turner:
    """Turns single calls; each method raises NotTurned where there is no counterpart."""

    def __init__(self, places: Places, notes: Notes, zone: ZoneId) -> None:
        self._places = places
        self._notes = notes
        self._zone = zone

    def turn(self, call: _Call, until: Duration | None) -> RuleAction:
        """Turn one call; ``until`` is how long after it its target is switched off."""
        domain, _, name = call.service.partition(".")
        if call.service in _TURN_ON:
            return self._switch(call, until)
        if call.service == "camera.snapshot":
            self._in_zone(call, _targets(call), Capability.CAMERA)
            return Capture()
        if domain == "notify":
            return self._notify(call, name)
        if domain == "tts" and (name == "speak" or name.endswith("say")):
            player = call.data.get("media_player_entity_id") if name == "speak" else None
            return self._say(call, entities(player, call.node) if name == "speak" else _targets(call), "message")
        if call.service == "media_player.play_media":
            return self._say(call, _targets(call), "message" if call.data.get("message") else "media_content_id")
        raise NotTurned(call.node, f"the action `{clean(call.service, 60)}` has no counterpart")

    def _in_zone(self, call: _Call, targets: tuple[tuple[Scalar, str], ...], wanted: Capability) -> Role:
        """Check that all targets serve the zone in a role of one capability; return the role."""
        roles = set()
        for node, entity in targets:
            place = self._places.place(node, entity)
            if place.zone != self._zone:
                raise NotTurned(node, f"`{entity}` serves zone `{place.zone}`, and this rule acts in `{self._zone}`")
            if place.capability is not wanted:
                raise NotTurned(node, f"`{entity}` is bound as {place.role}, which is no {wanted}")
            roles.add(place.role)
        if len(roles) != 1:
            raise NotTurned(call.node, "names relays of several roles in one; name them one by one")
        (role,) = roles
        if not self._places.zone(self._zone).bound(role):
            self._notes.tell(call.node, f"zone `{self._zone}` has nothing bound as {role} yet; this fails till then")
        return role

    def _notify(self, call: _Call, name: str) -> Notify:
        service = call.service
        if name == "send_message":
            (_, service), *more = _targets(call)
            if more:
                raise NotTurned(call.node, "notifies several in one; name them one by one")
        contact = self._places.contact(call.node, service)
        message = call.data.get("message")
        if message is not None and not is_null(message):
            words = f": {clean(message.text, 60)}" if isinstance(message, Scalar) else ""
            self._notes.tell(message, f"a notice names the rule and the zone; its own words are not sent{words}")
        return Notify(contact)

    def _say(self, call: _Call, targets: tuple[tuple[Scalar, str], ...], key: str) -> Say:
        self._in_zone(call, targets, Capability.SPEAKER)
        place = scalar(call.data.get(key), call.node, f"`{key}`")
        words = clean(_spoken(place) if key == "media_content_id" else place.text, _LONGEST_READ)
        if not 1 <= len(words) <= MAX_SPEECH:
            raise NotTurned(place, f"a voice says 1 to {MAX_SPEECH} characters, this has {len(words)}")
        if "{" in words:
            raise NotTurned(place, "a text with braces: write it anew, with {zone}, {area} or {minutes}")
        return Say(Text(words))

    def _switch(self, call: _Call, until: Duration | None) -> Switch:
        role = self._in_zone(call, _targets(call), Capability.RELAY)
        if until is None:
            raise NotTurned(
                call.node, "switches on without end; a rule holds a relay for a time: add delay and turn_off"
            )
        longest = MAX_DOOR_HOLD if role is Role.DOOR_HOLD else MAX_HOLD
        if not SECOND <= until <= longest:
            limit = format_duration(longest)
            raise NotTurned(call.node, f"{role} is held for 1 s to {limit}, not for {format_duration(until)}")
        for key, _ in call.data.items if call.data is not call.node else ():
            if key.text != "entity_id":
                self._notes.lose(NotTurned(key, f"`{clean(key.text, 40)}`: a relay is only on or off"))
        return Switch(role, until)


def _spoken(place: Scalar) -> str:
    """Return the words in ``media-source://tts/ENGINE?message=…``. Raises NotTurned for any other medium."""
    try:
        parts = urlsplit(place.text)
        found = parse_qs(parts.query, max_num_fields=20).get("message", [])
    except ValueError:
        found = []
    if not found or not place.text.startswith("media-source://tts/"):
        raise NotTurned(place, "plays a medium; as a recording it belongs under `prompts` in hub.yaml")
    return found[0]
