"""What a hash chain says: links, and what was erased in time. The wire format of evidence, hence frozen by version."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.model.time import Instant


class Occasion(StrEnum):
    """Why a link was made."""

    BEGIN = "begin"
    """The chain begins: rows up to the numbers in ``heads`` were there before and are not proven."""
    HOUR = "hour"
    DAY = "day"
    """The first link of a day of the hub's clock (UTC): the head that is printed and stamped."""
    ASKED = "asked"
    EXPORT = "export"
    ERASED = "erased"
    RESTORED = "restored"
    """The journal came out of a backup: what was written between the backup and now is not before this link."""


class Head(msgspec.Struct, frozen=True):
    """How far one table is chained."""

    seq: int
    """Number of the last row in it."""
    hash: str
    """SHA-256 over the hash before and the leaf of the last row, 64 hexadecimal digits."""


class Erased(msgspec.Struct, frozen=True):
    """What was erased of one table, or of the folder of pictures, because its time was over."""

    name: str
    """Table, or ``pictures``."""
    first: int
    last: int
    """Numbers of the first and last row erased; rows between them may have stayed. 0 for pictures."""
    count: int
    why: str
    digest: str
    """SHA-256 over the leaves of the rows in their order; for pictures over their SHA-256 in the order of ``ids``."""
    ids: tuple[str, ...] = ()
    """Pictures only."""


class Link(msgspec.Struct, frozen=True):
    """One link: its hash is SHA-256 over the hash of the link before and these bytes."""

    at: Instant
    occasion: Occasion
    heads: dict[str, Head]
    erased: tuple[Erased, ...] = ()
    version: int = 1


class Retention(msgspec.Struct, frozen=True):
    """How many days each kind is kept. What people did (audit) and the texts of rules are kept for good."""

    readings: int = 90
    pictures: int = 90
    """Pictures and sounds; never longer than the incidents that they belong to."""
    sightings: int = 30
    """Small pictures of who and what passed the cameras; never longer than pictures, and 0: none are kept at all."""
    incidents: int = 365
    """Incidents with everything that was decided, counted from their closing."""
