"""A month of a site with 300 devices, tried again: how long a backtest of one rule takes, and of the whole library.

The history is written into a real journal, a reading of each device every five minutes, some of them changes, from a
fixed seed. The library is every rule of ``rules/`` that has a zone on this site, and a few more of all kinds.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hub.config.yaml import loads
from hub.engine.calendar import Calendar
from hub.engine.parse import RuleParser
from hub.engine.rule import Rule
from hub.journal.migrate import migrate
from hub.journal.store import FILE, connect
from hub.model.ids import EntityId, SiteId, ZoneId
from hub.model.reader import Reader
from hub.model.site import ROLE_CAPABILITY, Contact, Prompt, Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import DAY, MINUTE, Instant
from hub.web.trial import Job, run
from tests.bench.figure import Figure
from tests.kit.gate import SHANGHAI, local
from tests.kit.site import ROOT

BENCH = "backtest"
DAYS, EVERY = 30, 5 * MINUTE
BEGIN = local("2026-10-01 00:00")
END = Instant(BEGIN + DAYS * DAY)
#: Devices by role and the words they say, calm one first; numbers where there are none.
DEVICES: dict[Role, tuple[int, tuple[str, str] | None]] = {
    Role.VEHICLE: (100, ("absent", "present")),
    Role.DOOR: (100, ("closed", "open")),
    Role.CARD: (50, ("clear", "active")),
    Role.TEMPERATURE: (50, None),
}
CONTACTS = ("guard", "manager", "lift_company")
PROMPTS = ("second_warning", "comfort", "evacuate", "typhoon")
MORE = {
    "count": "trigger: {count: {door: open, times: 3, within: 10 min}}\nclear: {door: closed, actions: []}",
    "order": "trigger: {door: open, without: {card: active, within: 30 s}}\nclear: {door: closed, actions: []}",
    "silent": "trigger: {silent: {door: 20 min}}\nclear: {not: {silent: {door: 20 min}}, actions: []}",
    "hot": "trigger: {temperature: {above: 29, until: 28}, for: 10 min}\n"
    "clear: {not: {temperature: {above: 29, until: 28}}, actions: []}",
}


def figures() -> Iterator[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        folder, site = Path(name), _site()
        began = time.monotonic()
        rows = record_month(folder)
        yield Figure(BENCH, "history_s", round(time.monotonic() - began, 1), "s", rows, "writing the readings")
        yield Figure(BENCH, "journal", round((folder / FILE).stat().st_size / 1e6, 0), "MB", rows)
        rules = _library(site)
        for rule in rules:
            taken, fired, zones = _measure(folder, site, rule)
            note = f"{rule.id}: {zones} zones, {fired} activations, {DAYS} days"
            name = "backtest.month_s" if rule.id == "fire_lane_blocked" else f"backtest.month_s@{rule.id}"
            yield Figure(BENCH, name, taken, "s", rows, note)
        began = time.monotonic()
        for rule in rules:
            _measure(folder, site, rule)
        note = f"{len(rules)} rules; want 30"
        yield Figure(BENCH, "backtest.library_s", round(time.monotonic() - began, 2), "s", len(rules), note)


def _measure(folder: Path, site: Site, rule: Rule) -> tuple[float, int, int]:
    began = time.monotonic()
    result = run(Job(folder, site, Calendar(zone=SHANGHAI), rule, None, BEGIN, END), lambda part: None)
    fired = sum(len(found.lives) for found in result.zones)
    return round(time.monotonic() - began, 2), fired, len(result.zones)


def _site() -> Site:
    zones = {}
    for number in range(100):
        for kind, roles in ((ZoneKind.FIRE_LANE, (Role.VEHICLE,)), (ZoneKind.UNIT_DOOR, (Role.DOOR,))):
            zones[ZoneId(f"{kind}_{number}")] = _zone(kind, number, roles)
        if number < 50:
            name = ZoneId(f"gate_{number}")
            zones[name] = _zone(ZoneKind.GATE, number, (Role.DOOR, Role.CARD, Role.TEMPERATURE))
    for kind in sorted(set(ZoneKind) - {ZoneKind.FIRE_LANE, ZoneKind.UNIT_DOOR, ZoneKind.GATE}):
        for number in range(10):
            zones[ZoneId(f"{kind}_{number}")] = _borrowed(kind, number)
    contacts = {name: Contact(name, Text(name), "http://127.0.0.1:9/x") for name in CONTACTS}
    prompts = {name: Prompt(name, Text("请马上移车")) for name in PROMPTS}
    return Site(SiteId("bench"), Text("小区"), "Asia/Shanghai", {}, zones, contacts, prompts)


def _borrowed(kind: ZoneKind, number: int) -> Zone:
    """Return a zone of the rest of the library, whose roles are played by the devices that are there."""
    players = {ROLE_CAPABILITY[role]: role for role in DEVICES}
    bind: dict[Role, tuple[EntityId, ...]] = {
        role: (EntityId(f"bench.{players[capability]}_{number}"),)
        for role, capability in ROLE_CAPABILITY.items()
        if capability in players
    }
    return Zone(ZoneId(f"{kind}_{number}"), kind, Text(f"{kind} {number}"), bind=bind)


def _zone(kind: ZoneKind, number: int, roles: tuple[Role, ...]) -> Zone:
    bind: dict[Role, tuple[EntityId, ...]] = {role: (EntityId(f"bench.{role}_{number}"),) for role in roles}
    return Zone(ZoneId(f"{kind}_{number}"), kind, Text(f"{kind} {number}"), bind=bind)


def _library(site: Site) -> list[Rule]:
    texts = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "rules").glob("*.yaml"))}
    for name, body in MORE.items():
        texts[name] = f"rule: {name}\nzones: {{kind: gate}}\nactions: [{{open_incident: {{severity: low}}}}]\n{body}\n"
    found = []
    for name, text in texts.items():
        rule = RuleParser(Reader(), site).rule(loads(text, name))
        if rule is not None and any(zone.kind is rule.zone_kind for zone in site.zones.values()):
            found.append(rule)
    return found


def record_month(folder: Path) -> int:
    """Write the history; return how many readings it has."""
    db = connect(folder / FILE)
    migrate(db)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")
    sql = "INSERT INTO readings (entity, value, quality, at, retained) VALUES (?, ?, 'good', ?, 0)"
    db.executemany(sql, _readings(random.Random(20261121)))
    db.execute("COMMIT")
    (rows,) = db.execute("SELECT count(*) FROM readings").fetchone()
    db.close()
    return int(rows)


def _readings(dice: random.Random) -> Iterator[tuple[str, str | float, int]]:
    """Every device at its second of each five minutes; one in fifty times it has changed since."""
    devices = [(f"bench.{role}_{number}", words) for role, (count, words) in DEVICES.items() for number in range(count)]
    values: dict[str, str | float] = {name: words[0] if words else 20.0 for name, words in devices}
    for turn in range(DAYS * DAY // EVERY):
        for index, (name, words) in enumerate(devices):
            value = values[name]
            if words is None:
                values[name] = round(min(35.0, max(5.0, float(value) + dice.uniform(-0.4, 0.4))), 1)
            elif value != words[0] or dice.random() < 0.02:
                values[name] = words[1] if value == words[0] else words[0]
            yield name, values[name], BEGIN + turn * EVERY + index * 1_000
