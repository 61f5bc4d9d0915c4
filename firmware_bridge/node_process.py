"""The reference node of ``firmware_bridge/node`` as a child process: built once, started for tests, bench and demo."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from firmware_bridge.errors import NodeFailed

#: Claim code on the label of a reference node, where none is given.
CODE = "0123456789ABCDEF"
SOURCES = Path(__file__).parent / "node"
#: Exit code of a node whose power was cut: start it again with the same state.
POWER_CUT = 70
#: Exit code of a node that found nothing to run. It must never come.
BRICKED = 71
#: Seconds within which a node says something that it was asked for.
PATIENCE = 20.0


class NodeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a node is to be; see ``menshen-node`` without arguments."""

    state: Path
    """Folder of its flash; what is there is gone on with."""
    id: bytes = bytes.fromhex("4d53000000000001")
    code: str = CODE
    model: str = "menshen-ref"
    hub: tuple[str, int] | None = None
    """Host and port of the hub's UDP socket; None: a pty."""
    signer: bytes = bytes(32)
    """Public Ed25519 key of who may sign images; without it each image is refused."""
    version: str = "1.0.0"
    events: float | None = None
    """Values of the field per second; None: one in 20 s."""
    baud: int = 0
    """Pace of the pty, 0: none."""
    manual_clock: bool = False
    """Time passes by ``tick`` only."""
    seed: int = 1
    faults: dict[str, float | str] = {}

    def arguments(self) -> list[str]:
        """Return the command line after the program's name."""
        said = ["--state", str(self.state), "--id", self.id.hex(), "--code", self.code, "--model", self.model]
        said += ["--signer", self.signer.hex(), "--version", self.version, "--seed", str(self.seed)]
        said += ["--pty"] if self.hub is None else ["--udp", f"{self.hub[0]}:{self.hub[1]}"]
        said += [] if self.events is None else ["--events", str(self.events)]
        said += ["--baud", str(self.baud)] if self.baud else []
        said += ["--clock", "manual"] if self.manual_clock else []
        return said + [word for name, value in self.faults.items() for word in ("--fault", f"{name}={value}")]


def build(target: str = "menshen-node") -> Path:
    """Return the built program, building it if these sources were not built before. Blocks for seconds then.

    ``target`` is ``menshen-node``, ``menshen-node-asan`` or ``menshen-node-fuzz``. Raises NodeFailed.
    """
    digest = hashlib.sha256()
    for source in sorted([*SOURCES.glob("*.[ch]"), SOURCES / "Makefile"]):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "menshen" / "node"
    program = cache / digest.hexdigest()[:16] / target
    if program.exists():
        return program
    make = shutil.which("make")
    if make is None:
        raise NodeFailed("the reference node needs make, gcc and the headers of libssl: tools/debian.sh")
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        command = [make, "-s", "-C", str(SOURCES), f"BUILD={folder}", f"{folder}/{target}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own Makefile
        if done.returncode != 0:
            raise NodeFailed(f"the reference node does not build: {done.stderr[-2000:]}")
        Path(folder, target).replace(program)  # at once: others may be building it too
    return program


class NodeProcess:
    """A node that runs. Its ``port`` is the path of the pty's other end, or the number of the node's own UDP port."""

    def __init__(self, process: asyncio.subprocess.Process, port: str) -> None:
        self.port = port
        self._process = process

    @classmethod
    async def start(cls, options: NodeOptions, *, target: str = "menshen-node") -> NodeProcess:
        """Start a node and wait until it can be spoken to. Raises NodeFailed."""
        program = await asyncio.to_thread(build, target)
        options.state.mkdir(parents=True, exist_ok=True)
        with (options.state / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                program,
                *options.arguments(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        node = cls(process, "")
        try:
            node.port = (await node._line()).removeprefix("udp ")
        except BaseException:  # cancelled, too: a node that nobody knows of must not live on
            await node.close()
            raise
        return node

    @property
    def code(self) -> int | None:
        """Return what it ended with, None while it runs."""
        return self._process.returncode

    async def say(self, line: str) -> None:
        """Tell its story: ``door open``, ``car park``, ``battery 20``, ``button``, ``cut``. One that ended is deaf."""
        assert self._process.stdin is not None  # noqa: S101 - it was started with a pipe
        try:
            self._process.stdin.write(line.encode() + b"\n")
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return

    async def tick(self, milliseconds: int) -> None:
        """Let time pass for a node with a manual clock; return when all that was due is done. Raises NodeFailed."""
        await self.say(f"tick {milliseconds}")
        if (said := await self._line()) != "ticked":
            raise NodeFailed(f"it said {said!r}")

    async def stats(self) -> dict[str, Any]:
        """Return what the node has counted. Raises NodeFailed."""
        await self.say("stats")
        found: dict[str, Any] = json.loads(await self._line())
        return found

    async def wait(self) -> int:
        """Return what it ended with, when it has."""
        return await self._process.wait()

    async def kill(self) -> None:
        """End it as ``kill -9`` does."""
        if self._process.returncode is None:
            self._process.kill()
        await self.wait()

    async def close(self) -> None:
        """End it and leave nothing behind."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self.kill()
        if self._process.stdout is not None:
            await self._process.stdout.read()  # to the end of the pipe, so that it is closed

    async def _line(self) -> str:
        assert self._process.stdout is not None  # noqa: S101 - it was started with a pipe
        try:
            async with asyncio.timeout(PATIENCE):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise NodeFailed("the node says nothing") from None
        if not line.endswith(b"\n"):
            raise NodeFailed("the node ended", await self.wait())
        return line.decode().strip()
