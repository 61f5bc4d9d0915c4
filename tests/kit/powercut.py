"""What a power cut can leave of a folder: the system calls of a program, recorded by strace, played again on a model.

The model promises no more than POSIX does: what a file holds is on the disk once that file was flushed, and a name
once its folder was; of what came later any part may be there, whole, half or not at all, in any order. Names of one
folder come in their order, as every file system with a journal has them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: The calls that change files, and those that bring them to the disk.
CALLS = (
    "openat,pwrite64,write,ftruncate,fdatasync,fsync,fallocate,writev,pwritev,truncate,"
    "link,linkat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat"
)
#: In front of a command: writes these calls, and what is sent to others, into the file named next.
STRACE = ("strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS},sendto", "-o")
#: A disk writes this much or nothing.
SECTOR = 512
_LINE = re.compile(r"(\d+) +(?:(\w+)\((.*)|<\.\.\. (\w+) resumed>(.*))$")
_DONE = re.compile(r"\) += (\d+)(?:<(.*)>)?$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_OPEN = re.compile(r"^\d+<([^>]*)>")


@dataclass(frozen=True)
class Call:
    """One system call that succeeded."""

    name: str
    file: str
    """Path behind the first descriptor, if any."""
    texts: tuple[bytes, ...]
    rest: str
    result: str
    """Path behind the descriptor that it returned, if any."""


def calls(record: Path) -> Iterator[Call]:
    """Read what ``STRACE`` wrote, in the order in which the calls were done."""
    begun: dict[str, str] = {}
    for text in record.read_text("ascii").splitlines():
        line = _LINE.match(text)
        if line is None:
            continue  # a signal, or the end of a thread
        if line[2] and text.endswith("<unfinished ...>"):
            begun[line[1]] = line[3].removesuffix("<unfinished ...>")
            continue
        arguments = line[3] if line[2] else begun.pop(line[1]) + line[5]
        if (done := _DONE.search(arguments)) is not None:
            arguments = arguments[: done.start()]
            file = _OPEN.match(arguments)
            texts = tuple(_plain(found) for found in _TEXT.findall(arguments))
            rest = _TEXT.sub("", arguments)
            yield Call(line[2] or line[4], _path(file[1]) if file else "", texts, rest, _path(done[2] or ""))


def _plain(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _path(text: str) -> str:
    return _plain(text).decode() if text.startswith("\\x") else text


@dataclass
class File:
    """What a file holds: on the disk for good, and written since."""

    durable: bytearray = field(default_factory=bytearray)
    later: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Offset and bytes; without bytes the file was cut there."""

    def flushed(self) -> None:
        """Everything is on the disk."""
        for offset, content in self.later:
            _write(self.durable, offset, content)
        self.later.clear()

    def left(self, chance: random.Random) -> bytes:
        """Return what may be left."""
        found = bytearray(self.durable)
        odds = chance.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        for offset, content in self.later:
            if chance.random() >= odds:
                continue
            if content is not None and chance.random() < 0.2:  # half of it
                content = content[: chance.randrange(len(content) // SECTOR + 1) * SECTOR]
            _write(found, offset, content)
        return bytes(found)

    @property
    def size(self) -> int:
        """Where the next bytes of ``write`` go."""
        return max([len(self.durable), *(at + len(content) for at, content in self.later if content is not None)])


def _write(found: bytearray, offset: int, content: bytes | None) -> None:
    if content is None:
        del found[offset:]
    elif content:
        found.extend(b"\0" * (offset - len(found)))
        found[offset : offset + len(content)] = content


@dataclass
class Folder:
    """The names of a folder: on the disk for good, and given or taken since."""

    durable: dict[str, File | Folder] = field(default_factory=dict)
    later: list[tuple[str, File | Folder | None]] = field(default_factory=list)

    def names(self, count: int | None = None) -> dict[str, File | Folder]:
        """Return the names with so many of the later changes, or all."""
        found = dict(self.durable)
        for name, what in self.later[:count]:
            if what is None:
                found.pop(name, None)
            else:
                found[name] = what
        return found

    def flushed(self) -> None:
        """Everything is on the disk."""
        self.durable, self.later = self.names(), []

    def left(self, chance: random.Random, target: Path) -> None:
        """Write what may be left into ``target``."""
        target.mkdir()
        for name, what in self.names(chance.randint(0, len(self.later))).items():
            if isinstance(what, Folder):
                what.left(chance, target / name)
            else:
                (target / name).write_bytes(what.left(chance))


class Disk:
    """A folder, empty at first, and what is done to it."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.top = Folder()

    def concerns(self, call: Call) -> bool:
        """Tell whether a call is about this folder."""
        return bool(self._paths(call))

    def play(self, call: Call) -> None:
        """Do what a call about this folder did. Raises NotImplementedError for one that nobody has modelled."""
        paths = self._paths(call)
        path = paths[-1]
        if not path and "sync" not in call.name:
            return  # the folder itself is made or looked at
        match call.name:
            case "openat":
                self._opened(path, call.rest)
            case "pwrite64" | "write":
                file = self._file(path)
                offset = int(call.rest.rpartition(",")[2]) if call.name == "pwrite64" else file.size
                file.later.append((offset, call.texts[0]))
            case "ftruncate":
                self._file(path).later.append((int(call.rest.rpartition(",")[2]), None))
            case "fdatasync" | "fsync":
                self._find(path).flushed()
            case "mkdir" | "mkdirat":
                self._name(path, Folder())
            case "link" | "linkat":
                self._name(path, self._find(paths[0]))
            case "unlink" | "unlinkat":
                self._name(path, None)
            case "rename" | "renameat" | "renameat2":
                moved = self._find(paths[0])
                self._name(paths[0], None)
                self._name(path, moved)
            case "fallocate":
                pass  # room, no content
            case other:
                raise NotImplementedError(other)

    def _paths(self, call: Call) -> list[tuple[str, ...]]:
        """Return the parts of each path of a call below the folder."""
        named = call.name.startswith(("link", "unlink", "rename", "mkdir", "truncate"))
        paths = [text.decode() for text in call.texts] if named else [call.result or call.file]
        return [found for found in map(self._inside, paths) if found is not None]

    def _inside(self, path: str) -> tuple[str, ...] | None:
        """Return the parts of a path below the folder; a file of shared memory lives in memory only."""
        place = Path(path)
        if not path.startswith("/") or path.endswith("-shm") or not place.is_relative_to(self._root):
            return None
        return place.relative_to(self._root).parts

    def _find(self, path: tuple[str, ...]) -> File | Folder:
        found: File | Folder = self.top
        for part in path:
            assert isinstance(found, Folder)
            found = found.names()[part]
        return found

    def _file(self, path: tuple[str, ...]) -> File:
        found = self._find(path)
        assert isinstance(found, File)
        return found

    def _name(self, path: tuple[str, ...], what: File | Folder | None) -> None:
        folder = self._find(path[:-1])
        assert isinstance(folder, Folder)
        folder.later.append((path[-1], what))

    def _opened(self, path: tuple[str, ...], flags: str) -> None:
        if "O_CREAT" in flags and path:
            folder = self._find(path[:-1])
            assert isinstance(folder, Folder)
            if path[-1] not in folder.names():
                self._name(path, File())
        if "O_TRUNC" in flags:
            self._file(path).later.append((0, None))
