"""What a site enters for one node: where it is, and the code on its label."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.sdk import Text, Unsupported

DOMAIN = "firmware_node"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One node, or with ``node`` left out a place where new nodes are waited for."""

    name: Text
    node: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{16})?\Z")] = ""
    """The id on the label, 16 hexadecimal digits."""
    code: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """The claim code on the label; needed once."""
    udp: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-fA-F.:\[\]]{2,45}:[0-9]{1,5})?\Z")] = ""
    """Address and port that the hub listens on for all nodes of the network: ``0.0.0.0:1337``."""
    serial: Annotated[str, msgspec.Meta(pattern=r"^(/[^\x00-\x1f\x7f]{1,250})?\Z")] = ""
    """Absolute path of the port, or of a link to it."""
    ble: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5})?\Z")] = ""
    """Bluetooth address of the node."""

    @property
    def place(self) -> Place:
        """Return where the node is. Raises Unsupported unless one way to it is given."""
        ways = [Place(kind, value) for kind, value in _ways(self) if value]
        if len(ways) != 1:
            raise Unsupported("give one of udp, serial and ble")
        return ways[0]


class Place(msgspec.Struct, frozen=True):
    """One way to nodes; equal ones are one link."""

    kind: str
    """``udp``, ``serial`` or ``ble``: the field of the configuration."""
    value: str


def _ways(config: Config) -> tuple[tuple[str, str], ...]:
    return ("udp", config.udp), ("serial", config.serial), ("ble", config.ble)
