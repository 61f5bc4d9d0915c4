"""Devices: how each is, what was found, and what a person does with it: name, bind, ignore."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from hub.config import integrations
from hub.config.device_schema import device_schema
from hub.model.diagnosis import Diagnosis, Step
from hub.model.errors import ConfigError
from hub.model.found import Found, Inboxed, Source, found_key
from hub.model.ids import EntityId
from hub.model.reading import Capability
from hub.model.site import fits
from hub.model.text import Text, clean
from hub.runtime.examine import ADVICE, way_to
from hub.runtime.inbox import NotFound
from hub.runtime.troubles import DOMAIN
from hub.web import present, schema
from hub.web.audit import audit
from hub.web.context import CONTEXT, Context
from hub.web.errors import Refusal
from hub.web.handlers import answer, body
from hub.web.present import when

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.runtime.registry import Owned

#: Longest text of one field of a device, in characters.
_LONGEST = 2_000
#: Devices that serve no zone: they tell people.
_UNBOUND_ANYWAY = (Capability.NOTIFIER,)


async def devices(request: web.Request) -> web.Response:
    """List devices with their entities and how they are."""
    return answer(schema.Page(all_devices(request.app[CONTEXT])))


def all_devices(context: Context) -> list[schema.DeviceOut]:
    """Present every device: those with entities, and those of hub.yaml that have said nothing yet."""
    groups = _by_device(context)
    sessions = {(session.domain, session.name): session for session in context.sessions.devices}
    silent = sessions.keys() - {(integration, name) for integration, name, _ in groups}
    items = [_device(context, *key, owned) for key, owned in groups.items()]
    return items + [_device(context, integration, name, name, []) for integration, name in sorted(silent)]


async def discovered(request: web.Request) -> web.Response:
    """List what was found and is not in use yet."""
    context = request.app[CONTEXT]
    named = {f"{domain}.{entry.name}" for domain, found in context.folder().settings.devices.items() for entry in found}
    items = [_found(item) for item in context.inbox.items
             if item.found.source is not Source.MQTT and item.adopted not in named]  # fmt: skip
    ignored = {item.found.key for item in context.inbox.items if item.ignored}
    items += [_unbound(context, *key, owned, ignored) for key, owned in _by_device(context).items()
              if _is_unbound(context, owned)]  # fmt: skip
    return answer(schema.Page(items))


async def ignore(request: web.Request) -> web.Response:
    """Hide a found device, or show it again."""
    context, key = request.app[CONTEXT], request.match_info["id"]
    wanted = await body(request, schema.IgnoreIn)
    for (integration, device, name), owned in _by_device(context).items():
        if _key(integration, device, name) == key and _is_unbound(context, owned):
            await context.inbox.see(Found(Source.MQTT, _identity(integration, device, name), name, integration))
    try:
        await context.inbox.ignore(key, ignored=wanted.ignored)
    except NotFound:
        raise Refusal(404, "not_found", "no such found device") from None
    await audit(request, {"ignored": wanted.ignored}, target=key)
    return web.Response(status=204)


async def forms(_request: web.Request) -> web.Response:
    """List the integrations whose devices can be named, with the form of each."""
    return answer(schema.Page(await asyncio.to_thread(_forms)))


async def schema_of_devices(_request: web.Request) -> web.Response:
    """Give an editor what it needs to complete and check the devices of hub.yaml."""
    found = await asyncio.to_thread(device_schema)
    return web.Response(body=msgspec.json.encode(found), content_type="application/schema+json")


async def add_device(request: web.Request) -> web.Response:
    """Write a device into hub.yaml; it is opened within a second."""
    context = request.app[CONTEXT]
    wanted = await body(request, schema.DeviceIn)
    if wanted.integration not in integrations.known():
        raise Refusal(400, "bad_request", f"no integration `{clean(wanted.integration, 64)}`")
    if any(len(str(value)) > _LONGEST for value in wanted.values.values()):
        raise Refusal(400, "bad_request", f"a value is longer than {_LONGEST} characters")
    await edit(lambda: context.editor.add_device(wanted.integration, wanted.name, wanted.values))
    if wanted.found is not None:
        try:
            await context.inbox.adopted(wanted.found, f"{wanted.integration}.{wanted.name}")
        except NotFound:
            raise Refusal(404, "not_found", "no such found device; the device was added all the same") from None
    await audit(request, target=f"{wanted.integration}.{wanted.name}")
    return web.Response(status=204)


async def remove_device(request: web.Request) -> web.Response:
    """Take a device out of hub.yaml."""
    context, where = request.app[CONTEXT], (request.match_info["domain"], request.match_info["device"])
    await edit(lambda: context.editor.remove_device(*where))
    await audit(request, target=".".join(where))
    return web.Response(status=204)


async def examine(request: web.Request) -> web.Response:
    """Try the way to a device, and say what to do next."""
    context, where = request.app[CONTEXT], (request.match_info["domain"], request.match_info["device"])
    entries = context.folder().settings.devices.get(where[0], ())
    entry = next((entry for entry in entries if entry.name == where[1]), None)
    session = next((one for one in context.sessions.devices if (one.domain, one.name) == where), None)
    if entry is None or session is None:
        raise Refusal(404, "not_found", "no such device")
    steps = await way_to(entry.values)
    well = session.state == "running"
    answer_of = session.reason or session.state
    steps.append(Step(Text("门神与设备的连接", "The hub's session"), well, answer_of, ADVICE.get(session.state)))
    return answer(Diagnosis(*where, tuple(steps)))


async def bind(request: web.Request) -> web.Response:
    """Bind an entity to a zone, or take it away; rules use it within a second."""
    context, zone = request.app[CONTEXT], request.match_info["id"]
    wanted = await body(request, schema.BindIn)
    entity = context.registry.entity(EntityId(wanted.entity))
    if wanted.bound and entity is not None and not fits(wanted.role, entity.capability):
        raise Refusal(422, "refused", f"`{wanted.entity}` is {entity.capability} and cannot serve as {wanted.role}")
    await edit(lambda: context.editor.bind(zone, wanted.role, wanted.entity, bound=wanted.bound))
    what = {"role": wanted.role, "entity": wanted.entity, "bound": wanted.bound}
    await audit(request, what, target=zone)
    return web.Response(status=204)


async def edit(change: Callable[[], None]) -> None:
    """Run an edit of hub.yaml. Raises Refusal with the first finding."""
    try:
        await asyncio.to_thread(change)
    except ConfigError as error:
        raise Refusal(422, "refused", "; ".join(finding.sentence for finding in error.findings[:3])) from None
    except OSError as error:
        raise Refusal(500, "not_written", f"hub.yaml cannot be written: {error.strerror}") from None


def _by_device(context: Context) -> dict[tuple[str, str, str], list[Owned]]:
    """Group entities by integration, name in hub.yaml, and the device's own name."""
    groups: dict[tuple[str, str, str], list[Owned]] = {}
    for owned in context.registry.entities.values():
        groups.setdefault((owned.integration, owned.session, owned.entity.device), []).append(owned)
    return groups


