"""The shapes of the API for people who write rules; the fields of a rule itself are those of hub.config.rule_form."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.config.rule_form import RuleForm
from hub.model.reading import Capability
from hub.model.site import Mode, Role, ZoneKind
from hub.model.text import Language, Text
from hub.web.desk_schema import PromptOut
from hub.web.schema import FindingOut

#: A whole rule, its comments included; the longest shipped one has 2 kB.
RuleText = Annotated[str, msgspec.Meta(max_length=20_000)]
Name = Annotated[str, msgspec.Meta(max_length=64)]
#: Why somebody changed a rule.
ReasonText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class RuleOut(msgspec.Struct, frozen=True):
    """A rule of the active set, and how often it fired."""

    id: str
    name: Text
    zone_kind: ZoneKind
    zones: list[str]
    summary: Text
    """The rule in one sentence."""
    file: str
    enabled: bool
    dry_run: bool
    last_fired: str | None
    fired_7d: int
    false_share: float | None
    """Part of its incidents that people judged and called a false alarm, 0 to 1; null while none is judged."""


class RuleFileOut(msgspec.Struct, frozen=True):
    """The text of one rule as it stands on the disk, and who wrote it; ``author`` empty: by hand."""

    id: str
    file: str
    text: str
    version: str
    author: str
    reason: str
    at: str | None
    active: bool
    """Whether the hub works by it already; an edit takes a second or two."""


class VersionOut(msgspec.Struct, frozen=True):
    """A text that a rule had. ``text`` null: it was deleted; ``author`` empty: edited by hand."""

    seq: int
    at: str
    author: str
    reason: str
    text: str | None


class DeletedRule(msgspec.Struct, frozen=True):
    """A rule that was deleted, when and by whom, and its last text; ``author`` empty: by hand."""

    id: str
    at: str
    author: str
    text: str


class DraftIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text to look at; with ``form``, what the form changed is written into it first."""

    text: RuleText
    form: RuleForm | None = None


class DraftOut(msgspec.Struct, frozen=True):
    """A draft and all that is wrong with it. ``form`` null: it is not YAML."""

    text: str
    form: RuleForm | None
    findings: list[FindingOut]
    summary: Text | None
    """The rule in one sentence, once it reads."""


class SaveIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Write a rule. ``base`` is the version it was made from, empty for a new rule."""

    text: RuleText
    base: Name
    reason: ReasonText
    instead_of: Name | None = None
    """The zones of the new rule are taken out of this one, in the same change."""


class SwitchIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Switch a rule on or off, or let it only rehearse; null leaves it as it is."""

    reason: ReasonText
    enabled: bool | None = None
    dry_run: bool | None = None


class OvertakenOut(msgspec.Struct, frozen=True):
    """Somebody changed the rule meanwhile: both texts, and who and when; ``theirs`` null where it was deleted."""

    error: str
    message: str
    yours: str
    theirs: str | None
    version: str
    author: str
    at: str | None


class MergeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two edits of one text."""

    base: RuleText
    mine: RuleText
    theirs: RuleText


class MergeOut(msgspec.Struct, frozen=True):
    """Both in one text; null where they touch the same lines."""

    text: str | None


class LibraryRule(msgspec.Struct, frozen=True):
    """A rule that is shipped, to begin with."""

    id: str
    name: Text
    zone_kind: ZoneKind | None
    head: str
    """The comment at its head, which says what it is for."""
    text: str
    used: bool


class WordOut(msgspec.Struct, frozen=True):
    """Something that rules name."""

    id: str
    name: Text


class RuleZone(msgspec.Struct, frozen=True):
    """A zone that a rule can serve, and the roles that are bound in it."""

    id: str
    kind: ZoneKind
    name: Text
    roles: list[Role]


class RoleOut(msgspec.Struct, frozen=True):
    """A role: the values it takes, where it takes words."""

    id: Role
    capability: Capability
    values: list[str]


class RuleWords(msgspec.Struct, frozen=True):
    """All that a rule of this site can speak of."""

    zones: list[RuleZone]
    roles: list[RoleOut]
    contacts: list[WordOut]
    prompts: list[PromptOut]
    modes: list[Mode]


class TrialSpeech(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence to hear, or the name of a prompt; ``{zone}`` and the like are spoken as an example."""

    text: Annotated[str, msgspec.Meta(max_length=400)] = ""
    prompt: Name = ""
    language: Language = "zh"
