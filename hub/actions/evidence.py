"""Evidence files: written once, readable by the hub alone, named by their command, hashed for the journal."""

from __future__ import annotations

import asyncio
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hub.durable import make_folder, sync_folder
from hub.model.entry import Evidence
from hub.model.errors import Unreachable
from hub.model.time import SECOND, Instant

if TYPE_CHECKING:
    from hub.model.decision import Command

_SUFFIX = {"image/jpeg": "jpg", "image/png": "png", "audio/wav": "wav", "video/mp4": "mp4"}


class EvidenceStore:
    """The ``evidence`` folder of the data folder, one folder a day."""

    def __init__(self, data: Path) -> None:
        self._data = data

    async def keep(self, command: Command, content: bytes, media_type: str, at: Instant) -> Evidence:
        """Write ``content`` and return its record. Raises Unreachable when the disk refuses, to be tried again."""
        path = self._path(command, media_type)
        try:
            kept = await asyncio.to_thread(write_once, self._data / path, content)
        except OSError as error:
            raise Unreachable(f"the picture or sound cannot be stored: {error.strerror}") from None
        return _record(command, path, kept, media_type, at)

    async def adopt(self, command: Command, file: Path, media_type: str, at: Instant) -> Evidence:
        """Take a file that was written by another process on the same disk; it is gone from where it was.

        Raises Unreachable when the disk refuses, to be tried again.
        """
        path = self._path(command, media_type)
        try:
            digest, size = await asyncio.to_thread(_move_once, file, self._data / path)
        except OSError as error:
            raise Unreachable(f"the clip cannot be stored: {error.strerror}") from None
        return _described(command, path, digest, size, media_type, at)

    async def find(self, command: Command, media_type: str) -> Evidence | None:
        """Return what a try before a crash has kept already."""
        path = self._path(command, media_type)
        try:
            content = await asyncio.to_thread((self._data / path).read_bytes)
        except OSError:
            return None
        return _record(command, path, content, media_type, command.at)

    def _path(self, command: Command, media_type: str) -> Path:
        day = datetime.fromtimestamp(command.at / SECOND, UTC)
        return Path("evidence", f"{day:%Y/%m/%d}", f"{command.key}.{_SUFFIX[media_type]}")


def _record(command: Command, path: Path, content: bytes, media_type: str, at: Instant) -> Evidence:
    return _described(command, path, hashlib.sha256(content).hexdigest(), len(content), media_type, at)


def _described(command: Command, path: Path, digest: str, size: int, media_type: str, at: Instant) -> Evidence:
    return Evidence(
        id=command.key,
        activation=command.activation,
        command=command.key,
        path=path.as_posix(),
        media_type=media_type,
        sha256=digest,
        size=size,
        at=at,
    )


def _move_once(file: Path, path: Path) -> tuple[str, int]:
    """Put a whole file in its place, on the disk for good; return its SHA-256 and size."""
    make_folder(path.parent)
    with file.open("rb") as content:
        os.fchmod(content.fileno(), 0o600)
        os.fsync(content.fileno())
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        size = content.tell()
    file.rename(path)
    sync_folder(path.parent)
    return digest, size


def write_once(path: Path, content: bytes) -> bytes:
    """Write a whole file or none; one that is there already stays. Return what it holds."""
    if path.exists():
        return path.read_bytes()
    make_folder(path.parent)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)  # left by a crash in the middle of writing
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.link(part, path)  # unlike a rename, it never takes the place of a file that is there
    part.unlink()
    sync_folder(path.parent)
    return content
