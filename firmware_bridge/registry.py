"""The nodes that this hub knows: their keys and counters, in one file that nobody else may read, written atomically."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

import msgspec

from firmware_bridge.auth import ID_BYTES, Counters
from firmware_bridge.files import write_whole
from firmware_bridge.messages import Point
from hub.model.errors import HubError

#: Starts of a node of which it is kept what was committed.
BOOTS = 8


class BadRegistry(HubError):
    """The file of the nodes cannot be read: a person must put a backup in its place, or claim the nodes anew."""


class Record(msgspec.Struct):
    """One node. The registry's own row: it changes with every frame and is written now and then."""

    id: str
    """16 hexadecimal digits."""
    key: str = ""
    """Hexadecimal; empty when the node is not ours."""
    nonce: str = ""
    """The hub's nonce of a claim that was begun and may have been answered: it is repeated with the same one."""
    model: str = ""
    version: str = ""
    digest: str = ""
    """``dig`` of the description that ``points`` is from."""
    points: tuple[Point, ...] = ()
    boot: int = -1
    security: int = -1
    """Security counter of the newest image that this hub confirmed; -1 when none."""
    address: tuple[str, int] | None = None
    heard: Counters = msgspec.field(default_factory=Counters)
    proven: bool = True
    """Whether ``heard`` is up to date. What was read from the file may be seconds old: the hub may have been killed."""
    committed: dict[int, Counters] = {}
    """Numbers of the events that are in the journal, by boot id."""

    @property
    def node(self) -> bytes:
        """Return the id as it is on the wire."""
        return bytes.fromhex(self.id)

    def is_committed(self, boot: int, seq: int) -> bool:
        """Tell whether this event is in the journal."""
        counters = self.committed.get(boot)
        return counters is not None and counters.has(seq)

    def commit(self, boot: int, seq: int) -> None:
        """Note that this event is in the journal."""
        counters = self.committed.setdefault(boot, Counters())
        if not counters.has(seq):
            counters.accept(seq)
        while len(self.committed) > BOOTS:
            del self.committed[min(self.committed)]

    def restore(self, boot: int, counters: Counters) -> None:
        """Take over what the journal knows to be in it, where that is newer: this file is written only now and then."""
        if boot not in self.committed or self.committed[boot].highest <= counters.highest:
            self.committed[boot] = counters


class _Book(msgspec.Struct):
    hub: str
    start: int
    nodes: dict[str, Record]


class Registry:
    """All known nodes. ``save`` is cheap to call: it writes only what changed."""

    def __init__(self, file: Path) -> None:
        """Read the file, or begin a new one. Raises BadRegistry or OSError."""
        self._file = file
        self._writing = threading.Lock()
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            self._book = _Book(secrets.token_hex(ID_BYTES), 0, {})
            self._written = b""
            return
        try:
            self._book = msgspec.json.decode(data, type=_Book)
            for record in self._book.nodes.values():
                bytes.fromhex(record.id + record.key + record.nonce)
                record.proven = not record.key
        except (msgspec.DecodeError, ValueError) as error:
            raise BadRegistry(f"{file.name} is damaged ({type(error).__name__})") from None
        self._written = data

    @property
    def hub(self) -> bytes:
        """Return this hub's id, eight bytes."""
        return bytes.fromhex(self._book.hub)

    @property
    def records(self) -> tuple[Record, ...]:
        """Return all nodes."""
        return tuple(self._book.nodes.values())

    def record(self, node: bytes) -> Record:
        """Return the row of a node, a new one when it was not known."""
        return self._book.nodes.setdefault(node.hex(), Record(node.hex()))

    def next_start(self) -> int:
        """Return a start number that was never used, and is on the disk when this returns."""
        self._book.start += 1
        self.save()
        return self._book.start

    def save(self) -> None:
        """Write the file when something changed. Raises OSError."""
        data = self.changed()
        if data is not None:
            self.write(data)

    def changed(self) -> bytes | None:
        """Return what to ``write``, None when nothing changed."""
        data = msgspec.json.encode(self._book)
        return None if data == self._written else data

    def write(self, data: bytes) -> None:
        """Put ``data`` in the place of the file, whatever happens meanwhile. Raises OSError; fit for a thread."""
        with self._writing:
            write_whole(self._file, data)
            self._written = data
