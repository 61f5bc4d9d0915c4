"""The shapes of the API, from which OpenAPI and the page's types are generated. Instants are RFC 3339 in UTC."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from hub.engine.explain import Cause
from hub.model.decision import Reason, Severity
from hub.model.errors import Failure
from hub.model.found import Source
from hub.model.incident import NOTE, CommandStatus, IncidentState, Verdict
from hub.model.reading import Capability, Quality
from hub.model.site import Mode, Role, ZoneKind
from hub.model.text import Text
from hub.sdk import FirmwareUnit, RolloutState

Item = TypeVar("Item")


#: Where a rule stands, as far as people are concerned (a slot that only watches the time is idle).
ShownPhase = Literal["pending", "active", "cooldown"]
RoleName = Literal["viewer", "guard", "manager", "admin"]


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """A list; ``next`` is the cursor of the following page, or null."""

    items: list[Item]
    next: str | None = None


class Problem(msgspec.Struct, frozen=True):
    """An error: what went wrong and what to do."""

    error: str
    message: str


class SessionOut(msgspec.Struct, frozen=True):
    """Who is signed in; ``account`` is False where a token signed in."""

    name: str
    role: RoleName
    account: bool
    factor_due: str | None = None
    """From when an administrator without a second factor may do nothing but set one up (RFC 3339, UTC)."""


class ModeOut(msgspec.Struct, frozen=True):
    """One mode of the site."""

    mode: Mode
    on: bool
    until: str | None
    by: str


class ModeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Switch a mode; ``minutes`` (1 to 10,080) makes it end by itself."""

    on: bool
    minutes: int | None = None


class LinkOut(msgspec.Struct, frozen=True):
    """Another page that belongs to the site."""

    name: Text
    url: str


class SiteOut(msgspec.Struct, frozen=True):
    """The community, and how the hub itself is."""

    id: str
    name: Text
    timezone: str
    modes: list[ModeOut]
    links: list[LinkOut]
    ready: bool
    problems: list[Text]
    """What the hub cannot do now (broker away, rule set refused …), for the banner."""


class ZoneEntity(msgspec.Struct, frozen=True):
    """An entity that serves a zone. ``value`` is null for cameras, speakers and what was never heard."""

    role: Role
    entity: str
    name: Text
    capability: Capability | None
    value: str | float | None
    quality: Quality
    since: str | None


class ZoneRule(msgspec.Struct, frozen=True):
    """Where a rule stands in a zone; ``phase`` null is idle. ``due`` is when a pending ``for`` ends."""

    rule: str
    name: Text
    phase: ShownPhase | None
    since: str | None
    due: str | None


class ZoneOut(msgspec.Struct, frozen=True):
    """A zone at a glance: alarm (an activation is open), blind (a sensed entity is not known), pending, or calm."""

    id: str
    kind: ZoneKind
    name: Text
    area: Text | None
    status: Literal["alarm", "blind", "pending", "calm"]
    entities: list[ZoneEntity]
    rules: list[ZoneRule]


class EntityOut(msgspec.Struct, frozen=True):
    """One capability of a device and its state."""

    id: str
    integration: str
    device: str
    name: Text
    capability: Capability
    unit: str
    value: str | float | None
    quality: Quality
    since: str | None
    at: str | None
    roles: list[Role]
    """What it can be bound to a zone as."""


class DeviceOut(msgspec.Struct, frozen=True):
    """A physical unit and how it is."""

    name: str
    integration: str
    entities: list[EntityOut]
    device: str
    """Its name in hub.yaml; empty for one that announces itself."""
    state: Literal["running", "retrying", "needs_credentials", "failed"]
    reason: str
    battery: float | None
    """Percent."""
    signal: float | None
    """dBm."""
    heard: str | None
    """When it last said anything."""


class FieldOut(msgspec.Struct, frozen=True):
    """One field of the form for a device, from its integration's manifest."""

    name: str
    type: str
    label: Text
    required: bool
    secret: bool
    default: Any = None


class FormOut(msgspec.Struct, frozen=True):
    """An integration whose devices are named in hub.yaml, and what it asks of each."""

    integration: str
    name: Text
    fields: list[FieldOut]


class DiscoveredOut(msgspec.Struct, frozen=True):
    """A device in the inbox."""

    key: str
    source: Source
    state: Literal["new", "unbound", "ignored"]
    """``unbound``: its messages are understood already, only no zone uses it."""
    name: str
    integration: str
    facts: dict[str, str]
    values: dict[str, str | int]
    """Part of the form that is known already."""
    entities: list[EntityOut]
    first_seen: str | None
    last_seen: str | None


class IgnoreIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hide a found device, or show it again."""

    ignored: bool


class DeviceIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device for hub.yaml; ``found`` is the key of the found device that it is."""

    integration: Annotated[str, msgspec.Meta(max_length=64)]
    name: Annotated[str, msgspec.Meta(max_length=64)]
    values: dict[str, Any]
    found: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class BindIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bind an entity to a zone, or take it away."""

    role: Role
    entity: Annotated[str, msgspec.Meta(max_length=200)]
    bound: bool = True


class IntegrationOut(msgspec.Struct, frozen=True):
    """A plugin and how it is."""

    domain: str
    name: Text
    version: str
    state: Literal["running", "retrying", "needs_credentials", "failed", "idle"]
    reason: str
    entities: int
    refused: int
    """Messages that could not be decoded since the start."""


class WitnessOut(msgspec.Struct, frozen=True):
    """One condition of a trace."""

    holds: bool | None
    negated: bool
    role: Role | None
    wanted: str | None
    mode: Mode | None
    detail: str
    entity: str | None
    entity_name: Text | None
    value: str | None
    since: str | None


class Sensed(msgspec.Struct, frozen=True, tag_field="kind", tag="sensed"):
    """What a device said that began or ended it."""

    at: str
    entity: str
    entity_name: Text
    role: Role | None
    value: str


class OpenedStep(msgspec.Struct, frozen=True, tag_field="kind", tag="opened"):
    """The rule decided to warn, ``for_s`` seconds after it was first sensed; ``late_s`` after it was due."""

    at: str
    for_s: float
    late_s: float
    trace: list[WitnessOut]


class EscalatedStep(msgspec.Struct, frozen=True, tag_field="kind", tag="escalated"):
    """An escalation step was taken."""

    at: str
    step: int
    late_s: float


class CommandStep(msgspec.Struct, frozen=True, tag_field="kind", tag="command"):
    """Something the hub did or tried. ``text`` for say, ``contact`` for notify; ``evidence`` is the id of its file."""

    at: str
    action: Literal["capture", "say", "notify"]
    status: CommandStatus
    text: Text | None = None
    contact: Text | None = None
    done_at: str | None = None
    latency_ms: float | None = None
    """From the decision to its effect: the first sound for say, the end for capture and notify."""
    seconds: float | None = None
    """How long the speech was."""
    attempts: int = 0
    failure: Failure | None = None
    reason: str = ""
    """The technician's words to ``failure``, in English."""
    repeated: bool = False
    evidence: str | None = None
    by: str = ""
    """The person who ordered it; empty for what a rule decided."""
    person: str = ""
    """Who of the on-call list was told."""


class WithheldStep(msgspec.Struct, frozen=True, tag_field="kind", tag="withheld"):
    """Something the hub did not do, because it could have been wrong."""

    at: str
    action: Literal["capture", "say", "notify"]
    reason: Reason
    text: Text | None = None


class IncidentStep(msgspec.Struct, frozen=True, tag_field="kind", tag="incident"):
    """The incident changed its state."""

    at: str
    state: IncidentState
    reason: Reason | None = None


class HandledStep(msgspec.Struct, frozen=True, tag_field="kind", tag="handled"):
    """A person did something about the incident; ``verdict`` where it was judged."""

    at: str
    state: IncidentState
    by: str
    verdict: Verdict | None
    note: str


class ClearedStep(msgspec.Struct, frozen=True, tag_field="kind", tag="cleared"):
    """The activation ended."""

    at: str
    reason: Reason


Step = Sensed | OpenedStep | EscalatedStep | CommandStep | WithheldStep | IncidentStep | HandledStep | ClearedStep


class EvidenceOut(msgspec.Struct, frozen=True):
    """A file written once; fetch it at ``url``."""

    id: str
    incident: str | None
    media_type: str
    sha256: str
    size: int
    at: str
    url: str


class IncidentOut(msgspec.Struct, frozen=True):
    """What people handle."""

    id: str
    rule: str
    rule_name: Text
    zone: str
    zone_name: Text
    state: IncidentState
    severity: Severity
    opened_at: str
    closed_at: str | None
    close_reason: Reason | None
    timeline: list[Step]
    evidence: list[EvidenceOut]
    where: list[Text]
    """The areas of the zone, the widest first."""
    answered_at: str | None
    """When a person first did something about it."""
    handler: str
    """Who handled it last; empty while nobody has."""
    verdict: Verdict | None
    note: str
    sees: bool
    """Whether the zone has a camera."""
    speaks: bool
    """Whether the zone has a loudspeaker."""


class HandlingIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step with an incident. ``seen`` is the state that the person saw: another one by now refuses the step.

    ``verdict`` is stated when closing, and ``note`` must be written for a false alarm.
    """

    state: Literal["acknowledged", "in_progress", "closed"]
    seen: IncidentState
    verdict: Verdict | None = None
    note: Annotated[str, msgspec.Meta(max_length=NOTE)] = ""


class ReviewIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person saw who looked at a falling object; ``note`` must say what it was where nothing fell."""

    fell: bool
    seen: IncidentState
    note: Annotated[str, msgspec.Meta(max_length=NOTE)] = ""


