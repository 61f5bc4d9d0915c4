"""The on-call list and the hand-over of a shift."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from hub.journal.desk import hand_over, keep_roster, take_over
from hub.model.reading import COMMANDED, Quality
from hub.model.roster import BriefedDevice, BriefedIncident, BriefedMode, Briefing, Person
from hub.model.text import Text, clean
from hub.model.time import isoformat
from hub.web import present, schema, timeline
from hub.web.audit import USER, is_audited
from hub.web.context import CONTEXT, Context
from hub.web.desk_schema import (
    ContactOut,
    HandoverIn,
    HandoverOut,
    OnDutyOut,
    RosterIn,
    RosterOut,
    TakeoverIn,
)
from hub.web.errors import Refusal
from hub.web.handlers import answer, body
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    from hub.journal.queries import HandoverRow

#: Hand-overs on the page, and open incidents and devices listed in one.
KEPT, LISTED = 30, 100
#: Percent below which a battery is worth a word.
LOW = 20


async def roster(request: web.Request) -> web.Response:
    """Show the on-call list and who is on duty."""
    return answer(_roster(request.app[CONTEXT]))


async def change_roster(request: web.Request) -> web.Response:
    """Put a new on-call list in force."""
    context, user = request.app[CONTEXT], request[USER]
    wanted: RosterIn = await body(request, RosterIn)
    new = msgspec.structs.replace(wanted.roster, people=tuple(_person(one) for one in wanted.roster.people))
    contacts = context.folder().settings.site.contacts
    named = [shift.role for shift in new.shifts] + [one.contact for one in new.people if one.contact]
    if (unknown := new.unknown() or next((name for name in named if name not in contacts), None)) is not None:
        raise Refusal(422, "unknown", f"`{unknown}` is not known, or named twice")
    await asyncio.to_thread(context.duty.calendar, new)
    version = await keep_roster(context.journal, new, wanted.version, user.name, context.clock.now())
    if version is None:
        raise Refusal(409, "already", "somebody else has changed the list meanwhile; look at it again")
    is_audited(request)
    context.duty.change(new, version)
    return answer(_roster(context))


def _person(one: Person) -> Person:
    name = clean(one.name)
    if not name:
        raise Refusal(422, "empty", "a person needs a name")
    return msgspec.structs.replace(one, name=name, phone=clean(one.phone))


def _roster(context: Context) -> RosterOut:
    contacts = context.folder().settings.site.contacts
    orders: dict[str, int] = {}
    found = []
    for one in context.duty.on(context.clock.now()):
        orders[one.role] = orders.get(one.role, 0) + 1
        contact = contacts.get(one.role)
        found.append(
            OnDutyOut(
                role=one.role,
                role_name=Text(one.role) if contact is None else contact.name,
                order=orders[one.role],
                name=one.person.name,
                phone=one.person.phone,
                stands_in_for=None if one.stands_in_for is None else one.stands_in_for.name,
            )
        )
    named = [ContactOut(contact.id, contact.name) for contact in contacts.values()]
    return RosterOut(context.duty.version, context.duty.roster, found, named)


async def handovers(request: web.Request) -> web.Response:
    """List the last shifts handed over."""
    rows = await request.app[CONTEXT].queries.handovers(KEPT)
    return answer(schema.Page([_handover(row) for row in rows]))


async def briefing(request: web.Request) -> web.Response:
    """Show what a hand-over would say now."""
    return answer(await _briefing(request.app[CONTEXT]))


async def give(request: web.Request) -> web.Response:
    """Hand the shift over, with what is open, switched and silent at this moment."""
    context, user = request.app[CONTEXT], request[USER]
    wanted: HandoverIn = await body(request, HandoverIn)
    found, at = await _briefing(context), context.clock.now()
    giver, note = _name(wanted.giver), clean(wanted.note, len(wanted.note))
    number = await hand_over(context.journal, found, giver, note, user.name, at)
    is_audited(request)
    return answer(HandoverOut(str(number), isoformat(at), giver, note, found, None, ""), 201)


async def take(request: web.Request) -> web.Response:
    """Take a shift over by name."""
    context, user, name = request.app[CONTEXT], request[USER], request.match_info["id"]
    wanted: TakeoverIn = await body(request, TakeoverIn)
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 19 else 0
    if not await take_over(context.journal, number, _name(wanted.taker), user.name, context.clock.now()):
        raise Refusal(409, "already", "it is taken over already, or was never handed over")
    is_audited(request)
    return web.Response(status=204)


def _name(text: str) -> str:
    name = clean(text)
    if not name:
        raise Refusal(422, "empty", "a name is missing")
    return name


def _handover(row: HandoverRow) -> HandoverOut:
    return HandoverOut(
        str(row.id), isoformat(row.at), row.giver, row.note, row.briefing, present.when(row.taken_at), row.taker
    )


async def _briefing(context: Context) -> Briefing:
    """Return what the next shift must know: what is open, which modes are on, which devices cannot be relied on."""
    rows = await context.queries.incidents(is_open=True, limit=1_000, before=None)
    modes = [present.mode_out(context, mode) for mode in context.runtime.state.modes]
    told = [timeline.incident(context, row, (), ()) for row in rows[:LISTED]]
    return Briefing(
        incidents=tuple(
            BriefedIncident(one.id, one.zone_name, one.rule_name, one.severity, one.state, one.opened_at, one.handler)
            for one in told
        ),
        modes=tuple(BriefedMode(mode.mode, mode.until, mode.by) for mode in modes),
        devices=tuple(_doubtful(context)[:LISTED]),
        more_incidents=max(0, len(rows) - LISTED),
    )


def _doubtful(context: Context) -> list[BriefedDevice]:
    """Return devices that do not run, sensed test points that are silent, and batteries that are nearly empty."""
    found = [
        BriefedDevice(Text(session.name), session.state)
        for session in context.sessions.devices
        if session.state != "running"
    ]
    for zone in context.folder().settings.site.zones.values():
        shown = present.zone(context, zone)
        found += [
            BriefedDevice(entity.name, str(entity.quality), zone.name)
            for entity in shown.entities
            if entity.capability not in COMMANDED and entity.quality is not Quality.GOOD
        ]
    for owned in {(one.integration, one.entity.device): one for one in context.registry.entities.values()}.values():
        vitals = context.registry.vitals(owned.integration, owned.entity.device)
        if vitals is not None and vitals.battery is not None and vitals.battery < LOW:
            found.append(BriefedDevice(Text(owned.entity.device), "battery"))
    return found


DUTY: tuple[Route, ...] = (
    Route("GET", "/api/v1/roster", "roster", "The on-call list and who is on duty", UserRole.VIEWER, roster,
          returns=RosterOut),
    Route("PUT", "/api/v1/roster", "change_roster", "Change the on-call list", UserRole.MANAGER, change_roster,
          returns=RosterOut, takes=RosterIn),
    Route("GET", "/api/v1/handovers", "handovers", "The last shifts handed over, newest first", UserRole.VIEWER,
          handovers, returns=schema.Page[HandoverOut]),
    Route("GET", "/api/v1/briefing", "briefing", "What a hand-over would say now", UserRole.VIEWER, briefing,
          returns=Briefing),
    Route("POST", "/api/v1/handovers", "give", "Hand the shift over", UserRole.GUARD, give, returns=HandoverOut,
          takes=HandoverIn, status=201),
    Route("PUT", "/api/v1/handovers/{id}/taken", "take", "Take a shift over", UserRole.GUARD, take, takes=TakeoverIn,
          status=204),
)  # fmt: skip
