"""Listens to one camera until it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hub.sdk import (
    BadCredentials,
    DecodeError,
    EntityId,
    Request,
    Sample,
    Tools,
    Unreachable,
    Unsupported,
    fetch,
    multipart,
)
from integrations.dahua.config import Config, Kind
from integrations.dahua.event import Event, Heartbeat, channels, decode
from integrations.dahua.kinds import KINDS, codes
from integrations.dahua.lasting import Lasting
from integrations.dahua.stream import MISSED

Changes = list[tuple[Kind, bool]]


class Listener:
    """The open event stream of one camera."""

    def __init__(
        self,
        stream: multipart.Stream,
        tools: Tools,
        base: str,
        config: Config,
        entities: Mapping[Kind, EntityId],
    ) -> None:
        self._stream = stream
        self._tools = tools
        self._base = base
        self._config = config
        self._entities = entities
        self._lasting = Lasting(tuple(entities), config.channel, config.quiet_s)
        self._silence = MISSED * config.heartbeat_s
        self._refused = ""

    async def run(self) -> None:
        """Report events until the camera falls silent, ends the stream or sends no stream: raises Unreachable."""
        await self._ask_what_lasts()
        clock = asyncio.get_running_loop().time
        alive = clock()
        while True:
            bodies = await self._stream.read(min(alive + self._silence, self._lasting.due()))
            now = clock()
            changes: Changes = []
            for message in self._messages(bodies):
                alive = now
                if isinstance(message, Event):
                    changes += self._lasting.heard(message, now)
            await self._report(changes + self._lasting.expire(now))
            if now >= alive + self._silence:
                raise Unreachable(f"no heartbeat for {self._silence:g} s{self._refused}")

    async def close(self) -> None:
        """End the stream."""
        await self._stream.close()

    async def _ask_what_lasts(self) -> None:
        """Ask for what began before the stream: its start is past, and its stop may be, too. Raises DeviceError.

        What happens meanwhile waits in the stream and is read after it. A camera that does not answer this question
        leaves the state as it was until the next start or stop.
        """
        config = self._config
        for code in codes(tuple(self._entities)):
            url = f"{self._base}/cgi-bin/eventManager.cgi?action=getEventIndexes&code={code}"
            request = Request(
                url, user=config.user, password=config.password, timeout=config.timeout_s, limit=64 * 1024
            )
            try:
                found = channels(await fetch(self._tools.http, request))
            except (Unsupported, BadCredentials):  # the password is right: the stream is open
                continue
            if found is not None:
                await self._report(self._lasting.found(code, found))

    async def _report(self, changes: Changes) -> None:
        if changes:
            await self._tools.report(*(self._sample(event, active=active) for event, active in changes))

    def _messages(self, bodies: list[bytes]) -> list[Event | Heartbeat]:
        """Return the messages among the parts. One that cannot be read costs only itself, and is no sign."""
        messages = []
        for body in bodies:
            try:
                messages.append(decode(body))
            except DecodeError as error:
                self._refused = f"; the last message was {error.reason}"
        return messages

    def _sample(self, event: Kind, *, active: bool) -> Sample:
        return Sample(self._entities[event], KINDS[event].value(active=active))
