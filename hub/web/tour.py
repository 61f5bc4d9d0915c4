"""Facade tours (外墙巡查): the stops with what was seen last, what differs for a person to tick, the typhoon check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from aiohttp import web

from hub.config.tour import PRESET
from hub.journal import tour as kept
from hub.model.ids import EntityId, ZoneId
from hub.model.incident import NOTE
from hub.model.site import Mode
from hub.model.text import Text, clean
from hub.model.tour import Box, Candidate, Mark, Outcome
from hub.web.audit import USER, audit, is_audited
from hub.web.context import CONTEXT, Context
from hub.web.devices import edit
from hub.web.errors import Refusal
from hub.web.handlers import answer, body
from hub.web.onlookers import ONLOOKERS
from hub.web.present import entity_name, when
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    import sqlite3

    from hub.model.site import Stop, Zone
    from hub.model.tour import TourPicture

_StopId = Annotated[str, msgspec.Meta(min_length=1, max_length=240)]


class CandidateOut(msgspec.Struct, frozen=True):
    """Something that differs from the accepted picture; ``before`` and ``after`` are numbers of pictures."""

    id: str
    at: str | None
    seen_at: str | None
    box: Box
    """Left, top, right, bottom in parts of the accepted picture, 0 to 1."""
    before: str
    after: str


class StopOut(msgspec.Struct, frozen=True):
    """One stop: what came of the last look, and what waits for a person."""

    id: str
    zone: ZoneId
    zone_name: Text
    camera: EntityId
    camera_name: Text
    preset: str
    outcome: Outcome | None
    """null while nobody has looked yet."""
    reason: str
    looked_at: str | None
    found: int
    """Places that differed at the last look."""
    beyond: int
    """How many of them were too many to be kept."""
    picture: str | None
    """Number of the last picture; null where there is none, or it was erased."""
    pictured_at: str | None
    accepted: str | None
    """Number of the accepted picture."""
    accepted_at: str | None
    accepted_by: str
    candidates: list[CandidateOut]
    """Those that nobody has ticked yet."""
    ticked_at: str | None
    """In the last check before a typhoon."""
    ticked_by: str


class TourCheckOut(msgspec.Struct, frozen=True):
    """A check before a typhoon."""

    id: str
    begun_at: str | None
    begun_by: str


class TourOut(msgspec.Struct, frozen=True):
    """The facade tour of the site."""

    stops: list[StopOut]
    at: list[str]
    """Hours of the day at which it is made, on the site's clock."""
    begun_at: str | None
    begun_by: str
    ended_at: str | None
    """Of the last tour: null while it is made, or where the hub was stopped meanwhile."""
    done: int | None
    """Stops that the present tour has looked at; null while none is made."""
    total: int
    check: TourCheckOut | None
    typhoon: bool
    """Whether the site is in this mode."""


class TourStopIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stop of a zone's tour: ``named`` writes it into hub.yaml, else it is taken out."""

    camera: Annotated[str, msgspec.Meta(max_length=161)]
    preset: Annotated[str, msgspec.Meta(max_length=PRESET)] = ""
    named: bool = True


class TourRunIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make a tour now: of one zone, or of all."""

    zone: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class MarkIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says of a candidate; ``note`` goes into the ticket."""

    mark: Literal["fine", "ticket", "false"]
    note: Annotated[str, msgspec.Meta(max_length=NOTE)] = ""


class TickIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stop was looked at in a check before a typhoon."""

    check: Annotated[str, msgspec.Meta(max_length=19)]
    stop: _StopId


async def tour(request: web.Request) -> web.Response:
    """Show the stops, the last tour and the check."""
    context = request.app[CONTEXT]
    stops = _stops(context)
    return answer(await context.queries.ask(lambda db: _tour(context, db, stops)))


async def begin_tour(request: web.Request) -> web.Response:
    """Begin a tour; it goes on by itself."""
    context, wanted = request.app[CONTEXT], await body(request, TourRunIn)
    zones = context.folder().settings.site.zones
    zone = None if wanted.zone is None else ZoneId(wanted.zone)
    if not any(place.tour for place in zones.values() if zone in {None, place.id}):
        raise Refusal(404, "not_found", "no stop of a tour is named there")
    if context.tour is None or not context.tour.ask(request[USER].name, zone):
        raise Refusal(409, "tour_runs", "a tour is being made")
    await audit(request, target=wanted.zone or "")
    return web.Response(status=202)


async def tour_picture(request: web.Request) -> web.StreamResponse:
    """Send a picture or a cut-out; that a person looks at a stop is recorded once a sitting."""
    context, found = request.app[CONTEXT], await _picture(request)
    if request.app[ONLOOKERS].begins(request[USER].name, f"tour {found.stop}", context.clock.now()):
        await audit(request, {"picture": found.id}, target=found.stop)
    headers = {"Content-Type": found.media_type, "Content-Disposition": "inline", "Cache-Control": "private"}
    # the path stands in the journal as the hub wrote it; nothing of the request is in it
    return web.FileResponse(context.data / found.path, headers=headers)


async def accept_picture(request: web.Request) -> web.Response:
    """Accept the newest picture of a stop: later ones are compared with it."""
    context, found = request.app[CONTEXT], await _picture(request)
    by, now = request[USER].name, context.clock.now()
    if not await context.journal.answer(lambda db: kept.accept(db, found.stop, found.id, by, now)):
        raise Refusal(409, "newer_picture", "there is a newer picture of this stop, or this is a cut-out")
    is_audited(request)
    return web.Response(status=204)


async def judge_candidate(request: web.Request) -> web.Response:
    """Say what a candidate is: nothing to do, to be seen to (a ticket), or no difference at all."""
    context, wanted = request.app[CONTEXT], await body(request, MarkIn)
    number, by, now = _number(request), request[USER].name, context.clock.now()
    found = await context.queries.ask(lambda db: kept.candidate(db, number))
    if found is None:
        raise Refusal(404, "not_found", "no such candidate")
    note = _ticket_note(context, found, wanted.note)
    judged = await context.journal.answer(lambda db: kept.judge(db, number, Mark(wanted.mark), note, by, now))
    if judged is None:
        raise Refusal(409, "judged", "somebody has ticked this already, or it is gone")
    is_audited(request)
    return web.Response(status=204)


async def begin_tour_check(request: web.Request) -> web.Response:
    """Begin a check before a typhoon; the ticks of the last one stay in the trail."""
    context, by = request.app[CONTEXT], request[USER].name
    now = context.clock.now()
    number = await context.journal.answer(lambda db: kept.begin_check(db, by, now))
    is_audited(request)
    return answer(TourCheckOut(str(number), when(now), by), 201)


async def tick_tour_check(request: web.Request) -> web.Response:
    """Tick a stop of the present check."""
    context, wanted = request.app[CONTEXT], await body(request, TickIn)
    by, now = request[USER].name, context.clock.now()
    if all(stop.id != wanted.stop for _, stop in _stops(context)):
        raise Refusal(404, "not_found", "no such stop")

    def job(db: sqlite3.Connection) -> bool:
        last = kept.last_check(db)
        return last is not None and str(last[0]) == wanted.check and kept.tick(db, last[0], wanted.stop, by, now)

    if not await context.journal.answer(job):
        raise Refusal(409, "ticked", "this stop is ticked already, or another check was begun")
    is_audited(request)
    return web.Response(status=204)


async def put_stop(request: web.Request) -> web.Response:
    """Have the tour look at a stop, or no more; written into hub.yaml."""
    context, zone = request.app[CONTEXT], request.match_info["zone"]
    wanted: TourStopIn = await body(request, TourStopIn)
    preset = clean(wanted.preset, PRESET)
    await edit(lambda: context.editor.stop(zone, wanted.camera, preset, named=wanted.named))
    await audit(request, {"camera": wanted.camera, "preset": preset, "named": wanted.named}, target=zone)
    return web.Response(status=204)


def _stops(context: Context) -> list[tuple[Zone, Stop]]:
    """Return each stop once, with the first zone that names it."""
    found: dict[str, tuple[Zone, Stop]] = {}
    for zone in context.folder().settings.site.zones.values():
        for stop in zone.tour:
            found.setdefault(stop.id, (zone, stop))
    return list(found.values())


def _tour(context: Context, db: sqlite3.Connection, stops: list[tuple[Zone, Stop]]) -> TourOut:
    check, run = kept.last_check(db), kept.last_run(db)
    ticks = {} if check is None else kept.ticks(db, check[0])
    progress = None if context.tour is None else context.tour.progress
    return TourOut(
        stops=[_stop(context, db, zone, stop, ticks.get(stop.id)) for zone, stop in stops],
        at=[f"{at // 3600:02}:{at // 60 % 60:02}" for at in context.folder().settings.tour.at],
        begun_at=None if run is None else when(run[0]),
        begun_by="" if run is None else run[1],
        ended_at=None if run is None else when(run[2]),
        done=None if progress is None else progress.done,
        total=len(stops) if progress is None else progress.total,
        check=None if check is None else TourCheckOut(str(check[0]), when(check[1]), check[2]),
        typhoon=Mode.TYPHOON in context.runtime.state.modes,
    )


def _stop(context: Context, db: sqlite3.Connection, zone: Zone, stop: Stop, ticked: tuple[int, str] | None) -> StopOut:
    look = kept.last_look(db, stop.id, tuple(Outcome))
    pictured = kept.last_picture(db, stop.id)
    reference = kept.reference_of(db, stop.id)
    waiting = [one for one in kept.candidates(db, stop.id) if one.state is Mark.OPEN]
    return StopOut(
        id=stop.id, zone=zone.id, zone_name=zone.name, camera=stop.camera, preset=stop.preset,
        camera_name=entity_name(context, stop.camera),
        outcome=None if look is None else look.outcome,
        reason="" if look is None else look.reason,
        looked_at=None if look is None else when(look.at),
        found=0 if look is None else look.found,
        beyond=0 if look is None else look.beyond,
        picture=None if pictured is None else str(pictured.id),
        pictured_at=None if pictured is None else when(pictured.at),
        accepted=None if reference is None else str(reference.picture),
        accepted_at=None if reference is None else when(reference.at),
        accepted_by="" if reference is None else reference.by,
        candidates=[_candidate(one) for one in waiting],
        ticked_at=None if ticked is None else when(ticked[0]),
        ticked_by="" if ticked is None else ticked[1],
    )  # fmt: skip


def _candidate(one: Candidate) -> CandidateOut:
    return CandidateOut(str(one.id), when(one.at), when(one.seen_at), one.box, str(one.before), str(one.after))


def _ticket_note(context: Context, found: Candidate, said: str) -> str:
    """Write what the ticket is about, first where."""
    zone, stop = next(((zone, stop) for zone, stop in _stops(context) if stop.id == found.stop), (None, None))
    place = found.stop if zone is None or stop is None else " ".join(filter(None, (zone.name.zh, stop.preset)))
    return clean(f"外墙巡查 {place}：{clean(said, NOTE) or '与上次认可的照片不同'}", NOTE)


async def _picture(request: web.Request) -> TourPicture:
    number = _number(request)
    found = await request.app[CONTEXT].queries.ask(lambda db: kept.picture_of(db, number))
    if found is None:
        raise Refusal(404, "not_found", "no such picture, or it was erased")
    return found


def _number(request: web.Request) -> int:
    name = request.match_info["id"]
    return int(name) if name.isascii() and name.isdigit() and len(name) < 19 else 0


TOUR: tuple[Route, ...] = (
    Route("GET", "/api/v1/tour", "tour", "The facade tour: stops, what differs, the check before a typhoon",
          UserRole.GUARD, tour, returns=TourOut),
    Route("PUT", "/api/v1/zones/{zone}/tour", "put_stop", "Have the tour look at a stop, or no more", UserRole.MANAGER,
          put_stop, takes=TourStopIn, status=204),
    Route("POST", "/api/v1/tour/runs", "begin_tour", "Make a tour now", UserRole.GUARD, begin_tour, takes=TourRunIn,
          status=202),
    Route("GET", "/api/v1/tour/pictures/{id}", "tour_picture", "A picture or a cut-out of a tour", UserRole.GUARD,
          tour_picture, media="image/jpeg"),
    Route("PUT", "/api/v1/tour/pictures/{id}/accepted", "accept_picture", "Accept the newest picture of a stop",
          UserRole.GUARD, accept_picture, status=204),
    Route("PUT", "/api/v1/tour/candidates/{id}", "judge_candidate", "Say what differs, or that nothing does",
          UserRole.GUARD, judge_candidate, takes=MarkIn, status=204),
    Route("POST", "/api/v1/tour/checks", "begin_tour_check", "Begin a check before a typhoon", UserRole.GUARD,
          begin_tour_check, returns=TourCheckOut, status=201),
    Route("POST", "/api/v1/tour/ticks", "tick_tour_check", "Tick a stop of the check", UserRole.GUARD,
          tick_tour_check, takes=TickIn, status=204),
)  # fmt: skip
