"""From a message to readings: decode, judge how far it can be trusted, and acknowledge after the commit."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec
import structlog

import hub.sdk
from hub.model.entry import KEPT_DELIVERIES, NEW_SESSION, RESTORED, Announcement, Delivery, Note
from hub.model.errors import DecodeError
from hub.model.reading import ACTIVE_VALUES, NEVER_HEARD, Capability, Quality, Reading
from hub.model.text import Text, clean
from hub.runtime.isolation.wire import Heard, WorkerError
from hub.runtime.isolation.wire import sample as from_wire
from hub.runtime.quota import Quota
from hub.runtime.recent import Recent
from hub.runtime.refusals import Refusals
from hub.sdk import Device, Message, Route, Vitals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.model.ids import EntityId
    from hub.model.reading import State
    from hub.model.time import Instant
    from hub.runtime.batch import Batch
    from hub.runtime.core import Runtime
    from hub.runtime.isolation.decoding import DecoderProcess
    from hub.runtime.isolation.wire import Opened
    from hub.runtime.mqtt.link import Arrival
    from hub.runtime.problems import Problems
    from hub.runtime.registry import Change, Registry
    from hub.sdk import Sample, Uplink

log = structlog.get_logger()

#: Between the topic and the device in the key of an uplink's announcement; no topic holds it.
OF_DEVICE = "#"
#: Different complaints logged before the rest is only counted: a hostile device cannot fill the disk.
COMPLAINTS = 200

#: Seconds that decoders in processes of their own have at a start to say again what they had announced.
RECALL = 5.0

NOTHING = hub.sdk.Announcement()
NOBODY: Mapping[str, Heard] = {}


@dataclass(frozen=True, slots=True)
class Decoder:
    """An integration's reading of messages, with its configuration filled in: of discovery, or of uplinks."""

    domain: str
    filters: tuple[str, ...]
    announce: Callable[[Message], hub.sdk.Announcement] | None = None
    decode: Callable[[Message], Uplink] | None = None
    process: DecoderProcess | None = None
    """Reads in the place of both functions, which are None then."""
    uplinks: bool = False
    """Whether the messages that ``process`` reads name their device themselves."""


class Line(Protocol):
    """The link, as far as the intake needs it."""

    @property
    def unconfirmed(self) -> int:
        """How many topics the broker has not answered for."""
        ...

    def acknowledge(self, arrival: Arrival) -> None:
        """Tell the broker that the message is safe."""

    def subscribe(self, filters: Iterable[str]) -> None:
        """Hear of these topics."""

    def unsubscribe(self, filters: Iterable[str]) -> None:
        """Hear of these topics no more."""


