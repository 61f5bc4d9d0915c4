"""Where devices and their platforms push by HTTP: one open handler per configured device."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from hub.model.text import clean
from hub.sdk import PushAnswer

if TYPE_CHECKING:
    from hub.sdk import Push
    from hub.sdk.tools import PushHandler

log = structlog.get_logger()

#: Seconds that a handler may take; the sender waits meanwhile.
LONGEST = 10.0


class Hooks:
    """The handlers by integration and device."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, str], PushHandler] = {}

    def open(self, domain: str, name: str, handler: PushHandler) -> str:
        """Let ``handler`` take what is pushed for a device from now on; return the path."""
        self._handlers[domain, name] = handler
        return f"/hooks/{domain}/{name}"

    def close(self, domain: str, name: str) -> None:
        """Take nothing any more for a device that the site names no more."""
        self._handlers.pop((domain, name), None)

    async def pushed(self, domain: str, name: str, push: Push) -> PushAnswer:
        """Give a push to its handler. A device that is not there and one that fails look the same from outside."""
        handler = self._handlers.get((domain, name))
        if handler is None:
            return PushAnswer(404, b"not found")
        try:
            async with asyncio.timeout(LONGEST):
                return await handler(push)
        except Exception as error:  # noqa: BLE001 - a plugin's fault is logged and kept from the page
            reason = clean(f"{type(error).__name__}: {error}", 160)
            log.warning("push.failed", integration=domain, device=name, reason=reason)
            return PushAnswer(503, b"try again later")
