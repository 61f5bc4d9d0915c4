"""Tells systemd that the hub is ready and that its loop still turns (sd_notify(3)); without systemd nothing happens."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

#: Pings in one watchdog interval: two, as sd_watchdog_enabled(3) advises.
PINGS = 2


def tell(state: str) -> None:
    """Send ``state``, for example ``READY=1``, to the supervisor that started this process."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end, suppress(OSError):
        end.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        end.send(state.encode())


def interval() -> float | None:
    """Return how many seconds may lie between two pings, or None when nobody watches this process."""
    micros, watched = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not micros.isdigit() or int(micros) == 0 or watched != str(os.getpid()):
        return None
    return int(micros) / 1_000_000 / PINGS


async def beat() -> None:
    """Ping for ever. A loop that hangs does not ping, and systemd starts the hub anew."""
    pause = interval()
    while pause is not None:
        tell("WATCHDOG=1")
        await asyncio.sleep(pause)
