"""Recorded traffic of an integration: read from ``captures/*.jsonl``, played through its decoder, compared.

One JSON object per line, in the order of arrival: ``topic``, ``payload`` (text) or ``payload_b64``, ``retained``, and
``expect``, the outcome as ``Player.play`` writes it. A message on a discovery topic sets routes, a later message is
decoded by every route that its topic has by then, as the hub does it.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml

from hub.sdk import (
    Alarm,
    Announcement,
    Capability,
    Contact,
    DecodeError,
    Entity,
    Message,
    Plugin,
    Presence,
    Quality,
    Route,
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
    captures = []
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        row = json.loads(line)
        payload = base64.b64decode(row["payload_b64"]) if "payload_b64" in row else row["payload"].encode()
        message = Message(row["topic"], payload, retained=row.get("retained", False))
        captures.append(Capture(message, row["expect"], number))
    return captures


def matches(topic_filter: str, topic: str) -> bool:
    """Whether an MQTT filter with ``+`` covers ``topic`` (MQTT 3.1.1, 4.7)."""
    levels, names = topic_filter.split("/"), topic.split("/")
    return len(levels) == len(names) and all(level in {"+", name} for level, name in zip(levels, names, strict=True))


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


@dataclass
class Player:
    """An integration's decoder with the routes it has announced so far."""

    plugin: Plugin
    config: Any
    announced: dict[str, Announcement] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """Return the routes in force."""
        return [route for said in self.announced.values() for device in said.devices for route in device.routes]

    def play(self, message: Message) -> dict[str, Any]:
        """Return ``announce``, ``samples`` and ``errors`` of one message; a key is absent where there is nothing."""
        decoder = self.plugin.decoder
        assert decoder is not None
        if any(matches(topic_filter, message.topic) for topic_filter in decoder.filters(self.config)):
            try:
                announcement = decoder.announce(message, self.config)
            except DecodeError as error:
                return {"errors": [error.reason]}
            check_routes(announcement)
            self.announced[message.topic] = announcement
            return {"announce": _describe(announcement)}
        samples: list[Sample] = []
        errors: list[str] = []
        for route in self.routes():
            if route.topic == message.topic:
                try:
                    samples += route.decode(message)
                except DecodeError as error:
                    errors.append(error.reason)
        rows = [[sample.entity, sample.value, sample.quality.value] for sample in samples]
        return {key: value for key, value in (("samples", rows), ("errors", errors)) if value}


def _describe(announcement: Announcement) -> dict[str, Any]:
    outcome: dict[str, Any] = {}
    if announcement.devices:
        outcome["devices"] = {
            device.id: [_entity(entity) for entity in device.entities] for device in announcement.devices
        }
        outcome["topics"] = sorted({route.topic for device in announcement.devices for route in device.routes})
    if announcement.refused:
        outcome["refused"] = list(announcement.refused)
    return outcome


def _entity(entity: Entity) -> dict[str, Any]:
    row: dict[str, Any] = {"id": entity.id, "capability": entity.capability.value, "name": entity.name.zh}
    row |= {"device": entity.device}
    if entity.unit:
        row["unit"] = entity.unit
    if entity.expire_after is not None:
        row["expire_after"] = entity.expire_after
    return row


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
