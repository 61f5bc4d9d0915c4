"""Checks a data folder's hash chain and evidence files without a hub: what holds, what was touched, what is proven."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec

from hub.journal.chain import COLUMNS, ZERO, joined, leaf
from hub.journal.store import FILE, connect
from hub.journal.tour import LOOKED, hashes_of
from hub.model.entry import Outcome
from hub.model.proof import Link, Occasion
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Digits of a head that must be given at least; 64 bits cannot be met by chance.
LEAST_DIGITS = 16
#: Version of the journal that first had facade tours.
_TOURS = 11
_TOUR_PICTURES = "SELECT id, path, sha256 FROM tour_pictures"


class Break(msgspec.Struct, frozen=True):
    """One thing that does not hold."""

    where: str
    """Table, ``links``, ``head``, ``stamps``, ``evidence``, ``tour`` or the file."""
    what: str


class Stamped(msgspec.Struct, frozen=True):
    """A link that an authority of time stamps saw."""

    link: int
    at: str
    """The authority's time, RFC 3339."""
    trusted: bool
    """Whether the signer was checked against a root that the caller trusts."""


class Report(msgspec.Struct):
    """What came of a verification."""

    breaks: list[Break] = []
    head: str = ""
    """Hash of the last link."""
    links: int = 0
    rows: dict[str, int] = {}
    """Rows per table whose hashes hold."""
    before: dict[str, int] = {}
    """Rows per table that stood there before the chain began: not proven."""
    erased: dict[str, int] = {}
    """What was erased in time, as links say."""
    files: int = 0
    strays: list[str] = []
    """Files that no row names: left by a crash, or put there."""
    stamps: list[Stamped] = []
    last_at: Instant = Instant(0)
    """When the last link was made."""

    @property
    def holds(self) -> bool:
        """Whether nothing is broken."""
        return not self.breaks

    def broken(self, where: str, what: str) -> None:
        """Note one thing that does not hold."""
        self.breaks.append(Break(where, what))


def plain_head(text: str) -> str:
    """Return a head as it was printed, in groups, as digits. Raises ValueError where it is none."""
    digits = "".join(text.split()).replace("-", "").lower()
    if not LEAST_DIGITS <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
        raise ValueError(f"a head is {LEAST_DIGITS} to 64 hexadecimal digits")
    return digits


def verify_folder(data: Path, head: str | None = None, root: bytes | None = None) -> Report:
    """Check the journal and the evidence of ``data``; ``head`` is one that somebody kept. Raises JournalError.

    ``root`` is the certificate (PEM) of the time-stamp authority that the caller trusts.
    """
    report = Report()
    with closing(connect(data / FILE, read_only=True)) as db:
        try:
            db.execute("BEGIN")  # one state, also while a hub writes
            links = _links(db, report)
            if links:
                for name in COLUMNS:
                    _table(db, name, links, report)
                _evidence(db, data, links, report)
                _tour(db, data, links, report)
                _stamps(db, root, report)
        except (sqlite3.Error, msgspec.MsgspecError, ValueError, KeyError) as error:
            report.broken("file", f"the journal cannot be read: {error}")
        if head is not None:
            _held(db, plain_head(head), report)
    return report


def _links(db: sqlite3.Connection, report: Report) -> list[Link]:
    """Check the chain of links and return them."""
    before = ZERO
    links: list[Link] = []
    for number, (seq, at, body, digest) in enumerate(db.execute("SELECT * FROM links ORDER BY seq"), 1):
        if seq != number:
            report.broken("links", f"link {number} is missing")
            return links
        if joined(before, body.encode()) != digest:
            report.broken("links", f"link {seq} was altered, or links before it were")
        link = msgspec.json.decode(body, type=Link)
        if link.at != at or (link.occasion is Occasion.BEGIN) != (seq == 1):
            report.broken("links", f"link {seq} was altered")
        before = digest
        links.append(link)
    report.head, report.links = before.hex(), len(links)
    if db.execute("SELECT seq, hash FROM heads WHERE name = 'links'").fetchone() != (len(links), before):
        report.broken("links", "the last links are missing or were altered")
    report.last_at = links[-1].at if links else Instant(0)
    if not links:
        report.broken("links", "there is no chain: the journal is older than the hash chain, or its links were deleted")
    return links


