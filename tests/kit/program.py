"""A program in a process of its own that says with one JSON line when it is ready."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any, Self

#: Seconds a program may take until it is ready, and to end after SIGTERM, on a machine that is busy.
START, STOP = 30.0, 10.0


class Program:
    """``python -m module arguments``; as a context manager it is gone at the end, whatever happens."""

    def __init__(self, module: str, *arguments: str, parent: bool = True) -> None:
        self.module = module
        more = ("--parent", str(os.getpid())) if parent else ()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.ports: dict[str, int] = {}

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._process.poll() is None

    def wait_ready(self) -> dict[str, Any]:
        """Return the ready line. Raises RuntimeError with the program's own words when it ends before."""
        assert self._process.stdout is not None
        late = threading.Timer(START, self._process.kill)
        late.start()
        try:
            line = self._process.stdout.readline()
        finally:
            late.cancel()
        if not line:
            _, errors = self._process.communicate(timeout=STOP)
            raise RuntimeError(f"{self.module} did not start: {errors[-2000:]}")
        ready: dict[str, Any] = json.loads(line)
        self.ports = ready["ports"]
        return ready

    def next_line(self) -> dict[str, Any]:
        """Wait for the next line that it prints."""
        assert self._process.stdout is not None
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said

    def url(self, path: str, port: str = "http") -> str:
        """Return an address on one of its ports."""
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def terminate(self) -> tuple[int, str, str]:
        """Send SIGTERM; return exit code and the rest of its stdout and stderr. One that stays fails the test."""
        self._process.terminate()
        out, errors = self._process.communicate(timeout=STOP)
        return self._process.returncode, out, errors

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.communicate(timeout=STOP)

    def __enter__(self) -> Self:
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.kill()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
