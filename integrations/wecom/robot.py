"""Sends notices."""

from __future__ import annotations

import asyncio
import math

import aiohttp

from hub.sdk import Notice, Request, Unreachable, Window, fetch
from integrations.wecom.config import Config
from integrations.wecom.wire import check, message

#: Messages that a robot takes in a minute (document 91770).
PER_MINUTE = 20
#: Bytes of the answer that are read; a real one has about 30.
_MAX_ANSWER = 16 * 1024


class Robot:
    """One robot behind one webhook."""

    def __init__(self, http: aiohttp.ClientSession, config: Config) -> None:
        self._http = http
        self._config = config
        # A message may arrive at any time until it is given up, so by their clock two may be that much closer.
        self._window = Window(PER_MINUTE, 60 + config.timeout_s)

    async def tell(self, notice: Notice) -> None:
        """Send ``notice`` once. Raises DeviceError; Unreachable when the minute's messages are used up."""
        now = asyncio.get_running_loop().time()
        if wait := self._window.wait(now):
            raise Unreachable(f"{PER_MINUTE} messages in a minute are sent; wait {math.ceil(wait)} s")
        self._window.take(now)
        request = Request(
            url=self._config.url,
            method="POST",
            data=message(notice),
            headers={"Content-Type": "application/json"},
            timeout=self._config.timeout_s,
            limit=_MAX_ANSWER,
        )
        check(await fetch(self._http, request))
