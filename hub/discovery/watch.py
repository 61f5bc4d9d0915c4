"""Looks for devices all the time, on the networks that the site names and on USB."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from hub.discovery import ble, mdns, onvif, usb
from hub.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from hub.discovery.matchers import Matcher
    from hub.model.found import Found

log = structlog.get_logger()

#: Seconds between two looks at the USB ports.
USB_EVERY = 5.0
#: Seconds until an interface that was not there is tried again.
AGAIN = 60.0


async def watch(
    known: tuple[Matcher, ...],
    interfaces: tuple[str, ...],
    see: Callable[[Found], Awaitable[None]],
    *,
    on_usb: bool,
    by_bluetooth: bool,
) -> None:
    """Look until cancelled; what cannot be looked at is logged and tried again."""
    async with asyncio.TaskGroup() as tasks:
        if interfaces:
            tasks.create_task(_again("mdns", partial(mdns.browse, known, interfaces, see)))
            tasks.create_task(_again("onvif", partial(onvif.look, known, interfaces, see)))
        if by_bluetooth:
            tasks.create_task(_again("ble", partial(ble.listen, known, see)))
        if on_usb:
            tasks.create_task(_usb(known, see))


async def _again(source: str, look: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await look()
        except OSError as error:
            log.warning("discovery.failed", source=source, reason=clean(str(error), 160))
        await asyncio.sleep(AGAIN)


async def _usb(known: tuple[Matcher, ...], see: Callable[[Found], Awaitable[None]]) -> None:
    while True:
        for one in await asyncio.to_thread(lambda: list(usb.scan(known))):
            await see(one)
        await asyncio.sleep(USB_EVERY)
