"""The hub's own trouble as readings of its own entities, which a rule watches like those of any device."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from hub.model.ids import entity_id
from hub.model.reading import NEVER_HEARD, Alarm, Capability, Entity, Quality, Reading
from hub.model.text import Text
from hub.model.time import MINUTE, Instant
from hub.sdk import Equipment

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model.execution import Clock, Timer
    from hub.model.ids import EntityId
    from hub.model.site import Site
    from hub.runtime.batch import Batch
    from hub.runtime.core import Runtime
    from hub.runtime.problems import Problems
    from hub.runtime.registry import Registry

#: The hub is a device like another one, in the place of an integration.
DOMAIN, DEVICE = "hub", "self"
#: What people call it, among other devices.
_CALLED = "门神主机"
#: A broker that is back within this is no trouble for people: devices repeat themselves, and the broker keeps the rest.
AWAY = MINUTE


class Cause(StrEnum):
    """What can be wrong with the hub itself; each is one entity, like ``hub.disk``."""

    DISK = "disk"
    JOURNAL = "journal"
    BROKER = "broker"
    CLOCK = "clock"
    CAMERAS = "cameras"


_NAMES = {
    Cause.DISK: Text("主机磁盘将满", "Disk of the hub nearly full"),
    Cause.JOURNAL: Text("主机日志无法写入", "Journal of the hub cannot be written"),
    Cause.BROKER: Text("设备消息服务断开", "Message broker away"),
    Cause.CLOCK: Text("主机时钟跳变", "Clock of the hub jumped"),
    Cause.CAMERAS: Text("摄像机识别中断", "Cameras do not see"),
}
#: What people call the part of the hub that a cause is about.
PARTS = {
    Cause.DISK: Text("主机磁盘", "Disk of the hub"),
    Cause.JOURNAL: Text("主机日志", "Journal of the hub"),
    Cause.BROKER: Text("设备消息服务", "Message broker"),
    Cause.CLOCK: Text("主机时钟", "Clock of the hub"),
    Cause.CAMERAS: Text("摄像机识别", "Cameras that see"),
}
#: The problems (hub.runtime.problems) that mean each cause, by their keys.
_KEYS = {
    Cause.DISK: {"disk"},
    Cause.JOURNAL: {"journal"},
    Cause.BROKER: {"link.mqtt"},
    Cause.CLOCK: {"clock"},
    Cause.CAMERAS: {"vision", "cameras"},
}


def entity(cause: Cause) -> EntityId:
    """Name the entity of a cause."""
    return entity_id(DOMAIN, cause)


class Troubles:
    """Says of each cause that the site has bound to a zone whether it is so; of the others there is only the banner.

    A reading is decided at once, and recorded and acted on as soon as the journal takes it.
    """

    def __init__(
        self, site: Callable[[], Site], registry: Registry, runtime: Runtime, problems: Problems, clock: Clock
    ) -> None:
        self._site = site
        self._registry = registry
        self._runtime = runtime
        self._problems = problems
        self._clock = clock
        self._lost: Timer | None = None
        """Runs while the broker is away."""
        self._stays_lost = False

    def watch(self) -> None:
        """Begin to look; what was said before a restart is said anew."""
        self._problems.listen(self.look)
        self.look()

    def look(self) -> None:
        """Say what has changed: of the problems, or of what the site binds."""
        self._registry.equip(DOMAIN, DEVICE, [Equipment(_described(cause)) for cause in self._bound()])
        if not self._has(Cause.BROKER):
            self.close()
        elif self._lost is None:
            self._lost = self._clock.call_at(Instant(self._clock.now() + AWAY), self._stays_away)
        self._runtime.post(self._say)

    def close(self) -> None:
        """Cancel the timer."""
        if self._lost is not None:
            self._lost.cancel()
        self._lost, self._stays_lost = None, False

    def _stays_away(self) -> None:
        self._stays_lost = True
        self._runtime.post(self._say)

    def _bound(self) -> list[Cause]:
        zones = self._site().zones.values()
        bound = {name for zone in zones for entities in zone.bind.values() for name in entities}
        return [cause for cause in Cause if entity(cause) in bound]

    def _has(self, cause: Cause) -> bool:
        return any(key in self._problems for key in _KEYS[cause])

    def _say(self, batch: Batch) -> None:
        for cause in self._bound():
            wrong = self._stays_lost if cause is Cause.BROKER else self._has(cause)
            value, known = Alarm.ACTIVE if wrong else Alarm.CLEAR, batch.state.states.get(entity(cause), NEVER_HEARD)
            if (known.value, known.quality) != (value, Quality.GOOD):
                batch.feed(Reading(entity(cause), value, Quality.GOOD, batch.now))


def _described(cause: Cause) -> Entity:
    return Entity(entity(cause), Capability.ALARM, _NAMES[cause], device=_CALLED)
