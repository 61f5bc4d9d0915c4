"""Dry contacts, meters, lift controllers and relays on Modbus: one session is one bus with its units.

TCP, RTU on a serial line, and RTU frames over TCP as transparent serial servers pass them on. Registers are read in
rounds, neighbours together. What they mean stands in the site's configuration or in a data file of ``maps/``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hub.sdk import Capability, Connection, Entity, Equipment, Plugin, Text, Tools, Unsupported, clean, entity_id
from integrations.modbus.address import parse
from integrations.modbus.bus import Read
from integrations.modbus.config import DOMAIN, Config, Point, RelayConfig
from integrations.modbus.maps import load, points, text
from integrations.modbus.plan import Group, Sensed, groups
from integrations.modbus.poller import REFRESH, Poller
from integrations.modbus.relay import CoilRelay
from integrations.modbus.values import CAPABILITIES

if TYPE_CHECKING:
    from hub.sdk import EntityId
    from integrations.modbus.line import Line

plugin = Plugin(DOMAIN)

#: Points of one bus; more would take the hub's limit of 200 samples a second.
_MOST = 1_000


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Open the bus. Raises Unsupported for what cannot work, Unreachable when no unit on it answers."""
    address = parse(config.url)
    found = [*config.points]
    for use in config.maps:
        found += points(use, load(use.map, tools.site))
    _check(name, found, config.relays)
    sensed = tuple(_sensed(name, config, point) for point in found)
    plan = groups(sensed, config.max_gap)
    asked = {group.read.unit_id for group in plan}
    plan += tuple(
        Group(Read(unit, "coil", coil, 1))
        for unit, coil in {relay.unit_id: relay.coil for relay in config.relays}.items()
        if unit not in asked
    )
    try:
        from integrations.modbus.line import open_line
    except ImportError:
        raise Unsupported("Modbus needs pymodbus: install Menshen with the extra menshen[modbus]") from None
    line = await open_line(address, config.timeout_ms / 1000)
    poller = Poller(line, plan, tools.report, config.poll_ms / 1000)
    try:
        await poller.probe()
    except BaseException:  # cancelled, too: no line is left open of a device that is not
        await line.close()
        raise
    return _connection(name, config, tools, line, poller, sensed)


def _connection(
    name: str, config: Config, tools: Tools, line: Line, poller: Poller, sensed: tuple[Sensed, ...]
) -> Connection:
    equipment = [Equipment(item.entity) for item in sensed]
    relays: list[CoilRelay] = []
    for relay in config.relays:
        stuck = _stuck(name, config, relay)
        driver = CoilRelay(line, relay, stuck.id, tools.report)
        equipment += [Equipment(_relay(name, config, relay), driver), Equipment(stuck)]
        relays.append(driver)

    async def run() -> None:
        for relay in relays:
            await relay.start()
        await poller.run()

    async def close() -> None:
        try:
            await asyncio.gather(*(relay.close() for relay in relays))
        finally:
            await line.close()

    return Connection(tuple(equipment), run, close)


def _check(name: str, found: list[Point], relays: tuple[RelayConfig, ...]) -> None:
    if len(found) > _MOST:
        raise Unsupported(f"{len(found)} points are more than the {_MOST} that one bus may have")
    seen: set[EntityId] = set()
    for key in [*(point.key for point in found), *(key for relay in relays for key in (relay.key, _stuck_key(relay)))]:
        if (entity := entity_id(DOMAIN, f"{name}_{key}")) in seen:
            raise Unsupported(f"two points or relays are `{entity}`: give each a key of its own")
        seen.add(entity)
    for relay in relays:
        if relay.pulse_register is None and not relay.accept_no_watchdog:
            raise Unsupported(
                f"relay `{relay.key}` would stay closed when the hub or the line dies while it is held: "
                "name the board's pulse_register, or set accept_no_watchdog"
            )
    if not seen:
        raise Unsupported("nothing to read or to switch: enter points, maps or relays")


def _sensed(name: str, config: Config, point: Point) -> Sensed:
    """Name the entity of a point. It is stale when it was not repeated in three rounds, time-outs included."""
    silence = 3 * (REFRESH + (config.poll_ms + config.timeout_ms * 32) / 1000)
    entity = Entity(
        id=entity_id(DOMAIN, f"{name}_{point.key}"),
        capability=CAPABILITIES[point.meaning],
        name=text(point.name),
        device=_unit(config.name, point.unit_id),
        unit=clean(point.unit, 16) if point.meaning == "number" else "",
        expire_after=round(silence * 1_000_000),
    )
    return Sensed(point.unit_id, point, entity)


def _relay(name: str, config: Config, relay: RelayConfig) -> Entity:
    device = _unit(config.name, relay.unit_id)
    return Entity(entity_id(DOMAIN, f"{name}_{relay.key}"), Capability.RELAY, text(relay.name), device)


def _stuck(name: str, config: Config, relay: RelayConfig) -> Entity:
    device, own = _unit(config.name, relay.unit_id), text(relay.name)
    title = Text(f"{own.zh} 未能断开", f"{own.en or own.zh}: not released")
    return Entity(entity_id(DOMAIN, f"{name}_{_stuck_key(relay)}"), Capability.ALARM, title, device)


def _stuck_key(relay: RelayConfig) -> str:
    return f"{relay.key}_stuck"


def _unit(bus: Text, unit_id: int) -> str:
    return clean(f"{bus.zh} #{unit_id}")
