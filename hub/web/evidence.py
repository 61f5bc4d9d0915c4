"""Evidence that stands, for the page: the package of an incident, who viewed it, holds, and the head of the chain."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from hub.journal.dossier import note_export, viewed
from hub.journal.retention import hold, holding, release
from hub.journal.signing import fingerprint, sign
from hub.journal.verify import Report, grouped, latest, verify_folder
from hub.model.errors import JournalError
from hub.model.ids import ZoneId
from hub.model.text import clean
from hub.web.audit import USER, audit, is_audited
from hub.web.context import CONTEXT, Context
from hub.web.errors import Refusal
from hub.web.handlers import answer, body, find_incident, while_asked
from hub.web.package import place_of
from hub.web.packing import packed
from hub.web.present import when
from hub.web.proofs import qr
from hub.web.routing import Route, UserRole
from hub.web.schema import Page


class ViewOut(msgspec.Struct, frozen=True):
    """One view, export, step or hold of an incident."""

    at: str | None
    actor: str
    action: str
    target: str
    """Number of the incident or id of the picture."""


class HoldIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keep everything of an incident, or no longer."""

    on: bool
    why: str = ""


class KeptOut(msgspec.Struct, frozen=True):
    """Whether everything of an incident is kept whatever its time, since when, by whom and why."""

    on: bool
    at: str | None = None
    by: str = ""
    why: str = ""


class LastVerifiedOut(msgspec.Struct, frozen=True):
    """The last verification that somebody asked for on the page."""

    at: str | None
    by: str
    holds: bool


class ChainOut(msgspec.Struct, frozen=True):
    """The head of the chain, to be kept elsewhere."""

    link: int
    at: str | None
    head: str
    """In groups of four digits."""
    qr: str
    """The head as a QR code, the address of an SVG picture (``data:``)."""
    verified: LastVerifiedOut | None
    """Null: nobody asked yet."""
    key: str | None
    """Fingerprint of the site's key; null without the extra ``evidence``."""
    tsa: bool
    """Whether an authority of time stamps is configured."""
    stamped: int
    waiting: int
    """Heads of days that are stamped, and that wait for it."""


class VerifiedOut(msgspec.Struct, frozen=True):
    """What came of a verification now."""

    holds: bool
    rows: int
    files: int
    strays: int
    breaks: list[str]


async def export(request: web.Request) -> web.Response:
    """Give the package of an incident; that it was exported is in it."""
    context, user = request.app[CONTEXT], request[USER]
    row = await find_incident(context, request.match_info["id"])
    settings, now = context.folder().settings, context.clock.now()
    await asyncio.to_thread(place_of, context.data, settings, row.id)
    address = request.remote or ""
    await context.journal.execute(lambda db: note_export(db, now, user.name, row.id, address))
    is_audited(request)
    try:
        made = await while_asked(request, packed(context.data, settings, row.id, user.name, now))
    except JournalError as error:
        raise Refusal(409, "no_package", str(error)) from error
    headers = {"Content-Disposition": f'attachment; filename="menshen-{row.id}.zip"', "Cache-Control": "no-store"}
    return web.Response(body=made, content_type="application/zip", headers=headers)  # sent in parts, then closed


async def views(request: web.Request) -> web.Response:
    """List who viewed, exported and handled an incident, or looked through its cameras meanwhile, newest first."""
    context = request.app[CONTEXT]
    row = await find_incident(context, request.match_info["id"])
    names = [record.id for record in await context.queries.evidence(row.activation)]
    zone = context.folder().settings.site.zones.get(ZoneId(row.zone))
    bound = () if zone is None else [entity for entities in zone.bind.values() for entity in entities]
    where, values = viewed([str(row.id), *names], [row.zone, *bound], row.opened_at, row.closed_at)
    sql = f"SELECT at, actor, action, target FROM audit WHERE {where} ORDER BY seq DESC LIMIT 200"  # noqa: S608 - fixed
    found = await context.queries.ask(lambda db: db.execute(sql, values).fetchall())
    return answer(Page([ViewOut(when(at), actor, action, target) for at, actor, action, target in found]))


