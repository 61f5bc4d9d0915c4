"""Opens the configured devices of the site, watches over them, and keeps trying where that may help."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import structlog

from hub.model.entry import Note
from hub.model.errors import BadCredentials, DeviceError, Unreachable
from hub.model.execution import pause
from hub.model.reading import Capability, Quality, Reading
from hub.model.text import Text, clean
from hub.model.time import SECOND, Instant
from hub.runtime.examine import way_to
from hub.sdk import Connection

if TYPE_CHECKING:
    from hub.model.execution import Clock
    from hub.runtime.batch import Batch
    from hub.runtime.core import Runtime
    from hub.runtime.problems import Problems
    from hub.runtime.registry import Registry
    from hub.sdk import Equipment

log = structlog.get_logger()

#: Seconds between two attempts to open a device: first and longest.
BACKOFF = (2.0, 60.0)
#: Seconds that opening and closing a device may take.
OPENING, CLOSING = 30.0, 5.0
#: Seconds before a plugin that failed by its own fault is started again.
AFTER_FAULT = 1.0
#: A plugin that fails by its own fault more often than this within the time is held (RELIABILITY.md F16).
FAULTS, WITHIN = 5, 60 * SECOND

#: Seconds between two looks at a device that says nothing by itself, and without a good one until it is missing; and so
#: many times as long for what only tells people, which is often somebody else's server.
LOOK, MISSING_AFTER, SERVICE = 30.0, 60.0, 10

SessionState = Literal["running", "retrying", "needs_credentials", "failed"]
Opener = Callable[[], Awaitable["Connection | tuple[Equipment, ...]"]]


@dataclass(slots=True)
class DeviceSession:
    """One configured device."""

    domain: str
    name: str
    open: Opener
    values: object = None
    """What it was configured with: a device whose values were edited is closed and opened anew."""
    forget: Callable[[], None] = lambda: None
    """Called when the site names it no more."""
    state: SessionState = "retrying"
    reason: str = ""
    faults: deque[Instant] = field(default_factory=lambda: deque(maxlen=FAULTS + 1))

    @property
    def key(self) -> str:
        """Name its problem."""
        return f"device.{self.domain}.{self.name}"


class Sessions:
    """All configured devices. Opening or losing one never holds up another."""

    def __init__(
        self, runtime: Runtime, registry: Registry, problems: Problems, clock: Clock, devices: tuple[DeviceSession, ...]
    ) -> None:
        self._devices = {device.key: device for device in devices}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._runtime = runtime
        self._registry = registry
        self._problems = problems
        self._clock = clock

    @property
    def devices(self) -> tuple[DeviceSession, ...]:
        """Return all devices that the site names."""
        return tuple(self._devices.values())

    async def run(self) -> None:
        """Keep every device open until cancelled."""
        for device in self.devices:
            self._begin(device)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self._end(*self._tasks)

    async def change(self, devices: tuple[DeviceSession, ...]) -> None:
        """Close what the site names no more or otherwise, open what is new; all others are left alone."""
        wanted = {device.key: device for device in devices}
        gone = [
            key for key, device in self._devices.items() if key not in wanted or wanted[key].values != device.values
        ]
        await self._end(*gone)
        for key in gone:
            self._forget(self._devices.pop(key))
        for key, device in wanted.items():
            if key not in self._devices:
                self._devices[key] = device
                self._begin(device)

    def _begin(self, device: DeviceSession) -> None:
        task = self._tasks[device.key] = asyncio.create_task(self._keep(device), name=device.key)
        task.add_done_callback(_loud)

    def _forget(self, device: DeviceSession) -> None:
        """Nothing is known any more of what a removed device had said."""
        mine = self._registry.brought(device.domain, device.name)

        def unknown(batch: Batch) -> None:
            for name in mine:
                batch.feed(Reading(name, None, Quality.UNKNOWN, batch.now))

        self._runtime.post(unknown)
        self._registry.equip(device.domain, device.name, ())
        self._problems.settle(device.key)
        device.forget()

    async def _end(self, *keys: str) -> None:
        tasks = [task for key in keys if (task := self._tasks.pop(key, None)) is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, device: DeviceSession) -> None:
        """Open a device, run it, and open it again when it is lost; return when only a person can help."""
        delay = BACKOFF[0]
        while True:
            began, pausing = self._clock.now(), delay
            try:
                await self._live(device)
            except Unreachable as error:
                self._fail(device, "retrying", error.reason)
            except BadCredentials as error:
                self._fail(device, "needs_credentials", error.reason)
                return
            except DeviceError as error:
                self._fail(device, "failed", error.reason)
                return
            except Exception as error:  # noqa: BLE001 - a plugin's fault is shown and kept from the others
                reason = f"fault in the integration: {type(error).__name__}: {error}"
                if self._held(device):
                    self._fail(device, "failed", f"held after {FAULTS} restarts in a minute; {reason}")
                    return
                self._fail(device, "retrying", reason)
                pausing = AFTER_FAULT
            else:
                return  # there is nothing to run: its driver asks the device when it is commanded
            if self._clock.now() - began > BACKOFF[1] * SECOND:
                delay = BACKOFF[0]  # it had worked for a while
            await pause(self._clock, round(pausing * SECOND))
            delay = min(delay * 2, BACKOFF[1])

    async def _live(self, device: DeviceSession) -> None:
        """Open a device and run it. Raises what ends it; returns at once when it has nothing to run."""
        try:
            async with asyncio.timeout(OPENING):
                opened = await device.open()
        except TimeoutError:
            raise Unreachable(f"not open within {OPENING:g} s") from None
        connection = opened if isinstance(opened, Connection) else Connection(opened)
        lasting = connection.run is None and connection.close is None
        try:
            self._equip(device, connection)
            if connection.run is not None:
                await connection.run()
                raise Unreachable("the integration ended its session")
            tells = all(one.entity.capability is Capability.NOTIFIER for one in connection.equipment)
            await self._attend(device, SERVICE if tells else 1)
            if lasting:
                return
            await asyncio.get_running_loop().create_future()  # nothing to run, but something to close in the end
        finally:
            if not lasting:
                await self._close(device, connection)

    def _equip(self, device: DeviceSession, connection: Connection) -> None:
        refused = self._registry.equip(device.domain, device.name, connection.equipment)
        for entity in refused:
            log.warning("entity.refused", integration=device.domain, device=device.name, entity=clean(entity, 80))
        self._well(device)

    def _well(self, device: DeviceSession) -> None:
        device.state, device.reason = "running", ""
        if self._problems.settle(device.key):
            log.info("device.back", integration=device.domain, device=device.name)

    async def _attend(self, device: DeviceSession, times: float) -> None:
        """Look from time to time whether a device can be reached that is only spoken to; return when it is nowhere.

        A loudspeaker whose plug is out is missing before somebody has to be warned. Its driver is asked all the same.
        """
        heard, look = self._clock.now(), LOOK * times
        await pause(self._clock, round(random.uniform(0, look) * SECOND))  # noqa: S311 - spreads them, no secret
        while steps := await way_to(device.values):
            if steps[-1].well:
                heard = self._clock.now()
                self._well(device)
            elif self._clock.now() - heard >= MISSING_AFTER * times * SECOND:
                self._fail(device, "retrying", f"{steps[-1].tried.in_language('en')}: {steps[-1].answer}")
            await pause(self._clock, round(look * SECOND))

    async def _close(self, device: DeviceSession, connection: Connection) -> None:
        self._runtime.post(lambda batch: self._distrust(batch, device))
        if connection.close is None:
            return
        try:
            async with asyncio.timeout(CLOSING):
                await connection.close()
        except TimeoutError:
            log.warning("device.close_late", integration=device.domain, device=device.name)
        except Exception as error:  # noqa: BLE001 - a plugin's fault in closing is logged; the device is lost anyway
            reason = clean(f"{type(error).__name__}: {error}", 160)
            log.warning("device.close_failed", integration=device.domain, device=device.name, reason=reason)

    def _distrust(self, batch: Batch, device: DeviceSession) -> None:
        """What a lost device said last is not confirmed any more."""
        mine = self._registry.brought(device.domain, device.name)
        known = [name for name in mine if (state := batch.state.states.get(name)) and state.quality is Quality.GOOD]
        if known:
            batch.trust(known, Quality.STALE)
            batch.record(Note("device_lost", batch.now, {"device": device.name, "integration": device.domain}))

    def _held(self, device: DeviceSession) -> bool:
        device.faults.append(self._clock.now())
        return len(device.faults) > FAULTS and device.faults[-1] - device.faults[0] < WITHIN

    def _fail(self, device: DeviceSession, state: SessionState, reason: str) -> None:
        device.state, device.reason = state, clean(reason, 160)
        text = Text(f"设备 {device.name} 无法使用：{device.reason}", f"Device {device.name}: {device.reason}")
        if self._problems.raise_(device.key, text):
            log.warning("device.failed", integration=device.domain, device=device.name, reason=device.reason)


def _loud(task: asyncio.Task[None]) -> None:
    """A fault of the supervision itself, not of a plugin."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("device.supervision_died", device=task.get_name(), exc_info=error)
