"""What the journal recorded, read back for backtests: what was known at an instant, and what came after it, in order.

Reads beside a running hub on a connection of its own. The order is that of the sequence numbers, because the clock of
the hub may have jumped: an instant only says where to begin and where to end.
"""

from __future__ import annotations

import itertools
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from hub.engine.program import Program
from hub.engine.replay import NEVER, Replay
from hub.engine.state import EngineState
from hub.journal.album import Album
from hub.journal.store import FILE, Anchor, connect
from hub.model.entry import Adopted, ClockJump, LinkBack, LinkLost, ModeChange, Started, Trust
from hub.model.errors import JournalError
from hub.model.ids import EntityId, SiteId
from hub.model.reading import Quality, Reading, State, next_state, value_from_store
from hub.model.site import Site
from hub.model.text import Text
from hub.model.time import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from hub.engine.replay import Row
    from hub.model.entry import Turn

_KINDS = ModeChange, ClockJump, Trust, Started, LinkLost, LinkBack, Adopted
_TURNS: dict[str, type[Turn]] = {kind.__name__: kind for kind in _KINDS}
#: An engine without rules: what it lives through leaves only its modes.
_NO_RULES = Program((), Site(SiteId(""), Text(""), "UTC", {}, {}, {}, {}))
#: How much of the file the reader may map, in bytes, so that rows come without a system call for each page.
_MAPPED = 4 << 30
#: Inputs between two reports of progress.
_EVERY = 4_096
#: Says something of the value; says that it is not known.
_SAID, _UNKNOWN = "value IS NOT NULL AND quality <> 'unknown'", "quality = 'unknown'"


class _Turn(NamedTuple):
    """A turn with the last reading before it, and whom it concerns if not everybody."""

    reading: int
    turn: Turn
    entities: frozenset[EntityId]


class _Cut(NamedTuple):
    """Where an instant lies in the record."""

    seq: int
    turn: int


class _Read(NamedTuple):
    """A reading as it is stored."""

    seq: int
    at: Instant
    value: str | float | None
    quality: str