def _table(db: sqlite3.Connection, name: str, links: list[Link], report: Report) -> None:
    """Check one table from its first seal on: what is missing below, then row by row."""
    first = links[0].heads[name]
    seals = {first.seq: first.hash}
    for number, link in enumerate(links, 1):
        sealed = link.heads[name]
        if seals.setdefault(sealed.seq, sealed.hash) != sealed.hash or sealed.seq < max(seals):
            report.broken("links", f"link {number} contradicts those before it about {name}")
    head = db.execute("SELECT seq, hash FROM heads WHERE name = ?", (name,)).fetchone()
    if head is None:
        report.broken(name, "its head is missing")
        return
    spans = [(gone.first, gone.last) for link in links for gone in link.erased if gone.name == name]
    report.erased[name] = sum(gone.count for link in links for gone in link.erased if gone.name == name)
    (report.before[name],) = db.execute(f"SELECT count(*) FROM {name} WHERE seq <= ?", (first.seq,)).fetchone()  # noqa: S608 - a fixed name
    if db.execute(f"SELECT 1 FROM {name} WHERE seq < 1 LIMIT 1").fetchone():  # noqa: S608 - a fixed name
        report.broken(name, "rows were added before the first")
    start = _start(db, name, first.seq, seals)
    missing = _uncovered(first.seq + 1, spans)
    if missing <= start:
        report.broken(name, f"row {missing} is missing and no link says that its time was over")
    walk = _Walk(name, start, seals, spans, head, report)
    for seq, found, there in _leaves(db, name, start):
        if seq > head[0]:
            report.broken(name, f"row {seq} and later ones were written past the chain")
            break
        walk.step(seq, found, there=there)
    walk.end()


class _Walk:
    """Recomputes the hash of a table from seal to seal; after a wrong one it goes on from the seal's."""

    def __init__(
        self,
        name: str,
        start: int,
        seals: dict[int, str],
        spans: list[tuple[int, int]],
        head: tuple[int, bytes],
        report: Report,
    ) -> None:
        self._name, self._seals, self._spans, self._head, self._report = name, seals, spans, head, report
        self._at = self._since = start
        self._digest = bytes.fromhex(seals[start])
        report.rows[name] = 0

    def step(self, seq: int, found: bytes, *, there: bool) -> None:
        """Take the next row, or the leaf that is left of it."""
        name, report = self._name, self._report
        if seq <= self._at:
            report.broken(name, f"row {seq} is there though its time was over")
            return
        if seq != self._at + 1:
            report.broken(name, f"rows {self._at + 1} to {seq - 1} are missing")
        if not there and not _covered(seq, self._spans):
            report.broken(name, f"row {seq} was erased and no link says that its time was over")
        self._digest, self._at = joined(self._digest, found), seq
        report.rows[name] += there
        if seq in self._seals:
            if self._seals[seq] != self._digest.hex():
                self._altered(seq)
                self._digest = bytes.fromhex(self._seals[seq])
            self._since = seq

    def end(self) -> None:
        """Compare with where the table's own head stands."""
        last = max(self._seals)
        if self._at < last:
            self._report.broken(self._name, f"rows {self._at + 1} to {last} are missing at the end")
        elif (self._at, self._digest) != tuple(self._head):
            self._altered(self._head[0])

    def _altered(self, seq: int) -> None:
        words = f"among rows {self._since + 1} to {seq} something was altered, added or taken away"
        self._report.broken(self._name, words)


def _start(db: sqlite3.Connection, name: str, first: int, seals: dict[int, str]) -> int:
    """Return the last seal before everything that is left of a table."""
    (lowest,) = db.execute(
        f"SELECT min(low) FROM (SELECT min(seq) AS low FROM {name} WHERE seq > ? "  # noqa: S608 - a fixed name
        "UNION ALL SELECT min(seq) FROM erased WHERE name = ? AND seq > ?)",
        (first, name, first),
    ).fetchone()
    return max((seq for seq in seals if lowest is not None and seq < lowest), default=first)


