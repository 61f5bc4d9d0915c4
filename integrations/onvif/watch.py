"""Listens to a camera: pulls its messages, reports what they say, keeps the subscription."""

from __future__ import annotations

import asyncio

from hub.sdk import Tools, Unreachable, Unsupported
from integrations.onvif.board import Board
from integrations.onvif.events import WAIT, PullPoint

#: Least seconds from one question to the next: a camera that answers at once must not make us ask without pause.
_PACE = 0.1


async def watch(point: PullPoint, board: Board, tools: Tools) -> None:
    """Report until the camera is lost. Raises Unreachable, or BadCredentials when the password was changed."""
    clock = asyncio.get_running_loop().time
    try:
        await tools.report(*board.begin(point.since))
        while True:
            began, due = clock(), board.next_over()
            told = await point.pull(WAIT if due is None else due - began)
            said = [*board.take(told, clock()), *board.over(clock())]
            if await point.keep():
                said += board.begin(point.since)
            if said:
                await tools.report(*said)
            await asyncio.sleep(began + _PACE - clock())
    except Unsupported as error:  # it worked before: the camera was restarted or forgot the subscription
        raise Unreachable(f"the subscription is lost: {error.reason}") from None