async def put_hold(request: web.Request) -> web.Response:
    """Keep everything of an incident, whatever its time; or no longer."""
    context = request.app[CONTEXT]
    row = await find_incident(context, request.match_info["id"])
    wanted: HoldIn = await body(request, HoldIn)
    now, by, why = context.clock.now(), request[USER].name, clean(wanted.why, 200)
    if wanted.on:
        await context.journal.execute(lambda db: hold(db, row.activation, now, by, why))
    else:
        await context.journal.execute(lambda db: release(db, row.activation))
    await audit(request, {"on": wanted.on, "why": why}, target=str(row.id))
    return web.Response(status=204)


async def kept(request: web.Request) -> web.Response:
    """Tell whether everything of an incident is kept."""
    context = request.app[CONTEXT]
    row = await find_incident(context, request.match_info["id"])
    found = await context.queries.ask(lambda db: holding(db, row.activation))
    return answer(KeptOut(False) if found is None else KeptOut(True, when(found[0]), found[1], found[2]))


async def chain(request: web.Request) -> web.Response:
    """Give the head of the chain."""
    context = request.app[CONTEXT]
    found = await context.queries.ask(latest)
    if found is None:
        raise Refusal(409, "no_chain", "the journal has no link yet")
    number, link, digest = found
    counts = await context.queries.ask(lambda db: db.execute("SELECT count(token), count(*) FROM stamps").fetchone())
    try:
        key = grouped(fingerprint((await asyncio.to_thread(sign, context.data, b"")).public))
    except JournalError:
        key = None  # without the extra there are heads and no packages
    tsa = context.folder().settings.evidence.tsa is not None
    stamped, all_days = counts
    return answer(
        ChainOut(number, when(link.at), grouped(digest), qr(digest.upper()), await _last(context), key, tsa, stamped,
                 all_days - stamped)
    )  # fmt: skip


async def _last(context: Context) -> LastVerifiedOut | None:
    sql = (
        "SELECT at, actor, body FROM audit WHERE action = 'verify_chain' AND outcome = 'done' ORDER BY seq DESC LIMIT 1"
    )
    found = await context.queries.ask(lambda db: db.execute(sql).fetchone())
    if found is None:
        return None
    at, by, said = found
    return LastVerifiedOut(when(at), by, bool(msgspec.json.decode(said, type=dict[str, bool]).get("holds")))


async def verify(request: web.Request) -> web.Response:
    """Verify the journal and all evidence files now."""
    report: Report = await asyncio.to_thread(verify_folder, request.app[CONTEXT].data)
    await audit(request, {"holds": report.holds})
    broken = [f"{found.where}: {found.what}" for found in report.breaks[:50]]
    return answer(VerifiedOut(report.holds, sum(report.rows.values()), report.files, len(report.strays), broken))


EVIDENCE: tuple[Route, ...] = (
    Route("POST", "/api/v1/incidents/{id}/export", "export", "The signed package of an incident, for the police",
          UserRole.MANAGER, export, media="application/zip"),
    Route("GET", "/api/v1/incidents/{id}/views", "views", "Who viewed, exported and handled an incident",
          UserRole.GUARD, views, returns=Page[ViewOut]),
    Route("PUT", "/api/v1/incidents/{id}/hold", "hold", "Keep everything of an incident, or no longer",
          UserRole.MANAGER, put_hold, takes=HoldIn, status=204),
    Route("GET", "/api/v1/incidents/{id}/hold", "kept", "Whether everything of an incident is kept",
          UserRole.GUARD, kept, returns=KeptOut),
    Route("GET", "/api/v1/chain", "chain", "The head of the hash chain", UserRole.MANAGER, chain, returns=ChainOut),
    Route("POST", "/api/v1/chain/verification", "verify_chain", "Verify the journal and all evidence files now",
          UserRole.MANAGER, verify, returns=VerifiedOut),
)  # fmt: skip
