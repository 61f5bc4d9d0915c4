"""What a facade tour finds: how each look came out, what differs, and what a person said of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.model.time import Instant

#: Left, top, right, bottom in parts of the accepted picture, 0 to 1.
Box = tuple[float, float, float, float]


class Outcome(StrEnum):
    """What came of a look at a stop."""

    SAME = "same"
    DIFFERS = "differs"
    FIRST = "first"
    """No picture was accepted yet: this one waits for a person."""
    ELSEWHERE = "elsewhere"
    """It does not show the accepted place: the camera was turned, or the place is much changed."""
    DARK = "dark"
    HAZE = "haze"
    """Fog, rain on the lens, blur: too little can be told apart."""
    NONE = "none"
    """The camera gave no picture, or one that cannot be read."""


class Mark(StrEnum):
    """What is known of something that differs."""

    OPEN = "open"
    """Nobody has said anything yet."""
    FINE = "fine"
    TICKET = "ticket"
    """To be seen to: there is a maintenance ticket."""
    FALSE = "false"
    """There is nothing: the comparison was wrong."""
    GONE = "gone"
    """A later picture showed the accepted state again, before anybody said anything."""


class TourPicture(msgspec.Struct, frozen=True):
    """A file that a tour wrote once."""

    id: int
    stop: str
    at: Instant
    path: str
    """In the data folder."""
    media_type: str
    sha256: str
    size: int


class Look(msgspec.Struct, frozen=True):
    """One look at a stop; ``found`` places differ, ``beyond`` of them were too many to be kept."""

    id: int
    run: int
    stop: str
    at: Instant
    outcome: Outcome
    reason: str
    found: int
    beyond: int
    picture: int | None


class Candidate(msgspec.Struct, frozen=True):
    """Something that differs, with cut-outs of before and after (numbers of pictures)."""

    id: int
    stop: str
    at: Instant
    seen_at: Instant
    box: Box
    before: int
    after: int
    state: Mark
    judged_at: Instant | None
    judged_by: str
    ticket: int | None


class Reference(msgspec.Struct, frozen=True):
    """The picture of a stop that was accepted last."""

    stop: str
    picture: int
    at: Instant
    by: str


class Cut(msgspec.Struct, frozen=True):
    """A new difference with its cut-outs (JPEG)."""

    box: Box
    before: bytes
    after: bytes


class Judged(msgspec.Struct, frozen=True):
    """What came of a comparison; ``again`` are the places in the list of what was known that still differ."""

    outcome: Outcome
    reason: str = ""
    found: int = 0
    """How many places differ, also beyond the cut-outs."""
    cuts: tuple[Cut, ...] = ()
    again: tuple[int, ...] = ()
