"""Tests of one device from its page: a sentence, a picture, a relay held. They take the way of a rule's commands.

A command speaks for a zone, so a test needs a device that is bound to one, and reaches what else serves there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from aiohttp import web

from hub.actions.switch import LONGEST
from hub.engine.activation import PICTURE_STALE
from hub.model.decision import Capture, Switch
from hub.model.ids import EntityId
from hub.model.incident import CommandStatus
from hub.model.site import Role
from hub.model.time import SECOND, Duration
from hub.web.context import CONTEXT
from hub.web.desk_schema import OrderedOut, SpeechIn
from hub.web.errors import Refusal
from hub.web.handlers import answer, body
from hub.web.routing import Route, UserRole
from hub.web.talk import TALK_STALE, order, sentence
from hub.web.tries import Tries

if TYPE_CHECKING:
    from collections.abc import Collection

    from hub.model.site import Zone

#: Tests of one entity are counted here: no more than ``hub.web.tries.TRIES`` in a minute.
TESTING: web.AppKey[Tries] = web.AppKey("testing", Tries)
#: Longest that a test holds a relay, in seconds: long enough to see it, short enough to be no use of it.
HOLD = 10


class RelayTestIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold a relay for so many seconds; it lets go by itself."""

    seconds: Annotated[int, msgspec.Meta(ge=1, le=HOLD)] = 3


class CommandOut(msgspec.Struct, frozen=True):
    """What became of a command; ``evidence`` is what it left, and ``error`` is why it failed."""

    key: str
    status: Literal["pending", "started", "done", "failed", "dropped"]
    evidence: str | None
    error: str


async def test_speaker(request: web.Request) -> web.Response:
    """Say a test sentence."""
    _, zone = _bound(request, {Role.SPEAKER})
    wanted: SpeechIn = await body(request, SpeechIn)
    return await order(
        request, zone, sentence(request.app[CONTEXT], wanted), None, TALK_STALE, request.match_info["id"]
    )


async def test_camera(request: web.Request) -> web.Response:
    """Take a picture; it is kept as evidence."""
    _, zone = _bound(request, {Role.CAMERA})
    return await order(request, zone, Capture(), None, PICTURE_STALE, request.match_info["id"])


async def test_relay(request: web.Request) -> web.Response:
    """Hold a relay for some seconds."""
    role, zone = _bound(request, LONGEST)
    wanted: RelayTestIn = await body(request, RelayTestIn)
    return await order(
        request, zone, Switch(role, Duration(wanted.seconds * SECOND)), None, TALK_STALE, request.match_info["id"]
    )


async def command(request: web.Request) -> web.Response:
    """Say what became of a command."""
    key, queries = request.match_info["id"], request.app[CONTEXT].queries
    rows = await queries.ask(
        lambda db: db.execute("SELECT status, activation FROM commands WHERE key = ?", (key,)).fetchall()
    )
    if not rows:
        raise Refusal(404, "not_found", "no such command")
    evidence = await queries.evidence_file(key)
    told = [event.body for event in await queries.events(rows[0][1]) if event.body.get("key") == key]
    error = next((str(one["reason"]) for one in reversed(told) if one.get("reason")), "")
    status = CommandStatus(rows[0][0])
    return answer(CommandOut(key, status.value, None if evidence is None else evidence.id, error))


def _bound(request: web.Request, roles: Collection[Role]) -> tuple[Role, Zone]:
    """Return as what an entity serves, and the zone in which the fewest serve beside it. Raises Refusal."""
    context, entity = request.app[CONTEXT], EntityId(request.match_info["id"])
    if context.registry.entity(entity) is None:
        raise Refusal(404, "not_found", "no such entity")
    zones = context.folder().settings.site.zones.values()
    found = [(len(zone.bound(role)), role, zone) for zone in zones for role in roles if entity in zone.bound(role)]
    if not found:
        raise Refusal(422, "not_bound", "bind it to a zone first: a test takes the way of a rule's command")
    if not request.app[TESTING].take(entity):
        raise Refusal(429, "too_many_tests", "this was tested too often; wait a minute")
    _, role, zone = min(found, key=lambda one: (one[0], one[2].id))
    return role, zone


DEVICE_TESTS: tuple[Route, ...] = (
    Route("POST", "/api/v1/entities/{id}/speech", "test_speaker", "Say a test sentence", UserRole.GUARD, test_speaker,
          returns=OrderedOut, takes=SpeechIn, status=202),
    Route("POST", "/api/v1/entities/{id}/picture", "test_camera", "Take a test picture", UserRole.GUARD, test_camera,
          returns=OrderedOut, status=202),
    Route("POST", "/api/v1/entities/{id}/hold", "test_relay", "Hold a relay for some seconds", UserRole.MANAGER,
          test_relay, returns=OrderedOut, takes=RelayTestIn, status=202),
    Route("GET", "/api/v1/commands/{id}", "command", "What became of a command", UserRole.GUARD, command,
          returns=CommandOut),
)  # fmt: skip
