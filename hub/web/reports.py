"""Reports of a day, week or month: as figures for the page, as PDF to print, as XLSX to work on."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from hub.journal.report import Scope
from hub.model.errors import JournalError
from hub.model.ids import EntityId
from hub.model.period import Period, Span, period_of, read_period
from hub.model.reading import COMMANDED
from hub.model.site import Role, ZoneKind
from hub.model.text import Text
from hub.web.audit import audit
from hub.web.context import CONTEXT
from hub.web.drawing import Form, Sheets, drawn
from hub.web.errors import Refusal
from hub.web.handlers import answer, while_asked
from hub.web.present import entity_name, when
from hub.web.report_tables import Naming, Table, tables
from hub.web.rounds import rounds_of
from hub.web.routing import Route, UserRole
from hub.web.schema import Problem
from hub.web.tally import Count, tally
from hub.web.words import moment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hub.model.text import Language
    from hub.web.context import Context

PDF, _XLSX = "application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SPAN = {Span.DAY: Text("日报", "Daily report"), Span.WEEK: Text("周报", "Weekly report"),
         Span.MONTH: Text("月报", "Monthly report")}  # fmt: skip


class ReportOut(msgspec.Struct, frozen=True):
    """The figures of one period as tables."""

    period: Span
    at: str
    begin: str | None
    end: str | None
    made: str | None
    """When the figures were taken; what is later than that has not happened."""
    title: Text
    subtitle: Text
    tables: tuple[Table, ...]


class ReportLine(msgspec.Struct, frozen=True):
    """One line of a report that is being made: how far it is (0 to 1), and in the last one the report or a problem."""

    progress: float
    result: ReportOut | None = None
    problem: Problem | None = None


class Recent:
    """The reports that pages show at present: a file of one says the very same."""

    MOST = 8

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str | None], ReportOut] = OrderedDict()

    def keep(self, shown: ReportOut) -> ReportOut:
        """Remember a report, and forget the oldest."""
        self._kept[shown.at, shown.made] = shown
        while len(self._kept) > self.MOST:
            self._kept.popitem(last=False)
        return shown

    def shown(self, period: Period, made: str | None) -> ReportOut | None:
        """Return the report of ``period`` that was made at ``made``, if it is still there."""
        return self._kept.get((period.at, made))


RECENT: web.AppKey[Recent] = web.AppKey("recent", Recent)


async def report(request: web.Request) -> web.Response:
    """Give the figures."""
    return answer(await _report(request))


async def report_lines(request: web.Request) -> web.StreamResponse:
    """Give the figures, and before them how far they are; who goes away ends the work."""
    period = _wanted(request)
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})

    async def line(progress: float, **more: ReportOut | Problem) -> None:
        await response.write(msgspec.json.encode(ReportLine(progress, **more)) + b"\n")  # type: ignore[arg-type]

    with contextlib.suppress(ConnectionResetError):  # the page went away: nobody waits for the rest
        await response.prepare(request)
        await line(0.0)
        try:
            found = await made(request.app[CONTEXT], period, line)
            await line(1.0, result=request.app[RECENT].keep(found))
        except JournalError as error:
            await line(0.0, problem=Problem("history", str(error)))
        await response.write_eof()
    return response


async def report_pdf(request: web.Request) -> web.Response:
    """Give the report to print."""
    return await _file(request, "pdf", PDF)


async def report_xlsx(request: web.Request) -> web.Response:
    """Give the report as a workbook."""
    return await _file(request, "xlsx", _XLSX)


async def _file(request: web.Request, form: Form, media: str) -> web.Response:
    language: Language = "en" if request.query.get("language") == "en" else "zh"
    found = request.app[RECENT].shown(_wanted(request), request.query.get("made")) or await _report(request)
    content = await while_asked(request, draw(request.app[CONTEXT], found, form, language))
    await audit(request, {"format": form}, target=found.at)
    name = f"menshen-{found.at}.{form}"  # the period was read and is written in ASCII
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return web.Response(body=content, content_type=media, headers=headers)


async def draw(context: Context, found: ReportOut, form: Form, language: Language) -> bytes:
    """Make the file of a report apart from the hub, one at a time. Raises Refusal, JournalError."""
    async with context.counting:
        return await drawn(Sheets(form, found.title, found.subtitle, found.tables, language))


async def _report(request: web.Request) -> ReportOut:
    return request.app[RECENT].keep(await made(request.app[CONTEXT], _wanted(request)))


async def made(context: Context, period: Period, note: Callable[[float], Awaitable[None]] | None = None) -> ReportOut:
    """Make the report of a period, as far as it has passed; ``note`` hears of the part that is done, 0 to 1.

    Raises JournalError.
    """
    now, site = context.clock.now(), context.folder().settings.site
    begin, end = period.bounds(ZoneInfo(site.timezone))
    async with context.counting:
        found = await tally(Count(context.data, _scope(context, period), begin, end, now), note)
    title = Text(f"{site.name.zh} {_SPAN[period.span].zh} {period.at}",
                 f"{site.name.in_language('en')}: {_SPAN[period.span].en} {period.at}")  # fmt: skip
    at = moment(now, site.timezone)
    first, last = moment(begin, site.timezone)[:16], moment(end, site.timezone)[:16]
    subtitle = Text(f"{first} 至 {last}，生成于 {at}", f"{first} to {last}, made at {at}")
    return ReportOut(period.span, period.at, when(begin), when(end), when(now), title, subtitle,
                     tables(found, _naming(context), now, _facades(context)))  # fmt: skip


def _facades(context: Context) -> frozenset[str]:
    zones = context.folder().settings.site.zones.values()
    return frozenset(zone.id for zone in zones if zone.kind is ZoneKind.FACADE)


def _wanted(request: web.Request) -> Period:
    """Return the period that is asked for; the present month if none. Raises Refusal."""
    zone = ZoneInfo(request.app[CONTEXT].folder().settings.site.timezone)
    try:
        span = Span(request.query.get("period", Span.MONTH))
    except ValueError:
        raise Refusal(400, "bad_request", "period is `day`, `week` or `month`") from None
    at = request.query.get("at")
    if at is None:
        return period_of(span, request.app[CONTEXT].clock.now(), zone)
    try:
        return read_period(span, at)
    except ValueError:
        raise Refusal(
            400, "bad_request", "at is a date as 2026-11-21, a week as 2026-W47 or a month as 2026-11"
        ) from None


def _scope(context: Context, period: Period) -> Scope:
    """Say which entities tell of lanes, bays, doors, devices and rounds."""
    folder = context.folder()
    zones = folder.settings.site.zones
    lanes = [zone for zone in zones.values() if zone.kind is ZoneKind.FIRE_LANE]
    devices: dict[str, set[EntityId]] = {}
    for owned in context.registry.entities.values():
        if owned.entity.capability not in COMMANDED:
            name = owned.entity.device or owned.session or owned.entity.name.zh
            devices.setdefault(name, set()).add(owned.entity.id)
    return Scope(
        lanes={zone.id: frozenset(zone.bound(Role.VEHICLE)) for zone in lanes},
        bays={name: frozenset({name}) for zone in lanes for name in zone.bound(Role.VEHICLE)},
        doors={zone.id: frozenset(zone.bound(Role.DOOR)) for zone in zones.values() if zone.bound(Role.DOOR)},
        devices={name: frozenset(entities) for name, entities in devices.items()},
        lifts=frozenset(zone.id for zone in zones.values() if zone.kind is ZoneKind.LIFT_CAR),
        points={zone.id: frozenset(zone.bound(Role.CHECKPOINT)) for zone in zones.values()
                if zone.bound(Role.CHECKPOINT)},
        rounds=rounds_of(folder.rules, folder.settings.site, period),
    )  # fmt: skip


def _naming(context: Context) -> Naming:
    """Name rules, zones and entities; what is gone keeps its id."""
    folder = context.folder()
    contacts = folder.settings.site.contacts
    rules = {str(rule.id): rule.name for rule in folder.rules}
    zones = {str(zone.id): zone.name for zone in folder.settings.site.zones.values()}
    return Naming(
        rule=lambda name: rules.get(name, Text(name, name)),
        zone=lambda name: zones.get(name, Text(name, name)),
        entity=lambda name: entity_name(context, EntityId(name)),
        contact=lambda name: contacts[name].name if name in contacts else Text(name, name),
        batteries=frozenset(
            owned.entity.device
            for owned in context.registry.entities.values()
            if (vitals := context.registry.vitals(owned.integration, owned.entity.device)) is not None
            and vitals.battery is not None
        ),
    )


_QUERY = (("period", "day, week or month (the default)"), ("at", "2026-11-21, 2026-W47 or 2026-11; now if left out"))
_FILE = (
    *_QUERY, ("language", "zh (the default) or en"),
    ("made", "`made` of the report that a page shows: the file says the same; figures of now if left out or forgotten"),
)  # fmt: skip
REPORTS: tuple[Route, ...] = (
    Route("GET", "/api/v1/reports", "report", "The figures of a day, week or month", UserRole.MANAGER, report,
          returns=ReportOut, query=_QUERY),
    Route("GET", "/api/v1/reports/lines", "report_lines", "The same with its progress; one JSON object a line",
          UserRole.MANAGER, report_lines, returns=ReportLine, query=_QUERY, media="application/x-ndjson"),
    Route("GET", "/api/v1/reports/pdf", "report_pdf", "The same to print", UserRole.MANAGER, report_pdf, media=PDF,
          query=_FILE),
    Route("GET", "/api/v1/reports/xlsx", "report_xlsx", "The same as a workbook", UserRole.MANAGER, report_xlsx,
          media=_XLSX, query=_FILE),
)  # fmt: skip
