"""The hub's end of a decoder in a process of its own: one message after the other, and a new process after a fault."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from hub.model.errors import HubError
from hub.model.text import Text, clean
from hub.runtime.isolation.parent import start
from hub.runtime.isolation.wire import Heard, WorkerError

if TYPE_CHECKING:
    from hub.runtime.isolation.parent import Worker
    from hub.runtime.isolation.wire import Open, Opened
    from hub.runtime.problems import Problems
    from hub.sdk import Message, Sample, Vitals

log = structlog.get_logger()

#: Messages that may wait for one decoder until nothing more is read from the broker, which keeps what it has. Half of
#: it is for what may be an alarm: numbers beyond that are dropped and counted (RELIABILITY.md F12).
WAITING = 2_000
#: Seconds for its process to start and import the plugin.
STARTING = 10.0
#: A decoder that fails by its own fault more often than this within so many seconds is held (RELIABILITY.md F16).
FAULTS, WITHIN = 5, 60.0

Then = Callable[[Heard], None]


class DecoderProcess:
    """Reads the messages of one integration. ``command`` starts a process; ``what`` says what to open in it."""

    def __init__(self, command: tuple[str, ...], what: Open, problems: Problems) -> None:
        self.domain = what.domain
        self._command = command
        self._what = what
        self._problems = problems
        self._worker: Worker | None = None
        self._waiting: deque[tuple[Message, bool, Then]] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._known: dict[str, Message] = {}
        """What announced devices: a new process must hear it again."""
        self._faults: deque[float] = deque(maxlen=FAULTS)
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> Opened:
        """Start the process. Raises HubError: what opening raised, or that it took too long."""
        self._worker = worker = await start(self._command, _nothing_to_report)
        try:
            async with asyncio.timeout(STARTING):
                opened = await worker.open(self._what)
        except TimeoutError:
            await self._end()
            raise WorkerError(f"not ready within {STARTING:.0f} s") from None
        except HubError:
            await self._end()
            raise
        return opened

    @property
    def held(self) -> bool:
        """Whether it failed too often to be started again."""
        return len(self._faults) == FAULTS and self._faults[-1] - self._faults[0] < WITHIN

    @property
    def full(self) -> bool:
        """Whether so many wait that no more should be read from the broker."""
        return not self._room.is_set()

    async def room(self) -> None:
        """Wait until half of them are decoded."""
        await self._room.wait()

    def read(self, message: Message, *, routed: bool, then: Then, numbers: bool = False) -> None:
        """Have a message decoded after those before it, and ``then`` called with what it says.

        One that brings ``numbers`` only is not waited for when many wait already.
        """
        if self.held:
            then(Heard(failures=("dropped: its decoder is held",)))
            return
        if numbers and len(self._waiting) >= WAITING // 2:
            self._shed()
            then(Heard(failures=("dropped: too many wait",)))
            return
        self._waiting.append((message, routed, then))
        if len(self._waiting) >= WAITING:
            self._room.clear()
        self._arrived.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"decoder.{self.domain}")

    async def ask(self, message: Message) -> Heard:
        """Have an announcement decoded, and wait for it."""
        answer: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()
        self.read(message, routed=False, then=lambda said: None if answer.done() else answer.set_result(said))
        return await answer

    def after(self, then: Callable[[], None]) -> bool:
        """Have ``then`` called once all that waits is decoded; False, and never, where nothing waits."""
        if not self._waiting:
            return False
        message, routed, last = self._waiting[-1]

        def both(said: Heard) -> None:
            last(said)
            then()

        self._waiting[-1] = message, routed, both
        return True

    async def close(self) -> None:
        """End the process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._room.set()  # nobody waits for what has ended
        await self._end()

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                message, routed, _ = self._waiting[0]
                said = await self._heard(message, routed=routed)
                if said.devices and not routed:
                    self._known[message.topic] = message
                elif not routed and not said.failures:
                    self._known.pop(message.topic, None)
                self._waiting.popleft()[2](said)
                if len(self._waiting) <= WAITING // 2:
                    self._room.set()
            self._problems.settle(self._slow)

    async def _heard(self, message: Message, *, routed: bool) -> Heard:
        if self.held:
            return Heard(failures=("dropped: its decoder is held",))
        try:
            if self._worker is None:
                await self.open()
                await self._remind()
            worker = self._worker
            if worker is None:
                raise WorkerError("its process has ended")
            return await worker.read(message, routed=routed)
        except (HubError, OSError) as error:
            reason = await self._obituary(error)
            await self._end()
            self._fault(reason)
            return Heard(failures=(f"dropped: {reason}",))

    async def _remind(self) -> None:
        """Let a new process know the devices that the one before knew."""
        if self._worker is not None:
            for known in self._known.values():
                await self._worker.read(known, routed=False)

    async def _obituary(self, error: BaseException) -> str:
        if self._worker is not None:
            try:
                async with asyncio.timeout(1):
                    await self._worker.run()
            except (HubError, TimeoutError) as ended:
                error = ended if str(ended) else error
        return clean(str(error), 120)

    @property
    def _slow(self) -> str:
        return f"integration.{self.domain}.slow"

    def _shed(self) -> None:
        text = Text(
            f"集成 {self.domain} 来不及解码，部分数值已丢弃；报警不丢",
            f"The decoder of {self.domain} cannot keep up: some numbers are dropped, no alarm is",
        )
        if self._problems.raise_(self._slow, text):
            log.warning("decoder.slow", integration=self.domain, waiting=len(self._waiting))

    def _fault(self, reason: str) -> None:
        self._faults.append(asyncio.get_running_loop().time())
        log.error("decoder.fault", integration=self.domain, reason=reason, held=self.held)
        if self.held:
            text = Text(
                f"集成 {self.domain} 的解码程序一再出错，已停用，重启后再试：{reason}",
                f"The decoder of {self.domain} failed again and again and is held until a restart: {reason}",
            )
            self._problems.raise_(f"integration.{self.domain}.decoder", text)

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            with suppress(ProcessLookupError):
                await worker.close()


async def _nothing_to_report(*said: Sample | Vitals) -> None:
    raise WorkerError("a decoder has nothing to report")
