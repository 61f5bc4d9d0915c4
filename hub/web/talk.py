"""Talk-down and pictures: a person's commands take the way of a rule's, limits and journal included."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from hub.actions.capture import look
from hub.engine.activation import PICTURE_STALE, command_key
from hub.engine.parse import MAX_SPEECH
from hub.model.decision import Capture, Command, Rate, Say
from hub.model.errors import DeviceError
from hub.model.ids import OPERATOR, ActivationId, CommandKey, ZoneId
from hub.model.site import Role
from hub.model.text import Text, clean, names_plate
from hub.model.time import MINUTE, SECOND, Duration, isoformat
from hub.web import schema
from hub.web.audit import USER, audit
from hub.web.context import CONTEXT, Context
from hub.web.desk_schema import OrderedOut, PictureIn, PromptOut, SpeechIn
from hub.web.errors import Refusal
from hub.web.handlers import answer, body, find_incident
from hub.web.onlookers import ONLOOKERS
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    from hub.model.decision import Action
    from hub.model.site import Zone
    from hub.model.time import Instant
    from hub.runtime.batch import Batch
    from hub.sdk import Picture

#: How often people may speak through one loudspeaker, and after how long a sentence is no longer wanted.
TALK_RATE, TALK_STALE = Rate(20, Duration(10 * MINUTE)), Duration(30 * SECOND)
#: A camera is asked at most once in this time, however many pages look, and may take so long, in seconds.
PACE, PATIENCE = SECOND, 8.0


async def speak(request: web.Request) -> web.Response:
    """Say a sentence or a prompt through the loudspeaker of a zone."""
    context, zone = request.app[CONTEXT], _zone(request, Role.SPEAKER)
    wanted: SpeechIn = await body(request, SpeechIn)
    say = sentence(context, wanted)
    return await order(request, zone, say, wanted.incident, TALK_STALE)


async def take_picture(request: web.Request) -> web.Response:
    """Take a picture that is kept as evidence."""
    zone = _zone(request, Role.CAMERA)
    wanted: PictureIn = await body(request, PictureIn)
    return await order(request, zone, Capture(), wanted.incident, PICTURE_STALE)


async def live_picture(request: web.Request) -> web.Response:
    """Show what the camera of a zone sees now; nothing of it is kept."""
    context, user, zone = request.app[CONTEXT], request[USER], _zone(request, Role.CAMERA)
    looking = request.app[LOOKING]
    try:
        at, picture = await looking.picture(context, zone)
    except DeviceError as error:
        raise Refusal(502, "device", clean(error.reason, 160)) from None
    if request.app[ONLOOKERS].begins(user.name, zone.id, context.clock.now()):
        await audit(request, target=zone.id)
    headers = {"X-Taken-At": isoformat(at), "Cache-Control": "no-store"}
    return web.Response(body=picture.data, content_type=picture.media_type, headers=headers)


class Looking:
    """The last picture of each zone, so that a camera is asked once for all who look."""

    def __init__(self) -> None:
        self._last: dict[ZoneId, tuple[Instant, Picture]] = {}
        self._asking: dict[ZoneId, asyncio.Task[tuple[Instant, Picture]]] = {}

    async def picture(self, context: Context, zone: Zone) -> tuple[Instant, Picture]:
        """Return a picture and when it was taken: this second, or just now. Raises DeviceError."""
        last = self._last.get(zone.id)
        if last is not None and 0 <= context.clock.now() - last[0] < PACE:
            return last
        task = self._asking.get(zone.id)
        if task is None:
            task = self._asking[zone.id] = asyncio.create_task(self._ask(context, zone))
            task.add_done_callback(lambda done: self._asked(zone.id, done))
        return await asyncio.shield(task)  # one page that goes away does not take the picture from the others

    async def _ask(self, context: Context, zone: Zone) -> tuple[Instant, Picture]:
        try:
            async with asyncio.timeout(PATIENCE):
                _, picture = await look(zone, context.registry)
        except TimeoutError:
            raise DeviceError(f"no picture within {PATIENCE:g} s") from None
        self._last[zone.id] = taken = context.clock.now(), picture
        return taken

    def _asked(self, zone: ZoneId, done: asyncio.Task[tuple[Instant, Picture]]) -> None:
        self._asking.pop(zone, None)
        if not done.cancelled():
            done.exception()  # whoever waits hears of it; nobody may be left to


LOOKING: web.AppKey[Looking] = web.AppKey("looking", Looking)


def _zone(request: web.Request, role: Role) -> Zone:
    """Return the zone of a path that has something bound as ``role``. Raises Refusal."""
    zone = request.app[CONTEXT].folder().settings.site.zones.get(ZoneId(request.match_info["id"]))
    if zone is None:
        raise Refusal(404, "not_found", "no such zone")
    if not zone.bound(role):
        raise Refusal(422, "nothing_bound", f"this zone has no {role}")
    return zone


def sentence(context: Context, wanted: SpeechIn) -> Say:
    """Return what is to be said. Raises Refusal for what no loudspeaker says."""
    if wanted.prompt is not None:
        prompt = context.folder().settings.site.prompts.get(wanted.prompt)
        if prompt is None:
            raise Refusal(404, "not_found", "no such prompt")
        return Say(prompt.text, prompt.id, wanted.volume)
    text = clean(wanted.text, MAX_SPEECH + 1)
    if not text:
        raise Refusal(422, "empty", "write a sentence or choose a prompt")
    if len(text) > MAX_SPEECH:
        raise Refusal(422, "too_long", f"a sentence has at most {MAX_SPEECH} characters")
    if names_plate(text):
        raise Refusal(422, "plate", "no loudspeaker reads out a full number plate")
    return Say(Text(text), volume=wanted.volume)


async def order(
    request: web.Request, zone: Zone, action: Action, incident: str | None, stale_after: Duration, target: str = ""
) -> web.Response:
    """Commit a person's command, so that the outbox performs it, and answer with its key."""
    context, user = request.app[CONTEXT], request[USER]
    activation = ActivationId(f"{OPERATOR}@{zone.id}@{context.clock.now()}")
    if incident is not None:
        row = await find_incident(context, incident)
        if row.zone != zone.id:
            raise Refusal(422, "other_zone", "this incident is of another zone")
        activation = row.activation
    key = CommandKey("")

    def decide(batch: Batch) -> None:
        nonlocal key
        key = command_key(activation, f"{OPERATOR}@{batch.now}", len(batch.commands))
        rate = TALK_RATE if isinstance(action, Say) else None
        batch.order(
            Command(OPERATOR, zone.id, batch.now, key, activation, str(OPERATOR), action, stale_after, rate, user.name)
        )

    await context.runtime.done(decide)
    words = {"text": action.text.zh, "prompt": action.prompt} if isinstance(action, Say) else {}
    await audit(request, {"command": key, **words}, target=target or zone.id)
    context.live.incidents_changed()
    return answer(OrderedOut(key), 202)


async def prompts(request: web.Request) -> web.Response:
    """List the sentences that can be chosen."""
    found = request.app[CONTEXT].folder().settings.site.prompts.values()
    return answer(schema.Page([PromptOut(one.id, one.text, urgent=one.urgent) for one in found]))


TALK: tuple[Route, ...] = (
    Route("GET", "/api/v1/prompts", "prompts", "Sentences that can be spoken", UserRole.VIEWER, prompts,
          returns=schema.Page[PromptOut]),
    Route("POST", "/api/v1/zones/{id}/speech", "speak", "Speak through the loudspeaker of a zone", UserRole.GUARD,
          speak, returns=OrderedOut, takes=SpeechIn, status=202),
    Route("POST", "/api/v1/zones/{id}/picture", "take_picture", "Take a picture and keep it", UserRole.GUARD,
          take_picture, returns=OrderedOut, takes=PictureIn, status=202),
    Route("GET", "/api/v1/zones/{id}/picture", "live_picture", "What the camera of a zone sees now", UserRole.GUARD,
          live_picture, media="image/*"),
)  # fmt: skip
