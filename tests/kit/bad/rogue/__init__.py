"""A plugin that does whatever its configuration says, all of it bad but ``well`` (RELIABILITY.md F13 to F16)."""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import sys
import time
from collections.abc import Callable

import msgspec

from hub.sdk import (
    Capability,
    Connection,
    Contact,
    Entity,
    Equipment,
    Plugin,
    Sample,
    Text,
    Tools,
    Unreachable,
    entity_id,
)

plugin = Plugin("rogue")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to misbehave, once the first sample is reported; ``setup:`` before it does so while opening."""

    name: Text
    how: str = "well"


def _leak() -> None:
    kept = []
    while True:
        kept.append(os.urandom(16 * 1024 * 1024))


def _spin() -> None:
    while True:
        pass


def _recurse(depth: int = 0) -> int:
    return _recurse(depth + 1) + 1


def _raise() -> None:
    raise ZeroDivisionError("plugin fault")


def _lose() -> None:
    raise Unreachable("cable")


BAD: dict[str, Callable[[], object]] = {
    "raise": _raise,
    "lose": _lose,
    "sleep": lambda: time.sleep(30),
    "spin": _spin,
    "regex": lambda: re.match(r"(a+)+b", "a" * 64),
    "segfault": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(3),
    "stop": lambda: os.kill(os.getpid(), 19),
    "print": lambda: [sys.stderr.write("x" * 1_000_000) for _ in range(100)] and os._exit(4),
    "recurse": _recurse,
    "leak": _leak,
}


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Open, well or badly."""
    how = config.how
    if how.startswith("setup:"):
        BAD[how.removeprefix("setup:")]()
    door = Entity(entity_id("rogue", name), Capability.CONTACT, config.name, "rogue")

    async def run() -> None:
        await tools.report(Sample(door.id, Contact.OPEN))
        if how == "flood":
            while True:
                await asyncio.gather(*(tools.report(Sample(door.id, Contact.OPEN)) for _ in range(1_000)))
        if how == "foreign":
            await tools.report(Sample(entity_id("rogue", "neighbour"), Contact.OPEN))
        if how in BAD:
            BAD[how]()
        await asyncio.get_running_loop().create_future()

    class Mouth:
        """A loudspeaker that answers with too much."""

        async def play(self, clip: object, volume: int, key: str) -> None:
            if how == "call":
                _raise()

    return Connection((Equipment(door, None if how != "call" else Mouth()),), run)
