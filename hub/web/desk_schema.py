"""The shapes of the duty desk in the API, beside those of hub.web.schema."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.model.incident import NOTE
from hub.model.roster import NAME_LENGTH, Briefing, Roster
from hub.model.text import Text

_IncidentId = Annotated[str, msgspec.Meta(max_length=19)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LENGTH)]
_Note = Annotated[str, msgspec.Meta(max_length=NOTE)]


class SpeechIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt, or a sentence of up to 160 characters, for the loudspeaker of a zone; ``volume`` in percent."""

    text: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    prompt: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    volume: Annotated[int, msgspec.Meta(ge=1, le=100)] = 80
    incident: _IncidentId | None = None
    """The incident whose timeline it belongs to."""


class PictureIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Take a picture now, for the timeline of ``incident`` if one is named."""

    incident: _IncidentId | None = None


class OrderedOut(msgspec.Struct, frozen=True):
    """A command that is committed and will be performed at once; its outcome stands in the timeline."""

    key: str


class PromptOut(msgspec.Struct, frozen=True):
    """A sentence of hub.yaml; an ``urgent`` one cuts short what a loudspeaker is saying."""

    id: str
    text: Text
    urgent: bool


class OnDutyOut(msgspec.Struct, frozen=True):
    """Somebody on duty now; ``order`` counts from 1 within the role."""

    role: str
    role_name: Text
    order: int
    name: str
    phone: str
    stands_in_for: str | None


class ContactOut(msgspec.Struct, frozen=True):
    """A contact of hub.yaml: what rules tell, and by what a person can be told."""

    id: str
    name: Text


class RosterOut(msgspec.Struct, frozen=True):
    """The on-call list, its version, and who is on duty by it now."""

    version: int
    roster: Roster
    on_duty: list[OnDutyOut]
    contacts: list[ContactOut]


class RosterIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new on-call list in the place of the version that was seen."""

    version: Annotated[int, msgspec.Meta(ge=0)]
    roster: Roster


class HandoverIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hand the shift over: who goes, and what the next one must know beyond what the hub knows itself."""

    giver: _Name
    note: _Note = ""


class TakeoverIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Take the shift over, by name."""

    taker: _Name


class HandoverOut(msgspec.Struct, frozen=True):
    """A shift handed over; ``taken_at`` is null until somebody has taken it."""

    id: str
    at: str
    giver: str
    note: str
    briefing: Briefing
    taken_at: str | None
    taker: str
