"""Recorded traffic of a decoder (hub.kit.captures), and what must hold of all that it gives back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from hub.kit.captures import read_lines
from hub.sdk import (
    Alarm,
    Announcement,
    Capability,
    Contact,
    DecodeError,
    Message,
    Plugin,
    Presence,
    Quality,
    Sample,
)

_TYPES: dict[Capability, type] = {
    Capability.PRESENCE: Presence,
    Capability.CONTACT: Contact,
    Capability.ALARM: Alarm,
    Capability.MEASURE: float,
}


@dataclass(frozen=True)
class Capture:
    """One recorded message and what it must become."""

    message: Message
    expect: dict[str, Any]
    line: int


def read_captures(file: Path) -> list[Capture]:
    """Read one recording; blank lines part its scenes."""
    return [
        Capture(line.message, line.said["expect"], line.number) for line in read_lines(file) if "topic" in line.said
    ]


def check_routes(announcement: Announcement) -> None:
    """Assert what the hub relies on: plain topics, ids of its grammar, cleaned names, one entity for each id."""
    entities = [entity for device in announcement.devices for entity in device.entities]
    assert len({entity.id for entity in entities}) == len(entities)
    for device in announcement.devices:
        assert device.routes
        for route in device.routes:
            assert route.topic
            assert not set(route.topic) & set("+#\0\n\x1b\u202e")
    for said in [*announcement.refused, *(entity.name.zh for entity in entities), *(e.device for e in entities)]:
        assert said
        assert said.isprintable()
        assert len(said) <= 200


def check_samples(announcement: Announcement, samples: tuple[Sample, ...]) -> None:
    """Assert that samples are of announced entities and of their capability, and finite."""
    entities = {entity.id: entity for device in announcement.devices for entity in device.entities}
    for sample in samples:
        capability = entities[sample.entity].capability
        assert sample.value is None or isinstance(sample.value, _TYPES[capability])
        assert not isinstance(sample.value, float) or math.isfinite(sample.value)
        assert sample.quality is Quality.GOOD or sample.value is None


def check_reason(error: DecodeError) -> None:
    """Assert that an error can be logged as it is."""
    assert error.reason.isprintable()
    assert len(error.reason) <= 300


def check_only_decode_errors(plugin: Plugin, config: Any, discovery: Message, payloads: list[bytes]) -> None:
    """Assert that nothing but DecodeError escapes from ``announce`` and from each route, which is a pure function."""
    decoder = plugin.decoder
    assert decoder is not None
    try:
        announcement = decoder.announce(discovery, config)
    except DecodeError as error:
        return check_reason(error)
    check_routes(announcement)
    for device in announcement.devices:
        for route in device.routes:
            for payload in payloads:
                message = Message(route.topic, payload)
                try:
                    samples = route.decode(message)
                except DecodeError as error:
                    check_reason(error)
                else:
                    check_samples(announcement, samples)
                    assert route.decode(message) == samples
    return None


def check_manifest(folder: Path, plugin: Plugin) -> dict[str, Any]:
    """Assert that ``manifest.yaml`` says of the configuration what the type says; return the manifest."""
    manifest: dict[str, Any] = yaml.safe_load((folder / "manifest.yaml").read_text(encoding="utf-8"))
    decoder = plugin.decoder
    assert decoder is not None
    assert manifest["domain"] == plugin.domain == folder.name
    assert manifest["io"] == "push"
    assert manifest["kind"] == "decoder"
    assert manifest["name"].keys() == {"zh", "en"}
    defaults = {name.name: name.default for name in msgspec.structs.fields(decoder.config)}
    assert {name: row["default"] for name, row in manifest["config"].items()} == defaults
    for row in manifest["config"].values():
        assert row.keys() == {"type", "default", "zh", "en"}
    for line in manifest["quality"]:
        assert line["state"] in {"done", "exempt"}
        assert ("reason" in line) == (line["state"] == "exempt")
    return manifest
