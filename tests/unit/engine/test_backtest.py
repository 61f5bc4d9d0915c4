"""What a rule would have done: told as lives, compared with the rule it replaces, and warmed up before it counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.config.yaml import loads
from hub.engine.backtest import Life, ZoneResult, compare
from hub.engine.calendar import Calendar
from hub.engine.parse import RuleParser
from hub.engine.rule import Rule
from hub.journal.chain import Fresh
from hub.journal.migrate import migrate
from hub.journal.store import FILE, connect
from hub.journal.writer import write
from hub.model.entry import Adopted, Entry, Started, Turn
from hub.model.ids import ActivationId, EntityId, ZoneId
from hub.model.reader import Reader
from hub.model.reading import Contact, Presence, Quality, Reading, Value
from hub.model.time import DAY, SECOND, Duration, Instant
from hub.web.trial import Job, NothingRecorded, Result, run
from tests.kit.gate import SHANGHAI, ZONE, Gate, local

START = local("2026-11-20 12:00")
RULE = """
rule: watch
zones: {kind: gate}
trigger: {vehicle: present, for: 10 s}
actions: [{say: {text: 请驶离}}, {capture: snapshot}]
escalation: [{after: 5 s, actions: [{say: {text: 再次}}]}]
clear: {vehicle: absent, for: 2 s, actions: []}
"""


def at(seconds: float) -> Instant:
    return Instant(START + round(seconds * SECOND))


class Trial:
    """A journal of one gate and a rule to try on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db = connect(folder / FILE)
        migrate(self.db)
        self.site = Gate(RULE).site

    def hear(self, seconds: float, value: Value | None, entity: str = "vehicle.a") -> None:
        write(self.db, Entry(at=START, readings=[Reading(EntityId(entity), value, Quality.GOOD, at(seconds))]), Fresh())

    def turn(self, *turns: Turn) -> None:
        write(self.db, Entry(at=START, turns=list(turns)), Fresh())

    def rule(self, text: str) -> Rule:
        rule = RuleParser(Reader(), self.site).rule(loads(text, "rule.yaml"))
        assert rule is not None
        return rule

    def run(self, begin: float, end: float, text: str = RULE, old: str | None = None) -> Result:
        replaced = None if old is None else self.rule(old)
        job = Job(self.folder, self.site, Calendar(zone=SHANGHAI), self.rule(text), replaced, at(begin), at(end))
        self.progress: list[float] = []
        return run(job, self.progress.append)


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    trial = Trial(tmp_path)
    yield trial
    trial.db.close()


def test_a_life_is_told_with_what_it_would_have_done(trial: Trial) -> None:
    trial.hear(0, Presence.PRESENT)
    trial.hear(5, Presence.ABSENT)
    trial.hear(20, Presence.PRESENT)
    trial.hear(40, Presence.ABSENT)
    (found,) = trial.run(-10, 100).zones
    (life,) = found.lives
    assert (life.zone, life.since, life.opened_at, life.cleared_at) == (ZONE, at(20), at(30), at(42))
    assert (life.done, life.late_by, life.reason) == ({"say": 2, "capture": 1}, 0, "cleared")
    (drop,) = found.drops
    assert (drop.at, drop.ran, drop.reason) == (at(5), 5 * SECOND, "opposite_edge")
    assert {said.text.zh: said.times for said in found.said} == {"请驶离": 1, "再次": 1}
    assert trial.progress[-1] == 1.0
    assert trial.progress == sorted(trial.progress)


def test_what_ran_before_the_span_runs_in_it_and_is_not_counted(trial: Trial) -> None:
    """The car came before the span: the ``for`` goes on, and what was said before it is said once."""
    trial.hear(0, Presence.ABSENT)
    trial.hear(10, Presence.PRESENT)
    (pending,) = trial.run(15, 40).zones
    assert [(life.since, life.opened_at) for life in pending.lives] == [(at(10), at(20))], "5 s were over already"
    (running,) = trial.run(22, 40).zones
    (life,) = running.lives
    assert (life.opened_at, life.done) == (at(20), {"say": 1}), "only the second sentence lies in the span"
    (said,) = running.said
    assert said.text.zh == "再次"
    trial.hear(60, Presence.ABSENT)
    (over,) = trial.run(70, 80).zones
    assert (over.lives, over.drops) == ((), ())


def test_what_began_long_before_the_span_is_told_from_its_beginning(trial: Trial) -> None:
    trial.hear(0, Presence.ABSENT)
    trial.hear(10, Presence.PRESENT)
    hours = 30 * 3_600
    trial.hear(hours, Presence.PRESENT)
    (found,) = trial.run(hours - 5, hours + 5).zones
    assert [(life.since, life.opened_at, life.done) for life in found.lives] == [(at(10), at(20), {})]


