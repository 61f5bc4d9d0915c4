"""Looking on live: HTTP Live Streaming (RFC 8216) of what a camera's worker keeps anyway, as it came from the camera.

Nothing runs for it: pieces are cut when they are asked for, and when nobody asks there is no work. Each sitting leaves
a row in the audit trail before the first piece is given, whichever piece that is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aiohttp import web

from hub.model.errors import DeviceError
from hub.model.ids import EntityId
from hub.model.text import clean
from hub.model.time import SECOND, Instant, isoformat
from hub.web.audit import USER, audit
from hub.web.context import CONTEXT
from hub.web.errors import Refusal
from hub.web.onlookers import ONLOOKERS
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    from hub.seeing.manager import Manager
    from hub.vision.worker.wire import Listed

#: Seconds that the list reaches back, and groups that it has at least; players start three groups before the end.
BACK, LEAST = 12.0, 4
#: Media types: RFC 8216 section 4; sections and segments of fragmented MP4.
LIST, PIECE = "application/vnd.apple.mpegurl", "video/mp4"
_HEADERS = {"Cache-Control": "no-store"}


async def onlook(request: web.Request) -> web.Response:
    """List the pieces of the last seconds."""
    manager, camera = await _allowed(request)
    try:
        listed = await manager.groups(camera)
    except DeviceError as error:
        raise Refusal(502, "device", clean(error.reason, 160)) from None
    return web.Response(text=playlist(listed), content_type=LIST, headers=_HEADERS)


async def onlook_piece(request: web.Request) -> web.Response:
    """Give a group of pictures by its number, or what a player must know first: ``begin-`` and the connection."""
    manager, camera = await _allowed(request)
    before, _, number = request.match_info["piece"].rpartition("-")
    if before not in {"", "begin"} or not number.isascii() or not number.isdecimal() or len(number) > 15:
        raise Refusal(404, "not_found", "a piece is a number of the list")
    try:
        wanted = (await manager.groups(camera)).groups[-1].number if before else int(number)
        begin, segment = await manager.group(camera, wanted)
    except DeviceError as error:
        raise Refusal(404, "not_found", clean(error.reason, 160)) from None
    return web.Response(body=begin if before else segment, content_type=PIECE, headers=_HEADERS)


def playlist(listed: Listed) -> str:
    """Write the list of the last groups; addresses are relative to its own.

    A player fetches the initialization section when its address changes: it carries the number of the connection.
    """
    groups = [group for group in listed.groups if group.seconds > 0]
    recent = [group for group in groups if group.at > groups[-1].at - BACK]
    chosen = recent if len(recent) >= LEAST else groups[-LEAST:]
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(max((group.seconds for group in chosen), default=1)))}",
        f"#EXT-X-MEDIA-SEQUENCE:{chosen[0].number if chosen else 0}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{listed.connection}",
    ]
    if chosen:
        lines.append(f'#EXT-X-MAP:URI="live/begin-{listed.connection}"')
    for group in chosen:
        at = isoformat(Instant(round(group.at * SECOND)))
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{at}", f"#EXTINF:{group.seconds:.3f},", f"live/{group.number}"]
    return "\n".join(lines) + "\n"


async def _allowed(request: web.Request) -> tuple[Manager, EntityId]:
    """Return who has the pieces of a camera, after noting who looks on. Raises Refusal."""
    context, camera = request.app[CONTEXT], EntityId(request.match_info["entity"])
    manager = context.eyes.manager
    if manager is None or not manager.watched(camera):
        raise Refusal(404, "not_found", "no camera of that name is watched")
    if request.app[ONLOOKERS].begins(request[USER].name, f"{camera} live", context.clock.now()):
        await audit(request, {"camera": camera}, target=camera)
    return manager, camera


ONLOOK: tuple[Route, ...] = (
    Route("GET", "/api/v1/sight/{entity}/live", "onlook", "Look on live: a list of pieces (HTTP Live Streaming)",
          UserRole.GUARD, onlook, media=LIST),
    Route("GET", "/api/v1/sight/{entity}/live/{piece}", "onlook_piece", "One of these pieces (fragmented MP4)",
          UserRole.GUARD, onlook_piece, media=PIECE),
)  # fmt: skip
