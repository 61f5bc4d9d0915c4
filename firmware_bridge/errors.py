"""What can go wrong between the hub and a node; the tree of hub/model/errors.py goes on here.

::

    DecodeError ── BadFrame          bytes that are no frame of this protocol
    DeviceError ─┬ Refused           the node answered with a return code
                 ├ UpdateFailed      an image was not installed; the node runs what it ran before
                 └ Reverted          an image was tried, and the node is back on the one before
    Unreachable ─┬ NoAnswer          the node did not answer in time
                 └ LinkLost          the port or the socket is gone
    HubError ────┬ NotAuthentic      a node did not send this frame, or not now
                 ├ BadImage          an image that no node may be given
                 └ NodeFailed        the reference node could not be built or started, or ended
"""

from __future__ import annotations

from enum import IntEnum

from hub.model.errors import DecodeError, DeviceError, HubError, Unreachable


class Rc(IntEnum):
    """Return codes of SMP that nodes and hub use (Zephyr, "SMP Protocol Specification", MCUMGR_ERR)."""

    OK = 0
    NO_MEMORY = 2
    INVALID = 3
    NO_ENTRY = 5
    BAD_STATE = 6
    NOT_SUPPORTED = 8
    CORRUPT = 10


class BadFrame(DecodeError):
    """Bytes that are no frame of this protocol: too long, cut, an unknown operation, CBOR that is not allowed."""


class NotAuthentic(HubError):
    """A frame that its node did not send, or not now; ``why`` is what it is counted as."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class BadImage(HubError):
    """An image that must not be installed; ``rc`` is what a node answers to it."""

    def __init__(self, reason: str, rc: Rc = Rc.CORRUPT) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rc = rc


class Refused(DeviceError):
    """The node answered with a return code other than 0."""

    retry = False

    def __init__(self, code: int, group: int | None = None) -> None:
        name = Rc(code).name.lower().replace("_", " ") if code in set(Rc) else "unknown"
        super().__init__(f"the node refused (rc {code}, {name}{'' if group is None else f', group {group}'})")
        self.code = code


class NoAnswer(Unreachable):
    """The node did not answer in time, however often it was asked."""


class LinkLost(Unreachable):
    """The port was unplugged or the socket broke: all nodes behind it are gone."""


class UpdateFailed(DeviceError):
    """The image did not come to run; the node is as it was."""


class Reverted(DeviceError):
    """The image ran and did not prove itself: the node went back, or is told to."""

    retry = False


class NodeFailed(HubError):
    """The reference node could not be built or started, or it ended on its own with ``code``."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code
