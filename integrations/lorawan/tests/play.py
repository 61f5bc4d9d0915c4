"""The configuration of the recordings, and what a message becomes, written as their lines write it."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.kit.captures import Player
from hub.sdk import Message
from integrations.lorawan import plugin
from integrations.lorawan.config import Config

CONFIG = Config(
    devices={
        "100000000000000": "dingtek_do201",
        "1000000000000001": "bosch_tps110",
        "A84041": "dragino_lds02",
    },
    profiles={"Milesight": "milesight_em300_mcs", "MOKO": "moko_lw009_sm", "nwave/nps405sm": "nwave_nps405"},
)


def outcome(message: Message, config: Config) -> Any:
    """Return what ``decode`` makes of one message, the same each time."""
    found = msgspec.to_builtins(Player(plugin, config).play(message))
    assert found == msgspec.to_builtins(Player(plugin, config).play(message)), "not a pure function"
    return found
