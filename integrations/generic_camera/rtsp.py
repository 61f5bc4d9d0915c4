"""A picture by RTSP: starts ``grab.py``, gives it the address on its standard input, and ends it in time."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import sys
from pathlib import Path

from hub.sdk import BadCredentials, DecodeError, DeviceError, Picture, Unreachable, Unsupported, clean, with_login
from integrations.generic_camera.config import Config
from integrations.generic_camera.grab import BAD_CREDENTIALS, MAX_JPEG, UNREACHABLE, UNSUPPORTED

#: Run as a file, isolated (-I): as a module of this package it would import the SDK first, 0.4 s for each picture.
COMMAND = (sys.executable, "-I", str(Path(__file__).with_name("grab.py")))
_KINDS: dict[int, type[DeviceError]] = {
    UNREACHABLE: Unreachable,
    BAD_CREDENTIALS: BadCredentials,
    UNSUPPORTED: Unsupported,
}


def video_installed() -> bool:
    """Whether PyAV is there, without loading FFmpeg into this process."""
    return importlib.util.find_spec("av") is not None


class RtspSource:
    """The camera's stream."""

    label = "rtsp"

    def __init__(self, config: Config) -> None:
        self._timeout = config.timeout_s
        self.url = with_login(config.rtsp, config.user, config.password)
        """Holds the password."""

    async def picture(self) -> Picture:
        """Take one picture now. Raises DeviceError."""
        if not video_installed():
            raise Unsupported("PyAV is missing: install Menshen with the extra menshen[video]")
        question = json.dumps({"url": self.url, "timeout": self._timeout}).encode()
        try:
            process = await asyncio.create_subprocess_exec(
                *COMMAND,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # FFmpeg may name the address there, with the password
            )
        except OSError as error:
            raise Unreachable(f"the video process could not be started ({error.strerror})") from None
        try:
            async with asyncio.timeout(self._timeout):
                answer = await _talk(process, question)
                code = await process.wait() if len(answer) <= MAX_JPEG else None
        except TimeoutError:
            raise Unreachable(f"no picture within {self._timeout:g} s") from None
        finally:
            await _end(process)
        return _judge(code, answer)


async def _talk(process: asyncio.subprocess.Process, question: bytes) -> bytes:
    """Write all, then read until the end or past ``MAX_JPEG``."""
    assert process.stdin is not None  # noqa: S101 (both are pipes, see create_subprocess_exec)
    assert process.stdout is not None  # noqa: S101
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended early; its exit code says why
        process.stdin.write(question)
        await process.stdin.drain()
    process.stdin.close()
    answer = bytearray()
    while len(answer) <= MAX_JPEG and (chunk := await process.stdout.read(256 * 1024)):
        answer += chunk
    return bytes(answer)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the child if it still runs, and empty the pipe so that its transport closes."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.communicate()


def _judge(code: int | None, answer: bytes) -> Picture:
    """Turn the child's exit code (None: it said too much) and answer into a picture or a DeviceError."""
    if code is None:
        raise Unsupported(f"the picture is larger than {MAX_JPEG} bytes")
    if code in _KINDS:
        raise _KINDS[code](clean(answer.decode(errors="replace"), 200))
    if code != 0:
        raise Unreachable(f"the video process failed with code {code}")
    try:
        return Picture.from_bytes(answer)
    except DecodeError as error:
        raise Unreachable(f"the video process gave no picture: {error.reason}") from None
