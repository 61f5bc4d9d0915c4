"""Keeps what each rule of the camera said last and says what that makes of the entities: pure, time is handed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from hub.sdk import EntityId, Quality, Sample, Text, clean
from integrations.onvif.kinds import Kind
from integrations.onvif.moment import instant
from integrations.onvif.notification import Event, Operation

#: Most rules and inputs remembered for one entity; what a camera says of more is left out.
MAX_SOURCES = 256
#: Source items that name a video source or its configuration, by which a recorder tells its channels apart.
_VIDEO = {"VideoSourceConfigurationToken", "VideoSourceToken", "VideoSource", "Source"}


@dataclass(frozen=True, slots=True)
class Channel:
    """One entity: a kind of detection, by any source or by the one in which some item has the value ``source``."""

    entity: EntityId
    kind: Kind
    source: str = ""

    def hears(self, event: Event) -> bool:
        """Tell whether ``event`` is about this entity."""
        named = not self.source or any(name and value == self.source for name, value in event.source)
        return event.kind is self.kind and named

    def title(self, device: Text) -> Text:
        """Return the entity's name: the device's, what is detected, and where."""
        which = f" {clean(self.source, 40)}" if self.source else ""
        english = f"{device.en}: {self.kind.name.en}{which}" if device.en else ""
        return Text(f"{device.zh} {self.kind.name.zh}{which}", english)


class Board:
    """The entities of one camera. An entity is active as long as one of its sources is, or a moment is held."""

    def __init__(self, channels: tuple[Channel, ...], hold_s: float, others: frozenset[str] = frozenset()) -> None:
        """``others`` are the video sources of other channels, whose messages are not ours."""
        self._channels = channels
        self._hold_s = hold_s
        self._others = others
        self._since: datetime | None = None
        self._known: dict[EntityId, dict[tuple[tuple[str, str], ...], bool]] = {}
        self._held: dict[EntityId, float] = {}

    def begin(self, since: datetime | None) -> list[Sample]:
        """Start anew: a subscription was made at ``since`` of the camera's clock and tells all there is once more."""
        self._since = since
        self._known = {channel.entity: {} for channel in self._channels}
        return [self._sample(channel, None) for channel in self._channels if channel.kind.momentary]

    def take(self, events: Iterable[Event], now: float) -> list[Sample]:
        """Return what ``events`` change; ``now`` is any clock in seconds that runs evenly.

        How things were at the start comes in several messages: they are put together first, or one rule's "nothing"
        would stand for a moment against another rule's "something".
        """
        samples: list[Sample] = []
        for together, run in groupby(events, key=lambda event: event.operation is Operation.INITIALIZED):
            said = [
                self._sample(channel, event.at)
                for event in run
                for channel in self._channels
                if self._apply(channel, event, now)
            ]
            samples += {sample.entity: sample for sample in said}.values() if together else said
        return samples

    def over(self, now: float) -> list[Sample]:
        """Return the moments that were held long enough."""
        ended = [channel for channel in self._channels if self._held.get(channel.entity, now + 1) <= now]
        for channel in ended:
            del self._held[channel.entity]
        return [self._sample(channel, None) for channel in ended]

    def next_over(self) -> float | None:
        """Return when ``over`` will have something to say."""
        return min(self._held.values(), default=None)

    def _apply(self, channel: Channel, event: Event, now: float) -> bool:
        """Remember what ``event`` says of ``channel``; tell whether it says anything."""
        if not channel.hears(event) or any(name in _VIDEO and value in self._others for name, value in event.source):
            return False
        known = self._known[channel.entity]
        if event.operation is Operation.DELETED:
            known.pop(event.source, None)
        elif event.active is None:
            if event.operation is Operation.INITIALIZED and not self._fresh(event):
                return False
            self._held[channel.entity] = now + self._hold_s
        elif event.source in known or len(known) < MAX_SOURCES:
            known[event.source] = event.active
        else:
            return False
        return True

    def _fresh(self, event: Event) -> bool:
        """Some cameras call a crossing of now "Initialized", others repeat the last one of yesterday so."""
        return event.at is not None and self._since is not None and event.at >= self._since

    def _sample(self, channel: Channel, at: datetime | None) -> Sample:
        known = self._known[channel.entity]
        if not known and not channel.kind.momentary:
            return Sample(channel.entity, None, Quality.UNKNOWN, instant(at))
        active = channel.entity in self._held or any(known.values())
        return Sample(channel.entity, channel.kind.value(active), Quality.GOOD, instant(at))
