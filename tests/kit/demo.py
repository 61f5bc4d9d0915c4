"""``menshen demo --no-auto`` as a process of its own: hub, broker and simulated estate on free ports."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.kit.http import request
from tests.kit.served import Waiting
from tests.kit.site import ROOT
from tests.kit.wait import until

#: Seconds until the demo says where its page is (3 on a quiet machine), and until it is gone after SIGTERM (promised).
READY, STOP = 80.0, 5.0
#: How many ports the demo uses, one after the other.
PORTS = 25
_GREETING = re.compile(r"(http://127\.0\.0\.1:\d+/)#token=(\S+)")


class Demo:
    """A running demo."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.base = free_base()
        self.images = folder / "demo" / "firmware"
        self._out, self._errors = folder / "demo.out", folder / "demo.err"
        command = [sys.executable, "-m", "hub", "demo", "--data", str(folder / "demo"), "--port", str(self.base)]
        with self._out.open("wb") as out, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [*command, "--no-auto", *more],
                cwd=ROOT,
                env={key: value for key, value in os.environ.items() if not key.startswith("MENSHEN_")},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,  # so that its children can be found when it left some behind
            )
        self.url = self.token = ""

    def wait_ready(self) -> None:
        """Wait for the greeting, and for the estate to be up."""
        said = until(self._greeting, lambda found: found or not self.running, within=READY, what="the greeting")
        assert said, f"the demo ended before it was ready: {self.words()[-2000:]}"
        self.url, self.token = said.groups()
        until(self._estate_is_up, within=READY, what="the simulated estate up")

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._process.poll() is None

    def words(self) -> str:
        """Return its log."""
        return self._errors.read_text("utf-8", "replace")

    def play(self) -> None:
        """Let the car come, stay and leave, as the button of the estate's page does."""
        url = f"http://127.0.0.1:{self.base + 6}/story"
        status, body = request("POST", url)
        assert status == 202, body

    def terminate(self) -> float:
        """End it as a service manager does; return the seconds it took, without those in which others had to wait.

        Nothing that it started is left.
        """
        return self._ends(self._process.terminate)

    def interrupt(self) -> float:
        """End it by Ctrl+C in a terminal, which tells all of its processes at once; like ``terminate`` otherwise."""
        return self._ends(lambda: os.killpg(self._process.pid, signal.SIGINT))

    def _ends(self, told: Callable[[], None]) -> float:
        waiting = Waiting()
        told()
        code = self._process.wait(STOP * 3)
        took = waiting.served
        assert code == 0, f"exit {code}: {self.words()[-2000:]}"
        until(lambda: not self._group_lives(), within=2, what="every process of the demo gone")
        assert not taken(self.base), "something still listens"
        return took

    def close(self) -> None:
        """End it and what it started, whatever happened."""
        if self.running:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP)

    def _greeting(self) -> re.Match[str] | None:
        return _GREETING.search(self._out.read_text("utf-8"))

    def _estate_is_up(self) -> bool:
        try:
            return request("GET", f"http://127.0.0.1:{self.base + 6}/state")[0] == 200
        except OSError:
            return False

    def _group_lives(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True


@contextmanager
def running_demo(folder: Path, *more: str, small: bool = True) -> Iterator[Demo]:
    """Lend a demo that is ready, with more options; it is gone afterwards. A small one is without building 6."""
    demo = Demo(folder, *more, *(["--small"] if small else []))
    try:
        demo.wait_ready()
        yield demo
    finally:
        demo.close()


def free_base(ports: int = PORTS) -> int:
    """Return the first of ``ports`` consecutive loopback ports free now, below those that the system hands out."""
    for _ in range(100):
        base = random.randrange(20_000, 32_000, ports)
        if not taken(base, ports):
            return base
    raise RuntimeError(f"no {ports} consecutive free ports")


def taken(base: int, ports: int = PORTS) -> bool:
    """Whether one of so many ports is in use, for TCP or UDP."""
    with ExitStack() as held:
        try:
            for port in range(base, base + ports):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    probe = held.enter_context(socket.socket(socket.AF_INET, kind))
                    if kind == socket.SOCK_STREAM:  # a connection that has ended does not count
                        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
