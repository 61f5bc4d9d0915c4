"""The inside of a decoder's process: remembers the routes of what was announced, and says what each message means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.model.errors import DecodeError
from hub.model.text import clean
from hub.runtime.isolation.wire import Heard, Told, said
from hub.sdk import Announcement, Message, Route, Sample, Uplink, Vitals

if TYPE_CHECKING:
    from hub.sdk import Device


@dataclass(slots=True)
class Reading:
    """A plugin's decoder with its configuration filled in."""

    filters: tuple[str, ...]
    announce: Callable[[Message], Announcement] | None = None
    decode: Callable[[Message], Uplink] | None = None
    routes: dict[str, tuple[Route, ...]] = field(default_factory=dict)
    """By the topic of their announcement."""

    def read(self, message: Message, *, routed: bool) -> Heard:
        """Say what a message means; whatever the plugin raises becomes a failure in words."""
        try:
            if routed:
                return self._values(message)
            if self.decode is not None:
                return _uplink(self.decode(message))
            return self._announced(message)
        except Exception as error:  # noqa: BLE001 - a plugin's fault is told, counted and shown by the hub
            return Heard(failures=(_words(error),))

    def _announced(self, message: Message) -> Heard:
        if self.announce is None:
            return Heard()
        found = self.announce(message)
        told = tuple(_told(device) for device in found.devices)
        self.routes[message.topic] = tuple(route for device in found.devices for route in device.routes)
        return Heard(devices=told, refused=tuple(clean(sentence, 160) for sentence in found.refused))

    def _values(self, message: Message) -> Heard:
        samples: list[Sample] = []
        failures: list[str] = []
        for routes in self.routes.values():
            for route in routes:
                if route.topic == message.topic:
                    try:
                        samples.extend(route.decode(message))
                    except Exception as error:  # noqa: BLE001 - as above; another device may read the same message
                        failures.append(_words(error))
        return Heard(samples=tuple(said(sample) for sample in samples), failures=tuple(failures))


def _uplink(found: Uplink) -> Heard:
    samples = tuple(said(part) for part in found.said if isinstance(part, Sample))
    return Heard((_told(found.device),), samples, tuple(part for part in found.said if isinstance(part, Vitals)))


def _told(device: Device) -> Told:
    return Told(device.id, device.name, device.entities, tuple(dict.fromkeys(route.topic for route in device.routes)))


def _words(error: Exception) -> str:
    if isinstance(error, DecodeError):
        return clean(error.reason, 160)
    return f"fault in the integration: {type(error).__name__}"
