"""Which integration can adopt what was found: the ``discovery`` part of each manifest, read without importing code.

::

    discovery:
      - mdns: _axis-audio._tcp.local.        # a service type (RFC 6763)
        fill: {url: url}                     # configuration field: what of the device fills it
      - onvif: NetworkVideoTransmitter       # a type of WS-Discovery
        fill: {url: url}
      - usb: "10c4:ea60"                     # vendor and product in hexadecimal digits
        fill: {port: path}
      - ble: fcd2                            # a 16-bit service UUID
        fill: {address: address}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub.model.found import Found, Source
from hub.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What of a found device may fill a configuration field.
PROPERTIES = ("url", "host", "port", "path", "address")
_SOURCES = (Source.MDNS, Source.ONVIF, Source.USB, Source.BLE)
#: Facts kept of one device, and the longest of them in characters.
_FACTS, _LONGEST = 12, 120


class Matcher(msgspec.Struct, frozen=True):
    """One line of a manifest."""

    source: Source
    pattern: str
    integration: str
    fill: dict[str, str]


def matchers(domain: str, lines: Iterable[Mapping[str, Any]]) -> tuple[Matcher, ...]:
    """Read the ``discovery`` part of a manifest; a line that is none of the known kinds is left out."""
    found: list[Matcher] = []
    for line in lines:
        fill = line.get("fill", {})
        if set(fill.values()) <= set(PROPERTIES):
            patterns = {source: line[source] for source in _SOURCES if isinstance(line.get(source), str)}
            found += [Matcher(source, text.lower(), domain, dict(fill)) for source, text in patterns.items()]
    return tuple(found)


def match(
    known: Iterable[Matcher],
    source: Source,
    patterns: Iterable[str],
    *,
    identity: str,
    name: str,
    facts: Mapping[str, str],
    properties: Mapping[str, str | int],
) -> Found:
    """Make what was found; the first integration that names one of ``patterns`` is suggested."""
    offered = {pattern.lower() for pattern in patterns}
    fit = next((one for one in known if one.source is source and one.pattern in offered), None)
    values = {} if fit is None else {key: properties[part] for key, part in fit.fill.items() if part in properties}
    kept = [(clean(key, 40), clean(value, _LONGEST)) for key, value in facts.items()][:_FACTS]
    return Found(
        source=source,
        identity=clean(identity, 200),
        name=clean(name, 80) or clean(identity, 80),
        integration="" if fit is None else fit.integration,
        facts={key: value for key, value in kept if key and value},
        values=values,
    )