class History:
    """The recorded past of one data folder. Close it after use."""

    def __init__(self, folder: Path) -> None:
        """Open the journal read-only. Raises JournalError where there is none, or one of another version."""
        self._db = connect(folder / FILE, read_only=True)
        try:
            self._db.execute(f"PRAGMA mmap_size = {_MAPPED}")
            rows = self._db.execute("SELECT reading, kind, body FROM turns ORDER BY seq").fetchall()
            self._turns = [_turn(reading, msgspec.json.decode(body, type=_TURNS[kind])) for reading, kind, body in rows]
        except (sqlite3.Error, msgspec.MsgspecError, KeyError) as error:
            self._db.close()
            raise JournalError(f"the journal cannot be read ({error}); was it written by another version?") from error

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def first(self, entities: Iterable[EntityId]) -> Instant | None:
        """Return since when there are readings of any of ``entities``."""
        sql = "SELECT min(at) FROM readings WHERE entity = ?"
        found = [at for name in entities for (at,) in self._db.execute(sql, (name,)) if at is not None]
        return Instant(min(found)) if found else None

    def written(self) -> Instant | None:
        """Return when the hub last wrote: of what came later nothing is known. None for a journal without a hub."""
        row = self._db.execute("SELECT value FROM meta WHERE key = 'anchor'").fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=Anchor).at

    def album(self, begin: Instant, end: Instant) -> Album:
        """Return the pictures of the span."""
        return Album(self._db, begin, end)

    def known(self, entities: Iterable[EntityId], at: Instant) -> EngineState:
        """Return what was known just before ``at``: states with their trust, and modes; no slots, no memories."""
        names = tuple(entities)
        cut = self._cut(names, at)
        before = self._turns[: cut.turn]
        modes = Replay(_NO_RULES, EngineState(), Instant(0))
        modes.live(found.turn for found in before if not isinstance(found.turn, Trust))
        modes.until(at)
        states = {name: state for name in names if (state := self._state(name, cut.seq, before)) is not None}
        return EngineState(states, modes=modes.state.modes.values(), absences=modes.state.absences)

    def inputs(self, entities: Iterable[EntityId], begin: Instant, end: Instant) -> Iterator[Row | Turn]:
        """Return everything from ``begin`` to before ``end`` that may move a rule about ``entities``, in order."""
        names = tuple(entities)
        cut = self._cut(names, begin)
        turns = list(itertools.takewhile(lambda found: found.turn.at < end, self._turns[cut.turn :]))
        back = sum(min(0, turn.by) for _, turn, _ in turns if isinstance(turn, ClockJump))
        marks = ", ".join("?" * len(names))
        sql = (
            "SELECT seq, entity, value, quality, at FROM readings "  # noqa: S608 - only question marks are put in
            f"WHERE entity IN ({marks}) AND at >= ? AND at < ? AND seq >= ? ORDER BY seq"
        )
        rows: Iterator[Row] = self._db.execute(sql, (*names, begin + back, end, cut.seq))
        row = next(rows, None)
        for found in turns:
            while row is not None and row[0] <= found.reading:
                yield row
                row = next(rows, None)
            yield from _about(found, names)
        if row is not None:
            yield row
            yield from rows

    def doubted(self, entities: Iterable[EntityId], at: Instant) -> dict[EntityId, Instant]:
        """Return since when each entity that was heard before was not trusted just before ``at``."""
        found: dict[EntityId, Instant] = {}
        listed = tuple(entities)
        cut = self._cut(listed, at)
        for name in listed:
            good = self._read(name, cut.seq, "quality = 'good'")
            seq = 0 if good is None else good.seq
            bad = self._read(name, cut.seq, "quality <> 'good' AND seq > ?", seq, first=True)
            since = None
            for reading, turn, names in self._turns[: cut.turn]:
                if isinstance(turn, Trust) and reading >= seq and name in names:
                    since = None if turn.quality is Quality.GOOD else since or turn.at
            doubts = [instant for instant in (since, None if bad is None else bad.at) if instant is not None]
            if doubts:
                found[name] = min(doubts)
        return found

    def _cut(self, names: tuple[EntityId, ...], at: Instant) -> _Cut:
        """Return the first reading and the first turn that do not belong before ``at`` any more."""
        turn = next((index for index, found in enumerate(self._turns) if found.turn.at >= at), len(self._turns))
        jumped = (found.reading + 1 for found in self._turns[turn:] if isinstance(found.turn, ClockJump))
        sql = "SELECT seq FROM readings WHERE entity = ? AND at >= ? ORDER BY at LIMIT 1"
        read = (row[0] for name in names for row in self._db.execute(sql, (name, at)))
        return _Cut(min((*jumped, *read), default=NEVER), turn)

    def _state(self, name: EntityId, seq: int, before: list[_Turn]) -> State | None:
        """Return the state of one entity just before the reading ``seq``; None where nothing was heard of it."""
        last = self._read(name, seq)
        if last is None:
            return None
        heard, said, unknown = (self._read(name, seq, where) for where in ("value IS NOT NULL", _SAID, _UNKNOWN))
        if said is None or (unknown is not None and unknown.seq > said.seq):
            began = None if said is None else self._read(name, seq, f"{_UNKNOWN} AND seq > ?", said.seq, first=True)
            value, quality = None, Quality.UNKNOWN
        else:
            other = self._read(name, seq, f"({_UNKNOWN} OR (value IS NOT NULL AND value <> ?))", said.value)
            floor = 0 if other is None else other.seq
            began = self._read(name, seq, f"{_SAID} AND seq > ?", floor, first=True)
            value, quality = value_from_store(said.value), Quality(last.quality)
        state = State(value, quality, _moved(began, before), _moved(heard, before))
        for reading, turn, names in before:
            if isinstance(turn, Trust) and reading >= last.seq and name in names:
                state = next_state(state, Reading(name, None, turn.quality, turn.at))
        return state

    def _read(
        self, name: EntityId, end: int, where: str = "1", *values: str | float | None, first: bool = False
    ) -> _Read | None:
        """Return the last (or first) reading of an entity with a number below ``end`` for which ``where`` holds."""
        order = "ASC" if first else "DESC"
        row = self._db.execute(
            f"SELECT seq, at, value, quality FROM readings WHERE entity = ? AND seq < ? AND {where} "  # noqa: S608 - our own words
            f"ORDER BY at {order} LIMIT 1",
            (name, end, *values),
        ).fetchone()
        return None if row is None else _Read(*row)


def noting(inputs: Iterable[Row | Turn], note: Callable[[Instant], None]) -> Iterator[Row | Turn]:
    """Pass ``inputs`` on; ``note`` hears from time to time which instant they have reached."""
    for number, item in enumerate(inputs):
        if number % _EVERY == 0:
            note(Instant(item[4]) if isinstance(item, tuple) else item.at)
        yield item


def _turn(reading: int, turn: Turn) -> _Turn:
    return _Turn(reading, turn, frozenset(turn.entities if isinstance(turn, Trust) else ()))


def _about(found: _Turn, names: tuple[EntityId, ...]) -> tuple[Turn, ...]:
    """Return the part of a turn that concerns ``names``."""
    turn = found.turn
    if not isinstance(turn, Trust):
        return (turn,)
    mine = tuple(name for name in names if name in found.entities)
    return (msgspec.structs.replace(turn, entities=mine),) if mine else ()


def _moved(read: _Read | None, before: list[_Turn]) -> Instant:
    """Return the instant of a reading on the clock as it was in the end; 0 where there is none."""
    if read is None:
        return Instant(0)
    jumps = (turn.by for reading, turn, _ in before if isinstance(turn, ClockJump) and reading >= read.seq)
    return Instant(read.at + sum(jumps))
