"""Small files of what must outlive the hub, written whole or not at all; one that cannot be read counts as none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

Kept = TypeVar("Kept", bound=msgspec.Struct)
#: Where they lie in the data folder.
FOLDER = "vision"
#: Largest file read, in bytes: a lane with some hundred stays.
MOST = 16 * 1024 * 1024


def load(path: Path, kind: type[Kept]) -> Kept | None:
    """Read a file; None where there is none, or it cannot be read."""
    try:
        with path.open("rb") as file:
            return msgspec.msgpack.decode(file.read(MOST), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def save(path: Path, kept: msgspec.Struct) -> None:
    """Write a file. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.part")
    half.write_bytes(msgspec.msgpack.encode(kept))
    os.replace(half, path)  # noqa: PTH105 - the same call, and it says what it does
