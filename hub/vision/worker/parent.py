"""The hub's end of the camera workers: starts one for each core given to vision, shares cameras out, restarts it."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from hub.model.errors import DecodeError, DeviceError, Unreachable
from hub.vision.worker import wire
from hub.vision.worker.shared import Shared
from hub.vision.worker.wire import (
    Carried,
    Cut,
    Days,
    Fell,
    Fetch,
    Fetched,
    Health,
    Kept,
    Link,
    List,
    Listed,
    Passed,
    Ping,
    Pong,
    Prove,
    Proved,
    Seen,
    Show,
    Shown,
    ToWorker,
    Unwatch,
    WasCut,
    Watch,
)

log = structlog.get_logger()

#: Seconds between two looks at a process; without an answer until it is killed.
LOOK, PATIENCE = 1.0, 5.0
#: Seconds until a dead process is started again: doubled each time, until one has lived for ``PROVEN``.
AGAIN, MOST, PROVEN = 0.5, 30.0, 60.0
#: Seconds for an answer; for a picture, which who asks anew (after 10 s a page does) still gets.
ANSWER, PICTURE = 10.0, 30.0

#: What the hub hears of its cameras.
Told = Health | Seen | Kept | Days | Fell | Carried | Passed
_Answer = WasCut | Shown | Listed | Fetched | Proved

#: Why no camera of a worker is seen when that has ended.
ENDED = "the camera worker ended and is started again"

_COMMAND = (sys.executable, "-m", "hub.vision.worker")


def enough(cameras: int) -> int:
    """Return how many workers so many cameras get: half of the cores, the rest is the hub's and its broker's."""
    return max(1, min(cameras, (os.cpu_count() or 2) // 2))


class Workers:
    """All camera workers. ``heard`` is called with what they say, in the loop's thread, and must not wait.

    So is ``down``, with how many have ended and are not back, whenever that has changed.
    """

    def __init__(self, count: int, heard: Callable[[Told], None], down: Callable[[int], None] = lambda _: None) -> None:
        self._workers = [_Worker(heard, lambda: down(self._down)) for _ in range(count)]
        self._pictures = Shared[bytes]()

    async def __aenter__(self) -> Workers:
        """Start them."""
        for worker in self._workers:
            worker.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End them."""
        await asyncio.gather(*(worker.close() for worker in self._workers))  # whoever waits for an answer is told so
        await self._pictures.close()

    def watch(self, watch: Watch) -> None:
        """Watch a camera, or watch it otherwise; a new one goes where the fewest are."""
        worker = self._of(watch.camera) or min(self._workers, key=lambda worker: len(worker.cameras))
        worker.watch(watch)

    def unwatch(self, camera: str) -> None:
        """Leave a camera."""
        worker = self._of(camera)
        if worker is not None:
            worker.unwatch(camera)

    async def clip(self, camera: str, start: float, end: float, path: Path) -> tuple[float, float]:
        """Write what the ring keeps of a time (seconds since 1970) as MP4, from the key frame before it.

        Returns the times of its first and last picture. Raises DeviceError.
        """
        return await self._must(camera).clip(camera, start, end, path)

    async def picture(self, camera: str, utc_s: int = 0, *, public: bool = False, plain: bool = False) -> bytes:
        """Return the last picture of a camera as JPEG, with what is seen drawn into it unless it shall be ``plain``.

        Raises DeviceError.
        """
        worker = self._must(camera)
        return await self._pictures.ask(
            (camera, utc_s, public, plain), lambda: worker.picture(camera, utc_s, public, plain)
        )

    async def groups(self, camera: str) -> Listed:
        """Return the groups of pictures that are kept whole, oldest first. Raises DeviceError."""
        return await self._must(camera).groups(camera)

    async def group(self, camera: str, number: int) -> tuple[bytes, bytes]:
        """Return one of them for a browser (hub.vision.worker.live). Raises DeviceError."""
        return await self._must(camera).group(camera, number)

    async def prove(self, camera: str) -> Proved:
        """Look for the test card in the last picture of a camera. Raises DeviceError."""
        return await self._must(camera).prove(camera)

    def _must(self, camera: str) -> _Worker:
        worker = self._of(camera)
        if worker is None:
            raise Unreachable("the camera is not watched")
        return worker

    @property
    def _down(self) -> int:
        return sum(worker.down for worker in self._workers)

    def _of(self, camera: str) -> _Worker | None:
        return next((worker for worker in self._workers if camera in worker.cameras), None)


