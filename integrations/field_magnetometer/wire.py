"""What a node pushes. The format is ours, plain for what a microcontroller can write:

::

    POST /hooks/field_magnetometer/<device>
    X-Signature: hexadecimal HMAC-SHA256 of the body with the node's key (RFC 2104)

    {"samples": [{"at": 1760000000000, "field": [31.2, -4.8, 40.1], "temperature": 18.5}],
     "battery": 97, "empty": true}

``at`` is the node's time in milliseconds since 1970, rising; ``field`` is in µT, ``temperature`` in °C, ``battery`` in
percent; the last two may be left out. ``empty`` says that a person who sees the bay calls it empty now.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

import msgspec

from hub.sdk import DecodeError

#: Largest number of samples in one push: one a second for ten minutes.
MAX_SAMPLES = 600
#: The strongest field that is believed, in µT; a magnet held to the sensor gives about 10 000.
_STRONGEST = 100_000
#: How far the node's time may be from ours, in milliseconds. What was overheard serves for nothing after a day.
_AHEAD, _BEHIND = 3_600_000, 86_400_000
Axis = Annotated[float, msgspec.Meta(ge=-_STRONGEST, le=_STRONGEST)]


class FieldSample(msgspec.Struct, frozen=True):
    """One measurement."""

    at: Annotated[int, msgspec.Meta(ge=1, le=4_102_444_800_000)]
    field: tuple[Axis, Axis, Axis]
    temperature: Annotated[float, msgspec.Meta(ge=-90, le=150)] | None = None


class Report(msgspec.Struct, frozen=True):
    """One push."""

    samples: Annotated[list[FieldSample], msgspec.Meta(min_length=1, max_length=MAX_SAMPLES)]
    battery: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    empty: bool = False


def signed(key: str, body: bytes, signature: str) -> bool:
    """Tell whether ``signature`` was made with ``key``; takes the same time wherever the two differ."""
    expected = hmac.new(key.encode(), body, hashlib.sha256).hexdigest().encode()
    return hmac.compare_digest(expected, signature.strip().lower().encode("utf-8", "replace"))


def read_report(body: bytes, now: int) -> Report:
    """Read one push that arrived at ``now`` (milliseconds since 1970). Raises DecodeError."""
    try:
        report = msgspec.json.decode(body, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not a push as documented: {type(error).__name__}") from None
    times = [sample.at for sample in report.samples]
    if max(times) > now + _AHEAD or min(times) < now - _BEHIND:
        raise DecodeError("samples from more than an hour ahead or a day ago: set the node's clock, or the hub's")
    return report
