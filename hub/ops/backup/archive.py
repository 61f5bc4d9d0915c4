"""The inside of a backup: a tar archive of plain files and nothing else, read by rules of our own.

Python's ``tarfile`` has been led out of its folder more than once (CVE-2025-4517, CVE-2026-11940: RELIABILITY.md
section 4). It writes the headers here, but what is read back is read here: POSIX ustar (IEEE Std 1003.1-2008, pax,
"ustar Interchange Format"), regular files only, names by an allow-list, every size known before a byte is written.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from typing import TYPE_CHECKING, BinaryIO, Protocol

import msgspec

from hub.model.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What a name may begin with; everything else of a hub is made again.
ROOTS = ("data", "site")
#: Bytes of a block of the archive, and of what is copied at once.
BLOCK, CHUNK = 512, 1 << 20
#: Files in a backup; a hub with ten incidents a day makes as many pictures in thirty years.
MAX_FILES = 500_000
#: Largest file, in bytes: eleven octal digits hold no more.
MAX_SIZE = 8**11 - 1
#: The last entry: what the archive holds.
MANIFEST = "manifest.json"
#: Largest manifest, in bytes: 200 a file.
MAX_MANIFEST = 200 * MAX_FILES

_PART = re.compile(r"[^\x00-\x1f\x7f/\\:\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]{1,200}\Z")
_OCTAL = re.compile(rb"[0-7]{1,11}[ \0]*\Z")


class BadBackup(HubError):
    """A file is no backup, or not a whole one, or holds what a backup never holds; nothing of it was written."""


class Kept(msgspec.Struct, frozen=True):
    """One file of a backup. ``size`` in bytes, ``sha256`` in hexadecimal digits."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds and where it comes from. ``made_at``: RFC 3339, by the clock of the machine."""

    site: str
    made_at: str
    menshen: str
    journal_version: int
    files: tuple[Kept, ...]


class Sink(Protocol):
    """Where an archive is written to."""

    def write(self, data: bytes, /) -> object:
        """Write all of ``data``."""


class Writer:
    """Writes entries one after the other and remembers them for the manifest."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._kept: list[Kept] = []

    def add(self, name: str, size: int, source: BinaryIO) -> None:
        """Add ``size`` bytes of ``source``. Raises BadBackup for a name or size that could not be read back."""
        check_name(name)
        self._header(name, size)
        digest, left = hashlib.sha256(), size
        while left:
            chunk = source.read(min(CHUNK, left))
            if not chunk:
                raise BadBackup(f"{name} became shorter while it was read")
            digest.update(chunk)
            self._sink.write(chunk)
            left -= len(chunk)
        self._pad(size)
        self._kept.append(Kept(name, size, digest.hexdigest()))

    def end(self, manifest: Manifest) -> Manifest:
        """Write the manifest and the end of the archive; return the manifest with its files."""
        whole = msgspec.structs.replace(manifest, files=tuple(self._kept))
        body = msgspec.json.encode(whole)
        self._header(MANIFEST, len(body))
        self._sink.write(body)
        self._pad(len(body))
        self._sink.write(bytes(2 * BLOCK))
        return whole

    def _header(self, name: str, size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        try:
            self._sink.write(entry.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict"))
        except ValueError as error:
            raise BadBackup(f"{name[:80]} cannot be kept: {error}") from None

    def _pad(self, size: int) -> None:
        self._sink.write(bytes(-size % BLOCK))


class Entry(msgspec.Struct, frozen=True):
    """A file as its header announces it."""

    name: str
    size: int


class Reader:
    """Reads an archive once, from front to back."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._left = 0
        self._padding = 0

    def entries(self) -> Iterator[Entry]:
        """Yield each entry; read it with ``chunks`` or it is skipped. Raises BadBackup."""
        names: set[str] = set()
        while True:
            for _ in self.chunks():
                pass
            self._exactly(self._padding)
            block = self._exactly(BLOCK)
            if not any(block):
                return
            entry = _entry(block)
            if entry.name in names or len(names) > MAX_FILES:
                raise BadBackup(f"{entry.name} is there twice" if entry.name in names else "too many files")
            names.add(entry.name)
            self._left, self._padding = entry.size, -entry.size % BLOCK
            yield entry

    def chunks(self) -> Iterator[bytes]:
        """Yield the content of the present entry."""
        while self._left:
            chunk = self._source.read(min(CHUNK, self._left))
            if not chunk:
                raise BadBackup("the backup ends in the middle of a file")
            self._left -= len(chunk)
            yield chunk

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self._source.read(size - len(data))
            if not chunk:
                raise BadBackup("the backup ends too early")
            data += chunk
        return data


def check_name(name: str) -> None:
    """Raise BadBackup for a name that could lead out of the folder it is written to, or that a person misreads."""
    root, *parts = name.split("/")
    if root not in ROOTS or not parts or any(not _PART.match(part) or part in {".", ".."} for part in parts):
        raise BadBackup(f"`{ascii(name)[1:81]}` is no name of a file in a backup")


def _entry(block: bytes) -> Entry:
    """Read a header of one block."""
    checksum, kind = _number(block[148:156]), block[156:157]
    if block[257:263] != b"ustar\0" or checksum != sum(block[:148]) + 8 * 32 + sum(block[156:]):
        raise BadBackup("this is no archive of a backup, or it is damaged")
    if kind != tarfile.REGTYPE or any(block[157:257]):
        raise BadBackup("a backup holds plain files only; this one holds a link, a device or a folder")
    try:
        name, prefix = (block[low:high].split(b"\0", 1)[0].decode() for low, high in ((0, 100), (345, 500)))
    except UnicodeDecodeError:
        raise BadBackup("a name is not UTF-8") from None
    whole = f"{prefix}/{name}" if prefix else name
    size = _number(block[124:136])
    if whole == MANIFEST:
        if size > MAX_MANIFEST:
            raise BadBackup("the manifest is too large")
    else:
        check_name(whole)
    return Entry(whole, size)


def _number(field: bytes) -> int:
    text = field.rstrip(b" \0")
    if not _OCTAL.match(text):
        raise BadBackup("a header of the archive holds no number where one must be")
    return int(text, 8)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
