"""Upkeep of the devices (设备巡检): how each is and how often it was wrong, and the tickets for repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from hub.journal import tickets as kept
from hub.journal.report import Judged, noise
from hub.journal.tickets import Ticket
from hub.journal.tour import cutouts
from hub.model.ids import EntityId
from hub.model.incident import NOTE
from hub.model.reading import COMMANDED, Quality
from hub.model.roster import NAME_LENGTH
from hub.model.text import Text, clean
from hub.model.time import DAY, Instant
from hub.seeing.clocks import is_wrong
from hub.web import schema
from hub.web.audit import USER, is_audited
from hub.web.context import CONTEXT, Context
from hub.web.devices import all_devices
from hub.web.errors import Refusal
from hub.web.handlers import MOST, PAGE, answer, body, number
from hub.web.present import when
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

#: The days whose alarms count for the noise of a device.
NOISE_DAYS = 30

_Note = Annotated[str, msgspec.Meta(max_length=NOTE)]
_Name = Annotated[str, msgspec.Meta(max_length=NAME_LENGTH)]
_Device = Annotated[str, msgspec.Meta(max_length=160)]


class UpkeepOut(msgspec.Struct, frozen=True):
    """How one device is."""

    id: str
    """``<integration>/<name>``."""
    name: str
    integration: str
    device: str
    """Its name in hub.yaml; empty for one that announces itself."""
    state: str
    reason: str
    battery: float | None
    """Percent."""
    signal: float | None
    """dBm."""
    heard: str | None
    entities: int
    """What it senses."""
    untrusted: int
    """How many of those are stale or were never heard, and so cannot be relied on now."""
    unconfirmed: int
    """How many of the untrusted ones are not overdue: what they said only waits to be confirmed, as after a restart of
    the hub, or they have had nothing to say yet, though their device speaks. It goes with their next word."""
    unheard: int
    """How many of the untrusted ones said nothing at all since they were set up, and are not among ``unconfirmed``."""
    alarms: int
    """Incidents of the last 30 days that it decided or helped to decide."""
    judged: int
    false: int
    noise: float | None
    """Share of false alarms among the judged ones, 0 to 1; null where nobody has judged any."""
    tickets: int
    """Those to do."""
    clock_ahead: float | None
    """Seconds that its clock is ahead of the hub's (late: less than 0), to within half a second; null where it does not
    say."""
    clock_wrong: bool
    sight: Text | None
    """What is not right with what it sees, in words, for a camera that the hub looks through; else null."""


class TicketOut(msgspec.Struct, frozen=True):
    """One thing to repair; ``done_at`` is null until somebody says that it is."""

    id: str
    device: str
    incident: str | None
    opened_at: str | None
    opened_by: str
    note: str
    assigned: str
    done_at: str | None
    done_by: str
    pictures: list[str]
    """Cut-outs of before and after (``/api/v1/tour/pictures``), where a facade tour found it."""


class TicketIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Open a ticket for a device."""

    device: _Device
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=NOTE)]
    assigned: _Name = ""


class TicketChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What shall be otherwise; null leaves it as it is. ``done`` cannot be taken back."""

    device: _Device | None = None
    note: _Note | None = None
    assigned: _Name | None = None
    done: bool = False


async def upkeep(request: web.Request) -> web.Response:
    """List the devices, with their noise of the last 30 days and their tickets."""
    context, now = request.app[CONTEXT], request.app[CONTEXT].clock.now()
    devices = all_devices(context)
    owners = {entity.id: _key(device) for device in devices for entity in device.entities}
    begin, end = Instant(now - NOISE_DAYS * DAY), Instant(now + 1)
    judged = {one.name: one for one in await context.queries.ask(lambda db: noise(db, owners, begin, end))}  # type: ignore[arg-type]  # ids are strings
    to_do = await context.queries.ask(kept.to_do)
    waiting, mute = _unconfirmed(context, now), _mute(context)
    ahead = context.clocks.ahead
    manager = context.eyes.manager
    seen = {} if manager is None else manager.trouble
    return answer(
        schema.Page(
            [_upkeep(device, judged.get(_key(device)), to_do, waiting, mute, ahead, seen) for device in devices]
        )
    )


def _unconfirmed(context: Context, now: Instant) -> frozenset[str]:
    """Return the entities that are known but not confirmed, though they need not have spoken yet."""
    states = context.runtime.state.states
    found = set()
    for name, owned in context.registry.entities.items():
        state, overdue = states.get(name), owned.entity.expire_after
        if state is not None and state.quality is Quality.STALE and (overdue is None or now - state.at <= overdue):
            found.add(str(name))
    return frozenset(found)


def _mute(context: Context) -> frozenset[str]:
    """Return the entities that were never heard and need not have been: a self-test says nothing until it fails."""
    states, known = context.runtime.state.states, context.registry.entities
    found = (name for name, owned in known.items() if owned.entity.expire_after is None and name not in states)
    return frozenset(map(str, found))


async def tickets(request: web.Request) -> web.Response:
    """List tickets, newest first."""
    query = request.query
    state, device = query.get("state"), query.get("device")
    if state not in {None, "open", "done"}:
        raise Refusal(400, "bad_request", "state is `open` or `done`")
    limit = number(query.get("limit"), "limit", PAGE, MOST)
    before = number(query.get("cursor"), "cursor", 1 << 62, 1 << 62)
    done = None if state is None else state == "done"
    rows, cuts = await request.app[CONTEXT].queries.ask(
        lambda db: _with_cutouts(db, kept.tickets(db, done=done, device=device, limit=limit, before=before))
    )
    return answer(
        schema.Page([_ticket(row, cuts) for row in rows], next=str(rows[-1].id) if len(rows) == limit else None)
    )


_Cutouts = dict[int, tuple[int, int]]


def _with_cutouts(db: sqlite3.Connection, rows: list[Ticket]) -> tuple[list[Ticket], _Cutouts]:
    return rows, cutouts(db, [row.candidate for row in rows if row.candidate is not None])


async def open_ticket(request: web.Request) -> web.Response:
    """Open a ticket by hand."""
    context, user = request.app[CONTEXT], request[USER]
    wanted: TicketIn = await body(request, TicketIn)
    note = clean(wanted.note, NOTE)
    if not note:
        raise Refusal(422, "empty", "say what is wrong")
    _known(context, wanted.device)
    now, assigned = context.clock.now(), clean(wanted.assigned, NAME_LENGTH)
    made = await kept.open_ticket(context.journal, wanted.device, note, assigned, user.name, now)
    is_audited(request)
    return answer(_ticket(*await _find(context, str(made))), 201)


async def change_ticket(request: web.Request) -> web.Response:
    """Assign a ticket, write to it, or say that it is done."""
    context, user = request.app[CONTEXT], request[USER]
    found, _ = await _find(context, request.match_info["id"])
    wanted: TicketChange = await body(request, TicketChange)
    now, changed = context.clock.now(), found
    if wanted.device is not None:
        _known(context, wanted.device)
        changed = msgspec.structs.replace(changed, device=wanted.device)
    if wanted.note is not None:
        changed = msgspec.structs.replace(changed, note=clean(wanted.note, NOTE))
    if wanted.assigned is not None:
        changed = msgspec.structs.replace(changed, assigned=clean(wanted.assigned, NAME_LENGTH))
    if wanted.done:
        changed = msgspec.structs.replace(changed, done_at=now, done_by=user.name)
    if not await kept.change_ticket(context.journal, changed, user.name, now):
        raise Refusal(409, "ticket_done", "this ticket is done; open a new one")
    is_audited(request)
    return answer(_ticket(*await _find(context, str(found.id))))


async def _find(context: Context, name: str) -> tuple[Ticket, _Cutouts]:
    wanted = int(name) if name.isascii() and name.isdigit() and len(name) < 19 else 0
    rows, cuts = await context.queries.ask(
        lambda db: _with_cutouts(db, [row for row in (kept.ticket(db, wanted),) if row is not None])
    )
    if not rows:
        raise Refusal(404, "not_found", "no such ticket")
    return rows[0], cuts


def _known(context: Context, key: str) -> None:
    if all(_key(device) != key for device in all_devices(context)):
        raise Refusal(404, "not_found", "no such device")


def _key(device: schema.DeviceOut) -> str:
    return f"{device.integration}/{device.name}"


def _upkeep(
    device: schema.DeviceOut,
    judged: Judged | None,
    to_do: dict[str, int],
    waiting: frozenset[str],
    mute: frozenset[str],
    clocks: Mapping[EntityId, float],
    seen: Mapping[EntityId, Text],
) -> UpkeepOut:
    ahead = next((clocks[name] for entity in device.entities if (name := EntityId(entity.id)) in clocks), None)
    sensed = [entity for entity in device.entities if entity.capability not in COMMANDED]
    waits = {one.id for one in sensed if one.id in waiting or (one.id in mute and device.heard is not None)}
    known = 0 if judged is None else judged.valid + judged.false
    false = 0 if judged is None else judged.false
    return UpkeepOut(
        id=_key(device), name=device.name, integration=device.integration, device=device.device, state=device.state,
        reason=device.reason, battery=device.battery, signal=device.signal, heard=device.heard, entities=len(sensed),
        untrusted=sum(entity.quality is not Quality.GOOD for entity in sensed),
        unconfirmed=len(waits), unheard=sum(entity.value is None and entity.id not in waits for entity in sensed),
        alarms=0 if judged is None else judged.alarms, judged=known, false=false,
        noise=false / known if known else None, tickets=to_do.get(_key(device), 0),
        clock_ahead=ahead, clock_wrong=is_wrong(ahead),
        sight=next((seen[name] for entity in device.entities if (name := EntityId(entity.id)) in seen), None),
    )  # fmt: skip


def _ticket(row: Ticket, cuts: _Cutouts) -> TicketOut:
    pictures = [str(number) for number in cuts.get(row.candidate or 0, ())]
    incident = None if row.incident is None else str(row.incident)
    return TicketOut(str(row.id), row.device, incident, when(row.opened_at), row.opened_by, row.note, row.assigned,
                     when(row.done_at), row.done_by, pictures)  # fmt: skip


_TICKETS = (("state", "open or done"), ("device", "`<integration>/<name>`"), ("limit", "1 to 200"),
            ("cursor", "`next` of a page"))  # fmt: skip
UPKEEP: tuple[Route, ...] = (
    Route("GET", "/api/v1/upkeep", "upkeep", "How each device is, and how often it was wrong", UserRole.VIEWER, upkeep,
          returns=schema.Page[UpkeepOut]),
    Route("GET", "/api/v1/tickets", "tickets", "Maintenance tickets, newest first", UserRole.VIEWER, tickets,
          returns=schema.Page[TicketOut], query=_TICKETS),
    Route("POST", "/api/v1/tickets", "open_ticket", "Open a ticket for a device", UserRole.GUARD, open_ticket,
          returns=TicketOut, takes=TicketIn, status=201),
    Route("PUT", "/api/v1/tickets/{id}", "change_ticket", "Assign a ticket, write to it, or say that it is done",
          UserRole.GUARD, change_ticket, returns=TicketOut, takes=TicketChange),
)  # fmt: skip
