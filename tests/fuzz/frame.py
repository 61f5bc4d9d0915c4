"""One SMP frame as it comes by UDP: header, CBOR map, and what an answer reports."""

from __future__ import annotations

from firmware_bridge.auth import must_be_sealed
from firmware_bridge.frame import decode, encode, head


def take(data: bytes) -> None:
    """Read a frame; one that was read can be written and read again. Raises HubError."""
    must_be_sealed(head(data))
    frame = decode(data)
    assert decode(encode(frame)) == frame
    frame.check()
