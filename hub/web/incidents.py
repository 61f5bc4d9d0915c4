"""The life of an incident in people's hands: known, in progress, closed as false alarm, resolved or for repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from hub.journal.desk import handle
from hub.model.ids import ZoneId
from hub.model.incident import Handling, IncidentState, Verdict
from hub.model.site import ZoneKind
from hub.model.text import clean
from hub.web import schema
from hub.web.audit import USER, is_audited
from hub.web.context import CONTEXT
from hub.web.errors import Refusal
from hub.web.handlers import answer, body, find_incident, whole
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    from hub.journal.queries import IncidentRow


async def take_step(request: web.Request) -> web.Response:
    """Take a step with an incident, unless it no longer stands where the person saw it."""
    row = await find_incident(request.app[CONTEXT], request.match_info["id"])
    wanted: schema.HandlingIn = await body(request, schema.HandlingIn)
    return await _step(request, row, IncidentState(wanted.state), wanted.seen, wanted.verdict, wanted.note)


async def review(request: web.Request) -> web.Response:
    """Say whether something fell: rules that begin with a person's word begin, and the incident is closed by its name.

    Where no rule waits for the word, a confirmed incident stays with who confirmed it, in progress.
    """
    context = request.app[CONTEXT]
    row = await find_incident(context, request.match_info["id"])
    wanted: schema.ReviewIn = await body(request, schema.ReviewIn)
    zone = context.folder().settings.site.zones.get(ZoneId(row.zone))
    if zone is None or zone.kind is not ZoneKind.FACADE:
        raise Refusal(409, "not_reviewed", "only what fell from a facade is reviewed")
    if not wanted.fell:
        return await _step(request, row, IncidentState.CLOSED, wanted.seen, Verdict.FALSE_ALARM, wanted.note)
    if not context.reviews.awaited(zone):
        return await _step(request, row, IncidentState.IN_PROGRESS, wanted.seen, None, wanted.note)
    taken = await _step(request, row, IncidentState.CLOSED, wanted.seen, Verdict.RESOLVED, wanted.note)
    context.reviews.confirm(zone)
    return taken


async def _step(
    request: web.Request,
    row: IncidentRow,
    state: IncidentState,
    seen: IncidentState,
    verdict: Verdict | None,
    note: str,
) -> web.Response:
    context, user = request.app[CONTEXT], request[USER]
    handling = Handling(
        activation=row.activation,
        state=state,
        at=context.clock.now(),
        by=user.name,
        verdict=verdict,
        note=clean(note, len(note)),
    )
    if not handling.complete:
        raise Refusal(
            422, "incomplete", "closing needs a verdict, a false alarm its reason, and no other step a verdict"
        )
    taken = await handle(context.journal, handling, seen)
    now = await find_incident(context, str(row.id))
    if not taken:
        by = f" by {now.handler}" if now.handler else ""
        raise Refusal(409, "already", f"the incident is {now.state} already{by}; look at it again")
    is_audited(request)
    if handling.state is IncidentState.CLOSED:
        context.outbox.leave((row.activation,))
    context.live.incidents_changed()
    return answer(await whole(context, now))


INCIDENTS: tuple[Route, ...] = (
    Route("PUT", "/api/v1/incidents/{id}/state", "handle", "Acknowledge, take up or close an incident", UserRole.GUARD,
          take_step, returns=schema.IncidentOut, takes=schema.HandlingIn),
    Route("PUT", "/api/v1/incidents/{id}/review", "review", "Say whether something fell from a facade", UserRole.GUARD,
          review, returns=schema.IncidentOut, takes=schema.ReviewIn),
)  # fmt: skip
