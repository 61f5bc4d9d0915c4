"""Work that takes seconds of computing, done apart from the hub: in a process of its own that ends with its asker.

The two sides speak through pipes: the job goes in pickled; lines of JSON come out, of progress (0 to 1) at first, and
a last one with the result or a problem. What a line looks like, the two agree upon (``shape``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model.errors import HubError, JournalError
from hub.web.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

#: Longest line that the process writes, in bytes: 4,000 activations in words.
LINE = 16 * 1024 * 1024
#: How much the process gives way to the hub (nice(2)).
GIVES_WAY = 10
#: The least part of the work that it reports.
_STEP = 0.01
#: From here ``python -m hub...`` finds the same code as this process.
_ROOT = Path(__file__).parents[2]


class Told(msgspec.Struct, frozen=True):
    """One line: the part that is done, 0 to 1. The last one has a ``result`` (of a subclass) or a problem.

    ``status`` and ``error`` are those of a Refusal.
    """

    progress: float
    problem: str | None = None
    status: int = 0
    error: str = ""


async def result_of(
    module: str, job: object, shape: type[Told], note: Callable[[float], Awaitable[None]] | None = None
) -> Any:
    """Run ``python -m module`` on ``job``; return the result, whose lines are of ``shape``, which has a ``result``.

    ``note`` hears of the part that is done. Raises Refusal, and JournalError for any other problem.
    """
    async with apart(module, job) as lines:
        async for text in lines:
            line: Any = msgspec.json.decode(text, type=shape)
            if line.error:
                raise Refusal(line.status, line.error, line.problem)
            if line.problem is not None:
                raise JournalError(line.problem)
            if line.result is not None:
                return line.result
            if note is not None:
                await note(line.progress)
    raise JournalError("the work ended without a result")


@contextlib.asynccontextmanager
async def apart(module: str, job: object) -> AsyncIterator[asyncio.StreamReader]:
    """Run ``python -m module`` on ``job``; give the lines that it writes. It is gone when the block is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, str(GIVES_WAY), stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=_ROOT, limit=LINE,
    )  # fmt: skip
    try:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(pickle.dumps(job))
        process.stdin.close()
        yield process.stdout
    finally:
        await to_the_end(_end(process))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.communicate()


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Finish ``work``, which takes a moment, also when the request is cancelled meanwhile: no process is left."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


def work_for_parent(shape: Callable[..., object], work: Callable[[Any, Callable[[float], None]], object]) -> None:
    """Be the process: read the job, ``work(job, progress)``, write ``shape(progress=, result=, problem=)``.

    A HubError is the ``problem``, in words; of a Refusal its status and error, too.
    """
    os.nice(int(sys.argv[1]))
    job = pickle.load(sys.stdin.buffer)  # noqa: S301 - the hub itself wrote it into our pipe

    def line(progress: float, **more: object) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(shape(progress=progress, **more)) + b"\n")
        sys.stdout.buffer.flush()

    last = 0.0

    def progress(part: float) -> None:
        nonlocal last
        if part - last >= _STEP:
            last = part
            line(round(part, 2))

    try:
        line(1.0, result=work(job, progress))
    except Refusal as refusal:
        line(last, problem=refusal.message, status=refusal.status, error=refusal.error)
    except HubError as error:
        line(last, problem=str(error))