def _leaves(db: sqlite3.Connection, name: str, after: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield number, leaf and whether the row itself is there, in order."""
    erased = iter(db.execute("SELECT seq, leaf FROM erased WHERE name = ? AND seq > ? ORDER BY seq", (name, after)))
    gone = next(erased, None)
    for row in db.execute(f"SELECT {COLUMNS[name]} FROM {name} WHERE seq > ? ORDER BY seq", (after,)):  # noqa: S608 - fixed
        while gone is not None and gone[0] <= row[0]:
            yield gone[0], gone[1], False
            gone = next(erased, None)
        yield row[0], leaf(row), True
    while gone is not None:
        yield gone[0], gone[1], False
        gone = next(erased, None)


def _uncovered(seq: int, spans: list[tuple[int, int]]) -> int:
    """Return the first number from ``seq`` on that no span covers."""
    for first, last in sorted(spans):
        if first <= seq <= last:
            seq = last + 1
    return seq


def _covered(seq: int, spans: list[tuple[int, int]]) -> bool:
    return any(first <= seq <= last for first, last in spans)


def _evidence(db: sqlite3.Connection, data: Path, links: list[Link], report: Report) -> None:
    """Hash the files again and compare with what the chained outcomes say."""
    gone = {name for link in links for erased in link.erased if erased.name == "pictures" for name in erased.ids}
    report.erased["pictures"] = len(gone)
    said: dict[str, tuple[Any, ...]] = {}
    for (body,) in db.execute("SELECT body FROM events WHERE kind = 'outcome' ORDER BY seq"):
        kept = msgspec.json.decode(body, type=Outcome).evidence
        if kept is not None:
            said.setdefault(kept.id, msgspec.structs.astuple(kept))
    rows = {row[0]: row for row in db.execute("SELECT * FROM evidence")}
    for name in said.keys() - gone:
        if rows.get(name) != said[name]:
            report.broken("evidence", f"the record of {name} is missing or was altered")
        _file(data, name, said[name], report)
    for name in rows.keys() - (said.keys() - gone):
        report.broken("evidence", f"the record of {name} was added, or should have been erased")
    known = {said[name][3] for name in said.keys() - gone}
    waiting = {path for (path,) in db.execute("SELECT path FROM removals")}
    folder = data / "evidence"
    there = {path.relative_to(data).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    report.strays = sorted(there - known - waiting)


def _tour(db: sqlite3.Connection, data: Path, links: list[Link], report: Report) -> None:
    """Hash the pictures of facade tours again and compare with what the chained looks say of them."""
    gone = {name for link in links for erased in link.erased if erased.name == "tour" for name in erased.ids}
    if gone:
        report.erased["tour"] = len(gone)
    if db.execute("PRAGMA user_version").fetchone()[0] < _TOURS:
        return
    rows = {str(number): (path, sha256) for number, path, sha256 in db.execute(_TOUR_PICTURES)}
    for (body,) in db.execute("SELECT body FROM events WHERE kind = ? ORDER BY seq", (LOOKED,)):
        for name, sha256 in hashes_of(body):
            path, kept = rows.get(name, ("", ""))
            if name in gone:
                continue
            if kept != sha256:
                report.broken("tour", f"the record of picture {name} is missing or was altered")
            else:
                _file(data, f"tour picture {name}", (name, "", "", path, "", sha256), report)


def _file(data: Path, name: str, record: tuple[Any, ...], report: Report) -> None:
    path, sha256 = PurePosixPath(record[3]), record[5]
    if path.is_absolute() or ".." in path.parts:
        report.broken("evidence", f"the path of {name} leads out of the folder")
        return
    try:
        with (data / path).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        report.broken("evidence", f"{path}: {error.strerror}")
        return
    if found != sha256:
        report.broken("evidence", f"{path} was altered")
    else:
        report.files += 1


def _stamps(db: sqlite3.Connection, root: bytes | None, report: Report) -> None:
    """Check what time-stamp authorities signed."""
    rows = db.execute(
        "SELECT s.link, s.token, l.hash FROM stamps s LEFT JOIN links l ON l.seq = s.link ORDER BY s.link"
    )
    for link, token, digest in rows:
        if token is not None:
            check_stamp(link, token, digest or b"", root, report)


def check_stamp(link: int, token: bytes, digest: bytes, root: bytes | None, report: Report) -> None:
    """Check one time stamp of a link's hash."""
    from hub.journal.stamp import StampError, read_stamp

    try:
        at, trusted = read_stamp(token, digest, root)
    except StampError as error:
        report.broken("stamps", f"the time stamp of link {link} does not hold: {error}")
        return
    report.stamps.append(Stamped(link, at, trusted))


def _held(db: sqlite3.Connection, head: str, report: Report) -> None:
    """Look for a head that somebody kept among the links."""
    try:
        hashes = [digest.hex() for (digest,) in db.execute("SELECT hash FROM links")]
    except sqlite3.Error:
        return  # said already
    if not any(digest.startswith(head) for digest in hashes):
        words = "the journal does not contain the head you hold: it was rolled back or written anew"
        report.broken("head", words + _restored(db))


def _restored(db: sqlite3.Connection) -> str:
    """Say that a backup was restored, where a link says so: an honest roll-back, of which the same head is missing."""
    row = db.execute("SELECT body FROM events WHERE kind = 'restored' ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        return ""
    made = msgspec.json.decode(row[0], type=dict[str, str]).get("made", "?")
    return f"; it says that a backup of {made} was restored: heads younger than that are gone with their rows"


def latest(db: sqlite3.Connection, occasions: tuple[Occasion, ...] = tuple(Occasion)) -> tuple[int, Link, str] | None:
    """Return number, link and hash of the last link made on one of ``occasions``."""
    for seq, body, digest in db.execute("SELECT seq, body, hash FROM links ORDER BY seq DESC"):
        link = msgspec.json.decode(body, type=Link)
        if link.occasion in occasions:
            return seq, link, digest.hex()
    return None


def grouped(digest: str) -> str:
    """Return a head in groups of four digits, to read aloud and to print."""
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))