def _device(context: Context, integration: str, device: str, name: str, owned: list[Owned]) -> schema.DeviceOut:
    session = next((one for one in context.sessions.devices if (one.domain, one.name) == (integration, device)), None)
    vitals = context.registry.vitals(integration, name)
    states = [state for one in owned if (state := context.runtime.state.states.get(one.entity.id)) is not None]
    heard = max((state.at for state in states), default=None)
    return schema.DeviceOut(
        name=name,
        integration=integration,
        entities=[present.entity(context, one) for one in owned],
        device="" if integration == DOMAIN else device,  # the hub is in no configuration
        state="running" if session is None else session.state,
        reason="" if session is None else session.reason,
        battery=None if vitals is None else vitals.battery,
        signal=None if vitals is None else vitals.signal,
        heard=when(heard),
    )


def _identity(integration: str, device: str, name: str) -> str:
    return f"{integration}/{device or name}"


def _key(integration: str, device: str, name: str) -> str:
    return found_key(Source.MQTT, _identity(integration, device, name))


def _is_unbound(context: Context, owned: list[Owned]) -> bool:
    zones = context.folder().settings.site.zones.values()
    bound = {entity for zone in zones for entities in zone.bind.values() for entity in entities}
    useful = [one for one in owned if one.entity.capability not in _UNBOUND_ANYWAY]
    return bool(useful) and not any(one.entity.id in bound for one in useful)


def _unbound(
    context: Context, integration: str, device: str, name: str, owned: list[Owned], ignored: set[str]
) -> schema.DiscoveredOut:
    key = _key(integration, device, name)
    shown = _device(context, integration, device, name, owned)
    return schema.DiscoveredOut(
        key=key,
        source=Source.MQTT,
        state="ignored" if key in ignored else "unbound",
        name=name,
        integration=integration,
        facts={},
        values={},
        entities=shown.entities,
        first_seen=None,
        last_seen=shown.heard,
    )


def _found(item: Inboxed) -> schema.DiscoveredOut:
    found = item.found
    return schema.DiscoveredOut(
        key=found.key,
        source=found.source,
        state="ignored" if item.ignored else "new",
        name=found.name,
        integration=found.integration,
        facts=found.facts,
        values=found.values,
        entities=[],
        first_seen=when(item.first_seen),
        last_seen=when(item.last_seen),
    )


def _forms() -> list[schema.FormOut]:
    found = []
    for domain in integrations.known():
        manifest = integrations.manifest(domain)
        if "session" in manifest.kind:
            fields = [_field(name, said) for name, said in manifest.config.items()]
            found.append(schema.FormOut(domain, manifest.name, fields))
    return found


def _field(name: str, said: dict[str, Any]) -> schema.FieldOut:
    return schema.FieldOut(
        name=name,
        type=str(said.get("type", "text")),
        label=Text(str(said.get("zh", name)), str(said.get("en", name))),
        required=bool(said.get("required")),
        secret=bool(said.get("secret")),
        default=said.get("default"),
    )
