"""The control panel of one line: libosdp polls in a thread of its own, and what it hears is reported from the loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from osdp import Capability, Command, ControlPanel, LibFlag, LogLevel, PDInfo, StatusReportType

from hub.sdk import BadCredentials, DecodeError, Sample, Unreachable
from integrations.osdp.events import Answered, Online, Said, read
from integrations.osdp.line import Line

if TYPE_CHECKING:
    from hub.sdk import Tools
    from integrations.osdp.config import Config, ReaderConfig
    from integrations.osdp.reader import Reader

#: Seconds between two looks at the line, the thread and the clock.
TICK = 0.1
#: Seconds after which a silent reader is tried again. libosdp 3.2 alone would wait 300 s.
AGAIN = 5.0
#: Looks at a reader, one each tick, that must find it online before it counts: one that demands a key comes and goes.
STEADY = 5
#: Events that wait while the hub writes; a reader that says more is lying.
WAITING = 256


class Panel:
    """One open line. All its methods but ``_take`` belong to the loop."""

    def __init__(self, line: Line, readers: list[Reader], config: Config, tools: Tools) -> None:
        self._line = line
        self._readers = readers
        self._config = config
        self._report = tools.report
        self._loop = asyncio.get_running_loop()
        self._heard: asyncio.Queue[tuple[int, Said]] = asyncio.Queue(WAITING)
        self._asked: list[list[int]] = [[] for _ in readers]
        self._refused: list[set[int]] = [set() for _ in readers]
        self._again_at = self._loop.time() + AGAIN
        self._resting: list[int] = []
        self._alone_since: float | None = None
        # Warnings of libosdp name packets, and so may name cards.
        self._panel: Any = ControlPanel(
            [_info(line, reader.config) for reader in readers], LogLevel.Critical, self._take
        )

    @classmethod
    async def open(cls, readers: list[Reader], config: Config, tools: Tools) -> Panel:
        """Begin to poll and wait until one reader answers. Raises Unreachable, BadCredentials or Unsupported."""
        line = Line(config.port, config.baud)
        try:
            panel = cls(line, readers, config, tools)
        except BaseException:  # whatever the library raises, the line is free again
            line.close()
            raise
        panel._panel.start()
        try:
            await panel._wait()
        except BaseException:  # cancelled, too: its thread would poll on
            await panel.close()
            raise
        return panel

    async def run(self) -> None:
        """Report until the line is lost or no reader answers any more. Raises Unreachable."""
        while True:
            said: list[Sample] = []
            try:
                async with asyncio.timeout(TICK):
                    number, heard = await self._heard.get()
            except TimeoutError:
                pass
            else:
                said += self._note(number, heard)
            now = self._loop.time()
            for reader in self._readers:
                said += reader.tick(now)
            if said:
                await self._report(*said)
            self._check(now)

    async def close(self) -> None:
        """Stop polling, then close the port."""
        await asyncio.shield(asyncio.to_thread(self._panel.teardown))
        self._line.close()

    def _take(self, number: int, event: dict[str, Any]) -> int:
        """Called by libosdp in its thread; nothing of a card leaves here."""
        self._panel.get_event(self._readers[number].config.address, 0)  # the package keeps a copy of its own for ever
        try:
            said = read(event)
        except DecodeError:
            return -1
        if said is not None:
            self._loop.call_soon_threadsafe(self._put, number, said)
        return 0

    def _put(self, number: int, said: Said) -> None:
        if not self._heard.full():
            self._heard.put_nowait((number, said))

    def _note(self, number: int, said: Said) -> tuple[Sample, ...]:
        if isinstance(said, Answered):
            kind = self._asked[number].pop(0) if self._asked[number] else None
            if kind is not None and not said.good:
                self._refused[number].add(kind)  # libosdp takes a reader that refuses for lost: do not ask again
        elif isinstance(said, Online):
            self._asked[number].clear()
            if said.now:
                self._ask(number)
        return self._readers[number].hear(said, self._loop.time())

    def _ask(self, number: int) -> None:
        """Ask a reader that has just come for what it else tells only when it changes."""
        config = self._readers[number].config
        questions = [StatusReportType.Local]
        if config.door_input is not None:
            _, inputs = self._panel.check_capability(config.address, Capability.ContactStatusMonitoring)
            questions += [StatusReportType.Input] if inputs else []
        for kind in questions:
            if kind in self._refused[number]:
                continue
            if self._panel.submit_command(config.address, {"command": Command.Status, "type": kind}):
                self._asked[number].append(kind)

    def _check(self, now: float) -> None:
        """Raise Unreachable for what cannot come back by itself, and try silent readers again."""
        if self._line.lost:
            raise Unreachable(f"the port {self._config.port} was lost ({self._line.lost})")
        if not self._panel.thread.is_alive():
            raise Unreachable("the polling of the readers has ended")
        self._try_again(now)
        if any(reader.online for reader in self._readers):
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since > self._config.timeout_s:
            raise Unreachable(f"no reader answers on {self._config.port} any more")

    def _try_again(self, now: float) -> None:
        """Take silent readers out and, a tick later, in again: then libosdp begins anew with them."""
        for address in self._resting:
            self._panel.enable_pd(address)
        self._resting = []
        if now >= self._again_at:
            self._again_at = now + AGAIN
            addresses = [reader.config.address for reader in self._readers]
            self._resting = [address for address in addresses if not self._panel.is_online(address)]
            for address in self._resting:
                self._panel.disable_pd(address)

    async def _wait(self) -> None:
        """Return when one reader is online. Raises what a technician should know else."""
        end = self._loop.time() + self._config.timeout_s
        steady = 0
        while steady < STEADY:
            now = self._loop.time()
            if now > end:
                self._give_up()
            self._check(now)
            steady = steady + 1 if self._panel.status() else 0
            await asyncio.sleep(TICK)

    def _give_up(self) -> None:
        known = {reader.config.address: reader.config for reader in self._readers}
        there = sorted(known.keys() & self._line.answered)
        if not there:
            where = f"{self._config.port} at {self._config.baud} baud"
            raise Unreachable(f"no reader answers on {where}: check wires A and B, address, speed and power")
        names = ", ".join(map(str, there))
        if any(known[address].key for address in there):
            raise BadCredentials(f"the reader with address {names} answers, but not with this key")
        raise Unreachable(f"the reader with address {names} answers, but does not come online; it may demand a key")


def _info(line: Line, config: ReaderConfig) -> Any:
    flags = [LibFlag.EnableNotification]
    if config.key:
        flags.append(LibFlag.EnforceSecure)
    key = bytes.fromhex(config.key) if config.key else None
    return PDInfo(config.address, line, scbk=key, name=f"reader {config.address}", flags=flags)
