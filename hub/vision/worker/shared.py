"""One question of a kind at a time: who asks the same meanwhile, or comes back impatient, gets the answer to it.

A page gives up after some seconds and asks anew. Each time from the beginning, it would never see what always takes a
little longer; and ten people who watch one camera need no ten drawings of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


class Shared(Generic[Answer]):
    """The questions that are on their way."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, asyncio.Task[Answer]] = {}

    async def ask(self, what: Hashable, question: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """Return the answer to ``question``, or to the one about ``what`` that is on its way; raises what that raises.

        Who is cancelled leaves it on its way, for others.
        """
        task = self._asked.get(what)
        if task is None:
            task = self._asked[what] = asyncio.create_task(question())
            task.add_done_callback(lambda done: self._answered(what, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End those that are left; who still waits is cancelled with them."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    def _answered(self, what: Hashable, task: asyncio.Task[Answer]) -> None:
        del self._asked[what]
        if not task.cancelled():
            task.exception()  # who asked may have left: nobody else would look at it
