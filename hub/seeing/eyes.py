"""The one door to the cameras that see; what is behind it is loaded when a site names such a camera, and only then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from hub.model.decision import Capture
from hub.model.errors import Unreachable
from hub.model.text import Text
from hub.model.time import SECOND, Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from hub.engine.rule import Rule
    from hub.model.ids import EntityId
    from hub.model.site import Site
    from hub.runtime.core import Runtime
    from hub.runtime.problems import Problems
    from hub.runtime.registry import Registry
    from hub.runtime.reports import Reports
    from hub.seeing.manager import Manager
    from hub.seeing.sightings import Sightings

log = structlog.get_logger()

#: Seconds between two looks whether the site names a camera that sees.
LOOK = 2.0
#: Seconds kept beyond the longest clip.
MARGIN = 15.0


def clip_seconds(rules: Iterable[Rule]) -> float:
    """Return how many seconds cameras must keep for the longest clip that a rule takes: a minute at least.

    What is kept must reach back to the begin of a clip when its end has come and the worker has been asked.
    """
    steps = [actions for rule in rules for actions in (rule.actions, *(step.actions for step in rule.escalation))]
    clips = [item.before + item.after for actions in steps for item in actions if isinstance(item, Capture)]
    return max(60.0, max(clips, default=0) / SECOND + MARGIN)


class Eyes:
    """Closed until a site needs them: numpy and FFmpeg take a tenth of a second to load, and are an extra."""

    def __init__(self, sightings: Sightings | None = None) -> None:
        self.manager: Manager | None = None
        """None while nobody must see."""
        self.sightings = sightings
        """What has passed the cameras; None where nothing is kept."""

    async def open(
        self,
        site: Callable[[], Site],
        registry: Registry,
        reports: Reports,
        runtime: Runtime,
        problems: Problems,
        data: Path,
        ring_s: Callable[[], float],
    ) -> None:
        """Watch until cancelled."""
        while not any(zone.see for zone in site().zones.values()):  # noqa: ASYNC110 - a site is edited twice a year
            await asyncio.sleep(LOOK)
        try:
            from hub.seeing.manager import Manager, Surroundings
        except ImportError as error:
            text = Text(f"摄像机识别需要安装 menshen[detect]：缺少 {error.name}",
                        f"Cameras that see need menshen[detect]: {error.name} is missing")  # fmt: skip
            problems.raise_("vision", text)
            log.error("vision.unavailable", missing=error.name)
            return
        around = Surroundings(site, registry, reports, runtime, problems, data, ring_s, self.sightings)
        self.manager = Manager(around)
        await self.manager.run()

    def watched(self, camera: EntityId) -> bool:
        """Tell whether a camera is watched, so that a clip of it can be cut."""
        return self.manager is not None and self.manager.watched(camera)

    def fall(self, entities: Iterable[EntityId], at: Instant) -> tuple[EntityId, bytes] | None:
        """Return the camera and the picture (JPEG) of what one of these saw fall near an instant."""
        return None if self.manager is None else self.manager.fall(entities, at)

    async def clip(self, camera: EntityId, start: float, end: float, path: Path) -> tuple[float, float]:
        """Write what was seen in a time (seconds since 1970) as MP4. Raises DeviceError."""
        if self.manager is None:
            raise Unreachable("no camera is watched")
        return await self.manager.clip(camera, start, end, path)
