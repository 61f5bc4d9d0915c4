"""What devices said against what the journal has of it, read from its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.kit.crowd.ends import Said
from tests.kit.store import rows

#: Turn 0, by which devices become known, says 0 and is said again until it is shown.
_HEARD = "SELECT entity, value, at FROM readings WHERE value > 0"
_STALE = "SELECT COUNT(*) FROM readings WHERE quality <> 'good' AND at < ? AND at > ?"


@dataclass(frozen=True)
class Ledger:
    """How the journal compares with what was said."""

    lost: int
    doubled: int
    early: int
    """Times at which a device that spoke was taken for silent."""
    decided: tuple[float, ...]
    """Seconds from due to decided (the row's ``at``), of every reading that is there."""


def audit(data: Path, said: Sequence[Said]) -> Ledger:
    """Compare. Each reading is known by its entity and value, which no device says twice."""
    sent = {(one.unit.entity, one.value): one for one in said}
    stored = rows(data, _HEARD)
    counts = Counter((entity, value) for entity, value, _ in stored)
    begin, end = (round(one.wall * 1_000_000) for one in (said[0], said[-1]))
    return Ledger(
        lost=sum(key not in counts for key in sent),
        doubled=sum(counts.values()) - sum(key in counts for key in sent),
        early=int(rows(data, _STALE, end, begin)[0][0]),
        decided=tuple(
            at / 1_000_000 - sent[entity, value].wall for entity, value, at in stored if (entity, value) in sent
        ),
    )
