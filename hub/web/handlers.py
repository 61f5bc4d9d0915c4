"""What each route of the API does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from aiohttp import web

from hub.model.entry import ModeChange
from hub.model.ids import ZoneId
from hub.model.site import Mode
from hub.model.time import MINUTE, Instant
from hub.sdk import Push
from hub.web import present, schema, timeline
from hub.web.audit import USER, audit
from hub.web.context import CONTEXT
from hub.web.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from hub.journal.queries import IncidentRow
    from hub.web.context import Context

#: Items on a page of a list, and readings of one history.
PAGE, MOST, HISTORY = 50, 200, 1_000
#: Longest a mode can be switched on for, in minutes: a week.
MODE_MINUTES = 10_080
#: How often long work looks whether anybody still waits for it, in seconds.
_LOOK = 0.5
T = TypeVar("T")


def answer(value: Any, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(body=msgspec.json.encode(value), content_type="application/json", status=status)


async def body(request: web.Request, kind: type[Any]) -> Any:
    """Read the JSON of a request. Raises Refusal."""
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # a key that is no UTF-8 is the second
        raise Refusal(400, "bad_request", str(error)) from None


async def upload(request: web.Request, most: int) -> bytes:
    """Read a body that is a file: larger than other requests may be, and still at most ``most`` bytes, or Refusal."""
    data = bytearray()
    async for part in request.content.iter_any():
        data += part
        if len(data) > most:
            raise Refusal(413, "too_large", f"a file has at most {most} bytes here")
    return bytes(data)


async def site(request: web.Request) -> web.Response:
    """Describe the community."""
    return answer(present.site(request.app[CONTEXT]))


async def set_mode(request: web.Request) -> web.Response:
    """Switch a mode; it is journalled with who did it."""
    context, user = request.app[CONTEXT], request[USER]
    try:
        mode = Mode(request.match_info["mode"])
    except ValueError:
        raise Refusal(404, "not_found", "no such mode") from None
    wanted = await body(request, schema.ModeIn)
    if wanted.minutes is not None and not 1 <= wanted.minutes <= MODE_MINUTES:
        raise Refusal(400, "bad_request", f"minutes must lie between 1 and {MODE_MINUTES}")
    now = context.clock.now()
    until = None if wanted.minutes is None else Instant(now + wanted.minutes * MINUTE)
    change = ModeChange(mode=mode, on=wanted.on, at=now, until=until if wanted.on else None, by=user.name)
    await context.runtime.done(lambda batch: batch.feed(change))
    await audit(request, {"on": wanted.on, "minutes": wanted.minutes}, target=mode)
    return answer(present.mode_out(context, mode))


async def zones(request: web.Request) -> web.Response:
    """List the zones with their present state; those named only, if any are. Names of no zone are passed over."""
    context = request.app[CONTEXT]
    known, named = context.folder().settings.site.zones, request.query.getall("id", [])
    places = known.values() if not named else [known[ZoneId(name)] for name in dict.fromkeys(named) if name in known]
    return answer(schema.Page([present.zone(context, place) for place in places]))


async def zone(request: web.Request) -> web.Response:
    """Show one zone."""
    context = request.app[CONTEXT]
    place = context.folder().settings.site.zones.get(ZoneId(request.match_info["id"]))
    if place is None:
        raise Refusal(404, "not_found", "no such zone")
    return answer(present.zone(context, place))


async def entities(request: web.Request) -> web.Response:
    """List entities with their state."""
    context = request.app[CONTEXT]
    return answer(schema.Page([present.entity(context, owned) for owned in context.registry.entities.values()]))


async def activations(request: web.Request) -> web.Response:
    """List the newest activations."""
    context = request.app[CONTEXT]
    rows = await context.queries.activations()
    return answer(schema.Page([present.activation(context, row) for row in rows]))


async def incidents(request: web.Request) -> web.Response:
    """List incidents, newest first."""
    context, query = request.app[CONTEXT], request.query
    state = query.get("state")
    if state not in {None, "open", "closed"}:
        raise Refusal(400, "bad_request", "state is `open` or `closed`")
    limit = number(query.get("limit"), "limit", PAGE, MOST)
    before = number(query.get("cursor"), "cursor", 0, 1 << 62) or None
    is_open = None if state is None else state == "open"
    rows = await context.queries.incidents(is_open=is_open, limit=limit, before=before)
    if query.get("brief"):  # a desk with hundreds open: their timelines would be a megabyte, told on the loop
        files = await context.queries.evidence_of([row.activation for row in rows])
        items = [timeline.incident(context, row, (), files.get(row.activation, ())) for row in rows]
    else:
        items = [await whole(context, row) for row in rows]
    return answer(schema.Page(items, next=str(rows[-1].id) if len(rows) == limit else None))


async def incident(request: web.Request) -> web.Response:
    """Show one incident."""
    context, name = request.app[CONTEXT], request.match_info["id"]
    row = await find_incident(context, name)
    return answer(await whole(context, row))


async def while_asked(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` as long as somebody waits for the answer. Raises Refusal, which nobody hears, and what it raises."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait((task,), timeout=_LOOK)
            if not task.done() and request.transport is None:
                raise Refusal(408, "gone", "nobody waits for the answer any more")
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))
    return task.result()


async def find_incident(context: Context, name: str) -> IncidentRow:
    """Return an incident by what a path calls it. Raises Refusal."""
    row = await context.queries.incident(int(name)) if name.isascii() and name.isdigit() and len(name) < 19 else None
    if row is None:
        raise Refusal(404, "not_found", "no such incident")
    return row


async def evidence_list(request: web.Request) -> web.Response:
    """List the newest evidence."""
    context = request.app[CONTEXT]
    records = await context.queries.evidence(None)
    incidents_of = {record.activation: await context.queries.incident_of(record.activation) for record in records}
    return answer(schema.Page([present.evidence(record, incidents_of[record.activation]) for record in records]))


async def evidence(request: web.Request) -> web.StreamResponse:
    """Send one file; that it was seen is recorded."""
    context = request.app[CONTEXT]
    record = await context.queries.evidence_file(request.match_info["id"])
    if record is None:
        raise Refusal(404, "not_found", "no such evidence")
    await audit(request, target=record.id)
    headers = {"Content-Type": record.media_type, "Content-Disposition": "inline", "Cache-Control": "private"}
    # the path stands in the journal as the hub wrote it; nothing of the request is in it
    return web.FileResponse(context.data / record.path, headers=headers)


async def integrations(request: web.Request) -> web.Response:
    """List integrations and how they are."""
    context = request.app[CONTEXT]
    return answer(schema.Page([_integration(context, domain) for domain in sorted(context.manifests())]))


async def history(request: web.Request) -> web.Response:
    """List the newest readings of an entity, oldest first."""
    name = request.query.get("entity")
    if not name:
        raise Refusal(400, "bad_request", "`entity` is missing")
    rows = await request.app[CONTEXT].queries.history(name, HISTORY)
    points = [schema.HistoryPoint(present.when(row.at) or "", row.value, row.quality, row.retained) for row in rows]
    return answer(schema.Page(points))


async def live(request: web.Request) -> web.StreamResponse:
    """Tell a page what changes."""
    context = request.app[CONTEXT]
    return await context.live.serve(request, lambda: context.doorkeeper.watcher(request), request[USER])


async def pushed(request: web.Request) -> web.StreamResponse:
    """Give what a device pushed to its integration."""
    push = Push(
        method="GET" if request.method == "GET" else "POST",
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
    )
    where = request.match_info["domain"], request.match_info["device"]
    found = await request.app[CONTEXT].hooks.pushed(*where, push)
    return web.Response(status=found.status, body=found.body, content_type=found.media_type)


async def healthz(_request: web.Request) -> web.Response:
    """Answer while the process is up."""
    return answer({"up": True})


async def readyz(request: web.Request) -> web.Response:
    """Answer 200 when rules are loaded and the journal is writable, else 503."""
    ready = present.is_ready(request.app[CONTEXT])
    return answer({"ready": ready}, 200 if ready else 503)


async def metrics(request: web.Request) -> web.Response:
    """Give Prometheus its figures."""
    context = request.app[CONTEXT]
    context.metrics.ready.set(present.is_ready(context))
    return web.Response(body=context.metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})


async def whole(context: Context, row: IncidentRow) -> schema.IncidentOut:
    """Present an incident with its timeline and files."""
    events = await context.queries.events(row.activation)
    files = await context.queries.evidence(row.activation)
    return timeline.incident(context, row, events, files)


def _integration(context: Context, domain: str) -> schema.IntegrationOut:
    manifest = context.manifests()[domain]
    states = [device for device in context.sessions.devices if device.domain == domain]
    worst = next((device for device in states if device.state != "running"), None)
    return schema.IntegrationOut(
        domain=domain,
        name=manifest.name,
        version=manifest.version,
        state="running" if worst is None else worst.state,
        reason="" if worst is None else f"{worst.name}: {worst.reason}",
        entities=sum(owned.integration == domain for owned in context.registry.entities.values()),
        refused=context.intake.counts[domain, "refused"],
    )


def number(text: str | None, name: str, default: int, most: int) -> int:
    """Read a number of a query, 1 to ``most``. Raises Refusal."""
    if text is None:
        return default
    if len(text) > 19 or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise Refusal(400, "bad_request", f"{name} must be a whole number from 1 to {most}")
    return int(text)