def test_a_count_remembers_what_was_before_the_span(trial: Trial) -> None:
    rule = RULE.replace("{vehicle: present, for: 10 s}", "{count: {door: open, times: 2, within: 1 min}}")
    for seconds, value in ((0, Contact.CLOSED), (10, Contact.OPEN), (20, Contact.CLOSED), (50, Contact.OPEN)):
        trial.hear(seconds, value, "door.a")
    trial.hear(0, Presence.PRESENT)
    (found,) = trial.run(40, 60, rule).zones
    assert [life.opened_at for life in found.lives] == [at(50)]


def test_while_the_hub_was_away_nothing_is_decided(trial: Trial) -> None:
    trial.hear(0, Presence.PRESENT)
    trial.turn(Started(at(60), since=at(4)), Adopted(at(60)))
    (found,) = trial.run(-10, 70).zones
    assert [(life.opened_at, life.late_by) for life in found.lives] == [(at(60), 50 * SECOND)]
    (life,) = found.lives
    assert life.late_by == 50 * SECOND


def test_a_span_without_readings_says_since_when_there_are_any(trial: Trial) -> None:
    with pytest.raises(NothingRecorded, match="none at all") as empty:
        trial.run(0, 10)
    assert empty.value.since is None
    trial.hear(100, Presence.PRESENT)
    with pytest.raises(NothingRecorded, match=r"they begin 2026-11-20T04:01:40\.000Z"):
        trial.run(0, 10)
    assert len(trial.run(0, 200).zones) == 1


def test_against_the_rule_it_replaces(trial: Trial) -> None:
    for began, stayed in ((0, 8), (100, 15), (200, 30)):
        trial.hear(began, Presence.PRESENT)
        trial.hear(began + stayed, Presence.ABSENT)
    compared = trial.run(-10, 300, RULE.replace("10 s", "5 s"), old=RULE.replace("10 s", "12 s")).comparison
    assert compared is not None
    assert [life.since for life in compared.only_new] == [at(0)]
    assert [life.since for life in compared.both] == [at(100), at(200)]
    back = trial.run(-10, 300, RULE.replace("10 s", "12 s"), old=RULE.replace("10 s", "5 s")).comparison
    assert back is not None
    assert [life.since for life in back.only_old] == [at(0)]


def life(zone: str, since: float, cleared: float | None) -> Life:
    end = None if cleared is None else at(cleared)
    return Life(ZoneId(zone), ActivationId(f"{zone}{since}"), at(since), at(since + 1), Duration(0), end)


def test_lives_are_the_same_event_when_they_share_a_moment_in_a_zone() -> None:
    def result(zone: str, *lives: tuple[float, float | None]) -> ZoneResult:
        return ZoneResult(ZoneId(zone), tuple(life(zone, *pair) for pair in lives), (), ())

    new = [result("a", (0, 10), (20, 30), (40, None)), result("b", (0, 10))]
    old = [result("a", (10, 12), (13, 19), (50, 60)), result("c", (0, 10))]
    compared = compare(new, old)
    assert [(life.zone, life.since) for life in compared.both] == [("a", at(0)), ("a", at(40))]
    assert [(life.zone, life.since) for life in compared.only_new] == [("b", at(0)), ("a", at(20))]
    assert [(life.zone, life.since) for life in compared.only_old] == [("c", at(0)), ("a", at(13))]


def test_a_silence_begins_with_the_last_word_before_the_span(trial: Trial) -> None:
    rule = RULE.replace("{vehicle: present, for: 10 s}", "{silent: {vehicle: 2 d}}")
    trial.hear(0, Presence.ABSENT)
    trial.hear(60, Presence.ABSENT)
    end = 3 * DAY / SECOND
    (found,) = trial.run(2 * DAY / SECOND, end, rule).zones
    assert [life.opened_at for life in found.lives] == [Instant(at(60) + 2 * DAY)]


def test_nothing_is_made_up_for_the_time_after_the_hub_last_wrote(trial: Trial) -> None:
    trial.hear(0, Presence.PRESENT)
    anchor = f'{{"at": {at(5)}, "boot_id": "", "boot_us": 0}}'
    trial.db.execute("INSERT INTO meta VALUES ('anchor', ?)", (anchor,))
    result = trial.run(-10, 100)
    assert (result.end, result.zones[0].lives) == (at(5), ())
