"""Sends notices."""

from __future__ import annotations

import asyncio
import math
import time

import aiohttp

from hub.sdk import Notice, Request, Unreachable, Window, fetch
from integrations.feishu.config import Config
from integrations.feishu.wire import check, message

#: Messages that a robot takes, and in how many seconds (custom bot usage guide).
LIMITS = ((100, 60.0), (5, 1.0))
#: Bytes of the answer that are read; a real one has about 100.
_MAX_ANSWER = 16 * 1024


class Robot:
    """One robot behind one webhook."""

    def __init__(
        self, http: aiohttp.ClientSession, config: Config, limits: tuple[tuple[int, float], ...] = LIMITS
    ) -> None:
        self._http = http
        self._config = config
        self._windows = [Window(count, seconds) for count, seconds in limits]

    async def tell(self, notice: Notice) -> None:
        """Send ``notice`` once. Raises DeviceError; Unreachable when the messages of a second or minute are used up."""
        now = asyncio.get_running_loop().time()
        if wait := max(window.wait(now) for window in self._windows):
            raise Unreachable(f"the robot's messages for this second or minute are sent; wait {math.ceil(wait)} s")
        for window in self._windows:
            window.take(now)
        request = Request(
            url=self._config.url,
            method="POST",
            data=message(notice, self._config.secret, int(time.time())),
            headers={"Content-Type": "application/json"},
            timeout=self._config.timeout_s,
            limit=_MAX_ANSWER,
        )
        check(await fetch(self._http, request))