class Intake:
    """Everything that arrives by MQTT goes through here. Its methods that take a Batch run inside the loop."""

    def __init__(
        self, name: str, runtime: Runtime, registry: Registry, decoders: tuple[Decoder, ...], problems: Problems
    ) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        """Messages by integration and result."""
        self._name = name
        self._runtime = runtime
        self._registry = registry
        self._decoders = decoders
        self._problems = problems
        self._refusals = Refusals(name, problems)
        self._quota = Quota(problems)
        self._line: Line | None = None
        self._recent = Recent(KEPT_DELIVERIES)
        self._restored = False
        """The journal was restored, and no session has begun since."""
        self._unconfirmed: set[EntityId] = set()
        """Entities whose state is stale only because the link was away."""
        self._missed: set[EntityId] = set()
        """Entities whose last words may be lost with the broker's session: only they themselves can confirm them."""
        self._offline: set[EntityId] = set()
        """Entities whose state is stale only because their device said that it is offline."""
        self._payloads: dict[tuple[str, str], bytes] = {}
        self._uplinked: dict[tuple[str, str], Device] = {}
        """Devices that were known by their own messages, by integration and topic with device."""
        self._numbers: set[tuple[str, str]] = set()
        """Topics, by integration, on which only devices with nothing but numbers have named themselves."""
        self._complaints: set[tuple[str, str]] = set()
        self._processes = {decoder.domain: decoder.process for decoder in decoders if decoder.process is not None}

    @property
    def announced(self) -> tuple[str, ...]:
        """The topic filters on which devices announce themselves or report."""
        return tuple(topic for decoder in self._decoders for topic in decoder.filters)

    def attach(self, line: Line) -> None:
        """Name the link, and subscribe to all that is known."""
        self._line = line
        line.subscribe(self.announced)
        line.subscribe(self._registry.topics())

    @property
    def unconfirmed(self) -> int:
        """How many topics of known devices the broker has not confirmed yet."""
        return 0 if self._line is None else self._line.unconfirmed

    def reads(self, domain: str) -> bool:
        """Tell whether a domain has a decoder at all."""
        return any(found.domain == domain for found in self._decoders)

    def in_loop(self, domain: str) -> bool:
        """Tell whether a domain has one decoder, and that in the hub's own process."""
        return [found.process for found in self._decoders if found.domain == domain] == [None]

    def host(self, process: DecoderProcess, opened: Opened) -> None:
        """Let a process read a domain's messages from now on, in the place of its decoder in the loop or as the first.

        It hears first what announced the devices that are known, so that it knows them when they speak.
        """
        domain = process.domain
        for (announcer, topic), payload in self._payloads.items():
            if announcer == domain:
                process.read(Message(topic, payload, retained=True), routed=False, then=_unheard)
        decoder = Decoder(domain, opened.filters, process=process, uplinks=opened.uplinks)
        if self.in_loop(domain):
            self._decoders = tuple(decoder if found.domain == domain else found for found in self._decoders)
        else:
            self._decoders = (*self._decoders, decoder)
            if self._line is not None:
                self._line.subscribe(decoder.filters)
        self._processes[domain] = process

    def restore(self, announcements: Iterable[Announcement], deliveries: Iterable[Delivery]) -> None:
        """Know again what was announced and taken before the restart."""
        for kept in announcements:
            decoder = next((decoder for decoder in self._decoders if decoder.domain == kept.integration), None)
            if decoder is None:
                continue
            topic, _, _ = kept.topic.partition(OF_DEVICE)
            message = Message(topic, kept.payload, retained=True)
            try:
                if decoder.decode is not None:
                    uplink = decoder.decode(message)
                    self._uplinked[kept.integration, kept.topic] = uplink.device
                    self._registry.announce(kept.integration, kept.topic, (uplink.device,))
                elif decoder.announce is not None:
                    found = decoder.announce(message)
                    self._registry.announce(kept.integration, kept.topic, found.devices)
                    self._payloads[kept.integration, kept.topic] = kept.payload
            except DecodeError as error:
                self._complain(kept.integration, kept.topic, error.reason)
        for delivery in deliveries:
            if delivery.mid == RESTORED:
                self._restored = True
            elif delivery.link != self._name:
                continue
            elif delivery.mid == NEW_SESSION:
                self._recent.clear()
                self._restored = False
            else:
                self._recent.keep(delivery.mid, delivery.digest)

    async def recall(self, announcements: Iterable[Announcement]) -> None:
        """Know again what decoders in processes of their own had announced; what takes too long is announced anew."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RECALL):
                for kept in announcements:
                    decoder = next((found for found in self._decoders if found.domain == kept.integration), None)
                    if decoder is not None and decoder.process is not None:
                        await self._recall(kept, decoder.process, uplinks=decoder.uplinks)

    async def _recall(self, kept: Announcement, process: DecoderProcess, *, uplinks: bool) -> None:
        topic, _, _ = kept.topic.partition(OF_DEVICE)
        heard = await process.ask(Message(topic, kept.payload, retained=True))
        for failure in heard.failures:
            self._complain(kept.integration, kept.topic, failure)
        devices = announced(heard)
        self._registry.announce(kept.integration, kept.topic, devices)
        if uplinks and devices:
            self._uplinked[kept.integration, kept.topic] = devices[0]
        elif devices:
            self._payloads[kept.integration, kept.topic] = kept.payload

    # the link's side (hub.runtime.mqtt.link.LinkUser)

    def arrived(self, arrival: Arrival) -> None:
        """Take a message in with the next batch."""
        self._runtime.post(lambda batch: self._take(batch, arrival))

    def connected(self, *, resumed: bool) -> None:
        """Begin anew where the broker does: the packet identifiers of a lost session come again for other messages.

        A restored hub begins anew in any case: what it had acknowledged since the backup was made does not come again.
        """
        self._refusals.clear()
        if not resumed or self._restored:
            self._runtime.post(self._begin_session)

    def refused(self, topics: tuple[str, ...]) -> None:
        """Say which topics the broker does not let us hear."""
        self._refusals.add(topics)

    def lost(self, reason: str) -> None:
        """Trust nothing that came by this link until it is back."""
        text = Text("设备消息服务断开，正在重连", "The device message broker is away; reconnecting")
        if self._problems.raise_(f"link.{self._name}", text):
            log.warning("link.lost", link=self._name, reason=clean(reason))
            self._runtime.post(lambda batch: self.distrust(batch, reason))

    def synced(self, *, resumed: bool) -> None:
        """Trust again: all that the broker had kept is decided by now."""
        if self._problems.settle(f"link.{self._name}"):
            log.info("link.back", link=self._name)
        if self._processes:
            self._runtime.post(lambda _: self._when_read(tuple(self._processes.values()), resumed=resumed))
        else:
            self._runtime.post(lambda batch: self._trust(batch, resumed=resumed))

    @property
    def full(self) -> bool:
        """Whether the link should stop reading."""
        return self._runtime.full or any(process.full for process in self._processes.values())

    async def room(self) -> None:
        """Wait until the link may read again."""
        while self.full:
            await self._runtime.room()
            for process in tuple(self._processes.values()):
                await process.room()

    # inside a batch

    def distrust(self, batch: Batch, reason: str, *, restart: bool = False) -> None:
        """Mark every state that came by this link as not confirmed; after a restart, every state."""
        good = (name for name, state in batch.state.states.items() if state.quality is Quality.GOOD)
        trusted = sorted(name for name in good if restart or self._registry.by_message(name))
        self._unconfirmed.update(trusted)
        batch.trust(trusted, Quality.STALE)
        batch.lose(decoder.domain for decoder in self._decoders)
        batch.record(Note("link_lost", batch.now, {"link": self._name, "reason": clean(reason)}))

    def _begin_session(self, batch: Batch) -> None:
        self._restored = False
        self._recent.clear()
        batch.entry.deliveries.append(Delivery(self._name, NEW_SESSION, b""))
        self._miss(batch)  # in the same commit: a hub that dies next finds the session kept, and must not trust it

    def _miss(self, batch: Batch) -> None:
        """Have only the devices themselves confirm what was known."""
        self._offline.clear()  # what those devices said meanwhile is lost
        for entity in self._unconfirmed:
            batch.remember(entity)
        self._missed |= self._unconfirmed
        self._unconfirmed.clear()

    def _trust(self, batch: Batch, *, resumed: bool) -> None:
        """With our session kept by the broker nothing was missed, so what was known still holds."""
        batch.record(Note("link_back", batch.now, {"link": self._name, "resumed": resumed}))
        batch.regain()
        if not resumed:
            self._miss(batch)
            return
        again = sorted(name for name in self._unconfirmed if self._registry.by_message(name))
        batch.trust(again, Quality.GOOD)
        self._unconfirmed.clear()

    def _when_read(self, processes: tuple[DecoderProcess, ...], *, resumed: bool) -> None:
        """Trust again once no process has a message left that came before."""
        for index, process in enumerate(processes):
            rest = processes[index + 1 :]
            if process.after(lambda rest=rest: self._when_read(rest, resumed=resumed)):  # type: ignore[misc]
                return
        if f"link.{self._name}" not in self._problems:  # it may be lost again by now
            self._runtime.post(lambda batch: self._trust(batch, resumed=resumed))

    def _elsewhere(self, message: Message, routes: tuple[tuple[str, Route], ...]) -> set[str]:
        """Return the integrations whose processes must read a message."""
        if not self._processes:
            return set()
        if routes:
            return {integration for integration, _ in routes if integration in self._processes}
        decoder = self._decoder(message.topic)
        if decoder is None or decoder.process is None:
            return set()
        repeated = self._payloads.get((decoder.domain, message.topic)) == message.payload
        return set() if repeated else {decoder.domain}

    def _take(self, batch: Batch, arrival: Arrival, read: Mapping[str, Heard] = NOBODY) -> None:
        """Take a message in; ``read`` is what processes made of it. While one is missing, nothing else happens."""
        message = Message(arrival.topic, arrival.payload, arrival.retained)
        routes = self._registry.routes(arrival.topic)
        missing = sorted(self._elsewhere(message, routes) - read.keys())
        if missing:
            self._send(arrival, message, missing[0], routes, read)
            return
        if self._line is not None:
            line = self._line
            batch.when_committed(lambda: line.acknowledge(arrival))
        if arrival.qos:
            digest = hashlib.blake2b(arrival.topic.encode() + b"\0" + arrival.payload, digest_size=16).digest()
            if arrival.duplicate and self._recent.holds(arrival.mid, digest):
                self.counts[self._name, "redelivered"] += 1
                return
            self._recent.keep(arrival.mid, digest)
            batch.entry.deliveries.append(Delivery(self._name, arrival.mid, digest))
        for integration in dict.fromkeys(integration for integration, _ in routes if integration in read):
            self._take_read(batch, integration, message, read[integration])
        for integration, route in routes:
            if integration in read:
                continue
            try:
                samples = route.decode(message)
            except DecodeError as error:
                self._complain(integration, arrival.topic, error.reason)
            except Exception as error:  # noqa: BLE001 - a plugin's fault is counted, shown and kept from the others
                self._complain(integration, arrival.topic, f"fault in the integration: {type(error).__name__}")
            else:
                self.counts[integration, "decoded"] += 1
                self._sense_own(batch, integration, message, samples)
        if not routes:
            self._announce(batch, message, read)

    def _send(
        self,
        arrival: Arrival,
        message: Message,
        domain: str,
        routes: tuple[tuple[str, Route], ...],
        read: Mapping[str, Heard],
    ) -> None:
        """Have a process read a message, and take it in then; it is not acknowledged before."""

        def then(heard: Heard) -> None:
            self._runtime.post(lambda batch: self._take(batch, arrival, {**read, domain: heard}))

        mine = [route.decode for integration, route in routes if integration == domain]
        numbers = all(decode is _numbers_there for decode in mine) if mine else (domain, message.topic) in self._numbers
        self._processes[domain].read(message, routed=bool(routes), then=then, numbers=numbers)

    def _sense_own(self, batch: Batch, integration: str, message: Message, samples: Iterable[Sample]) -> None:
        for sample in samples:
            if self._registry.takes(integration, sample):
                self._sense(batch, integration, sample, message)
            else:
                reason = "fault in the integration: a value that is not its entity's"
                self._complain(integration, message.topic, reason)

    def _take_read(self, batch: Batch, integration: str, message: Message, heard: Heard) -> None:
        """Take what a process made of a message on a device's topic."""
        for failure in heard.failures:
            self._complain(integration, message.topic, failure)
        if not heard.failures or heard.samples:
            self.counts[integration, "decoded"] += 1
        self._sense_own(batch, integration, message, self._samples(integration, message, heard))

    def _samples(self, integration: str, message: Message, heard: Heard) -> tuple[Sample, ...]:
        found = []
        for part in heard.samples:
            try:
                found.append(from_wire(part))
            except WorkerError as error:
                self._complain(integration, message.topic, str(error))
        return tuple(found)

    def _decoder(self, topic: str) -> Decoder | None:
        return next((found for found in self._decoders if any(matches(mask, topic) for mask in found.filters)), None)

    def _announce(self, batch: Batch, message: Message, read: Mapping[str, Heard]) -> None:
        decoder = self._decoder(message.topic)
        if decoder is None:
            self.counts[self._name, "unrouted"] += 1
            return
        key = (decoder.domain, message.topic)
        if self._payloads.get(key) == message.payload:
            return  # a broker repeats retained messages at every connect
        if decoder.process is not None:
            self._announce_read(batch, decoder, message, read.get(decoder.domain, Heard()))
            return
        try:
            if decoder.decode is not None:
                self._uplink(batch, decoder.domain, message, decoder.decode(message))
                return
            found = NOTHING if decoder.announce is None else decoder.announce(message)
        except DecodeError as error:
            self._complain(*key, error.reason)
            return
        except Exception as error:  # noqa: BLE001 - a plugin's fault is counted, shown and kept from the others
            self._complain(*key, f"fault in the integration: {type(error).__name__}")
            return
        self._announced(batch, key, message, found)

    def _announce_read(self, batch: Batch, decoder: Decoder, message: Message, heard: Heard) -> None:
        """Take what a process made of a message that announces, or names its device itself."""
        key = (decoder.domain, message.topic)
        for failure in heard.failures:
            self._complain(*key, failure)
        if heard.failures:
            return
        devices = announced(heard)
        if not decoder.uplinks:
            self._announced(batch, key, message, hub.sdk.Announcement(devices, heard.refused))
        elif devices:
            said: tuple[Sample | Vitals, ...] = (*self._samples(decoder.domain, message, heard), *heard.vitals)
            self._uplink(batch, decoder.domain, message, hub.sdk.Uplink(devices[0], said))

    def _announced(self, batch: Batch, key: tuple[str, str], message: Message, found: hub.sdk.Announcement) -> None:
        self.counts[key[0], "announced"] += 1
        for sentence in found.refused:
            self._complain(*key, sentence)
        self._payloads[key] = message.payload
        batch.entry.announcements.append(Announcement(*key, message.payload if found.devices else b""))
        self._apply(batch, key, self._registry.announce(*key, found.devices))

    def _uplink(self, batch: Batch, domain: str, message: Message, uplink: Uplink) -> None:
        """Know the device by its own message, and take what it said."""
        self.counts[domain, "decoded"] += 1
        key = (domain, f"{message.topic}{OF_DEVICE}{uplink.device.id}")
        if self._uplinked.get(key) != uplink.device:
            self._note_numbers(domain, message.topic, uplink.device)
            self._uplinked[key] = uplink.device
            batch.entry.announcements.append(Announcement(*key, message.payload))
            self._apply(batch, key, self._registry.announce(*key, (uplink.device,)))
        mine = {entity.id for entity in uplink.device.entities}
        for said in uplink.said:
            if isinstance(said, Vitals):
                self._registry.note_vitals(domain, said)
            elif said.entity in mine and self._registry.takes(domain, said):
                self._sense(batch, domain, said, message)
            else:
                self._complain(domain, message.topic, "fault in the integration: a value that is not its entity's")

    def _note_numbers(self, domain: str, topic: str, device: Device) -> None:
        others = (found for (of, key), found in self._uplinked.items() if of == domain and _topic(key) == topic)
        if only_numbers(device) and all(map(only_numbers, others)):
            self._numbers.add((domain, topic))
        else:
            self._numbers.discard((domain, topic))

    def _apply(self, batch: Batch, key: tuple[str, str], change: Change) -> None:
        for entity in change.refused:
            self._complain(*key, f"entity {entity} belongs to another device already")
        for entity in change.withdrawn:
            batch.feed(Reading(entity, None, Quality.UNKNOWN, batch.now))
        if self._line is not None:
            self._refusals.forget(change.unlisten)
            self._line.unsubscribe(change.unlisten)
            self._line.subscribe(change.listen)

    def _sense(self, batch: Batch, integration: str, sample: Sample, message: Message) -> None:
        if isinstance(sample.value, float) and not self._quota.allows(sample.entity, batch.now):
            self.counts[integration, "shed"] += 1
            return
        prior = batch.state.states.get(sample.entity, NEVER_HEARD)
        if sample.value is None and not message.retained:
            if sample.quality is Quality.STALE and prior.quality is Quality.GOOD:
                self._offline.add(sample.entity)
            elif sample.quality is Quality.GOOD and sample.entity not in self._offline:
                return  # "online" gives trust back to what was trusted before "offline", to nothing else
        known = sample.entity in self._unconfirmed or sample.entity in self._missed
        reading = judge(prior, sample, retained=message.retained, known=known, now=batch.now)
        if sample.quality is not Quality.GOOD or (reading is not None and reading.quality is not Quality.GOOD):
            self._known_no_more(sample.entity)  # the link's return does not confirm this
            if known and reading is None:
                batch.remember(sample.entity)
        if reading is None:
            return
        if reading.quality is Quality.GOOD:
            self._known_no_more(sample.entity)
            self._offline.discard(sample.entity)
        batch.feed(reading)

    def _known_no_more(self, entity: EntityId) -> None:
        self._unconfirmed.discard(entity)
        self._missed.discard(entity)

    def _complain(self, integration: str, topic: str, reason: str) -> None:
        """Count every bad message, log each kind of complaint once."""
        self.counts[integration, "refused"] += 1
        key = (integration, f"{topic}|{reason}")
        if key in self._complaints or len(self._complaints) >= COMPLAINTS:
            return
        self._complaints.add(key)
        log.warning("message.refused", integration=integration, topic=clean(topic), reason=clean(reason, 160))


