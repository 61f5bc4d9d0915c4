"""Reports over the API: the same figures as JSON, PDF and workbook; names that people gave stay names."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import zipfile
from datetime import datetime
from urllib.parse import quote
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import aiohttp
import msgspec
import pytest

from hub.journal.measures import Patrol, People, Turned
from hub.journal.queries import add_audit
from hub.journal.report import Attempts, Availability, Blocked, Figures, Judged
from hub.journal.spread import Spread
from hub.model.decision import Decision, IncidentOpened, Opened, Severity
from hub.model.entry import Entry
from hub.model.ids import EntityId, RuleId, ZoneId
from hub.model.reading import Presence, Quality, Reading
from hub.model.text import Text
from hub.model.time import DAY, MINUTE, SECOND, Duration
from hub.web import report_files
from hub.web.errors import Refusal
from hub.web.report_files import pdf, xlsx
from hub.web.report_tables import Naming, tables
from hub.web.reports import ReportLine, ReportOut
from tests.kit import pdf as read_pdf
from tests.kit.facts import NAME, at
from tests.kit.office import Office
from tests.kit.store import rows

#: The formulas, links and markup that a device's or zone's name may try.
HOSTILE = ('=HYPERLINK("http://x.example","a")', "@SUM(1+1)", "+1", "-1+2", "http://x.example", "<b>a</b>&", "**a**")
_CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def month() -> str:
    """Return the month in which the virtual clock begins, on the site's clocks."""
    return f"{datetime.fromtimestamp(at(0) / SECOND, ZoneInfo('Asia/Shanghai')):%Y-%m}"


async def one_alarm(desk: Office) -> None:
    who = (RuleId("blocked"), ZoneId("lane"), at(0))
    decisions: list[Decision] = [Opened(*who, NAME, at(0), Duration(0), ()), IncidentOpened(*who, NAME, Severity.HIGH)]
    await desk.context.journal.commit(Entry(at(0), decisions=decisions))


