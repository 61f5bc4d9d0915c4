"""Holds a relay of a node; the node itself lets go, also when the hub is gone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from firmware_bridge.frame import Group, Op
from firmware_bridge.messages import NodeCommand
from hub.sdk import Unsupported

if TYPE_CHECKING:
    from firmware_bridge.peer import Peer
    from hub.sdk import CommandKey

#: Seconds that the protocol allows, whole ones (PROTOCOL.md, section 3, set).
LONGEST = 60


class NodeRelay:
    """One relay point."""

    def __init__(self, peer: Peer, point: int) -> None:
        self._peer = peer
        self._point = point
        self._last: CommandKey | None = None

    async def hold(self, seconds: float, key: CommandKey) -> None:
        """Hold for ``seconds``, rounded up to whole ones and at most 60. Raises NoAnswer or Refused.

        The same ``key`` again is the same order; it is not sent again once the node has answered.
        """
        if not 0 < seconds < math.inf:
            raise Unsupported("a relay is held for a time above 0 s")
        if key == self._last:
            return
        order = {"pt": self._point, "v": True, "max": min(LONGEST, math.ceil(seconds))}
        await self._peer.request(Op.WRITE, Group.NODE, NodeCommand.SET, order, timeout=1.5, tries=2)
        self._last = key
