"""How long the loop stood still because the machine had no processor for us: that is nobody's fault."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

#: Rounds of the watcher that are remembered: one may end while the loop is late already.
ROUNDS = 16


class Spent(NamedTuple):
    """What became of a thread's time so far, in seconds."""

    ran: float = 0.0
    queued: float = 0.0
    """Ready to run, without a processor."""


def spent_s(thread: int) -> Spent:
    """Return what a thread of ours has spent, nothing where the system does not tell.

    Linux: Documentation/scheduler/sched-stats.rst, ``/proc/<pid>/schedstat``, the first two numbers. A time in the
    queue is counted when it is over, not before.
    """
    try:
        file = os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY)  # fifty times a second: a Path costs more
        try:
            ran, queued, _ = os.read(file, 100).split()
            return Spent(int(ran) / 1e9, int(queued) / 1e9)
        finally:
            os.close(file)
    except (OSError, ValueError):
        return Spent()


def stolen_s() -> tuple[float, ...]:
    """Return for how many seconds a host has kept each processor of this virtual machine for others.

    Nothing where nobody tells. Linux: proc(5), ``/proc/stat``, the eighth number of each line ``cpuN``, in ticks. A
    thread on such a processor neither queues nor sleeps.
    """
    try:
        with open("/proc/stat", "rb") as file:  # noqa: PTH123 - a Path costs more
            lines = [line.split() for line in file if line.startswith(b"cpu")]
        return tuple(int(line[8]) / os.sysconf("SC_CLK_TCK") for line in lines[1:])  # the first is their sum
    except (OSError, ValueError, IndexError):
        return ()


class Standstill:
    """For how long neither the watcher nor the loop were let run, though none of them queued. The watcher keeps it.

    Either the whole machine stood still (a virtual one, while its host had others to serve), or another thread kept the
    interpreter. Where the loop's own code keeps it, the watcher is away, too, but the loop runs.
    """

    def __init__(self, loop: int, spent: Callable[[int], Spent], pause: float) -> None:
        """``loop`` is its thread, ``pause`` what the watcher sleeps between two rounds, in seconds."""
        self._threads, self._spent, self._pause = (threading.get_native_id(), loop), spent, pause
        self._round = 0.0, self._now()
        self._rounds = deque([(0.0, 0.0)], ROUNDS)

    def by(self, when: float) -> float:
        """Return the seconds by the last round that had begun by then (monotonic clock). For the watcher."""
        return next((total for began, total in reversed(self._rounds) if began <= when), self._rounds[0][1])

    @property
    def total(self) -> float:
        """Seconds until now; any thread may ask."""
        return self._until(self._now())

    def round(self) -> None:
        """Begin a round."""
        now = self._now()
        self._round = self._until(now), now
        self._rounds.append((now[2], self._round[0]))

    def _now(self) -> tuple[float, float, float]:
        """Return what the watcher and the loop have run and queued, and the time."""
        mine, its = (sum(self._spent(thread)) for thread in self._threads)
        return mine, its, time.monotonic()  # the time last: whoever reads a file may be kept waiting

    def _until(self, now: tuple[float, float, float]) -> float:
        total, began = self._round
        if not now[0]:  # the system does not tell; who keeps the interpreter must not be excused by that
            return total
        mine, its, seconds = (here - there for here, there in zip(now, began, strict=True))
        away = seconds - self._pause - mine
        return total + max(0.0, away - max(0.0, its - self._pause))  # while the watcher sleeps, the loop may well run


class Hold:
    """One time in which the loop stands still, and what of it is nobody's fault. Made by the watcher."""

    def __init__(self, loop: int, loop_had: Spent, stood: float, spent: Callable[[int], Spent]) -> None:
        """``loop`` is its thread; it had spent ``loop_had``, and all had stood still ``stood``, when it was in time."""
        self._loop, self._had, self._stood, self._spent = loop, loop_had, stood, spent
        self._watcher = threading.get_native_id()  # it queues like all others, and nobody waits for it
        self._others, self._stolen = self._queues(), stolen_s()

    def excused(self, stood: float) -> float:
        """Return the seconds in which nobody held up the loop; ``stood`` is for how long all stood still until now.

        The loop had no processor, or waited for a thread that had none: for one to start (``asyncio.to_thread``) or to
        give the interpreter back, which may go from one to the next before it comes to the loop; which ones, nobody
        tells: all that queued count. Or the host had no processor for this machine: of all, the one
        that was away longest, as the loop can have been on one only. To be asked by the loop, once it
        runs again.
        """
        queued = (seconds - self._others.get(thread, 0.0) for thread, seconds in self._queues().items())
        mine = max(0.0, self._spent(self._loop).queued - self._had.queued)
        stolen = max((now - before for now, before in zip(stolen_s(), self._stolen, strict=False)), default=0.0)
        return mine + sum(max(0.0, seconds) for seconds in queued) + max(0.0, stood - self._stood) + stolen

    def _queues(self) -> dict[int, float]:
        """Return what each other thread of this process has queued."""
        try:
            threads = [int(name) for name in os.listdir("/proc/self/task")]  # noqa: PTH208 - numbers, no paths
        except OSError:
            return {}
        return {thread: self._spent(thread).queued for thread in threads if thread not in {self._loop, self._watcher}}
