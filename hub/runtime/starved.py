"""How long the loop stood still because the machine had no processor for us: that is nobody's fault."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def queued_s(thread: int) -> float:
    """Return the seconds that a thread of ours was ready to run and had no processor, 0 where the system does not tell.

    Linux: Documentation/scheduler/sched-stats.rst, ``/proc/<pid>/schedstat``, the second number. A time in the queue is
    counted when it is over, not before.
    """
    try:
        file = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY)  # fifty times a second: a Path costs more
        try:
            return int(os.read(file, 100).split()[1]) / 1e9
        finally:
            os.close(file)
    except (OSError, ValueError, IndexError):
        return 0.0


@dataclass(frozen=True, slots=True)
class Queues:
    """What each thread had queued for a processor at one time, to compare with later."""

    loop: int
    loop_had: float
    watcher: int
    """The thread that looks; it queues like all others, and nobody waits for it."""
    others: Mapping[int, float]
    queued: Callable[[int], float]

    @classmethod
    def now(cls, loop: int, loop_had: float, queued: Callable[[int], float]) -> Queues:
        """Look at all threads of this process; to be asked by the watcher."""
        watcher = threading.get_native_id()
        return cls(loop, loop_had, watcher, _queues({loop, watcher}, queued), queued)

    def starved(self) -> float:
        """Return the seconds since then that the loop had no processor, or waited for a thread that had none.

        It waits for one to start (``asyncio.to_thread``) or to give the interpreter back, which may go from one to the
        next before it comes to the loop; which ones, nobody tells: all that queued count. To be asked by the loop, once
        it runs again.
        """
        now = _queues({self.loop, self.watcher}, self.queued)
        others = (queued - self.others.get(thread, 0.0) for thread, queued in now.items())
        return max(0.0, self.queued(self.loop) - self.loop_had) + sum(max(0.0, queued) for queued in others)


def _queues(but: set[int], queued: Callable[[int], float]) -> dict[int, float]:
    try:
        threads = [int(name) for name in os.listdir("/proc/self/task")]  # noqa: PTH208 - numbers, no paths
    except OSError:
        return {}
    return {thread: queued(thread) for thread in threads if thread not in but}
