"""One device of the estate as a child process: started, watched, started again when it dies, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from integrations.sim.process import GRACE

#: Seconds a device may take until it is ready (half of one alone; they all start at once).
START = 60.0
#: Seconds it may take to end after SIGTERM: more than it gives itself, so that it can say what is in its way. Its pipe
#: may take as long again.
STOP = GRACE + 0.5
#: First and longest pause before a dead device is started again, in seconds.
BACKOFF = (0.3, 5.0)


class DidNotStart(RuntimeError):
    """The device ended before it was ready; its own words are on stderr."""


@dataclass
class Child:
    """A device's arguments and environment; its name is that of its module."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    restarts: int = 0
    up: bool = False
    _process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start it and wait for its ready line. Raises DidNotStart."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"integrations.sim.{self.name}",
            *self.arguments,
            "--parent",
            str(os.getpid()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            env=self.environment,
        )
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        try:
            async with asyncio.timeout(START):
                line = await self._process.stdout.readline()
            self.up = bool(json.loads(line)["ready"])
        except (TimeoutError, ValueError, KeyError):
            await self.stop()
            raise DidNotStart(f"{self.name} did not start") from None

    async def watch(self, came_up: Callable[[Child], Awaitable[None]]) -> None:
        """Start it again whenever it has died, until cancelled; ``came_up`` is awaited each time."""
        pause = BACKOFF[0]
        while True:
            if self._process is not None:
                await self._process.wait()
            self.up = False
            await asyncio.sleep(pause)
            pause = min(pause * 2, BACKOFF[1])
            self.restarts += 1
            with contextlib.suppress(DidNotStart):
                await self.start()
                pause = BACKOFF[0]
                await came_up(self)

    async def stop(self) -> None:
        """End it, by force if it must be."""
        process, self.up = self._process, False
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        assert process.stdout is not None  # noqa: S101 - asked for at the start
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP):
                # its pipe ends a moment later: one that is left complains of a closed loop
                await process.stdout.read()
