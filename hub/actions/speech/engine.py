"""Finds the speech engine of this machine and runs the worker process around it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from hub.model.errors import SpeechError
from hub.model.text import Language, clean
from hub.sdk.media import SAMPLE_RATE

#: Seconds for one worker: a sentence takes half a second on a mini PC, the longest text allowed about four.
TIMEOUT = 20.0
#: Longest clip taken from the worker, in seconds; at 16 kB each.
MAX_SECONDS = 120
MAX_WAV = MAX_SECONDS * SAMPLE_RATE * 2 + 1024
#: Repository or site-packages: from here ``python -m hub...`` finds the same code as this process.
ROOT = Path(__file__).parents[3]

#: Voices by preference. 1.51 reads Chinese right only as ``cmn-latn-pinyin``, 1.52 and 1.50 have it right as ``cmn``.
#: The worker takes the first that its engine has and reads Mandarin with.
_VOICES: Mapping[str, Mapping[Language, str]] = {
    "program": {"zh": "cmn-latn-pinyin,cmn", "en": "en"},
    "library": {"zh": "cmn,cmn-latn-pinyin", "en": "en"},
}


@dataclass(frozen=True, slots=True)
class Engine:
    """One installed engine."""

    id: str
    """Changes with the engine's version, so that a newer one speaks anew."""
    arguments: tuple[str, ...]
    """How the worker is told of it."""

    def voices(self, language: Language) -> str:
        """Return the voices to try, separated by commas."""
        return _VOICES[self.arguments[0]][language]


def find_engine() -> Engine:
    """Return Debian's program, else the wheel's library. Starts no process. Raises SpeechError where there is none."""
    if program := shutil.which("espeak-ng"):
        stat = Path(program).stat()
        return Engine(f"espeak-ng {program} {stat.st_size} {stat.st_mtime_ns}", ("program", program))
    try:
        return Engine(f"espeakng_loader {metadata.version('espeakng_loader')}", ("library",))
    except metadata.PackageNotFoundError:
        raise SpeechError(
            "no speech engine: install the Debian package espeak-ng, or Menshen with the extra menshen[tts]"
        ) from None


async def run_worker(arguments: tuple[str, ...], data: bytes, timeout: float = TIMEOUT) -> bytes:
    """Give ``data`` to a new worker and return the WAV it makes. Raises SpeechError.

    The worker leads a process group of its own; whatever happens here, it and the engine under it have ended on return.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub.actions.speech.espeak_worker", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise SpeechError(f"the speech process could not be started ({error.strerror})") from None
    try:
        async with asyncio.timeout(timeout):
            answer = await _talk(process, data)
            code = await process.wait() if answer is not None else None
    except TimeoutError:
        raise SpeechError(f"the speech process did not answer within {timeout:g} s") from None
    finally:
        await _end(process)
    if answer is None:
        raise SpeechError(f"the sound is longer than {MAX_SECONDS} s")
    if code == 1:
        raise SpeechError(clean(answer.decode(errors="replace"), 200))
    if code != 0:
        raise SpeechError(f"the speech process failed with code {code}")
    return answer


async def _talk(process: asyncio.subprocess.Process, data: bytes) -> bytes | None:
    """Write all, then read all, in the order the worker does; None if it says more than allowed."""
    assert process.stdin is not None  # noqa: S101 (both are pipes, see create_subprocess_exec)
    assert process.stdout is not None  # noqa: S101
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended early; its exit code says why
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()
    answer = bytearray()
    while chunk := await process.stdout.read(64 * 1024):
        answer += chunk
        if len(answer) > MAX_WAV:
            return None
    return bytes(answer)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the worker's process group if it still runs, and empty the pipe so that its transport closes."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.communicate()
