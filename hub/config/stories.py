"""Reads a story file, and makes a small site for it: one zone for each kind of its rules, one device for each role."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from hub.config.calendar import Days, calendar
from hub.config.settings import read_settings
from hub.config.yaml import load
from hub.engine.parse import RuleParser
from hub.engine.program import Program, watched
from hub.engine.story import KINDS, Expected, Hears, Moment, Story
from hub.engine.terms import Count, Is, Preceded, SupplySilent, leaves, roles
from hub.model.decision import Capture, Say, Switch
from hub.model.document import Finding, Mapping, Node, Scalar, Sequence
from hub.model.errors import ConfigError
from hub.model.ids import EntityId, SiteId, ZoneId
from hub.model.reader import Reader, suggest
from hub.model.reading import VALUES, Capability, Quality
from hub.model.site import ROLE_CAPABILITY, Mode, Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import DAY, SECOND, Duration, Instant

if TYPE_CHECKING:
    from pathlib import Path

    from hub.engine.rule import Rule
    from hub.model.reading import Value

#: Where a story plays unless the hub.yaml beside its rules says otherwise: Shanghai.
TIMEZONE, PLACE = "Asia/Shanghai", (31.22, 121.42)
#: Longest story.
LONGEST = 14 * DAY


class Played(msgspec.Struct, frozen=True):
    """A story, ready to play."""

    story: Story
    program: Program


def load_story(path: Path) -> Played:
    """Read a story and the rules that it names. Raises ConfigError with every finding."""
    reader = Reader()
    root = reader.mapping(load(path, path.name), "a story", required=("story", "rules", "start", "steps"), optional=())
    if root is None or reader.findings:
        raise ConfigError(tuple(reader.findings))
    site, days = _surroundings(path)
    rules = _rules(root.get("rules"), path, site, reader)
    site = msgspec.structs.replace(site, zones=_zones(rules))
    story = _StoryReader(reader, site).story(root)
    if story is None or reader.findings:
        raise ConfigError(tuple(sorted(reader.findings, key=lambda finding: finding.mark)))
    return Played(story, Program(rules, site, calendar(site.timezone, days)))


def _surroundings(path: Path) -> tuple[Site, Days]:
    """Return prompts, contacts and calendar of the hub.yaml near the story, or of an empty site."""
    for folder in path.absolute().parents[:3]:
        config = folder / "hub.yaml"
        if config.is_file():
            settings = read_settings(load(config, config.name), reader := Reader())
            if settings is None:
                raise ConfigError(tuple(reader.findings))
            return settings.site, settings.days
    return Site(SiteId("story"), Text("故事", "Story"), TIMEZONE, {}, {}, {}, {}), Days(place=PLACE)


def _rules(node: Node | None, path: Path, site: Site, reader: Reader) -> tuple[Rule, ...]:
    """Read the rules by their names, from the folder of the story or the one above it."""
    found: list[Rule] = []
    for item in node.items if isinstance(node, Sequence) else (node,) if node is not None else ():
        name = reader.text(item, "a rule", 64)
        if name is None:
            continue
        places = [folder / f"{name}.yaml" for folder in (path.parent.parent, path.parent)]
        file = next((place for place in places if place.is_file() and place != path), None)
        if file is None:
            known = {other.stem for folder in (path.parent, path.parent.parent) for other in folder.glob("*.yaml")}
            reader.report(item, f"no rule `{name}`{suggest(name, known)}")
            continue
        rule_reader = Reader()
        rule = RuleParser(rule_reader, site).rule(load(file, file.name))
        reader.findings.extend(rule_reader.findings)
        if rule is not None:
            found.append(rule)
    return tuple(found)


def _zones(rules: tuple[Rule, ...]) -> dict[ZoneId, Zone]:
    """Make a zone for each kind; a role has as many devices as the rules ask to agree."""
    needed: dict[ZoneId, tuple[Rule, dict[Role, int]]] = {}
    for rule in rules:
        _, count = needed.setdefault(ZoneId(rule.zone_kind), (rule, {}))
        for role, sources in _needs(rule).items():
            count[role] = max(count.get(role, 1), sources)
    hanging = {ZoneId(rule.zone_kind) for rule in rules if _asks_supply(rule)}
    supply = ZoneId("supply_above" if ZoneId(ZoneKind.SUPPLY) in needed else ZoneKind.SUPPLY)
    zones = {
        name: Zone(
            name,
            rule.zone_kind,
            Text("测试防区", "Test zone"),
            bind={
                role: tuple(EntityId(f"story.{name}_{role}_{number}") for number in range(1, sources + 1))
                for role, sources in count.items()
            },
            supplied_by=(supply,) if name in hanging else (),
        )
        for name, (rule, count) in needed.items()
    }
    if hanging:
        device = EntityId(f"story.{supply}_device_1")
        zones[supply] = Zone(supply, ZoneKind.SUPPLY, Text("测试供电", "Test supply"), bind={Role.DEVICE: (device,)})
    return zones


def _asks_supply(rule: Rule) -> bool:
    return any(isinstance(leaf, SupplySilent) for term in watched(rule) for leaf in leaves(term))


def _needs(rule: Rule) -> dict[Role, int]:
    """Return how many devices of each role a rule needs."""
    found: dict[Role, int] = {}
    for term in watched(rule):
        found |= dict.fromkeys((role for role in roles(term) if role not in found), 1)
        for leaf in leaves(term):
            for part in (
                (leaf.term, leaf.by)
                if isinstance(leaf, Preceded)
                else (leaf.term,)
                if isinstance(leaf, Count)
                else (leaf,)
            ):
                if isinstance(part, Is) and part.confirm != 1:
                    found[part.role] = max(found[part.role], part.confirm or 2)
    for action in rule.actions_of_all_steps():
        match action:
            case Say():
                found.setdefault(Role.SPEAKER, 1)
            case Capture():
                found.setdefault(Role.CAMERA, 1)
            case Switch():
                found.setdefault(action.role, 1)
            case _:
                pass
    return found


class _StoryReader:
    def __init__(self, reader: Reader, site: Site) -> None:
        self._reader = reader
        self._site = site

    def story(self, root: Mapping) -> Story | None:
        """Read the story itself."""
        name = self._reader.words(root.get("story"), "`story`", 120)
        start = self._start(root.get("start"))
        moments: list[Moment] = []
        for item in self._reader.sequence(root.get("steps"), "`steps`"):
            moment = self._moment(item)
            if moment is None:
                continue
            if moments and moment.at < moments[-1].at:
                self._reader.report(item, "steps must stand in the order of their time")
            moments.append(moment)
        return None if name is None or start is None else Story(name, start, tuple(moments))

    def _start(self, node: Node | None) -> Instant | None:
        scalar = self._reader.scalar(node, "`start`")
        if scalar is None:
            return None
        try:
            local = datetime.strptime(scalar.text, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - the zone of the site follows
        except ValueError:
            self._reader.report(scalar, '`start` must be a local time like "2026-03-02 03:00"')
            return None
        zoned = local.replace(tzinfo=zoneinfo.ZoneInfo(self._site.timezone))
        return Instant(round(zoned.timestamp()) * SECOND)

    def _moment(self, node: Node) -> Moment | None:
        fields = self._reader.mapping(node, "a step", required=("at",), optional=("zone", "hear", "mode", "expect"))
        at = self._reader.duration(fields.get("at") if fields else None, "`at`", 0, LONGEST)
        if fields is None or at is None:
            return None
        zone = self._zone(fields.get("zone"), node)
        return Moment(
            at=Duration(at),
            mark=node.mark,
            hears=self._hears(fields.get("hear"), zone),
            modes=self._modes(fields.get("mode")),
            expects=self._expects(fields.get("expect"), None if fields.get("zone") is None else zone),
        )

    def _zone(self, node: Node | None, step: Node) -> Zone | None:
        zones = self._site.zones
        if node is None:
            if len(zones) == 1:
                return next(iter(zones.values()))
            return None
        name = self._reader.text(node, "`zone`", 64)
        if name is not None and name not in zones:
            self._reader.report(node, f"no zone `{name}` in this story{suggest(name, zones)}")
        return zones.get(ZoneId(name or ""))

    def _hears(self, node: Node | None, zone: Zone | None) -> tuple[Hears, ...]:
        if node is None:
            return ()
        if zone is None:
            self._reader.report(node, f"say which `zone` is heard{suggest('', self._site.zones)}")
            return ()
        mapping = self._reader.mapping(node, "`hear`", optional=[str(role) for role in zone.bind])
        found: list[Hears] = []
        for key, value in mapping.items if mapping is not None else ():
            entities = zone.bind.get(Role(key.text), ()) if key.text in set(Role) else ()
            values = value.items if isinstance(value, Sequence) else (value,) * len(entities)
            if len(values) != len(entities) and entities:
                self._reader.report(value, f"`{key.text}` has {len(entities)} devices here, this names {len(values)}")
            found += [
                heard
                for entity, item in zip(entities, values, strict=False)
                if (heard := self._value(entity, Role(key.text), item)) is not None
            ]
        return tuple(found)

    def _value(self, entity: EntityId, role: Role, node: Node) -> Hears | None:
        scalar = self._reader.scalar(node, f"`{role}`")
        if scalar is None:
            return None
        if scalar.text in {"unknown", "stale"}:
            return Hears(entity, None, Quality(scalar.text))
        capability = ROLE_CAPABILITY.get(role, Capability.PRESENCE)  # of a mere device the word does not matter
        value: Value | None
        if capability is Capability.MEASURE:
            value = self._reader.number(scalar, f"`{role}`")
        else:
            value = self._reader.word(scalar, f"value of `{role}`", VALUES[capability])
        return None if value is None else Hears(entity, value)

    def _modes(self, node: Node | None) -> tuple[tuple[Mode, bool], ...]:
        mapping = self._reader.mapping(node, "`mode`", optional=[str(mode) for mode in Mode])
        found = []
        for key, value in mapping.items if mapping is not None else ():
            on = self._reader.boolean(value, f"`{key.text}`")
            if on is not None and key.text in set(Mode):
                found.append((Mode(key.text), on))
        return tuple(found)

    def _expects(self, node: Node | None, zone: Zone | None) -> tuple[Expected, ...]:
        found = []
        for item in self._reader.sequence(node, "`expect`"):
            kind, about = self._expected(item)
            if kind is not None:
                found.append(Expected(kind, about, item.mark, None if zone is None else zone.id))
        return tuple(found)

    def _expected(self, node: Node) -> tuple[str | None, str]:
        """Read ``capture`` or ``say: 您好``."""
        about = ""
        if isinstance(node, Mapping) and len(node.items) == 1:
            key, value = node.items[0]
            about = self._reader.text(value, f"`{key.text}`", 200) or ""
            node = key
        if not isinstance(node, Scalar):
            self._reader.report(node, "an expectation is one line, like `- capture` or `- say: 您好`")
            return None, ""
        if node.text not in KINDS:
            self._reader.report(node, f"`{node.text}` is nothing that is decided{suggest(node.text, KINDS)}")
            return None, ""
        return node.text, about


def findings(path: Path) -> tuple[Text | None, tuple[Finding, ...]]:
    """Play the story of a file; return its name, and what is wrong with the file or went otherwise."""
    from hub.engine.story import play

    try:
        played = load_story(path)
    except ConfigError as error:
        return None, error.findings
    return played.story.name, tuple(play(played.story, played.program))
