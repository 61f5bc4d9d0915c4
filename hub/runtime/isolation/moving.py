"""Gives decoders a process of their own while the hub runs: those that hold up the loop or did not start."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import structlog

from hub.model.errors import BadCredentials, ConfigError, HubError, Unsupported
from hub.model.text import Text, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.runtime.isolation.decoding import DecoderProcess
    from hub.runtime.isolation.wire import Opened
    from hub.runtime.problems import Problems

log = structlog.get_logger()

#: A decoder that is named so often within so many seconds is moved (issue 4, RELIABILITY.md F14).
TIMES, WITHIN = 2, 60.0
#: Seconds until one that did not start is tried again: at first, and at most.
BACKOFF = (2.0, 60.0)


class Mover:
    """Moves decoders. ``make`` prepares a domain's process, ``host`` lets it read from now on.

    ``movable`` tells whether a domain has a decoder in the loop. All methods belong to the loop.
    """

    def __init__(
        self,
        make: Callable[[str], DecoderProcess],
        host: Callable[[DecoderProcess, Opened], None],
        movable: Callable[[str], bool],
        problems: Problems,
    ) -> None:
        self._make = make
        self._host = host
        self._movable = movable
        self._problems = problems
        self._named: dict[str, deque[float]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._hosted: list[DecoderProcess] = []

    def named(self, domain: str) -> None:
        """Count that the watchdog named a plugin, and move its decoder the second time in a minute."""
        times = self._named.setdefault(domain, deque(maxlen=TIMES))
        times.append(asyncio.get_running_loop().time())
        often = len(times) == TIMES and times[-1] - times[0] <= WITHIN
        if often and domain not in self._tasks and self._movable(domain):
            self._tasks[domain] = asyncio.create_task(self._move(domain), name=f"move.{domain}")

    def again(self, domains: Iterable[str]) -> None:
        """Try decoders again, with back-off, that could not be opened at the start."""
        for domain in domains:
            self._tasks[domain] = asyncio.create_task(self._retry(domain), name=f"retry.{domain}")

    async def close(self) -> None:
        """End what is under way, and the processes."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await asyncio.gather(*(process.close() for process in self._hosted))

    async def _move(self, domain: str) -> None:
        try:
            await self._open(domain)
        except (HubError, OSError) as error:
            log.error("decoder.not_moved", integration=domain, reason=clean(str(error), 120))
            del self._tasks[domain]  # the next naming tries again
            return
        log.warning("decoder.moved", integration=domain)
        self._problems.settle(f"integration.{domain}.held")
        text = Text(
            f"集成 {domain} 的解码程序一分钟内两次卡住系统，已自动移入独立进程；"
            "请在它的清单中写 isolation: process，否则重启后又在主程序中运行",
            f"The decoder of {domain} held everything up twice in a minute and now has a process of its own; "
            "write isolation: process in its manifest, or it begins in the hub again after a restart",
        )
        self._problems.raise_(f"integration.{domain}.moved", text)

    async def _retry(self, domain: str) -> None:
        delay = BACKOFF[0]
        while True:
            await asyncio.sleep(delay)
            try:
                await self._open(domain)
            except (BadCredentials, ConfigError, Unsupported) as error:
                log.error("decoder.given_up", integration=domain, reason=clean(str(error), 120))
                return
            except (HubError, OSError) as error:
                log.warning("decoder.not_opened", integration=domain, reason=clean(str(error), 120))
                delay = min(delay * 2, BACKOFF[1])
            else:
                self._problems.settle(f"integration.{domain}")
                return

    async def _open(self, domain: str) -> None:
        process = self._make(domain)
        opened = await process.open()
        self._hosted.append(process)
        self._host(process, opened)
