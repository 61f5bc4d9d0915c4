"""The life of a simulated device's process: arguments, one ready line, a prompt and clean end."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

#: Environment variable with the password of the camera.
PASSWORD = "MENSHEN_SIM_PASSWORD"  # noqa: S105 - a name, no password
#: Seconds between two looks whether the parent still lives.
PARENT_POLL = 0.3
#: Seconds a device may take to end after SIGTERM; it ends at once unless the machine is very busy.
GRACE = 2.0

Body = Callable[[argparse.Namespace, "Life"], Awaitable[None]]


@dataclass(frozen=True)
class Address:
    """Where to listen or connect."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``host:port`` or ``[v6]:port``. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        if not colon or not host or not 0 <= int(port) <= 65_535:
            raise ValueError(f"expected HOST:PORT, got {text!r}")
        return cls(host.strip("[]"), int(port))


class Life:
    """What a device's body sees of its process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.over = asyncio.Event()

    def ready(self, **ports: int) -> None:
        """Print the one line that says on which ports the device can be reached."""
        self.say(ready=True, name=self.name, ports=ports)

    def say(self, **what: Any) -> None:
        """Print one line for who started it."""
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


def parser(name: str, doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options all devices share."""
    made = argparse.ArgumentParser(prog=f"python -m integrations.sim.{name}", description=doc)
    made.add_argument("--parent", type=int, metavar="PID", help="end when this parent process has ended")
    return made


def add_address(to: argparse.ArgumentParser, option: str, text: str, default: str = "127.0.0.1:0") -> None:
    """Add an option that takes HOST:PORT; port 0 lets the system choose."""
    to.add_argument(option, type=Address.parse, default=Address.parse(default), metavar="HOST:PORT", help=text)


def add_login(to: argparse.ArgumentParser, what: str) -> None:
    """Add user and password; other users of the machine see arguments, but not the environment."""
    secret = os.environ.get(PASSWORD, "")
    to.add_argument(
        "--user", default="menshen" if secret else "", help=f"user of {what} (menshen, if {PASSWORD} is set)"
    )
    to.add_argument("--password", default=secret, help=f"password of {what} (default: the variable {PASSWORD})")


def run(name: str, body: Body, arguments: argparse.Namespace, grace: float = GRACE) -> int:
    """Run ``body`` until it returns, SIGTERM or SIGINT comes, or the parent is gone. Returns the exit code.

    ``grace``: seconds it may take to end; more for who ends others first.
    """
    try:
        return asyncio.run(_live(name, body, arguments, grace))
    except OSError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 1


async def _live(name: str, body: Body, arguments: argparse.Namespace, grace: float) -> int:
    life = Life(name)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, life.over.set)
    work = asyncio.ensure_future(body(arguments, life))
    guards: list[asyncio.Future[Any]] = [asyncio.create_task(life.over.wait())]
    if arguments.parent is not None:
        guards.append(asyncio.create_task(_orphaned(arguments.parent)))
    await asyncio.wait([work, *guards], return_when=asyncio.FIRST_COMPLETED)
    life.over.set()
    for guard in guards:
        guard.cancel()
    done, _ = await asyncio.wait([work], timeout=0.05)
    if not done:
        work.cancel()
        done, _ = await asyncio.wait([work], timeout=grace)
    if not done:
        sys.stderr.write(f"{name}: did not end in time\n")
        sys.stderr.flush()
        os._exit(1)
    if not work.cancelled():
        work.result()
    return 0


async def _orphaned(parent: int) -> None:
    """Return when ``parent`` is not (any more) the parent of this process."""
    while os.getppid() == parent:  # noqa: ASYNC110 - the system tells nobody of the end of a parent
        await asyncio.sleep(PARENT_POLL)
