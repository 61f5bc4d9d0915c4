"""What the hub and a plugin's process say to each other: MessagePack frames, each with its length before it."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Literal

import msgspec

from hub.model.errors import BadCredentials, DeviceError, HubError, Unreachable, Unsupported
from hub.model.ids import EntityId
from hub.model.reading import Entity, Quality, value_from_store
from hub.model.text import Text, clean
from hub.model.time import Instant
from hub.sdk import Message, Push, PushAnswer, Sample, Vitals

#: Largest frame in bytes: a picture of 16 MiB (hub.sdk.http) and what stands around it.
MAX_FRAME = 17 * 1024 * 1024
_LENGTH = struct.Struct(">I")

Method = Literal["snapshot", "play", "hold", "tell"]
#: What a device can do, by the method that its driver offers.
METHODS: tuple[Method, ...] = ("snapshot", "play", "hold", "tell")


class WorkerError(HubError):
    """A plugin's process broke the rules of the wire, or ended."""


class Open(msgspec.Struct, frozen=True, tag=True):
    """Hub → process, first: which device to open. Secrets are in place."""

    domain: str
    name: str
    """Empty: the decoder of the integration's messages instead of a device."""
    values: dict[str, Any]
    site: str
    data: str
    include: str
    """The site's folder of integrations, or empty."""


class Call(msgspec.Struct, frozen=True, tag=True):
    """Hub → process: command an entity."""

    id: int
    entity: EntityId
    method: Method
    body: bytes = b""
    """Arguments as MessagePack."""


class Pushed(msgspec.Struct, frozen=True, tag=True):
    """Hub → process: an HTTP push for the device."""

    id: int
    push: Push


class Read(msgspec.Struct, frozen=True, tag=True):
    """Hub → process: what does this message say?"""

    id: int
    message: Message
    routed: bool
    """It came on a topic that a device was announced for; else it announces, or is an uplink."""


class Taken(msgspec.Struct, frozen=True, tag=True):
    """Hub → process: a report is committed."""

    id: int


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Hub → process: nobody waits for a Call any more; stop it."""

    id: int


class Ping(msgspec.Struct, frozen=True, tag=True):
    """Hub → process: are you there?"""


class Close(msgspec.Struct, frozen=True, tag=True):
    """Hub → process: end."""


class Brought(msgspec.Struct, frozen=True):
    """One entity and what it can do."""

    entity: Entity
    methods: tuple[Method, ...] = ()


class Opened(msgspec.Struct, frozen=True, tag=True):
    """Process → hub: the device is open."""

    equipment: tuple[Brought, ...]
    runs: bool
    receives: bool
    filters: tuple[str, ...] = ()
    """What a decoder reads."""
    uplinks: bool = False
    """Whether these messages name their device themselves."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Process → hub: opening or running ended with an error."""

    kind: str
    reason: str


class Said(msgspec.Struct, frozen=True):
    """A sample, its value as the journal stores it."""

    entity: EntityId
    value: str | float | None
    quality: Quality
    device_at: Instant | None


class Told(msgspec.Struct, frozen=True):
    """A device that a message announced, with the topics on which it will speak."""

    id: str
    name: Text
    entities: tuple[Entity, ...]
    topics: tuple[str, ...] = ()


class Heard(msgspec.Struct, frozen=True):
    """Process → hub, inside an Answered: what a message said."""

    devices: tuple[Told, ...] = ()
    samples: tuple[Said, ...] = ()
    vitals: tuple[Vitals, ...] = ()
    refused: tuple[str, ...] = ()
    """Parts that could not be used."""
    failures: tuple[str, ...] = ()
    """Why the message, or a reading of it, could not be used at all."""


class Reported(msgspec.Struct, frozen=True, tag=True):
    """Process → hub: what the device said."""

    id: int
    samples: tuple[Said, ...]
    vitals: tuple[Vitals, ...] = ()


class Answered(msgspec.Struct, frozen=True, tag=True):
    """Process → hub: what became of a Call or Pushed."""

    id: int
    body: bytes = b""
    failed: Failed | None = None


class Pong(msgspec.Struct, frozen=True, tag=True):
    """Process → hub: here."""


ToWorker = Open | Call | Pushed | Read | Cancel | Taken | Ping | Close
ToHub = Opened | Failed | Reported | Answered | Pong

_ENCODER = msgspec.msgpack.Encoder()
_TO_WORKER: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_TO_HUB: msgspec.msgpack.Decoder[ToHub] = msgspec.msgpack.Decoder(ToHub)
_KINDS: dict[str, type[DeviceError]] = {
    kind.__name__: kind for kind in (DeviceError, Unreachable, BadCredentials, Unsupported)
}


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Return the next frame. Raises WorkerError when the other side is gone or sends too much at once."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_FRAME:
            raise WorkerError(f"a frame of {length} bytes")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError):
        raise WorkerError("the connection ended") from None


def write_frame(writer: asyncio.StreamWriter, message: ToWorker | ToHub) -> None:
    """Send one message."""
    body = _ENCODER.encode(message)
    if len(body) > MAX_FRAME:
        raise WorkerError(f"a frame of {len(body)} bytes")
    writer.write(_LENGTH.pack(len(body)) + body)


def to_worker(frame: bytes) -> ToWorker:
    """Read what the hub sent."""
    return _TO_WORKER.decode(frame)


def to_hub(frame: bytes) -> ToHub:
    """Read what a plugin's process sent. Raises WorkerError for anything that is not in this file."""
    try:
        return _TO_HUB.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WorkerError(f"nonsense: {clean(str(error), 120)}") from None


def said(sample: Sample) -> Said:
    """Turn a sample into what goes over the wire."""
    value = sample.value
    return Said(sample.entity, str(value) if isinstance(value, str) else value, sample.quality, sample.device_at)


def sample(from_wire: Said) -> Sample:
    """Turn it back. Raises WorkerError for a word that is no value."""
    try:
        value = value_from_store(from_wire.value)
    except KeyError:
        raise WorkerError(f"`{clean(str(from_wire.value), 40)}` is no value") from None
    return Sample(from_wire.entity, value, from_wire.quality, from_wire.device_at)


def failure(error: BaseException) -> Failed:
    """Turn an error into what goes over the wire."""
    if isinstance(error, DeviceError):
        kind = next(name for name, known in reversed(_KINDS.items()) if isinstance(error, known))
        return Failed(kind, clean(error.reason, 200))
    return Failed("", clean(f"{type(error).__name__}: {error}", 200))


def error(failed: Failed) -> HubError:
    """Turn it back: a DeviceError of its kind, or a WorkerError for a fault of the plugin."""
    kind = _KINDS.get(failed.kind)
    reason = clean(failed.reason, 200)
    return WorkerError(reason) if kind is None else kind(reason)


def encode(*arguments: Any) -> bytes:
    """Pack the arguments of a call."""
    return _ENCODER.encode(arguments)


def heard(body: bytes) -> Heard:
    """Unpack what a message said. Raises WorkerError."""
    try:
        return msgspec.msgpack.decode(body, type=Heard)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WorkerError(f"nonsense: {clean(str(error), 120)}") from None


def decode_answer(body: bytes) -> PushAnswer:
    """Unpack the answer to a push. Raises WorkerError."""
    try:
        return msgspec.msgpack.decode(body, type=PushAnswer)
    except msgspec.MsgspecError as error:
        raise WorkerError(f"nonsense: {clean(str(error), 120)}") from None
