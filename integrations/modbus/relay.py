"""Holds an output for a time that is never longer than 60 s, whatever is asked.

A board with ``pulse_register`` lets go by itself; it takes the time, in units of 0.1 s, in one of three ways:

- ``flash_coil``: function 5 to the register, the time in place of on and off (Waveshare: 0x0200 + channel from 0)
- ``flash_pair``: function 16 to the register, the words 4 ("close, then open") and the time (JYDAM: 3, 8, 13 …)
- ``time_register``: function 6 to the register, then the coil is switched on

The session switches the coil off, too: when the time is over, when it begins, and without ``pulse_register`` also when
it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING

from hub.sdk import Alarm, DeviceError, Sample, Unsupported
from integrations.modbus.bus import OFF, ON, Lost, Write

if TYPE_CHECKING:
    from hub.sdk import CommandKey, EntityId
    from integrations.modbus.bus import Bus
    from integrations.modbus.config import RelayConfig
    from integrations.modbus.poller import Report

#: The hub never holds a lift's door longer, in seconds; stands here too, below the configuration.
LONGEST = 60.0
#: Seconds between two attempts to switch off: first and longest. Each costs the others on the bus a time-out.
_AGAIN = (1.0, 10.0)
#: Seconds and attempts to switch off at the end; the hub waits 5 s.
_END, _TRIES = 3.0, 2
_CLOSE_THEN_OPEN = 4
#: What the clock's arithmetic may take from a tenth.
_DUST = 1e-6


class CoilRelay:
    """One output. ``stuck`` is the alarm that tells that it could not be switched off."""

    def __init__(self, bus: Bus, config: RelayConfig, stuck: EntityId, report: Report) -> None:
        self._bus = bus
        self._config = config
        self._stuck = stuck
        self._report = report
        self._lock = asyncio.Lock()
        self._key: CommandKey | None = None
        self._since = self._until = -math.inf
        self._alarm: Alarm | None = None
        self._release: asyncio.Task[None] | None = None

    @property
    def _watched(self) -> bool:
        """Tell whether the board lets go by itself."""
        return self._config.pulse_register is not None

    async def hold(self, seconds: float, key: CommandKey) -> None:
        """Hold for ``seconds``, at most ``max_s`` and 60 in one piece however often it is asked. Raises DeviceError.

        The same ``key`` again is the same order and prolongs nothing.
        """
        if not 0 < seconds < math.inf:
            raise Unsupported("a relay is held for a time above 0 s")
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now >= self._until:
                self._since = now
            until = min(now + seconds, self._since + min(self._config.max_s, LONGEST))
            held = self._key is not None and now < self._until
            if held and (key == self._key or until <= self._until):
                return
            self._key = None
            self._until = max(until, self._until)  # also when the order fails: it may have arrived
            try:
                await self._close_contact(until - now)
            except DeviceError:
                self._let_go_at(now)
                raise
            self._key = key
            self._let_go_at(until)

    async def start(self) -> None:
        """Begin with an open contact: a hub that died may have left it closed."""
        async with self._lock:
            if self._key is not None:
                await self._say(Alarm.CLEAR)  # ordered since the line is open
            elif not await self._open_contact():
                self._let_go_at(asyncio.get_running_loop().time() + _AGAIN[0])

    async def close(self) -> None:
        """End with an open contact, as far as the line still carries."""
        task, self._release = self._release, None
        if task is None or task.done():
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if self._watched:
            return
        with contextlib.suppress(TimeoutError):  # the next session begins with it; until then only a watchdog helps
            async with asyncio.timeout(_END):
                for _ in range(_TRIES):
                    with contextlib.suppress(DeviceError):
                        await self._bus.ask(self._order(OFF))
                        return

    async def _close_contact(self, seconds: float) -> None:
        unit, register, tenths = self._config.unit_id, self._config.pulse_register, math.floor(seconds * 10 + _DUST)
        if register is None:
            self._let_go_at(self._until)  # before the order: it may arrive although its answer does not
            await self._bus.ask(self._order(ON))
        elif tenths == 0:
            raise Unsupported("the board cannot hold for less than 0.1 s")
        elif self._config.pulse_by == "flash_coil":
            await self._bus.ask(Write(unit, 5, register, (tenths,)))
        elif self._config.pulse_by == "flash_pair":
            await self._bus.ask(Write(unit, 16, register, (_CLOSE_THEN_OPEN, tenths)))
        else:
            await self._bus.ask(Write(unit, 6, register, (tenths,)))
            await self._bus.ask(self._order(ON))

    def _order(self, state: int) -> Write:
        return Write(self._config.unit_id, 5, self._config.coil, (state,))

    def _let_go_at(self, when: float) -> None:
        """Switch off at ``when`` (loop clock), also what a board switches off itself, which counts from later."""
        if self._release is not None:
            self._release.cancel()
        self._release = asyncio.create_task(self._let_go(when))

    async def _let_go(self, when: float) -> None:
        await asyncio.sleep(max(0.0, when - asyncio.get_running_loop().time()))
        pause = _AGAIN[0]
        while not await self._open_contact():
            await asyncio.sleep(pause)
            pause = min(pause * 2, _AGAIN[1])
        self._key, self._until = None, -math.inf

    async def _open_contact(self) -> bool:
        """Switch off; tell whether there is nothing left to do here, as after the loss of the line."""
        try:
            await self._bus.ask(self._order(OFF))
        except Lost:
            return True  # the session ends, and the next one begins with this
        except DeviceError:
            await self._say(Alarm.CLEAR if self._watched else Alarm.ACTIVE)
            return self._watched
        await self._say(Alarm.CLEAR)
        return True

    async def _say(self, alarm: Alarm) -> None:
        if alarm is not self._alarm:
            self._alarm = alarm
            await self._report(Sample(self._stuck, alarm))
