"""A device that pushes its value by HTTP, as plain text."""

from __future__ import annotations

import msgspec

from hub.sdk import (
    Capability,
    Connection,
    Entity,
    Equipment,
    Plugin,
    Push,
    PushAnswer,
    Sample,
    Text,
    Tools,
    entity_id,
)

DOMAIN = __name__.rpartition(".")[2]
plugin = Plugin(DOMAIN)


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After how many seconds silence is stale."""

    name: Text
    silence: int


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Take pushes; 200 is answered when the value is on the disk."""
    entity = Entity(
        id=entity_id(DOMAIN, name),
        capability=Capability.MEASURE,
        name=config.name,
        device=name,
        expire_after=config.silence * 1_000_000,
    )

    async def take(push: Push) -> PushAnswer:
        await tools.report(Sample(entity.id, float(push.body)))
        return PushAnswer()

    tools.receive(take)
    return Connection((Equipment(entity),))
