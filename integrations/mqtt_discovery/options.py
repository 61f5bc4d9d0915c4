"""Reading one option of a discovery payload, its type checked. Every function raises DecodeError with a sentence."""

from __future__ import annotations

from typing import Any

from hub.sdk import DecodeError, clean

_SECOND = 1_000_000  # microseconds
#: Longest ``expire_after``, in seconds: 366 days; more is a mistake in units.
_LONGEST = 366 * 24 * 3600
#: Longest topic followed, in characters. MQTT allows 65,535 bytes; real ones are far below 200.
_TOPIC = 512


def text(options: dict[str, Any], key: str, default: str = "") -> str:
    """Return a text. Numbers and booleans are written as Python does, which is how Home Assistant compares them."""
    value = options.get(key)
    if value is None:
        return default
    if not isinstance(value, str | int | float):
        raise DecodeError(f"{key} is not a text")
    return str(value)


def topic(options: dict[str, Any], key: str) -> str:
    """Return a topic that can be subscribed to.

    Wildcards and ``$share/…`` would widen the subscription, and a broker may close the connection of a client that
    names a topic with control characters (MQTT 3.1.1, 1.5.3).
    """
    value = options.get(key)
    if value is None:
        raise DecodeError(f"{key} is missing")
    if not isinstance(value, str) or not value or value.startswith("$"):
        raise DecodeError(f"{key} is not a topic")
    if set(value) & set("+#"):
        raise DecodeError(f"{key} has wildcards, but must name one topic")
    solid = value.replace(" ", "_")
    if clean(solid, _TOPIC) != solid:
        raise DecodeError(f"{key} has characters that no topic should have, or more than {_TOPIC}")
    return value


def seconds(options: dict[str, Any], key: str) -> int | None:
    """Return whole seconds as microseconds; None where the key is missing or 0."""
    value = options.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(_LONGEST)) + 1:
        value = int(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LONGEST:
        raise DecodeError(f"{key} is not a whole number of seconds up to {_LONGEST}")
    return value * _SECOND or None
