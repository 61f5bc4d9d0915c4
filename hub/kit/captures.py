"""Recorded traffic of an integration: ``captures/*.jsonl``, read and played through its decoder.

One JSON object a line, in the order of arrival. The first may be ``{"config": {…}}``. For MQTT: ``topic``, ``payload``
(text) or ``payload_b64``, ``retained``, and ``expect``, the outcome as ``Player.play`` writes it. For sessions see
``hub.kit.sessions``.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model.errors import DecodeError, HubError
from hub.sdk import Announcement, Entity, Message, Sample, Vitals

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hub.sdk import Plugin, Route


class CaptureError(HubError):
    """A capture that cannot be read: file, line and reason."""


class Line(msgspec.Struct, frozen=True):
    """One line of a capture."""

    file: str
    number: int
    said: dict[str, Any]

    @property
    def message(self) -> Message:
        """Return the MQTT message of the line. Raises CaptureError."""
        try:
            encoded = self.said.get("payload_b64")
            payload = self.said["payload"].encode() if encoded is None else base64.b64decode(encoded, validate=True)
            return Message(self.said["topic"], payload, retained=self.said.get("retained", False))
        except (KeyError, AttributeError, binascii.Error) as error:
            raise CaptureError(f"{self.file}:{self.number}: needs `topic` and `payload` ({error})") from None


def read_lines(file: Path) -> list[Line]:
    """Read one recording; blank lines part its scenes. Raises CaptureError."""
    lines = []
    for number, text in enumerate(file.read_text("utf-8").split("\n"), start=1):
        if not text.strip():
            continue
        try:
            said = json.loads(text)
        except json.JSONDecodeError as error:
            raise CaptureError(f"{file.name}:{number}: is not JSON ({error.msg})") from None
        if not isinstance(said, dict):
            raise CaptureError(f"{file.name}:{number}: must be a JSON object")
        lines.append(Line(file.name, number, said))
    return lines


def matches(topic_filter: str, topic: str) -> bool:
    """Whether an MQTT filter with ``+`` and ``#`` covers ``topic`` (MQTT 3.1.1, 4.7)."""
    levels, names = topic_filter.split("/"), topic.split("/")
    if levels[-1] == "#":
        levels, names = levels[:-1], names[: len(levels) - 1]
    return len(levels) == len(names) and all(level in {"+", name} for level, name in zip(levels, names, strict=True))


class Player:
    """An integration's decoders with the routes they have announced so far."""

    def __init__(self, plugin: Plugin, config: Any) -> None:
        self._plugin = plugin
        self._config = config
        self._announced: dict[str, Announcement] = {}

    def routes(self) -> list[Route]:
        """Return the routes in force."""
        return [route for said in self._announced.values() for device in said.devices for route in device.routes]

    def play(self, message: Message) -> dict[str, Any]:
        """Return what a message becomes; a key is absent where there is nothing.

        ``announce`` for a discovery message, ``device`` for one that names its device, ``samples``, ``vitals``,
        ``errors``.
        """
        decoder, uplinks = self._plugin.decoder, self._plugin.uplinks
        if decoder is not None and _covers(decoder.filters(self._config), message):
            try:
                found = self._announced[message.topic] = decoder.announce(message, self._config)
            except DecodeError as error:
                return {"errors": [error.reason]}
            return {"announce": _described(found)}
        if uplinks is not None and _covers(uplinks.filters(self._config), message):
            try:
                uplink = uplinks.decode(message, self._config)
            except DecodeError as error:
                return {"errors": [error.reason]}
            outcome: dict[str, Any] = {"device": {uplink.device.id: [_entity(item) for item in uplink.device.entities]}}
            return outcome | told(uplink.said)
        return self._route(message)

    def _route(self, message: Message) -> dict[str, Any]:
        samples: list[Sample] = []
        errors: list[str] = []
        for route in self.routes():
            if route.topic == message.topic:
                try:
                    samples += route.decode(message)
                except DecodeError as error:
                    errors.append(error.reason)
        return told(samples) | ({"errors": errors} if errors else {})


def told(said: Iterable[Sample | Vitals]) -> dict[str, Any]:
    """Write samples and vitals as captures do."""
    samples = [_sample(one) for one in said if isinstance(one, Sample)]
    vitals = [[one.device, one.battery, one.signal] for one in said if isinstance(one, Vitals)]
    return {key: value for key, value in (("samples", samples), ("vitals", vitals)) if value}


def _sample(sample: Sample) -> list[Any]:
    """Write entity, value and quality, and the device's own time where it tells one."""
    row = [sample.entity, sample.value, sample.quality.value]
    return row if sample.device_at is None else [*row, sample.device_at]


def _covers(filters: Iterable[str], message: Message) -> bool:
    return any(matches(topic_filter, message.topic) for topic_filter in filters)


def _described(announcement: Announcement) -> dict[str, Any]:
    outcome: dict[str, Any] = {}
    if announcement.devices:
        devices = announcement.devices
        outcome["devices"] = {device.id: [_entity(entity) for entity in device.entities] for device in devices}
        outcome["topics"] = sorted({route.topic for device in devices for route in device.routes})
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
