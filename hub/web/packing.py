"""Packs the evidence of an incident in a process of its own (``python -m hub.web.packing``): it hashes and draws."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from hub.config.settings import Settings
from hub.model.errors import JournalError
from hub.model.time import Instant
from hub.web.apart import Told, result_of, work_for_parent
from hub.web.package import make_package

if TYPE_CHECKING:
    from collections.abc import Callable


class Order(msgspec.Struct, frozen=True):
    """What to pack, for whom, and into which file, which is there."""

    data: Path
    settings: Settings
    number: int
    by: str
    now: Instant
    target: Path


class PackedLine(Told, frozen=True):
    """What the process writes; the result says that the file is whole."""

    result: bool | None = None


async def packed(data: Path, settings: Settings, number: int, by: str, now: Instant) -> BinaryIO:
    """Return the package in a file without a name, gone once it is closed. Raises Refusal, JournalError, OSError."""
    handle, name = tempfile.mkstemp(dir=data, prefix="package-")
    made = os.fdopen(handle, "rb")
    try:
        await result_of(__name__, Order(data, settings, number, by, now, Path(name)), PackedLine)
    except BaseException:  # whatever stopped it, nobody else closes what is not returned
        made.close()
        raise
    finally:
        os.unlink(name)  # noqa: PTH108 - what is open stays readable
    return made


def _work(order: Order, progress: Callable[[float], None]) -> bool:
    del progress
    try:
        with order.target.open("r+b") as file:
            make_package(order.data, order.settings, order.number, order.by, order.now, file)
    except OSError as error:
        raise JournalError(error.strerror or "the file could not be written") from error
    return True


if __name__ == "__main__":
    work_for_parent(PackedLine, _work)
