"""What the journal knows of one incident, with the part of the hash chain that proves it: the content of a package."""

from __future__ import annotations

import base64
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from hub.journal.chain import COLUMNS, leaf, seal
from hub.journal.queries import add_audit
from hub.journal.report import Availability, Scope, figures
from hub.journal.store import FILE, connect
from hub.model.errors import JournalError
from hub.model.ids import EntityId
from hub.model.proof import Link, Occasion
from hub.model.time import DAY, MINUTE, Instant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from hub.model.proof import Head

#: Readings are given from so long before the incident until so long after its last event; diligence over so long.
MARGIN, DILIGENCE = 10 * MINUTE, 30 * DAY
#: After every time of a journal.
NEVER = Instant(1 << 62)
#: Leaves in one part of the chain at most: 32 bytes each.
MOST_LEAVES = 2_000_000


class Place(msgspec.Struct, frozen=True):
    """What the site's configuration says of the incident's zone."""

    site: str
    zone: str
    entities: dict[str, str]
    """Entity → its name."""
    signs: tuple[str, ...] = ()
    """Where signs stand that say people are recorded, or that throwing is forbidden, as hub.yaml says."""


class Part(msgspec.Struct, frozen=True):
    """Rows of one table, and the leaves of all rows between two links, so that the rows prove without the others."""

    table: str
    columns: str
    after: int
    """Number of the row that the link before ends with; the leaves begin with the next."""
    before: str
    """Hash of the table there."""
    leaves: str
    """32 bytes each, base64."""
    rows: list[list[Any]]
    unproven: list[list[Any]]
    """Rows from before the chain began."""


class LinkLine(msgspec.Struct, frozen=True):
    """One link as it stands in the journal."""

    seq: int
    body: str
    hash: str


class Diligence(msgspec.Struct, frozen=True):
    """What the property did to prevent such things: for Article 1254 of the Civil Code (民法典)."""

    begin: Instant
    end: Instant
    availability: list[dict[str, Any]]
    """Per device of the zone: share of the hub's running time in which it was trusted, null where never heard;
    seconds by which its clock was ahead of the hub's around the incident, null where it tells no time."""
    hub_down_s: float
    broadcasts: list[dict[str, Any]]
    """Voices that were spoken in the zone: when, and what."""
    signs: tuple[str, ...]


class Dossier(msgspec.Struct, frozen=True):
    """Everything about one incident."""

    id: int
    place: Place
    made: Instant
    by: str
    incident: dict[str, Any]
    activation: dict[str, Any]
    parts: list[Part]
    links: list[LinkLine]
    before: str
    """Hash of the link before the first of ``links``."""
    stamps: dict[int, bytes]
    """Time stamps of those links."""
    pictures: dict[str, str]
    """Path in the data folder → SHA-256."""
    diligence: Diligence
    clock: list[dict[str, Any]]
    """Jumps of the clock from a day before until a day after: when, and by how many seconds."""

    @property
    def head(self) -> str:
        """Hash of the last link."""
        return self.links[-1].hash


def note_export(db: sqlite3.Connection, now: Instant, by: str, number: int, address: str = "") -> None:
    """Record an export and seal the chain, before the package is made: so the package proves its own export."""
    add_audit(db, now, by, "export", {"incident": number}, address=address, target=str(number))
    seal(db, now, Occasion.EXPORT)


class _Kept(msgspec.Struct, frozen=True):
    id: str


class _Took(msgspec.Struct, frozen=True):
    """Of an outcome: the file that it left."""

    evidence: _Kept | None = None


def zone_of(data: Path, number: int) -> str | None:
    """Return the zone of an incident; None where there is none of the number."""
    with closing(connect(data / FILE, read_only=True)) as db:
        row = db.execute("SELECT zone FROM incidents WHERE id = ?", (number,)).fetchone()
    return None if row is None else str(row[0])


def collect(data: Path, number: int, place: Place, by: str, now: Instant) -> Dossier:
    """Gather everything about an incident; call it after ``note_export``. Raises JournalError."""
    with closing(connect(data / FILE, read_only=True)) as db:
        db.execute("BEGIN")  # one state
        links = [
            (LinkLine(seq, body, digest.hex()), msgspec.json.decode(body, type=Link))
            for seq, body, digest in db.execute("SELECT seq, body, hash FROM links ORDER BY seq")
        ]
        sealed = links[-1][1].heads  # what came after the export was noted is in no link, and so in no package
        incident = _record(db, "SELECT * FROM incidents WHERE id = ?", number)
        name, begin = incident["activation"], Instant(incident["opened_at"])
        events = _rows(db, "events", sealed, "activation = ?", name)
        told = {msgspec.json.decode(row[4], type=_Took).evidence for row in events if row[2] == "outcome"}
        kept = db.execute("SELECT id FROM evidence WHERE activation = ? ORDER BY at", (name,))
        names = [key for (key,) in kept if _Kept(key) in told]
        evidence = [_record(db, "SELECT * FROM evidence WHERE id = ?", key) for key in names]
        end = Instant(max([begin, *(row[1] for row in events)]))
        readings = _rows(
            db, "readings", sealed, f"at BETWEEN ? AND ? AND entity IN ({','.join('?' * len(place.entities))})",
            begin - MARGIN, end + MARGIN, *place.entities,
        )  # fmt: skip
        clock = _rows(db, "events", sealed, "kind = 'clock_jump' AND at BETWEEN ? AND ?", begin - DAY, end + DAY)
        places = [incident["zone"], *place.entities]
        where, values = viewed([str(number), *names], places, begin, incident["closed_at"])
        views = _rows(db, "audit", sealed, where, *values)
        wanted = {"readings": readings, "events": sorted([*events, *clock]), "audit": views}
        parts, first = [], len(links) - 1
        for table, rows in wanted.items():
            part, earliest = _part(db, table, rows, [link for _, link in links])
            parts.append(part)
            first = min(first, earliest)
        stamps = dict(db.execute("SELECT link, token FROM stamps WHERE token IS NOT NULL AND link > ?", (first,)))
        spoken = _broadcasts(db, incident["zone"], Instant(now - DILIGENCE), now)
        activation = _record(db, "SELECT * FROM activations WHERE id = ?", name)
    scope = Scope(devices={entity: frozenset({EntityId(entity)}) for entity in place.entities})
    found = figures(data, scope, Instant(now - DILIGENCE), now, now)
    return Dossier(
        id=number, place=place, made=now, by=by, incident=incident, activation=activation, parts=parts,
        links=[line for line, _ in links[first:]], before=links[first - 1][0].hash if first else "0" * 64,
        stamps=stamps, pictures={record["path"]: record["sha256"] for record in evidence},
        diligence=Diligence(
            Instant(now - DILIGENCE), now, [_available(one, place, readings) for one in found.availability],
            found.down / 1e6,
            spoken, place.signs,
        ),
        clock=[{"at": row[1], "by_s": msgspec.json.decode(row[4])["by"] / 1e6} for row in clock],
    )  # fmt: skip


