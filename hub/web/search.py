"""Searches the past for the page, a page at a time, and gives what is found as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from hub.journal.search import MOST_ENTITIES, Cursor, FoundReading, IncidentSearch, find_incidents, find_readings
from hub.model.ids import EntityId
from hub.model.incident import Verdict
from hub.model.reading import Quality
from hub.model.text import Text, clean
from hub.model.time import DAY, Instant
from hub.web import schema
from hub.web.audit import audit
from hub.web.backtest import moment
from hub.web.context import CONTEXT, Context
from hub.web.devices import all_devices
from hub.web.errors import Refusal
from hub.web.handlers import MOST, PAGE, answer, number
from hub.web.present import entity_name, when
from hub.web.routing import Route, UserRole
from hub.web.words import moment as clock_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hub.journal.queries import IncidentRow

#: Without a time: the last days. Rows of one table; characters of a text that is looked for.
DAYS, TABLE, WORDS = 30, 10_000, 80
_LAST = (1 << 62) - 1
#: What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class FoundIncident(msgspec.Struct, frozen=True):
    """One incident at a glance; the times are null for what has not happened."""

    id: str
    rule: Text
    zone: Text
    severity: str
    state: str
    opened_at: str | None
    answered_at: str | None
    closed_at: str | None
    handler: str
    verdict: str | None
    note: str


class FoundReadingOut(msgspec.Struct, frozen=True):
    """One reading, and of what."""

    entity: str
    name: Text
    at: str | None
    value: str | float | None
    quality: Quality


async def incidents(request: web.Request) -> web.Response:
    """Search incidents."""
    limit = number(request.query.get("limit"), "limit", PAGE, MOST)
    rows = await _incidents(request, limit)
    following = str(rows[-1].id) if len(rows) == limit else None
    return answer(schema.Page([_incident(request.app[CONTEXT], row) for row in rows], next=following))


async def readings(request: web.Request) -> web.Response:
    """Search readings."""
    limit = number(request.query.get("limit"), "limit", PAGE, MOST)
    rows = await _readings(request, limit)
    following = f"{rows[-1].at}-{rows[-1].seq}" if len(rows) == limit else None
    context = request.app[CONTEXT]
    items = [
        FoundReadingOut(row.entity, entity_name(context, row.entity), when(row.at), row.value, row.quality)
        for row in rows
    ]
    return answer(schema.Page(items, next=following))


async def incidents_table(request: web.Request) -> web.Response:
    """Give found incidents as CSV."""
    context = request.app[CONTEXT]
    rows = await _incidents(request, TABLE)
    zone = context.folder().settings.site.timezone
    lines = []
    for row in rows:
        found = _incident(context, row)
        times = [clock_words(at, zone) if at else "" for at in (row.opened_at, row.answered_at, row.closed_at)]
        lines.append([found.id, found.rule.zh, found.zone.zh, found.severity, found.state, *times, found.handler,
                      found.verdict or "", found.note])  # fmt: skip
    head = ("编号", "规则", "防区", "级别", "状态", "发生", "响应", "关闭", "处理人", "结论", "备注")
    return await _table(request, "incidents", head, lines)


async def readings_table(request: web.Request) -> web.Response:
    """Give found readings as CSV."""
    context = request.app[CONTEXT]
    zone = context.folder().settings.site.timezone
    lines = [
        [row.entity, entity_name(context, row.entity).zh, clock_words(row.at, zone), row.value, row.quality]
        for row in await _readings(request, TABLE)
    ]
    return await _table(request, "readings", ("测点", "名称", "时间", "数值", "可信度"), lines)


def as_csv(head: Sequence[str], lines: Iterable[Sequence[object]]) -> bytes:
    """Write a table that Excel opens as UTF-8; a text that a spreadsheet would calculate begins with an apostrophe."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(head)
    for line in lines:
        table.writerow([_harmless(cell) for cell in line])
    return out.getvalue().encode("utf-8-sig")


def _harmless(cell: object) -> object:
    """Numbers of the hub's own stay numbers; all else is text."""
    if cell is None or isinstance(cell, int | float):
        return cell
    text = str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith(_FORMULA) else text


async def _table(
    request: web.Request, name: str, head: Sequence[str], lines: Sequence[Sequence[object]]
) -> web.Response:
    await audit(request, {"rows": len(lines)}, target=name)
    headers = {
        "Content-Disposition": f'attachment; filename="menshen-{name}.csv"',
        "Cache-Control": "private, no-store",
    }
    return web.Response(body=as_csv(head, lines), content_type="text/csv", charset="utf-8", headers=headers)


async def _incidents(request: web.Request, limit: int) -> list[IncidentRow]:
    wanted = _wanted(request)
    before = number(request.query.get("cursor"), "cursor", _LAST, _LAST)
    return await request.app[CONTEXT].queries.ask(lambda db: find_incidents(db, wanted, limit, before))


async def _readings(request: web.Request, limit: int) -> list[FoundReading]:
    begin, end = _times(request)
    entities = _entities(request)
    before = _cursor(request, end)
    return await request.app[CONTEXT].queries.ask(lambda db: find_readings(db, entities, begin, before, limit))


