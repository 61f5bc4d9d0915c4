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

from hub.model.errors import HubError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

#: Longest line that the process writes, in bytes: 4,000 activations in words.
LINE = 16 * 1024 * 1024
#: How much the process gives way to the hub (nice(2)), and the least part of the work that it reports.
_GIVES_WAY, _STEP = 10, 0.01
#: From here ``python -m hub...`` finds the same code as this process.
_ROOT = Path(__file__).parents[2]


@contextlib.asynccontextmanager
async def apart(module: str, job: object) -> AsyncIterator[asyncio.StreamReader]:
    """Run ``python -m module`` on ``job``; give the lines that it writes. It is gone when the block is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, cwd=_ROOT, limit=LINE,
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

    A HubError is the ``problem``, in words.
    """
    os.nice(_GIVES_WAY)
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
    except HubError as error:
        line(last, problem=str(error))
