"""Finds again what passed the cameras, by class, colours, time and camera; who looked, and at what, is recorded."""

from __future__ import annotations

import base64
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import msgspec
from aiohttp import web

from hub.model.ids import EntityId
from hub.model.text import Text, clean
from hub.model.time import HOUR, MINUTE, SECOND, Instant
from hub.seeing.sightings import Found, Wanted
from hub.vision.detect.kind import Kind
from hub.vision.sighting.palette import Colour
from hub.web.audit import audit
from hub.web.backtest import moment
from hub.web.context import CONTEXT, Context
from hub.web.errors import Refusal
from hub.web.handlers import answer, number
from hub.web.present import entity_name, when
from hub.web.routing import Route, UserRole
from hub.web.schema import Page

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

#: Records of a page, most of them, and most cameras that are named in a question.
PAGE, MOST, CAMERAS = 60, 120, 200
_LAST = (1 << 62) - 1
#: An incident of the camera's zone that was opened from so much before a record began until so much after it ended is
#: shown with it: a lane warns minutes after a vehicle has come.
BEFORE, AFTER = MINUTE, 10 * MINUTE
_Word = TypeVar("_Word", bound=StrEnum)


class SightingOut(msgspec.Struct, frozen=True):
    """Something that passed a camera, as it was seen best."""

    id: str
    camera: EntityId
    name: Text
    """The camera's."""
    began: str | None
    ended: str | None
    kind: Kind
    """``other`` where no model has named it."""
    upper: Colour
    lower: Colour
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in parts of the picture, 0 to 1."""
    picture: str
    """JPEG in base64."""
    incident: str | None
    """Number of an incident of the camera's zone about that time."""


async def sightings(request: web.Request) -> web.Response:
    """Search, the oldest first; that these pictures were seen is recorded before they are sent."""
    context = request.app[CONTEXT]
    wanted = _wanted(request)
    limit = number(request.query.get("limit"), "limit", PAGE, MOST)
    after = number(request.query.get("cursor"), "cursor", 0, _LAST)
    store = context.eyes.sightings
    rows = [] if store is None else await store.find(wanted, limit, after)
    await audit(request, _asked(wanted) | {"shown": [str(row.id) for row in rows]}, target=_places(wanted))
    incidents = await _incidents(context, rows)
    following = str(rows[-1].id) if len(rows) == limit else None
    return answer(Page([_shown(context, row, incidents.get(row.id)) for row in rows], next=following))


def _wanted(request: web.Request) -> Wanted:
    """Read what is looked for. Raises Refusal."""
    query, now = request.query, request.app[CONTEXT].clock.now()
    end = moment(query["end"], "end") if query.get("end") else Instant(now + 1)
    begin = moment(query["begin"], "begin") if query.get("begin") else Instant(end - HOUR)
    if not begin < end:
        raise Refusal(400, "bad_request", "`begin` must lie before `end`")
    cameras = frozenset(clean(name, 200) for name in query.getall("camera", []) if name)
    if len(cameras) > CAMERAS:
        raise Refusal(400, "bad_request", f"at most {CAMERAS} cameras")
    return Wanted(
        max(begin, Instant(0)), end, cameras,
        _words(request, "kind", Kind), _words(request, "upper", Colour), _words(request, "lower", Colour),
    )  # fmt: skip


def _words(request: web.Request, name: str, of: type[_Word]) -> frozenset[_Word]:
    try:
        return frozenset(of(word) for word in request.query.getall(name, []) if word)
    except ValueError:
        raise Refusal(400, "bad_request", f"`{name}` is one of {', '.join(of)}") from None


def _asked(wanted: Wanted) -> dict[str, object]:
    found: dict[str, object] = {"begin": when(wanted.begin), "end": when(wanted.end)}
    for name in ("kinds", "upper", "lower"):
        if words := getattr(wanted, name):
            found[name] = sorted(words)
    return found


def _places(wanted: Wanted) -> str:
    return clean(", ".join(sorted(wanted.cameras)), 200)


async def _incidents(context: Context, rows: Sequence[Found]) -> dict[int, int]:
    """Return for records the number of an incident of the camera's zone about that time."""
    zones: dict[str, set[str]] = {}
    for zone in context.folder().settings.site.zones.values():
        for one in zone.see:
            zones.setdefault(one.camera, set()).add(zone.id)
    if not any(row.camera in zones for row in rows):
        return {}
    begin = min(_instant(row.what.began) for row in rows) - BEFORE
    end = max(_instant(row.what.ended) for row in rows) + AFTER

    def job(db: sqlite3.Connection) -> list[tuple[int, str, int]]:
        sql = "SELECT id, zone, opened_at FROM incidents WHERE opened_at BETWEEN ? AND ? ORDER BY opened_at LIMIT 2000"
        return db.execute(sql, (begin, end)).fetchall()

    opened = await context.queries.ask(job)
    found: dict[int, int] = {}
    for row in rows:
        first, last = _instant(row.what.began) - BEFORE, _instant(row.what.ended) + AFTER
        near = [name for name, zone, at in opened if zone in zones.get(row.camera, ()) and first <= at <= last]
        if near:
            found[row.id] = near[0]
    return found


def _shown(context: Context, row: Found, incident: int | None) -> SightingOut:
    what = row.what
    return SightingOut(
        str(row.id),
        EntityId(row.camera),
        entity_name(context, EntityId(row.camera)),
        when(_instant(what.began)),
        when(_instant(what.ended)),
        what.kind,
        what.upper,
        what.lower,
        what.box,
        base64.b64encode(what.jpeg).decode(),
        None if incident is None else str(incident),
    )


def _instant(seconds: float) -> Instant:
    return Instant(round(seconds * SECOND))


SIGHTINGS: tuple[Route, ...] = (
    Route("GET", "/api/v1/sightings", "sightings", "What passed the cameras, oldest first, with small pictures",
          UserRole.GUARD, sightings, returns=Page[SightingOut],
          query=(("begin", "RFC 3339 with an offset; an hour before `end`"), ("end", "RFC 3339 with an offset; now"),
                 ("camera", "an entity id; may be given several times"), ("kind", "a class; several times"),
                 ("upper", "colour of the upper half; several times"),
                 ("lower", "colour of the lower half; several times"),
                 ("limit", f"1 to {MOST}"), ("cursor", "`next` of a page"))),
)  # fmt: skip
