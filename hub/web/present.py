"""Turns what the hub knows into the shapes of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from hub.model.activation import Phase, SlotKey
from hub.model.ids import EntityId
from hub.model.reading import COMMANDED, NEVER_HEARD, Capability, Quality
from hub.model.site import ROLE_CAPABILITY, Mode, Role, fits
from hub.model.text import Text
from hub.model.time import isoformat
from hub.web import schema

if TYPE_CHECKING:
    from hub.journal.queries import ActivationRow
    from hub.model.decision import Witness
    from hub.model.entry import Evidence
    from hub.model.site import Role, Site, Zone
    from hub.runtime.registry import Owned
    from hub.web.context import Context


def when(instant: int | None) -> str | None:
    """Write an instant, or null for never."""
    return None if not instant else isoformat(instant)


def entity_name(context: Context, entity: EntityId) -> Text:
    """Name an entity with its device, by its id while it is not known."""
    known = context.registry.entity(entity)
    if known is None:
        return Text(str(entity), str(entity))
    name = known.name
    if not known.device or known.device in name.zh:
        return name
    owner = context.registry.entity(EntityId(known.device))  # what a camera sees is said of that camera
    device = Text(known.device) if owner is None else owner.name
    return Text(f"{device.zh} · {name.zh}", f"{device.in_language('en')} · {name.in_language('en')}")


def site(context: Context) -> schema.SiteOut:
    """Present the community."""
    settings = context.folder().settings
    return schema.SiteOut(
        id=settings.site.id,
        name=settings.site.name,
        timezone=settings.site.timezone,
        modes=[mode_out(context, mode) for mode in Mode],
        links=[schema.LinkOut(link.name, link.url) for link in settings.links],
        ready=is_ready(context),
        problems=context.problems.texts(),
    )


def is_ready(context: Context) -> bool:
    """Rules are loaded and the journal is writable (DESIGN.md section 8)."""
    return "journal" not in context.problems


def mode_out(context: Context, mode: Mode) -> schema.ModeOut:
    """Present one mode."""
    change = context.runtime.state.modes.get(mode)
    return schema.ModeOut(
        mode=mode,
        on=change is not None,
        until=None if change is None else when(change.until),
        by="" if change is None else change.by,
    )


def zone(context: Context, place: Zone) -> schema.ZoneOut:
    """Present a zone at a glance."""
    areas = context.folder().settings.site.areas
    area = areas.get(place.area) if place.area is not None else None
    entities = [_zone_entity(context, role, entity) for role, bound in place.bind.items() for entity in bound]
    rules = [
        _zone_rule(context, rule.id, rule.name, place)
        for rule in context.folder().rules
        if SlotKey(rule.id, place.id) in context.runtime.program.slots
    ]
    return schema.ZoneOut(
        id=place.id,
        kind=place.kind,
        name=place.name,
        area=None if area is None else area.name,
        status=_status(entities, rules),
        entities=entities,
        rules=rules,
    )


def areas(site: Site, place: Zone) -> list[Text]:
    """Return the names of the areas that a zone lies in, the widest first."""
    names: list[Text] = []
    area = None if place.area is None else site.areas.get(place.area)
    while area is not None and len(names) < len(site.areas):  # an area that lies in itself ends it, too
        names.insert(0, area.name)
        area = None if area.parent is None else site.areas.get(area.parent)
    return names


def _status(
    entities: list[schema.ZoneEntity], rules: list[schema.ZoneRule]
) -> Literal["alarm", "blind", "pending", "calm"]:
    phases = {rule.phase for rule in rules}
    if Phase.ACTIVE in phases:
        return "alarm"
    if any(entity.capability not in COMMANDED and entity.quality is not Quality.GOOD for entity in entities):
        return "blind"
    return "pending" if Phase.PENDING in phases else "calm"


def _zone_entity(context: Context, role: Role, entity: EntityId) -> schema.ZoneEntity:
    state = context.runtime.state.states.get(entity, NEVER_HEARD)
    known = context.registry.entity(entity)
    capability = ROLE_CAPABILITY.get(role) or (Capability.PRESENCE if known is None else known.capability)
    if capability in COMMANDED:
        quality = Quality.UNKNOWN if context.registry.driver(entity) is None else Quality.GOOD
    else:
        quality = state.quality
    return schema.ZoneEntity(
        role=role,
        entity=entity,
        name=entity_name(context, entity),
        capability=capability,
        value=state.value,
        quality=quality,
        since=when(state.since),
    )


def _zone_rule(context: Context, rule: str, name: Text, place: Zone) -> schema.ZoneRule:
    slot = context.runtime.state.slots.get(SlotKey(rule, place.id))  # type: ignore[arg-type]  # ids are strings
    if slot is not None and slot.phase is Phase.WATCHING:
        slot = None  # idle for people
    return schema.ZoneRule(
        rule=rule,
        name=name,
        phase=None if slot is None else cast("schema.ShownPhase", slot.phase),
        since=None if slot is None else when(slot.since),
        due=None if slot is None else when(slot.due),
    )


def entity(context: Context, owned: Owned) -> schema.EntityOut:
    """Present one capability of a device."""
    state = context.runtime.state.states.get(owned.entity.id, NEVER_HEARD)
    return schema.EntityOut(
        id=owned.entity.id,
        integration=owned.integration,
        device=owned.entity.device,
        name=owned.entity.name,
        capability=owned.entity.capability,
        unit=owned.entity.unit,
        value=state.value,
        quality=state.quality,
        since=when(state.since),
        at=when(state.at),
        roles=[role for role in Role if fits(role, owned.entity.capability)],
    )


def witness(context: Context, item: Witness) -> schema.WitnessOut:
    """Present one condition of a trace."""
    return schema.WitnessOut(
        holds=item.holds,
        negated=item.negated,
        role=item.role,
        wanted=item.wanted,
        mode=item.mode,
        detail=item.detail,
        entity=item.entity,
        entity_name=None if item.entity is None else entity_name(context, item.entity),
        value=item.value,
        since=when(item.since),
    )


def activation(context: Context, row: ActivationRow) -> schema.ActivationOut:
    """Present one life of a rule in a zone."""
    return schema.ActivationOut(
        id=row.id,
        rule=row.rule,
        zone=row.zone,
        opened_at=isoformat(row.opened_at),
        late_s=round(row.late_by / 1e6, 3),
        cleared_at=when(row.cleared_at),
        reason=row.reason,  # type: ignore[arg-type]  # stored as the word it was
        trace=[witness(context, item) for item in row.trace],
    )


def evidence(record: Evidence, incident: int | None) -> schema.EvidenceOut:
    """Present a file."""
    return schema.EvidenceOut(
        id=record.id,
        incident=None if incident is None else str(incident),
        media_type=record.media_type,
        sha256=record.sha256,
        size=record.size,
        at=isoformat(record.at),
        url=f"/api/v1/evidence/{record.id}",
    )