class _Worker:
    def __init__(self, heard: Callable[[Told], None], changed: Callable[[], None]) -> None:
        self._heard = heard
        self._changed = changed
        self.down = False
        self.cameras: dict[str, Watch] = {}
        self.process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[_Answer]] = {}
        self._answered = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._supervise())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def watch(self, watch: Watch) -> None:
        self.cameras[watch.camera] = watch
        self._send(watch)

    def unwatch(self, camera: str) -> None:
        del self.cameras[camera]
        self._send(Unwatch(camera))

    async def clip(self, camera: str, start: float, end: float, path: Path) -> tuple[float, float]:
        cut = await self._ask(Cut(next(self._numbers), camera, start, end, str(path)))
        assert isinstance(cut, WasCut)  # noqa: S101 - numbers are given once
        return cut.start, cut.end

    async def picture(self, camera: str, utc_s: int, public: bool, plain: bool) -> bytes:
        shown = await self._ask(Show(next(self._numbers), camera, public, utc_s, plain), PICTURE)
        assert isinstance(shown, Shown)  # noqa: S101 - numbers are given once
        return shown.jpeg

    async def groups(self, camera: str) -> Listed:
        listed = await self._ask(List(next(self._numbers), camera))
        assert isinstance(listed, Listed)  # noqa: S101 - numbers are given once
        return listed

    async def group(self, camera: str, number: int) -> tuple[bytes, bytes]:
        fetched = await self._ask(Fetch(next(self._numbers), camera, number))
        assert isinstance(fetched, Fetched)  # noqa: S101 - numbers are given once
        return fetched.begin, fetched.segment

    async def prove(self, camera: str) -> Proved:
        proved = await self._ask(Prove(next(self._numbers), camera))
        assert isinstance(proved, Proved)  # noqa: S101 - numbers are given once
        return proved

    async def _ask(self, question: Cut | Show | List | Fetch | Prove, within: float = ANSWER) -> _Answer:
        if self._writer is None:
            raise Unreachable("the camera worker is being started")
        answer = self._waiting[question.id] = asyncio.get_running_loop().create_future()
        try:
            self._send(question)
            async with asyncio.timeout(within):
                given: _Answer = await answer
        except TimeoutError:
            raise Unreachable("the camera worker did not answer in time") from None
        finally:
            del self._waiting[question.id]
        if given.reason:
            raise DeviceError(given.reason)
        return given

    async def _supervise(self) -> None:
        """Run a process, and another one when it has ended, whatever ended it."""
        loop, wait = asyncio.get_running_loop(), AGAIN
        while True:
            began = loop.time()
            try:
                reason = await self._life()
            except (OSError, DecodeError) as error:
                reason = str(error)
            wait = AGAIN if loop.time() - began > PROVEN else min(MOST, wait * 2)
            log.warning("vision.worker_ended", reason=reason, again_s=wait)
            self._is_down(True)
            for camera in list(self.cameras):
                self._tell(Health(camera, Link.LOST, ENDED))
            await asyncio.sleep(wait)

    async def _life(self) -> str:
        """Start a process and listen until it ends; say how it ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = process = await asyncio.create_subprocess_exec(
                *_COMMAND,
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                process_group=0,  # not a session: the kernel would weigh that as a whole, against the hub's (sched(7))
            )
        reader, self._writer = await asyncio.open_connection(sock=ours)
        looking = asyncio.create_task(self._look_after(process))
        try:
            for watch in self.cameras.values():
                self._send(watch)
            await self._listen(reader)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            self._writer.close()
            self._writer = None
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Unreachable("the camera worker ended"))
            _kill(process)
            code = await process.wait()
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                head = await reader.readexactly(wire.LENGTH.size)
                message = wire.to_hub(await reader.readexactly(wire.length(head)))
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            self._answered.set()
            self._is_down(False)
            if isinstance(message, Seen | Kept):
                self._keep(message)
            elif isinstance(message, Days) and (watch := self.cameras.get(message.camera)) is not None:
                self.cameras[message.camera] = msgspec.structs.replace(watch, days=message.state)
            if isinstance(message, _Answer):
                self._settle(message)
            elif not isinstance(message, Pong):
                self._tell(message)

    def _tell(self, message: Told) -> None:
        """Hand on what a camera says; a fault in whoever hears it ends neither the worker nor those who watch it."""
        try:
            self._heard(message)
        except Exception:  # loud in the log; the next word may be taken
            log.exception("vision.not_heard", camera=message.camera)

    def _is_down(self, down: bool) -> None:
        if down is not self.down:
            self.down = down
            self._changed()

    def _keep(self, seen: Seen | Kept) -> None:
        """Keep what the next process must know of a lane."""
        watch = self.cameras.get(seen.camera)
        if watch is not None:
            lanes = tuple(
                msgspec.structs.replace(lane, state=seen.state) if lane.name == seen.lane else lane
                for lane in watch.lanes
            )
            self.cameras[seen.camera] = msgspec.structs.replace(watch, lanes=lanes)

    def _settle(self, cut: _Answer) -> None:
        waiting = self._waiting.get(cut.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(cut)

    async def _look_after(self, process: asyncio.subprocess.Process) -> None:
        """Kill a process that does not answer."""
        await asyncio.sleep(PATIENCE)  # it starts
        while True:
            self._answered.clear()
            self._send(Ping())
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._answered.wait()
            except TimeoutError:
                _kill(process)
            await asyncio.sleep(LOOK)

    def _send(self, message: ToWorker) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(wire.frame(message))


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
