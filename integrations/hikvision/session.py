"""Listens to one camera until it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hub.sdk import DecodeError, EntityId, Sample, Tools, Unreachable, multipart
from integrations.hikvision.alert import Alert, decode
from integrations.hikvision.config import Config, Event
from integrations.hikvision.kinds import KINDS
from integrations.hikvision.pulses import Pulses
from integrations.hikvision.stream import MISSED


class Listener:
    """The open event stream of one camera."""

    def __init__(
        self,
        stream: multipart.Stream,
        tools: Tools,
        config: Config,
        entities: Mapping[Event, EntityId],
    ) -> None:
        self._stream = stream
        self._report = tools.report
        self._entities = entities
        self._pulses = Pulses(tuple(entities), config.channel, config.quiet_s)
        self._silence = MISSED * config.heartbeat_s
        self._refused = ""

    async def run(self) -> None:
        """Report events until the camera falls silent, ends the stream or sends no stream: raises Unreachable."""
        clock = asyncio.get_running_loop().time
        alive = clock()
        while True:
            bodies = await self._stream.read(min(alive + self._silence, self._pulses.due()))
            now = clock()
            changes = []
            for alert in self._alerts(bodies):
                alive = now
                changes += self._pulses.heard(alert, now)
            changes += self._pulses.expire(now)
            if changes:
                await self._report(*(self._sample(event, active=active) for event, active in changes))
            if now >= alive + self._silence:
                raise Unreachable(f"no heartbeat for {self._silence:g} s{self._refused}")

    async def close(self) -> None:
        """End the stream."""
        await self._stream.close()

    def _alerts(self, bodies: list[bytes]) -> list[Alert]:
        """Return the alerts among the parts. One that cannot be read costs only itself, and is no heartbeat."""
        alerts = []
        for body in bodies:
            try:
                alert = decode(body)
            except DecodeError as error:
                self._refused = f"; the last message was {error.reason}"
                continue
            if alert is not None:
                alerts.append(alert)
        return alerts

    def _sample(self, event: Event, *, active: bool) -> Sample:
        return Sample(self._entities[event], KINDS[event].value(active=active))
