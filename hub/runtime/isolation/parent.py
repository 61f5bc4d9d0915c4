"""The hub's end of a plugin's process: starts it, speaks to it, kills it when it is silent or grows too big."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from hub.model.errors import Unreachable
from hub.model.text import clean
from hub.runtime.isolation.remote import equipment
from hub.runtime.isolation.wire import (
    Answered,
    Call,
    Cancel,
    Close,
    Failed,
    Heard,
    Open,
    Opened,
    Ping,
    Pong,
    Pushed,
    Read,
    Reported,
    Taken,
    ToWorker,
    WorkerError,
    decode_answer,
    error,
    heard,
    read_frame,
    sample,
    to_hub,
    write_frame,
)
from hub.sdk import Connection, Push, PushAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model.ids import EntityId
    from hub.runtime.isolation.wire import Method
    from hub.sdk import Message
    from hub.sdk.tools import PushHandler, Report

log = structlog.get_logger()

#: Seconds between two looks at a process, and without an answer until it is killed (RELIABILITY.md F14).
LOOK, PATIENCE = 1.0, 4.0
#: Seconds between two looks at its memory: it may grow by hundreds of MiB in a second.
WEIGH = 0.2
#: Largest resident memory in bytes.
MEMORY = 512 * 1024 * 1024
#: Reports of one process that are committed at the same time; it waits for the rest.
REPORTS = 16
#: Last bytes of what it wrote to its standard error, kept for the reason.
KEPT = 400
#: Seconds between asking a process to end and ending it.
GRACE = 1.0


async def isolated(
    command: tuple[str, ...], what: Open, report: Report, receive: Callable[[PushHandler], str]
) -> Connection:
    """Open a device in a process started by ``command`` with the number of its socket behind it.

    Raises what opening raised: a DeviceError, or WorkerError for a fault of the plugin.
    """
    worker = await start(command, report)
    try:
        opened = await worker.open(what)
    except BaseException:  # cancelled, too: no process is left of a device that is not open
        await worker.close()
        raise
    if opened.receives:
        receive(worker.pushed)
    return Connection(equipment(opened, worker.call), worker.run, worker.close)


async def start(command: tuple[str, ...], report: Report) -> Worker:
    """Start a process; nothing is open in it yet."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *command,
            str(theirs.fileno()),
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    reader, writer = await asyncio.open_connection(sock=ours)
    return Worker(process, reader, writer, report)


class Worker:
    """One process, watched over."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        report: Report,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._report = report
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._opened: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
        self._slots = asyncio.Semaphore(REPORTS)
        self._words = b""
        self._answered = asyncio.Event()
        self._tasks = {asyncio.create_task(work) for work in (self._listen_to_errors(), self._watch(), self._weigh())}
        self._hearing = asyncio.create_task(self._hear())

    async def open(self, what: Open) -> Opened:
        """Have the device opened."""
        self._send(what)
        await _first(self._hearing, self._opened)
        if not self._opened.done():
            await self.run()
        return await self._opened

    async def run(self) -> None:
        """Wait until the process ends or says that it has lost the device; raise why."""
        try:
            await asyncio.shield(self._hearing)
        except WorkerError as ended:
            raise WorkerError(await self._obituary(str(ended))) from None

    async def close(self) -> None:
        """Ask the process to end, and end it."""
        with suppress(OSError, RuntimeError):
            self._send(Close())
        for task in (self._hearing, *self._tasks):
            task.cancel()
        await asyncio.gather(self._hearing, *self._tasks, return_exceptions=True)
        for waiting in self._waiting.values():
            waiting.cancel()
        self._writer.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await self._process.wait()
        self._kill()  # also what it started itself
        await self._process.wait()

    async def call(self, entity: EntityId, method: Method, body: bytes) -> bytes:
        """Command an entity. Raises DeviceError."""
        number = next(self._numbers)
        try:
            return await self._ask(number, Call(number, entity, method, body))
        except WorkerError as fault:
            raise Unreachable(f"fault in the integration: {fault}") from None
        except asyncio.CancelledError:
            self._send(Cancel(number))
            raise

    async def pushed(self, push: Push) -> PushAnswer:
        """Hand on an HTTP push."""
        number = next(self._numbers)
        return decode_answer(await self._ask(number, Pushed(number, push)))

    async def read(self, message: Message, *, routed: bool) -> Heard:
        """Have a message decoded. Raises WorkerError: the process is gone, killed for its silence where it must be."""
        number = next(self._numbers)
        try:
            async with asyncio.timeout(PATIENCE):
                return heard(await self._ask(number, Read(number, message, routed)))
        except TimeoutError:
            self._kill("no answer")
            raise WorkerError(f"no answer within {PATIENCE:.0f} s") from None

    async def _ask(self, number: int, message: Call | Pushed | Read) -> bytes:
        if self._hearing.done():
            raise WorkerError("its process has ended")
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._send(message)
            await self._writer.drain()
            await _first(answer, self._hearing)
            if not answer.done():
                raise WorkerError("its process has ended")
            found: bytes = answer.result()
            return found
        finally:
            self._waiting.pop(number, None)

    async def _hear(self) -> None:
        """Take in what the process sends, until it is gone or fails."""
        while True:
            message = to_hub(await read_frame(self._reader))
            self._answered.set()
            match message:
                case Opened():
                    if not self._opened.done():
                        self._opened.set_result(message)
                case Failed():
                    raise error(message)
                case Answered():
                    self._settle(message)
                case Reported():
                    await self._slots.acquire()  # a process that floods waits here, and only it
                    task = asyncio.create_task(self._take(message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                case Pong():
                    pass
            await asyncio.sleep(0)  # many frames may lie in the buffer already: others get their turn between two

    def _settle(self, message: Answered) -> None:
        waiting = self._waiting.get(message.id)
        if waiting is None or waiting.done():
            return
        if message.failed is None:
            waiting.set_result(message.body)
        else:
            waiting.set_exception(error(message.failed))

    async def _take(self, message: Reported) -> None:
        try:
            await self._report(*(sample(part) for part in message.samples), *message.vitals)
            self._send(Taken(message.id))
        except WorkerError as fault:
            log.warning("worker.refused", reason=str(fault))
        finally:
            self._slots.release()

    async def _watch(self) -> None:
        """Kill a process that does not answer; hearing ends then, and says so."""
        while True:
            self._answered.clear()
            self._send(Ping())
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._answered.wait()
            except TimeoutError:
                if not self._slots.locked():  # else it waits for us
                    self._kill("no answer")
            await asyncio.sleep(LOOK)

    async def _weigh(self) -> None:
        """Kill a process that is too big."""
        while True:
            if _resident(self._process.pid) > MEMORY:
                self._kill("too much memory")
            await asyncio.sleep(WEIGH)

    async def _listen_to_errors(self) -> None:
        """Keep the last words, and only those: a plugin may write 100 MB."""
        stream = self._process.stderr
        while stream is not None and (part := await stream.read(64 * 1024)):
            self._words = (self._words + part)[-KEPT:]

    async def _obituary(self, how: str) -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                code = await self._process.wait()
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
        last = self._words.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return clean(f"its process ended ({how}): {last}" if last else f"its process ended ({how})", 160)

    def _send(self, message: ToWorker) -> None:
        if not self._writer.is_closing():
            write_frame(self._writer, message)

    def _kill(self, why: str = "") -> None:
        self._words += f"\nkilled: {why}".encode() if why else b""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


async def _first(*futures: asyncio.Future[Any]) -> None:
    """Wait until one of them is done."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def _resident(pid: int) -> int:
    """Return the resident memory of a process in bytes; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123 - no disk is behind it
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
