"""The judge of every fault test: what the ledgers say that had to be, against what the hub stored, opened and said.

The pure engine replays the *generator's* ledger, never the hub's own journal, so a hub that lost or invented a message
cannot excuse itself. What is compared does not depend on when the hub was up: a car either stays until the end or
leaves long before its limit.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hub.config.site import load_site
from hub.engine.replay import Replay
from hub.engine.state import EngineState
from hub.model.decision import Command, IncidentOpened, Say
from hub.model.time import HOUR, Instant
from hub.sdk.rtp import Stream
from tests.kit.sims import Speaker
from tests.kit.store import outcomes, rows, says, whole


@dataclass(frozen=True)
class Sent:
    """One message of the generator's ledger."""

    number: int
    at: int
    """Wall time in microseconds."""
    topic: str
    payload: str


@dataclass(frozen=True)
class Expected:
    """What the engine says of the ledger."""

    values: dict[str, list[str]]
    """Per entity, what it said, in order."""
    incidents: Counter[str]
    """Per zone."""
    warnings: Counter[str]


@dataclass(frozen=True)
class Verdict:
    """What was counted; ``faults`` is empty when the hub kept its word."""

    faults: tuple[str, ...]
    messages: int
    incidents: int
    warnings: int
    repeats: int

    def __str__(self) -> str:
        counted = f"{self.messages} messages, {self.incidents} incidents, {self.warnings} warnings"
        return f"{counted}, {self.repeats} of them repeated and marked; faults: {list(self.faults) or 'none'}"


def ledger(path: Path) -> list[Sent]:
    """Read what was sent and acknowledged; everything is, once the generator has flushed."""
    sent: dict[int, Sent] = {}
    acknowledged: set[int] = set()
    for text in path.read_text("utf-8").splitlines():
        line = json.loads(text)
        if "acknowledged" in line:
            acknowledged.add(line["acknowledged"])
        elif not line["retain"]:
            sent[line["n"]] = Sent(line["n"], line["at"], line["topic"], line["payload"])
    assert sent.keys() <= acknowledged, "the generator was not flushed"
    return sorted(sent.values(), key=lambda one: one.number)


def heard(one: Sent) -> tuple[str, str | float, str]:
    """Return entity, value as the journal keeps it, and the text that is compared."""
    kind, name, *_ = one.topic.split("/")
    if kind == "meter":
        return f"mqtt_discovery.meter_{name}", float(one.payload), one.payload
    value = "present" if json.loads(one.payload)["occupancy"] == "ON" else "absent"
    return f"mqtt_discovery.{name}_vehicle", value, value


def expect(config: Path, sent: list[Sent]) -> Expected:
    """Let the engine live through the ledger by itself."""
    begin = Instant(sent[0].at - 1)
    replay = Replay(load_site(config).program(), EngineState(), begin)
    values: dict[str, list[str]] = {}
    inputs = []
    at = begin
    for one in sent:
        entity, value, text = heard(one)
        values.setdefault(entity, []).append(text)
        at = Instant(max(one.at, at + 1))  # inputs share no instant
        inputs.append((one.number, entity, value, "good", at))
    replay.live(inputs)
    replay.until(Instant(at + HOUR))
    opened = Counter[str](one.zone for one in replay.decisions if isinstance(one, IncidentOpened))
    spoken = (one for one in replay.decisions if isinstance(one, Command) and isinstance(one.action, Say))
    return Expected(values, opened, Counter[str](one.zone for one in spoken))


def judge(config: Path, data: Path, sent: list[Sent], speaker: Speaker | None) -> Verdict:
    """Compare; the hub has ended."""
    whole(data)
    expected = expect(config, sent)
    faults = [*_stored(data, expected), *_opened(data, expected), *_planned(data, expected)]
    repeats = 0
    if speaker is not None:
        found, repeats = _said(data, speaker)
        faults += found
    count = sum(map(len, expected.values.values()))
    return Verdict(tuple(faults), count, expected.incidents.total(), expected.warnings.total(), repeats)


def _stored(data: Path, expected: Expected) -> list[str]:
    """Every acknowledged event is stored exactly once and in sequence for each device."""
    kept: dict[str, list[str]] = {}
    for entity, value in rows(data, "SELECT entity, value FROM readings WHERE value IS NOT NULL ORDER BY seq"):
        kept.setdefault(entity, []).append(f"{value:g}" if isinstance(value, float) else str(value))
    faults = []
    for entity, values in expected.values.items():
        found = kept.pop(entity, [])
        if found != values:
            lost, more = Counter(values) - Counter(found), Counter(found) - Counter(values)
            what = f"{lost.total()} lost, {more.total()} twice" if lost or more else "out of sequence"
            faults.append(f"{entity}: {what}")
    return faults + [f"{entity}: invented" for entity in kept]


def _opened(data: Path, expected: Expected) -> list[str]:
    """The incidents are those of the engine, each of its own activation."""
    found = Counter[str](zone for (zone,) in rows(data, "SELECT zone FROM incidents"))
    faults = [f"{zone}: incident missing" for zone in (expected.incidents - found).elements()]
    faults += [f"{zone}: incident too many" for zone in (found - expected.incidents).elements()]
    ((count, causes),) = rows(data, "SELECT COUNT(*), COUNT(DISTINCT activation) FROM incidents")
    return faults if count == causes else [*faults, "two incidents of one cause"]


def _planned(data: Path, expected: Expected) -> list[str]:
    """The warnings that were decided are those of the engine."""
    commands = (json.loads(body) for (body,) in rows(data, "SELECT body FROM commands"))
    planned = Counter[str](one["zone"] for one in commands if one["action"]["type"] == "say")
    faults = [f"{zone}: warning missing" for zone in (expected.warnings - planned).elements()]
    return faults + [f"{zone}: warning too many" for zone in (planned - expected.warnings).elements()]


def _said(data: Path, speaker: Speaker) -> tuple[list[str], int]:
    """Each warning was begun once; one that was said again has the key of its first, and is marked."""
    sources = {Stream.of(key).ssrc: key for key in says(data)}  # type: ignore[arg-type]  # a key is a text
    begun = Counter[int](one["ssrc"] for one in speaker.begun())
    told = outcomes(data)
    faults = [f"{sources[one]}: never said" for one in sources.keys() - begun.keys()]
    faults += [f"ssrc {one}: said without a command" for one in begun.keys() - sources.keys()]
    faults += [f"{sources.get(one, one)}: said {count} times" for one, count in begun.items() if count > 1]
    repeats = 0
    for utterance in speaker.heard():
        if not utterance["repeats"] or utterance["ssrc"] not in sources:
            continue
        repeats += 1
        if not told[sources[utterance["ssrc"]]][-1]["repeated"]:
            faults.append(f"{sources[utterance['ssrc']]}: said again and not marked")
    return faults, repeats