def announced(heard: Heard) -> tuple[Device, ...]:
    """Return the devices of which a process told; their topics are read there."""
    found = []
    for told in heard.devices:
        device = Device(told.id, told.name, told.entities, ())
        read = _numbers_there if only_numbers(device) else _read_there
        routes = tuple(Route(topic, read) for topic in told.topics)
        found.append(msgspec.structs.replace(device, routes=routes))
    return tuple(found)


def only_numbers(device: Device) -> bool:
    """Tell whether nothing that a device says can be an alarm."""
    return all(entity.capability is Capability.MEASURE for entity in device.entities)


def _topic(key: str) -> str:
    return key.partition(OF_DEVICE)[0]


def _read_there(message: Message) -> tuple[Sample, ...]:
    raise DecodeError("it is read in a process of its own")


def _numbers_there(message: Message) -> tuple[Sample, ...]:
    """Do as ``_read_there``, for a device with nothing but numbers."""
    return _read_there(message)


def judge(prior: State, sample: Sample, *, retained: bool, known: bool, now: Instant) -> Reading | None:
    """Say how far a sample can be trusted; None when it says nothing new.

    A retained message is of unknown age: an alarm in it never counts as a fresh one, so it is stale. It confirms what
    was ``known`` live before the link was lost, and a calm value in it is believed.
    """
    quality = sample.quality
    if retained and sample.value is None and quality is Quality.GOOD:
        return None  # "online" says nothing about the value
    if (
        retained
        and quality is Quality.GOOD
        and sample.value in ACTIVE_VALUES
        and not (known and prior.value == sample.value)
    ):
        quality = Quality.STALE
    if (retained or sample.value is None) and quality is prior.quality and sample.value in {None, prior.value}:
        return None
    if retained and prior.quality is Quality.GOOD and quality is Quality.STALE and sample.value == prior.value:
        return None  # heard live already
    return Reading(sample.entity, sample.value, quality, now, sample.device_at, retained)


def matches(mask: str, topic: str) -> bool:
    """Tell whether an MQTT topic filter takes a topic (MQTT 3.1.1, 4.7)."""
    levels = topic.split("/")
    wanted = mask.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    for index, want in enumerate(wanted):
        if want == "#":
            return True
        if index >= len(levels) or want not in {"+", levels[index]}:
            return False
    return len(wanted) == len(levels)


def _unheard(_: Heard) -> None:
    """Leave what a process says to an announcement that was taken before."""
