"""Notices when the loop is held up, and by whom: a thread looks at the loop's pulse and at the code that stops it."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from hub.model.text import Text
from hub.runtime.starved import Hold, Spent, Standstill, spent_s

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from hub.runtime.problems import Problems

log = structlog.get_logger()

#: Seconds between two beats of the loop, and without one until somebody is named (RELIABILITY.md F14: 100 ms).
BEAT, HELD = 0.02, 0.1
#: Seconds for which a culprit stays on the page after the last time.
SHOWN = 600.0
#: Code of the hub that a plugin's frames stand below.
_HUB = str(Path(__file__).parents[1])


class Watchdog:
    """Watches one loop. ``places`` tells the folders of integrations by domain; ``named`` hears who held it up."""

    def __init__(
        self,
        problems: Problems,
        places: Callable[[], dict[str, Path]],
        named: Callable[[str], None] = lambda _domain: None,
        spent: Callable[[int], Spent] = spent_s,
    ) -> None:
        self._problems = problems
        self._named = named
        self._places = places
        self._spent = spent
        self._beat = time.monotonic()
        self._had = Spent()
        """What the loop's thread had spent by its last beat."""
        self._stopped = threading.Event()
        self._shown: dict[str, asyncio.TimerHandle] = {}
        self.worst = 0.0
        """Longest hold-up so far in seconds."""

    async def run(self) -> None:
        """Beat until cancelled; the thread ends with it."""
        loop, native = asyncio.get_running_loop(), threading.get_native_id()
        thread = threading.Thread(
            target=self._watch, args=(loop, threading.get_ident(), native), name="watchdog", daemon=True
        )
        thread.start()
        try:
            while True:
                had = self._spent(native)  # before the time: whoever reads a file may be kept waiting
                self._had, self._beat = had, time.monotonic()
                await asyncio.sleep(BEAT)
        finally:
            self._stopped.set()
            thread.join(1)
            for timer in self._shown.values():
                timer.cancel()

    def _watch(self, loop: asyncio.AbstractEventLoop, ident: int, native: int) -> None:
        """Look at the pulse; runs in its own thread."""
        late, named, still = 0.0, 0.0, Standstill(native, self._spent, BEAT)
        while not self._stopped.wait(BEAT):
            beat, had = self._beat, self._had
            # Who it is comes first: to read a file is to let go of the interpreter, and code that keeps it for long may
            # be done before it is given back.
            culprit = None if self._held(beat) < BEAT else self._culprit(sys._current_frames().get(ident))  # noqa: SLF001 - the documented way (sys)
            still.round()
            if culprit is None:
                continue
            if beat != late:  # before there is anybody to name: what threads queue for from now on counts
                late, hold = beat, Hold(native, had, still.by(beat), self._spent)
            if (held := self._held(beat)) < HELD:
                continue
            self.worst = max(self.worst, held)
            if beat != named:  # once for each hold-up
                named = beat
                loop.call_soon_threadsafe(self._judge, *culprit, beat, hold, still)

    def _held(self, beat: float) -> float:
        """Return the seconds without a beat since that one, beyond what is usual."""
        return (self._beat if self._beat > beat else time.monotonic()) - beat - BEAT

    def _judge(self, domain: str, where: str, beat: float, hold: Hold, still: Standstill) -> None:
        """Say who it was, once the loop runs again; a machine that does not let us run is nobody's fault."""
        held = self._held(beat)
        if held - hold.excused(still.total) >= HELD:
            self._tell(domain, where, held)

    def _culprit(self, frame: FrameType | None) -> tuple[str, str]:
        """Return the integration whose code stands highest on the stack, and the line where it is."""
        places = {str(folder): domain for domain, folder in self._places().items()}
        where = ""
        while frame is not None:
            file = frame.f_code.co_filename
            where = where or f"{Path(file).name}:{frame.f_lineno}"
            domain = next((domain for folder, domain in places.items() if file.startswith(folder + "/")), None)
            if domain is not None:
                return domain, f"{Path(file).name}:{frame.f_lineno}"
            if file.startswith(_HUB):
                return "", f"{Path(file).name}:{frame.f_lineno}"
            frame = frame.f_back
        return "", where

    def _tell(self, domain: str, where: str, held: float) -> None:
        if not domain:
            log.warning("loop.held", seconds=round(held, 2), where=where)
            return
        log.error("loop.held", seconds=round(held, 2), integration=domain, where=where)
        text = Text(
            f"集成 {domain} 的程序卡住了整个系统 {held:.1f} 秒（{where}）；请停用它，或设置 isolation: process",
            f"The integration {domain} held everything up for {held:.1f} s ({where}); remove it, or isolate it",
        )
        key = f"integration.{domain}.held"
        self._problems.raise_(key, text)
        if (timer := self._shown.pop(key, None)) is not None:
            timer.cancel()
        self._shown[key] = asyncio.get_running_loop().call_later(SHOWN, self._problems.settle, key)
        self._named(domain)
