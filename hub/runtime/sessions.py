"""Opens the commanded devices of the site and keeps trying where that may help."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import structlog

from hub.model.errors import BadCredentials, DeviceError, Unreachable
from hub.model.text import Text, clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hub.runtime.problems import Problems
    from hub.runtime.registry import Registry
    from hub.sdk import Equipment

log = structlog.get_logger()

#: Seconds between two attempts to open a device: first and longest.
BACKOFF = (2.0, 60.0)

SessionState = Literal["running", "retrying", "needs_credentials", "failed"]


@dataclass(slots=True)
class DeviceSession:
    """One configured device."""

    domain: str
    name: str
    open: Callable[[], Awaitable[tuple[Equipment, ...]]]
    state: SessionState = "retrying"
    reason: str = ""


class Sessions:
    """All configured devices. Opening one never holds up another."""

    def __init__(self, registry: Registry, problems: Problems, devices: tuple[DeviceSession, ...]) -> None:
        self.devices = devices
        self._registry = registry
        self._problems = problems

    async def open(self) -> None:
        """Open every device; return when each is running or waits for a person."""
        await asyncio.gather(*(self._open(device) for device in self.devices))

    async def _open(self, device: DeviceSession) -> None:
        delay = BACKOFF[0]
        key = f"device.{device.domain}.{device.name}"
        while True:
            try:
                equipment = await device.open()
            except Unreachable as error:
                self._fail(device, key, "retrying", error.reason)
                await asyncio.sleep(delay)
                delay = min(delay * 2, BACKOFF[1])
            except BadCredentials as error:
                self._fail(device, key, "needs_credentials", error.reason)
                return
            except DeviceError as error:
                self._fail(device, key, "failed", error.reason)
                return
            except Exception as error:  # noqa: BLE001 - a plugin's fault is shown and kept from the others
                self._fail(device, key, "failed", f"fault in the integration: {type(error).__name__}: {error}")
                return
            else:
                self._registry.equip(device.domain, equipment)
                device.state, device.reason = "running", ""
                if self._problems.settle(key):
                    log.info("device.back", integration=device.domain, device=device.name)
                return

    def _fail(self, device: DeviceSession, key: str, state: SessionState, reason: str) -> None:
        device.state, device.reason = state, clean(reason, 160)
        text = Text(f"设备 {device.name} 无法使用：{device.reason}", f"Device {device.name}: {device.reason}")
        if self._problems.raise_(key, text):
            log.warning("device.failed", integration=device.domain, device=device.name, reason=device.reason)