#: Actions of people that are views of an incident's evidence, and looks through its cameras (hub.web.routes).
VIEWS = "'evidence', 'export', 'incident_view', 'handle', 'hold'"
LOOKS = "'live_picture', 'sight_picture', 'onlook', 'onlook_piece'"


def viewed(
    targets: Sequence[str], places: Sequence[str], begin: Instant, end: Instant | None
) -> tuple[str, list[str | int]]:
    """Return the condition, with its values, for rows of ``audit`` that tell who viewed an incident.

    ``targets`` (its number, its pictures) count at any time; live pictures of its ``places`` (zone, cameras) while it
    was open, ``end`` None: until now.
    """
    where = (
        f"outcome = 'done' AND (action IN ({VIEWS}) AND target IN ({','.join('?' * len(targets))}) "
        f"OR action IN ({LOOKS}) AND target IN ({','.join('?' * len(places))}) AND at BETWEEN ? AND ?)"
    )
    return where, [*targets, *places, begin, NEVER if end is None else end]


def _record(db: sqlite3.Connection, sql: str, key: int | str) -> dict[str, Any]:
    cursor = db.execute(sql, (key,))
    row = cursor.fetchone()
    if row is None:
        raise JournalError(f"the journal has nothing of {key}")
    return dict(zip([column[0] for column in cursor.description], row, strict=True))


def _rows(db: sqlite3.Connection, table: str, sealed: Mapping[str, Head], where: str, *values: Any) -> list[list[Any]]:
    """Return the rows up to the last one of the table that a link seals."""
    sql = f"SELECT {COLUMNS[table]} FROM {table} WHERE seq <= ? AND ({where}) ORDER BY seq"  # noqa: S608 - words of this module
    return [list(row) for row in db.execute(sql, (sealed[table].seq, *values))]


def _part(db: sqlite3.Connection, table: str, rows: list[list[Any]], links: Sequence[Link]) -> tuple[Part, int]:
    """Return the rows with the leaves around them, and the index of the link that these go on from."""
    ends = [link.heads[table].seq for link in links]
    proven = [row for row in rows if row[0] > ends[0]]
    low = proven[0][0] if proven else ends[-1] + 1
    high = proven[-1][0] if proven else ends[-1]
    start = max(index for index, end in enumerate(ends) if end < low)
    after, upto = ends[start], min(end for end in ends if end >= high)
    if upto - after > MOST_LEAVES:
        raise JournalError(f"the incident lies among {upto - after} rows of {table}: too many for a package")
    erased = "SELECT seq, leaf FROM erased WHERE name = ? AND seq BETWEEN ? AND ?"
    leaves = dict(db.execute(erased, (table, after + 1, upto)))
    between = _rows(db, table, links[-1].heads, "seq BETWEEN ? AND ?", after + 1, upto)
    leaves |= {row[0]: leaf(tuple(row)) for row in between}
    packed = base64.b64encode(b"".join(leaves[seq] for seq in sorted(leaves))).decode()
    unproven = [row for row in rows if row[0] <= ends[0]]
    return Part(table, COLUMNS[table], after, links[start].heads[table].hash, packed, proven, unproven), start


def _broadcasts(db: sqlite3.Connection, zone: str, begin: Instant, end: Instant) -> list[dict[str, Any]]:
    sql = (
        "SELECT at, json_extract(body, '$.action.text.zh') FROM commands WHERE status = 'done' AND at BETWEEN ? AND ? "
        "AND json_extract(body, '$.zone') = ? AND json_extract(body, '$.action.type') = 'say' ORDER BY at LIMIT 10000"
    )
    return [{"at": at, "text": text} for at, text in db.execute(sql, (begin, end, zone))]


def _available(one: Availability, place: Place, readings: Sequence[list[Any]]) -> dict[str, Any]:
    name = place.entities.get(one.name, one.name)
    return {"device": one.name, "name": name, "share": one.share, "clock_off_s": clock_off(readings, one.name)}


def clock_off(readings: Sequence[list[Any]], entity: str) -> float | None:
    """Return by how many seconds a device's clock was ahead of the hub's when its readings came: the median.

    The way counts as if the clock were behind. None for a device that tells no time; rows as in ``COLUMNS``.
    """
    off = [row[5] - row[4] for row in readings if row[1] == entity and row[5] is not None and not row[6]]
    return median(off) / 1e6 if off else None
