"""Runs one program with fixed arguments and sound on its standard input, and ends it in time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence

from hub.sdk import Unreachable, clean

#: Bytes of complaint that are read; the last line of them is shown.
MAX_COMPLAINT = 16 * 1024


async def run(arguments: Sequence[str], sound: bytes, seconds: float) -> None:
    """Return when the program has ended well. Raises Unreachable, and OSError where it cannot be started.

    On return, also when cancelled, it has ended: it leads a process group of its own, which is killed. Its standard
    input is a file in memory and not a pipe, since PipeWire reads WAV only from what it can seek in (libsndfile).
    """
    with os.fdopen(os.memfd_create("menshen-clip"), "wb") as file:
        await asyncio.to_thread(file.write, sound)
        file.seek(0)
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=file,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    complaint = b""
    try:
        async with asyncio.timeout(seconds):
            complaint = await _complaint(process)
            await process.wait()
    except TimeoutError:
        raise Unreachable(f"the sound was not played within {seconds:.0f} s") from None
    finally:
        await _end(process)
    if process.returncode != 0:
        lines = complaint.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise Unreachable(f"{clean(arguments[0])} failed with code {process.returncode}: {clean(lines[-1], 200)}")


async def _complaint(process: asyncio.subprocess.Process) -> bytes:
    """Read standard error to its end and keep the last of it."""
    assert process.stderr is not None  # noqa: S101 (it is a pipe, see create_subprocess_exec)
    kept = b""
    while chunk := await process.stderr.read(MAX_COMPLAINT):
        kept = (kept + chunk)[-MAX_COMPLAINT:]
    return kept


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of the group (also after the program's own end), and empty the pipe so that it closes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.communicate()
