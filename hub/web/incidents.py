"""The life of an incident in people's hands: known, in progress, closed as false alarm, resolved or for repair."""

from __future__ import annotations

from aiohttp import web

from hub.journal.desk import handle
from hub.model.incident import Handling, IncidentState
from hub.model.text import clean
from hub.web import schema
from hub.web.audit import USER, is_audited
from hub.web.context import CONTEXT
from hub.web.errors import Refusal
from hub.web.handlers import answer, body, find_incident, whole
from hub.web.routing import Route, UserRole


async def take_step(request: web.Request) -> web.Response:
    """Take a step with an incident, unless it no longer stands where the person saw it."""
    context, user, number = request.app[CONTEXT], request[USER], request.match_info["id"]
    row = await find_incident(context, number)
    wanted: schema.HandlingIn = await body(request, schema.HandlingIn)
    handling = Handling(
        activation=row.activation,
        state=IncidentState(wanted.state),
        at=context.clock.now(),
        by=user.name,
        verdict=wanted.verdict,
        note=clean(wanted.note, len(wanted.note)),
    )
    if not handling.complete:
        raise Refusal(
            422, "incomplete", "closing needs a verdict, a false alarm its reason, and no other step a verdict"
        )
    taken = await handle(context.journal, handling, wanted.seen)
    now = await find_incident(context, number)
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
)  # fmt: skip
