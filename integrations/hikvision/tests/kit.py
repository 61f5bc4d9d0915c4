"""What the tests of sessions share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from hub.sdk import Sample, Text, Tools, Vitals
from integrations.hikvision.config import Config
from integrations.sim.hikvision_camera import PASSWORD, USER

NAME = Text(zh="北门", en="North gate")


def config(address: str, **changes: object) -> Config:
    """A configuration with short times; made without msgspec's checks, which want at least a second."""
    plain = {"name": NAME, "address": address, "user": USER, "password": PASSWORD, "timeout_s": 0.5, "heartbeat_s": 0.2}
    return Config(**{**plain, "quiet_s": 0.2, **changes})  # type: ignore[arg-type]


@dataclass
class Hub:
    """Keeps what a session reports."""

    said: list[tuple[str, str]] = field(default_factory=list)

    async def report(self, *said: Sample | Vitals) -> None:
        await asyncio.sleep(0)
        for sample in said:
            assert isinstance(sample, Sample)
            self.said.append((sample.entity.partition(".")[2], str(sample.value)))

    def tools(self, http: aiohttp.ClientSession, folder: Path) -> Tools:
        return Tools(http=http, site=folder, data=folder, report=self.report)