class ActivationOut(msgspec.Struct, frozen=True):
    """One life of a rule in a zone."""

    id: str
    rule: str
    zone: str
    opened_at: str
    late_s: float
    cleared_at: str | None
    reason: Reason | None
    trace: list[WitnessOut]


class HistoryPoint(msgspec.Struct, frozen=True):
    """One reading of an entity."""

    at: str
    value: str | float | None
    quality: Quality
    retained: bool


class BacktestIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Try a rule, written as YAML, on what was recorded; ``begin`` and ``end`` are RFC 3339 with an offset."""

    rule: str
    begin: str
    end: str
    against: str | None = None
    """Compare with this active rule, in the zones of the draft, instead of the one of the same id."""


class BacktestLife(msgspec.Struct, frozen=True):
    """One activation as it would have been; ``running`` ones had begun before the span."""

    zone: str
    since: str
    opened_at: str
    running: bool
    late_s: float
    cleared_at: str | None
    reason: Reason | None
    done: dict[str, int]
    """How often it would have acted, by kind of action."""
    withheld: dict[str, int]
    """How often it would have kept silent, by reason."""
    pictures: list[EvidenceOut] = []
    """What the hub kept of the zone near that moment, oldest first: three at most."""


class BacktestDrop(msgspec.Struct, frozen=True):
    """A ``for`` that ran ``ran_s`` seconds and did not become a warning."""

    zone: str
    at: str
    ran_s: float
    reason: Reason


class BacktestSaid(msgspec.Struct, frozen=True):
    """A sentence, and how often it would have been spoken."""

    text: Text
    times: int


class BacktestZone(msgspec.Struct, frozen=True):
    """One zone in figures; ``late_s`` is the worst."""

    zone: str
    zone_name: Text
    activations: int
    dropped: int
    late_s: float
    done: dict[str, int]
    withheld: dict[str, int]
    said: list[BacktestSaid]


class BacktestComparison(msgspec.Struct, frozen=True):
    """Against the active rule of the same id; ``both`` counts the activations that the two share."""

    both: int
    only_new: list[BacktestLife]
    only_old: list[BacktestLife]


class BacktestOut(msgspec.Struct, frozen=True):
    """What a rule would have done. Lists hold the first 1,000; the figures of the zones count all."""

    rule: str
    name: Text
    dry_run: bool
    begin: str
    end: str
    """Earlier than asked where the hub recorded nothing more."""
    zones: list[BacktestZone]
    activations: list[BacktestLife]
    dropped: list[BacktestDrop]
    comparison: BacktestComparison | None


class BacktestLine(msgspec.Struct, frozen=True):
    """One line of the answer: how far it is (0 to 1), and in the last one the result or what went wrong."""

    progress: float
    result: BacktestOut | None = None
    problem: Problem | None = None


class FindingOut(msgspec.Struct, frozen=True):
    """What is wrong in a text, where, and what to write instead; line and column count from 1."""

    line: int
    column: int
    sentence: str
    zh: str = ""
    """The sentence in Chinese."""
    warning: bool = False
    """Worth a look, but the set is taken all the same."""
    path: str = ""
    """The part of the rule that it concerns, like ``escalation.0.after``."""
    file: str = ""


class Findings(msgspec.Struct, frozen=True):
    """A rule that does not check."""

    error: str
    message: str
    findings: list[FindingOut]


class WhyOut(msgspec.Struct, frozen=True):
    """Why a rule did or did not fire in a zone: one cause in a sentence, and every condition with its reading."""

    rule: str
    zone: str
    at: str
    cause: Cause
    since: str | None
    until: str | None
    activation: str | None
    dry_run: bool
    sentence: Text
    trigger: list[WitnessOut]
    conditions: list[WitnessOut]
    clear: list[WitnessOut]


class Subscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """WebSocket, client to hub: the topics to hear of."""

    subscribe: list[Literal["incidents", "zones", "site"]]


class Changed(msgspec.Struct, frozen=True):
    """WebSocket, hub to client: fetch this again. ``id`` names the incident or zone where only one changed."""

    topic: Literal["incidents", "zones", "site"]
    id: str | None = None


class FirmwareOut(msgspec.Struct, frozen=True):
    """Devices whose firmware the hub keeps, and the present or last roll-out."""

    units: list[FirmwareUnit]
    rollout: RolloutState | None


class RolloutIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A roll-out of the image that was loaded last."""

    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    units: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=64)], ...], msgspec.Meta(max_length=2_000)] = ()
    """Names; none means all devices of the image's model."""
    begin_minute: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 60
    end_minute: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 300
    """Minutes of the site's day between which updates may begin; equal ones for any time."""
    quiet_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 300.0
    hours: Annotated[float, msgspec.Meta(gt=0, le=336)] = 24.0
