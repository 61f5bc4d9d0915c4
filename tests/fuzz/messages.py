"""The CBOR maps of group 80 and of an image state: the first byte says which, the rest is the map."""

from __future__ import annotations

from firmware_bridge.frame import read_map
from firmware_bridge.messages import Description, Event, Health, Hello, ImageState, Point, PointClass, read
from hub.sdk import Text
from integrations.firmware_node.entities import Points

_KINDS = (Event, Description, Hello, Health, ImageState)
_NODE = Points("pole", Text("三号杆"), tuple(Point(i, kind, kind, lo=-9, hi=9) for i, kind in enumerate(PointClass)))


def take(data: bytes) -> None:
    """Read a map as what it should be, as far as the entities that come of it. Raises HubError."""
    kind = _KINDS[data[0] % len(_KINDS)] if data else Event
    said = read(read_map(data[1:]), kind)
    if isinstance(said, Event):
        _NODE.said(said)
    elif isinstance(said, Description):
        Points("pole", Text("三号杆"), said.pts)
    elif isinstance(said, ImageState):
        said.having(said.active.hash if said.active else b"")