def _wanted(request: web.Request) -> IncidentSearch:
    """Read what incidents are looked for. Raises Refusal."""
    context, query = request.app[CONTEXT], request.query
    begin, end = _times(request)
    folder = context.folder()
    places = folder.settings.site.zones
    zones: frozenset[str] | None = None
    if query.get("kind"):
        zones = frozenset(name for name, place in places.items() if place.kind == query["kind"])
    if query.get("zone"):
        zones = frozenset({query["zone"]}) if zones is None else zones & {query["zone"]}
    verdict = query.get("verdict") or None
    if verdict is not None and verdict not in {"unreviewed", *Verdict}:
        raise Refusal(400, "bad_request", "no such verdict")
    text = clean(query.get("text", ""), WORDS + 1)
    if len(text) > WORDS:
        raise Refusal(400, "bad_request", f"text has at most {WORDS} characters")
    low = text.lower()
    return IncidentSearch(
        begin=begin,
        end=end,
        zones=zones,
        rules=frozenset({query["rule"]}) if query.get("rule") else None,
        entities=frozenset(str(name) for name in _of_device(context, query["device"])) if query.get("device") else None,
        verdict=verdict,
        text=text,
        named_zones=frozenset(str(name) for name, place in places.items() if low and _says(place.name, low)),
        named_rules=frozenset(str(rule.id) for rule in folder.rules if low and _says(rule.name, low)),
    )


def _entities(request: web.Request) -> frozenset[EntityId]:
    """Return the entities that readings are looked for of. Raises Refusal."""
    context, query = request.app[CONTEXT], request.query
    names = {entity for entity, _ in context.registry.entities.items()}
    places = context.folder().settings.site.zones
    if query.get("entity"):
        names = {EntityId(query["entity"])}  # one that is gone has its past still
    if query.get("device"):
        names &= _of_device(context, query["device"])
    if query.get("zone") or query.get("kind"):
        names &= {
            entity
            for place in places.values()
            if query.get("zone") in {None, "", place.id} and query.get("kind") in {None, "", place.kind}
            for bound in place.bind.values()
            for entity in bound
        }
    low = clean(query.get("text", ""), WORDS).lower()
    if low:
        names = {name for name in names if low in name or _says(entity_name(context, name), low)}
    if len(names) > MOST_ENTITIES:
        raise Refusal(422, "too_wide", f"more than {MOST_ENTITIES} entities: choose a zone or a device")
    return frozenset(names)


def _of_device(context: Context, key: str) -> set[EntityId]:
    devices = (one for one in all_devices(context) if f"{one.integration}/{one.name}" == key)
    return {EntityId(entity.id) for device in devices for entity in device.entities}


def _says(name: Text, low: str) -> bool:
    return low in name.zh.lower() or low in name.en.lower()


def _times(request: web.Request) -> tuple[Instant, Instant]:
    query, now = request.query, request.app[CONTEXT].clock.now()
    end = moment(query["end"], "end") if query.get("end") else Instant(now + 1)
    begin = moment(query["begin"], "begin") if query.get("begin") else Instant(end - DAYS * DAY)
    if not begin < end:
        raise Refusal(400, "bad_request", "`begin` must lie before `end`")
    return begin, end


def _cursor(request: web.Request, end: Instant) -> Cursor:
    text = request.query.get("cursor")
    if text is None:
        return Cursor(end, 0)
    at, _, seq = text.partition("-")
    return Cursor(Instant(number(at, "cursor", 1, _LAST)), number(seq, "cursor", 1, _LAST))


def _incident(context: Context, row: IncidentRow) -> FoundIncident:
    folder = context.folder()
    place = folder.settings.site.zones.get(row.zone)  # type: ignore[call-overload]  # ids are strings
    rule = next((one.name for one in folder.rules if one.id == row.rule), Text(row.rule, row.rule))
    return FoundIncident(
        str(row.id), rule, Text(row.zone, row.zone) if place is None else place.name, row.severity, row.state,
        when(row.opened_at), when(row.answered_at), when(row.closed_at), row.handler, row.verdict, row.note,
    )  # fmt: skip


_BOTH = (
    ("begin", "RFC 3339 with an offset; 30 days before `end`"), ("end", "RFC 3339 with an offset; now"),
    ("zone", "a zone id"), ("kind", "a kind of zone"), ("device", "`<integration>/<name>`"), ("text", "part of a name"),
)  # fmt: skip
_PAGE = (("limit", "1 to 200"), ("cursor", "`next` of a page"))
_INCIDENTS = (*_BOTH, ("rule", "a rule id"), ("verdict", "false_alarm, resolved, repair or unreviewed"))
_READINGS = (*_BOTH, ("entity", "an entity id"))
SEARCH: tuple[Route, ...] = (
    Route("GET", "/api/v1/search/incidents", "search_incidents", "Incidents by time, place, device and text",
          UserRole.VIEWER, incidents, returns=schema.Page[FoundIncident], query=(*_INCIDENTS, *_PAGE)),
    Route("GET", "/api/v1/search/readings", "search_readings", "Readings by time, place, device and name",
          UserRole.VIEWER, readings, returns=schema.Page[FoundReadingOut], query=(*_READINGS, *_PAGE)),
    Route("GET", "/api/v1/search/incidents.csv", "incidents_csv", "The newest 10,000 of them as CSV",
          UserRole.MANAGER, incidents_table, media="text/csv", query=_INCIDENTS),
    Route("GET", "/api/v1/search/readings.csv", "readings_csv", "The newest 10,000 of them as CSV",
          UserRole.MANAGER, readings_table, media="text/csv", query=_READINGS),
)  # fmt: skip