def strings(book: bytes) -> tuple[set[str], str]:
    """Return the strings of a workbook, and the XML of all its sheets."""
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        tree = ElementTree.fromstring(parts.read("xl/sharedStrings.xml"))  # noqa: S314 - our own
        sheets = "".join(parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/worksheets/"))
    return {"".join(item.itertext()) for item in tree.iter(f"{_CELL}si")}, sheets


def hostile() -> Figures:
    """Return figures of things with hostile names."""
    judged = tuple(Judged(name, 1, 0, 1) for name in HOSTILE)
    return Figures(
        total=Judged("", 1, 0, 1), rules=judged, zones=judged, devices=judged, answered=Spread(1, MINUTE, MINUTE),
        closed=Spread(0, None, None), escalations=0, lanes=(Blocked(HOSTILE[0], MINUTE, MINUTE),), bays=(),
        ebikes=(Attempts(HOSTILE[0], 1),), availability=(Availability(HOSTILE[0], 1, 2),), down=0,
    )  # fmt: skip


def as_named(name: str) -> Text:
    return Text(name, name)


NAMING = Naming(as_named, as_named, as_named, as_named)


async def test_the_month_as_json(desk: Office) -> None:
    await one_alarm(desk)
    answer = await desk.ask("/api/v1/reports", "manager")
    assert answer.status == 200, await answer.text()
    found = await answer.json()
    assert (found["period"], found["at"], found["title"]["zh"]) == ("month", month(), f"小区 月报 {month()}")
    by_id = {table["id"]: table for table in found["tables"]}
    assert by_id["rules"]["rows"] == [
        [{"zh": "blocked", "en": "blocked"}, 1, 0, 0, 1, None],
        [{"zh": "合计", "en": "Total"}, 1, 0, 0, 1, None],
    ]
    assert by_id["lanes"]["rows"] == [[{"zh": "车道", "en": ""}, 0.0, None, 0.0]]
    assert by_id["answers"]["rows"][0][1:] == [0, None, None]
    assert [row[1] for row in by_id["looked"]["rows"]] == [0, 0]
    assert by_id["evidence"]["rows"] == []
    assert "falling" not in by_id, "the site has no facade"
    assert {row[1]["zh"] for row in by_id["unrecorded"]["rows"]} == {"未记录"}, "nothing is invented"
    other = await (await desk.ask("/api/v1/reports?period=day&at=2001-01-01", "manager")).json()
    assert other["tables"][0]["rows"] == [[{"zh": "合计", "en": "Total"}, 0, 0, 0, 0, None]]


async def lines(answer: aiohttp.ClientResponse) -> list[ReportLine]:
    assert (answer.status, answer.content_type) == (200, "application/x-ndjson")
    return [msgspec.json.decode(line, type=ReportLine) for line in (await answer.read()).splitlines()]


async def test_a_large_report_says_how_far_it_is_and_its_files_say_what_the_page_says(desk: Office) -> None:
    car, values = EntityId("mqtt_discovery.car"), (Presence.ABSENT, Presence.PRESENT)
    readings = [Reading(car, values[n % 2], Quality.GOOD, at(n)) for n in range(9_000)]
    desk.clock.advance(9_000 * SECOND)
    for begin in range(0, len(readings), 500):
        await desk.context.journal.commit(Entry(at(0), readings=readings[begin : begin + 500]))
    found = await lines(await desk.ask("/api/v1/reports/lines", "manager"))
    parts = [line.progress for line in found]
    assert parts == sorted(parts)
    assert parts[0] == 0.0
    assert any(0 < part < 1 for part in parts)
    shown = found[-1].result
    assert shown is not None
    assert shown == msgspec.json.decode(await (await desk.ask("/api/v1/reports", "manager")).read(), type=ReportOut)
    by_id = {table.id: table.rows for table in shown.tables}
    assert by_id["lanes"][0][1:] == (75.0, None, 150.0)
    later = [Reading(car, Presence.PRESENT, Quality.GOOD, at(9_000))]
    await desk.context.journal.commit(Entry(at(0), readings=later))
    desk.clock.advance(5 * MINUTE)
    for made, minutes in ((f"&made={quote(shown.made or '')}", "75.0"), ("", "80.0"), ("&made=x", "80.0")):
        answer = await desk.ask(f"/api/v1/reports/pdf?period=month{made}", "manager")
        assert f"车道\n{minutes}\n" in read_pdf.words(await answer.read()), made


async def test_a_report_that_nobody_waits_for_is_stopped(
    desk: Office, endless: list[asyncio.subprocess.Process]
) -> None:
    answer = await desk.ask("/api/v1/reports/lines", "manager")
    for _ in range(3):
        line = msgspec.json.decode(await answer.content.readline(), type=ReportLine)
    assert line.progress == 0.5
    assert endless[0].returncode is None
    answer.close()
    async with asyncio.timeout(10), desk.context.counting:
        assert endless[0].returncode is not None


async def test_a_report_that_cannot_be_counted_says_so(desk: Office) -> None:
    def from_the_future(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO turns (reading, at, kind, body) VALUES (0, 0, 'New', '{}')")

    await desk.context.journal.execute(from_the_future)
    found = await lines(await desk.ask("/api/v1/reports/lines", "manager"))
    assert found[-1].problem is not None
    assert "another version" in found[-1].problem.message


async def test_who_looked_at_evidence_and_how_far_it_goes_back(desk: Office) -> None:
    await one_alarm(desk)

    def known(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO evidence VALUES ('e', ?, 'c', 'p', 'image/jpeg', 's', 1, ?)", (NAME, at(0) - 3 * DAY))
        for action, outcome in (("evidence", "done"), ("evidence", "gone"), ("evidence", "done"), ("export", "done")):
            add_audit(db, at(0), "王师傅", action, {}, outcome=outcome)

    await desk.context.journal.execute(known)
    found = await (await desk.ask("/api/v1/reports", "manager")).json()
    by_id = {table["id"]: table["rows"] for table in found["tables"]}
    assert [row[1] for row in by_id["looked"]] == [2, 1]
    assert by_id["evidence"] == [[{"zh": "车道", "en": ""}, 1, 3 + (desk.clock.now() - at(0)) // DAY]]


def test_what_fell_has_a_table_of_its_own() -> None:
    found = msgspec.structs.replace(hostile(), zones=(Judged("north", 3, 1, 1), Judged("lane", 9, 0, 0)))
    by_id = {table.id: table for table in tables(found, NAMING, None, frozenset({"north"}))}
    assert [row[1:5] for row in by_id["falling"].rows] == [(3, 1, 1, 1)]


@pytest.mark.parametrize("query", ["period=year", "period=day&at=2026-11", "at=2026-13", "at=", "period=week&at=../x"])
async def test_what_is_no_period_is_refused(desk: Office, query: str) -> None:
    for path in ("", "/pdf", "/xlsx"):
        answer = await desk.ask(f"/api/v1/reports{path}?{query}", "manager")
        assert (answer.status, (await answer.json())["error"]) == (400, "bad_request")


async def test_files_say_what_the_page_says_and_are_audited(desk: Office) -> None:
    await one_alarm(desk)
    answer = await desk.ask("/api/v1/reports/pdf", "manager")
    assert (answer.status, answer.content_type) == (200, "application/pdf"), await answer.text()
    assert answer.headers["Content-Disposition"] == f'attachment; filename="menshen-{month()}.pdf"'
    said = read_pdf.words(await answer.read())
    assert f"小区 月报 {month()}" in said
    assert "各规则的告警" in said
    assert "车道\n0.0\n–\n0.0" in said
    answer = await desk.ask("/api/v1/reports/xlsx?language=en", "manager")
    words, _ = strings(await answer.read())
    assert {"False share", "Unreviewed", "车道", "blocked"} <= words
    audit = rows(desk.context.data, "SELECT actor, action, target FROM audit WHERE action LIKE 'report%' ORDER BY seq")
    assert audit == [("manager", "report_pdf", month()), ("manager", "report_xlsx", month())]


def test_no_name_becomes_a_formula_or_a_link() -> None:
    words, sheets = strings(xlsx(Text("=1+1"), Text("b"), tables(hostile(), NAMING), "zh"))
    assert set(HOSTILE) <= words
    assert "<f>" not in sheets
    assert "hyperlink" not in sheets


def test_names_stand_in_the_pdf_as_they_are() -> None:
    said = read_pdf.words(pdf(Text("小区"), Text("b"), tables(hostile(), NAMING), "zh")).split("\n")
    assert {"@SUM(1+1)", "-1+2", "<b>a</b>&", "**a**"} <= set(said)


def test_without_a_chinese_font_it_says_which_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refusal, match="fonts-noto-cjk") as caught:
        pdf(Text("小区"), Text(""), (), "zh")
    assert (caught.value.status, caught.value.error) == (409, "no_font")
    monkeypatch.undo()
    monkeypatch.setattr(report_files, "_PATTERN", "DejaVu Sans:lang=en")
    with pytest.raises(Refusal, match="fonts-noto-cjk"):
        report_files.chinese_font()


def test_what_has_a_source_leaves_the_list_of_what_nothing_records() -> None:
    def missing(people: People) -> list[str]:
        by_id = {table.id: table for table in tables(msgspec.structs.replace(hostile(), people=people), NAMING)}
        assert all(row[2] is not None for row in by_id["unrecorded"].rows), "each with its reason"
        return [row[0].zh for row in by_id["unrecorded"].rows if isinstance(row[0], Text)]

    assert missing(People()) == ["到场用时", "电动车劝返率", "巡更完成率", "无盗窃天数"]
    known = People(Spread(0, None, None), patrols=(Patrol("lane", 2, 1),), turned=(Turned(HOSTILE[0], 4, 3),))
    assert missing(known) == ["无盗窃天数"]
    found = msgspec.structs.replace(hostile(), people=known)
    by_id = {table.id: table.rows for table in tables(found, NAMING)}
    assert by_id["patrols"][0][1:] == (2, 1, 0.5)
    assert by_id["ebikes"][0][1:] == (1, 4, 3, 0.75)
    assert [row[0].zh for row in by_id["answers"] if isinstance(row[0], Text)].count("到场") == 1


def test_minutes_a_day_are_those_of_whole_days() -> None:
    lanes = (Blocked("long", 3 * 60 * MINUTE, 2 * DAY), Blocked("short", 60 * MINUTE, DAY - 1), Blocked("dark", 0, 0))
    by_id = {table.id: table.rows for table in tables(msgspec.structs.replace(hostile(), lanes=lanes), NAMING)}
    assert [row[1:3] for row in by_id["lanes"]] == [(180.0, 90.0), (60.0, None), (0.0, None)]


def test_what_is_wanted_of_a_device_depends_on_its_supply() -> None:
    naming = msgspec.structs.replace(NAMING, batteries=frozenset({"smoke"}))
    found = msgspec.structs.replace(
        hostile(), availability=(Availability("smoke", 98, 100), Availability("gate", 98, 100))
    )
    by_id = {table.id: table.rows for table in tables(found, naming)}
    assert [row[:3] for row in by_id["availability"]] == [
        (Text("smoke", "smoke"), 0.98, 0.97), (Text("gate", "gate"), 0.98, 0.99),
    ]  # fmt: skip
