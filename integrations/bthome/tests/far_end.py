"""The session under test in a child process (``child.py``), since bleak keeps its bus for the life of a loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Seconds a test waits at most for anything.
PATIENCE = 15.0


@dataclass
class Child:
    """The session under test in its own process."""

    process: asyncio.subprocess.Process
    errors: str = ""

    async def say(self, line: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        await self.process.stdin.drain()

    async def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await self.process.stdout.readline()
        assert line, "the child ended"
        found: dict[str, Any] = json.loads(line)
        return found


@contextlib.asynccontextmanager
async def child(address: str) -> AsyncIterator[Child]:
    """Start the child with ``address`` as its system bus."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "integrations.bthome.tests.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address},
        cwd=Path(__file__).parents[3],
    )
    found = Child(process)
    try:
        yield found
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate() if process.returncode is None else None
        found.errors = (await process.communicate())[1].decode()
