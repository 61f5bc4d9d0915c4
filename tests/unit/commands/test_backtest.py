"""``menshen backtest`` and ``menshen why``: what staff read, and what they are told when they ask amiss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.journal.chain import Fresh
from hub.journal.migrate import migrate
from hub.journal.store import FILE, connect
from hub.journal.writer import write
from hub.model.entry import Entry
from hub.model.ids import EntityId
from hub.model.reading import Presence, Quality, Reading
from hub.model.time import MINUTE, Instant
from tests.kit.gate import local
from tests.unit.config.test_site import GOOD, RULE
from tests.unit.config.test_site import write as write_site

SPAN = ("--from", "2026-11-20", "--to", "2026-11-20T18:00")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site where a car stood on the lane for ten minutes at noon, and then for one."""
    write_site(tmp_path, GOOD, blocked=RULE)
    (tmp_path / "data").mkdir()
    db = connect(tmp_path / "data" / FILE)
    migrate(db)
    noon, car = local("2026-11-20 12:00"), EntityId("mqtt_discovery.car")
    for minutes, value in ((0, "present"), (10, "absent"), (60, "present"), (61, "absent")):
        moment = Instant(noon + minutes * MINUTE)
        write(db, Entry(at=noon, readings=[Reading(car, Presence(value), Quality.GOOD, moment)]), Fresh())
    db.close()
    return tmp_path


def ask(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "-c", str(folder / "hub.yaml"), "--data", str(folder / "data")])


def test_a_table_that_staff_understand(folder: Path) -> None:
    done = ask(folder, "backtest", "blocked", *SPAN)
    assert done.exit_code == 0, done.output
    assert "时段 span: 2026-11-20 00:00:00 – 2026-11-20 18:00:00" in done.output
    assert "触发 fired 1 次，未成 dropped 1 次" in done.output
    assert "2026-11-20 12:03:00 – 2026-11-20 12:10:00  车道  解除 cleared" in done.output
    assert "与现行规则比较" not in done.output


def test_a_draft_is_compared_with_the_rule_it_replaces(folder: Path) -> None:
    draft = folder / "draft.yaml"
    draft.write_text(RULE.replace("3 min", "30 s"), "utf-8")
    done = ask(folder, "backtest", str(draft), *SPAN)
    assert "相同 in both 1" in done.output
    assert "只有新规则触发 only the new rule: 1\n  2026-11-20 13:00:30" in done.output
    read = json.loads(ask(folder, "backtest", str(draft), *SPAN, "--json").output)
    assert (len(read["activations"]), len(read["comparison"]["only_new"])) == (2, 1)
    draft.write_text(RULE, "utf-8")
    assert "比较" not in ask(folder, "backtest", str(draft), *SPAN).output, "the same rule has nothing to compare"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("backtest", "blokced"), 1, "no file and no active rule `blokced`; did you mean `blocked`?"),
        (("backtest", "blocked", "--from", "2026-11-21", "--to", "2026-11-20"), 2, "must lie before --to"),
        (("backtest", "blocked", "--from", "noon"), 2, "`noon` is no time"),
        (("backtest", "blocked", "--from", "2026-10-01", "--to", "2026-10-02"), 1, "they begin 2026-11-20T04:00:00"),
        (("why", "blokced", "lane"), 1, "did you mean `blocked`?"),
        (("why", "blocked", "lame"), 1, "no zone `lame`; did you mean `lane`?"),
        (("why", "blocked", "lane", "--at", "2999-01-01"), 2, "lies in the future"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_asked_amiss_is_said(folder: Path, words: tuple[str, ...], code: int, sentence: str) -> None:
    done = ask(folder, *words)
    assert (done.exit_code, sentence in done.output) == (code, True), done.output


def test_a_draft_that_does_not_check_and_a_folder_without_a_journal(folder: Path) -> None:
    draft = folder / "draft.yaml"
    draft.write_text(RULE.replace("present", "presnt"), "utf-8")
    done = ask(folder, "backtest", str(draft))
    assert (done.exit_code, "draft.yaml:3:20: `presnt`" in done.output) == (1, True)
    (folder / "data" / FILE).unlink()
    done = ask(folder, "backtest", "blocked")
    assert (done.exit_code, "cannot open" in done.output) == (1, True)


def test_why_in_both_languages(folder: Path) -> None:
    done = ask(folder, "why", "blocked", "lane", "--at", "2026-11-20T12:30")
    assert done.exit_code == 0, done.output
    assert "触发条件“车辆停留”不成立：mqtt_discovery.car 离开（自 2026-11-20 12:10:00 起）。" in done.output
    assert (
        "The trigger does not hold: vehicle present: mqtt_discovery.car gone (since 2026-11-20 12:10:00)."
        in done.output
    )
    read = json.loads(ask(folder, "why", "blocked", "lane", "--at", "2026-11-20T12:05", "--json").output)
    assert read["cause"] == "active"
