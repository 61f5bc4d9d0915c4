"""The section ``evidence`` of hub.yaml: how long what is kept, who stamps the chain, where signs stand."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from hub.model.proof import Retention

if TYPE_CHECKING:
    from hub.model.document import Mapping, Node
    from hub.model.reader import Reader

#: Days that each kind may be kept: the fewest, and the most of all.
_FEWEST, _MOST = {"readings": 1, "pictures": 1, "sightings": 0, "incidents": 1}, 3_650


class EvidenceSettings(msgspec.Struct, frozen=True):
    """What hub.yaml says of evidence."""

    tsa: str | None = None
    """Address of an authority that stamps heads of the chain by RFC 3161; None: heads are only printed."""
    signs: tuple[str, ...] = ()
    """Where signs stand that tell of cameras or forbid throwing, for the record of diligence."""
    retention: Retention = Retention()


def read_evidence(reader: Reader, node: Node | None) -> EvidenceSettings:
    """Read the section."""
    if node is None:
        return EvidenceSettings()
    fields = reader.mapping(node, "`evidence`", optional=("tsa", "signs", "retention"))
    if fields is None:
        return EvidenceSettings()
    tsa = reader.text(fields.get("tsa"), "`tsa`", 500)
    if tsa is not None and not _is_address(tsa):
        reader.report(fields.get("tsa") or node, "`tsa` must be an address like https://tsa.example/tsr")
    signs = tuple(
        text for item in reader.sequence(fields.get("signs"), "`signs`")
        if (text := reader.text(item, "a sign", 100)) is not None
    )  # fmt: skip
    kept = reader.mapping(
        fields.get("retention"), "`retention`", optional=tuple(_FEWEST)
    ) if fields.get("retention") else None  # fmt: skip
    retention = Retention()
    if kept is not None:
        retention = Retention(**{
            name: days for name in _FEWEST
            if (days := _days(reader, kept, name)) is not None
        })  # fmt: skip
    return EvidenceSettings(tsa, signs, retention)


def _days(reader: Reader, fields: Mapping, name: str) -> int | None:
    number = reader.number(fields.get(name), f"`{name}`")
    if number is None:
        return None
    if number != int(number) or not _FEWEST[name] <= number <= _MOST:
        reader.report(
            fields.get(name) or fields, f"`{name}` must be a whole number of days, {_FEWEST[name]} to {_MOST}"
        )
        return None
    return int(number)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
