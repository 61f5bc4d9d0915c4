"""Whose turn it is on one loudspeaker: one voice at a time, and an urgent one goes first and cuts the others short."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from hub.model.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

Spoken = TypeVar("Spoken")


class Turns:
    """The turns of one loudspeaker."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._busy = False
        self._urgent = 0
        """Urgent voices that wait or speak."""
        self._ordinary: asyncio.Task[Any] | None = None

    async def speak(self, voice: Coroutine[Any, Any, Spoken], *, urgent: bool) -> Spoken:
        """Run ``voice`` when it is its turn. Raises Unreachable when an urgent one cut it short: it is tried again."""
        try:
            await self._wait(urgent=urgent)
        except BaseException:  # cancelled, too: a coroutine that never began must be closed; nothing is swallowed
            voice.close()
            raise
        speaking = asyncio.ensure_future(voice)
        self._ordinary = None if urgent else speaking
        try:
            return await speaking
        except asyncio.CancelledError:
            if speaking.cancelled() and self._urgent and not urgent:
                raise Unreachable("an urgent voice cut it short") from None
            speaking.cancel()
            with suppress(asyncio.CancelledError):
                await speaking
            raise
        finally:
            await self._end(urgent=urgent)

    async def _wait(self, *, urgent: bool) -> None:
        async with self._changed:
            self._urgent += urgent
            if urgent and self._ordinary is not None:
                self._ordinary.cancel()
            try:
                await self._changed.wait_for(lambda: not self._busy and (urgent or not self._urgent))
            except BaseException:  # cancelled, too: who gave up waiting must not hold the others back
                self._urgent -= urgent
                self._changed.notify_all()
                raise
            self._busy = True

    async def _end(self, *, urgent: bool) -> None:
        self._ordinary = None
        self._busy = False
        self._urgent -= urgent
        async with self._changed:
            self._changed.notify_all()
