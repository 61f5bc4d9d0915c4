"""A panel that says ``<unit> <value>`` line by line over TCP. Copied into a site under several names."""

from __future__ import annotations

import asyncio

import msgspec

from hub.sdk import Capability, Connection, Entity, Equipment, Plugin, Sample, Text, Tools, Unreachable, entity_id

DOMAIN = __name__.rpartition(".")[2]
plugin = Plugin(DOMAIN)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the panel listens on the loopback, how many units it has, and after how many seconds silence is stale."""

    name: Text
    port: int
    units: int
    silence: int


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Connect and say which panel is wanted."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", config.port)
    except OSError as error:
        raise Unreachable(f"no connection ({type(error).__name__})") from None
    writer.write(f"{DOMAIN}/{name}\n".encode())
    units = [
        Entity(
            id=entity_id(DOMAIN, f"{name}_{number}"),
            capability=Capability.MEASURE,
            name=config.name,
            device=name,
            expire_after=config.silence * 1_000_000,
        )
        for number in range(config.units)
    ]

    async def run() -> None:
        while line := await reader.readline():
            unit, value = line.split()
            await tools.report(Sample(units[int(unit)].id, float(value)))
        raise Unreachable("the panel hung up")

    async def close() -> None:
        writer.close()

    return Connection(tuple(map(Equipment, units)), run, close)
