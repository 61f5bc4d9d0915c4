"""Tries a rule on what the journal recorded: zone by zone, beside the rule it replaces.

For the page it runs in a process of its own (``python -m hub.web.trial``): it computes for seconds, and the hub
must not wait.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hub.engine.backtest import Comparison, ZoneResult, compare, summarise
from hub.engine.program import Program
from hub.engine.replay import LONGEST, Replay, span
from hub.journal.history import History, noting
from hub.model.errors import HubError
from hub.model.time import MINUTE, Instant, isoformat
from hub.web import schema
from hub.web.apart import work_for_parent
from hub.web.present import evidence, when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hub.engine.backtest import Drop, Life
    from hub.engine.calendar import Calendar
    from hub.engine.rule import Rule
    from hub.journal.album import Album
    from hub.model.ids import EntityId
    from hub.model.site import Site

#: Lives and drops that an answer lists, each; the rest is only counted.
LISTED = 1_000


class NothingRecorded(HubError):
    """The journal has no readings for the zones of a rule in the span; ``since`` is when they begin, if they do."""

    def __init__(self, since: Instant | None) -> None:
        begins = "and none at all for these zones" if since is None else f"they begin {isoformat(since)}"
        super().__init__(f"the journal has no readings in this span; {begins}")
        self.since = since


class Job(msgspec.Struct, frozen=True):
    """What to try."""

    data: Path
    site: Site
    calendar: Calendar
    rule: Rule
    old: Rule | None
    """The rule that it replaces."""
    begin: Instant
    end: Instant


class Result(msgspec.Struct, frozen=True):
    """What came of it. ``end`` is earlier than asked where the hub did not run so long."""

    rule: Rule
    begin: Instant
    end: Instant
    zones: tuple[ZoneResult, ...]
    comparison: Comparison | None
    album: Album
    """What was seen meanwhile."""


def run(job: Job, progress: Callable[[float], None]) -> Result:
    """Live through the span; ``progress`` hears of the part that is done, 0 to 1. Raises HubError."""
    history = History(job.data)
    try:
        rules = [job.rule] if job.old is None else [job.rule, job.old]
        programs = [_by_zone(rule, job) for rule in rules]
        end = min(job.end, history.written() or job.end)
        _check(history, programs[0], job.begin, end)
        count, done = sum(map(len, programs)), 0
        results: list[tuple[ZoneResult, ...]] = []
        for zones in programs:
            found = []
            for program in zones:
                found.append(_live(history, program, job.begin, end, partial(_whole, progress, done, count)))
                done += 1
            results.append(tuple(found))
        album = history.album(job.begin, end)
        return Result(job.rule, job.begin, end, results[0], None if job.old is None else compare(*results), album)
    finally:
        history.close()


def _whole(progress: Callable[[float], None], done: int, count: int, part: float) -> None:
    """Turn the part of one zone that is done into that of the whole."""
    progress((done + part) / count)


def _by_zone(rule: Rule, job: Job) -> list[Program]:
    """Compile a rule for each zone alone: zones do not know each other."""
    zones = job.site.zones.items()
    sites = (msgspec.structs.replace(job.site, zones={name: zone}) for name, zone in zones)
    programs = (Program((rule,), site, job.calendar) for site in sites)
    return [program for program in programs if program.slots]


def _check(history: History, programs: list[Program], begin: Instant, end: Instant) -> None:
    entities = {name for program in programs for name in watched_by(program)}
    since = history.first(entities)
    if entities and (since is None or since >= end or begin >= end):
        raise NothingRecorded(since)


def watched_by(program: Program) -> tuple[EntityId, ...]:
    """Return the entities that a program looks at."""
    return tuple(dict.fromkeys(name for slot in program.slots.values() for name in slot.entities()))


def replay(
    history: History, program: Program, begin: Instant, end: Instant, note: Callable[[Instant], None] | None = None
) -> Replay:
    """Live from so long before ``begin`` that what was running then runs, up to ``end``.

    Where the trigger is true at that instant, it began earlier, and so does the replay: a week before at most.
    """
    entities = watched_by(program)
    first = history.first(entities) or 0
    back = max(span(program), MINUTE)
    while True:
        start = Instant(max(begin - back, first))
        lived = Replay(program, history.known(entities, start), start)
        if lived.idle or start == first or back >= LONGEST:
            break
        back = min(2 * back, LONGEST)
    inputs = history.inputs(entities, start, end)
    lived.live(inputs if note is None else noting(inputs, note))
    lived.until(end)
    return lived


def _live(
    history: History, program: Program, begin: Instant, end: Instant, progress: Callable[[float], None]
) -> ZoneResult:
    length = max(1, end - begin)
    lived = replay(history, program, begin, end, lambda at: progress(min(1.0, max(0.0, (at - begin) / length))))
    progress(1.0)
    (key,) = program.slots
    return summarise(key.zone, lived.decisions, begin)


def told(result: Result, site: Site) -> schema.BacktestOut:
    """Give a result the shape of the API."""
    zones = [
        schema.BacktestZone(
            zone=found.zone,
            zone_name=site.zones[found.zone].name,
            activations=len(found.lives),
            dropped=len(found.drops),
            late_s=round(max((life.late_by for life in found.lives), default=0) / 1e6, 3),
            done=_sum(life.done for life in found.lives),
            withheld=_sum(life.withheld for life in found.lives),
            said=[schema.BacktestSaid(said.text, said.times) for said in found.said],
        )
        for found in result.zones
    ]
    lives = sorted((life for found in result.zones for life in found.lives), key=lambda life: life.opened_at)
    drops = sorted((drop for found in result.zones for drop in found.drops), key=lambda drop: drop.at)
    compared = result.comparison
    return schema.BacktestOut(
        rule=result.rule.id,
        name=result.rule.name,
        dry_run=result.rule.dry_run,
        begin=isoformat(result.begin),
        end=isoformat(result.end),
        zones=zones,
        activations=[_life(life, result) for life in lives[:LISTED]],
        dropped=[_drop(drop) for drop in drops[:LISTED]],
        comparison=None
        if compared is None
        else schema.BacktestComparison(
            both=len(compared.both),
            only_new=[_life(life, result) for life in compared.only_new[:LISTED]],
            only_old=[_life(life, result) for life in compared.only_old[:LISTED]],
        ),
    )


def _life(life: Life, result: Result) -> schema.BacktestLife:
    return schema.BacktestLife(
        zone=life.zone,
        since=isoformat(life.since),
        opened_at=isoformat(life.opened_at),
        running=life.opened_at < result.begin,
        late_s=round(life.late_by / 1e6, 3),
        cleared_at=when(life.cleared_at),
        reason=life.reason,
        done=life.done,
        withheld=life.withheld,
        pictures=[
            evidence(kept.evidence, kept.incident) for kept in result.album.near(life.zone, life.since, life.opened_at)
        ],
    )


def _drop(drop: Drop) -> schema.BacktestDrop:
    return schema.BacktestDrop(drop.zone, isoformat(drop.at), round(drop.ran / 1e6, 3), drop.reason)


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counted in counts:
        for key, times in counted.items():
            total[str(key)] = total.get(str(key), 0) + times
    return total


def _line(progress: float, result: schema.BacktestOut | None = None, problem: str | None = None) -> schema.BacktestLine:
    return schema.BacktestLine(progress, result, None if problem is None else schema.Problem("history", problem))


if __name__ == "__main__":
    work_for_parent(_line, lambda job, progress: told(run(job, progress), job.site))
