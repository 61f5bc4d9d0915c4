"""The firmware of devices: what runs where, and the roll-out of a signed image."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from aiohttp import web

from hub.model.decision import Severity
from hub.model.errors import DeviceError, Unreachable
from hub.model.time import SECOND
from hub.sdk import FirmwareImage, RolloutOrder, Surroundings
from hub.web import schema
from hub.web.audit import USER, audit
from hub.web.context import CONTEXT
from hub.web.errors import Refusal
from hub.web.handlers import MOST, answer, body, upload
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.journal.queries import Queries
    from hub.model.execution import Clock
    from hub.sdk import FirmwareKeeper

#: Largest image that is taken, in bytes.
LARGEST = 4 * 1024 * 1024


async def firmware(request: web.Request) -> web.Response:
    """List the devices with firmware and the roll-out."""
    keeper = request.app[CONTEXT].firmware()
    if keeper is None:
        return answer(schema.FirmwareOut([], None))
    return answer(schema.FirmwareOut(list(keeper.units()), keeper.state()))


async def load(request: web.Request) -> web.Response:
    """Take an image and verify it."""
    keeper = _keeper(request)
    data = await upload(request, LARGEST)
    try:
        image = keeper.load(data)
    except DeviceError as error:
        raise Refusal(422, "refused", error.reason) from None
    await audit(request, {"digest": image.digest, "version": image.version, "model": image.model})
    return answer(image)


async def begin(request: web.Request) -> web.Response:
    """Begin a roll-out."""
    context, keeper = request.app[CONTEXT], _keeper(request)
    wanted = await body(request, schema.RolloutIn)
    order = RolloutOrder(
        wanted.digest,
        request[USER].name,
        wanted.units,
        wanted.begin_minute,
        wanted.end_minute,
        wanted.quiet_s,
        wanted.hours,
    )
    try:
        keeper.begin(
            order, surroundings(context.clock, context.queries, lambda: context.folder().settings.site.timezone)
        )
    except DeviceError as error:
        raise Refusal(422, "refused", error.reason) from None
    await audit(request, {"digest": wanted.digest, "units": list(wanted.units)})
    return web.Response(status=204)


async def stop(request: web.Request) -> web.Response:
    """Begin with no further device."""
    try:
        _keeper(request).stop(request[USER].name)
    except DeviceError as error:
        raise Refusal(422, "refused", error.reason) from None
    await audit(request)
    return web.Response(status=204)


async def release(request: web.Request) -> web.Response:
    """Give up the ownership of a device, with its consent."""
    name = request.match_info["device"]
    try:
        await _keeper(request).release(name)
    except Unreachable as error:
        raise Refusal(504, "unreachable", error.reason) from None
    except DeviceError as error:
        raise Refusal(422, "refused", error.reason) from None
    await audit(request, target=name)
    return web.Response(status=204)


def _keeper(request: web.Request) -> FirmwareKeeper:
    keeper = request.app[CONTEXT].firmware()
    if keeper is None:
        raise Refusal(404, "no_firmware", "no device of this site gets its firmware from the hub")
    return keeper


def surroundings(clock: Clock, queries: Queries, zone: Callable[[], str]) -> Surroundings:
    """Return what a roll-out must know of the hub; ``zone`` names the site's time zone."""

    def minute() -> int:
        local = datetime.fromtimestamp(clock.now() / SECOND, ZoneInfo(zone()))
        return local.hour * 60 + local.minute

    async def alarm() -> str:
        rows = await queries.incidents(is_open=True, limit=MOST, before=None)
        urgent = next((row for row in rows if row.severity == Severity.HIGH), None)
        return "" if urgent is None else f"incident {urgent.id} is open"

    return Surroundings(clock.now, minute, alarm)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/api/v1/firmware", "firmware", "Devices with firmware, and the roll-out", UserRole.VIEWER, firmware,
          returns=schema.FirmwareOut),
    Route("PUT", "/api/v1/firmware/image", "load_firmware", "Take a signed image (the body, at most 4 MiB)",
          UserRole.ADMIN, load, returns=FirmwareImage),
    Route("POST", "/api/v1/firmware/rollout", "roll_out", "Roll the image out: one device, a tenth, the rest",
          UserRole.ADMIN, begin, takes=schema.RolloutIn, status=204),
    Route("DELETE", "/api/v1/firmware/rollout", "stop_rollout", "Begin with no further device", UserRole.MANAGER, stop,
          status=204),
    Route("DELETE", "/api/v1/firmware/devices/{device}/owner", "release", "Give up the ownership of a device",
          UserRole.ADMIN, release, status=204),
)  # fmt: skip
