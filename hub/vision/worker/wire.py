"""What the hub and a camera worker say to each other: MessagePack, each message with its length before it."""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import Annotated, BinaryIO

import msgspec

from hub.model.errors import DecodeError
from hub.model.site import Decode
from hub.model.text import clean
from hub.vision.detect.box import Kind
from hub.vision.falling.calibration import Facade
from hub.vision.falling.event import Floor, Severity
from hub.vision.health import Picture
from hub.vision.lane.event import LaneEvent, Presence
from hub.vision.lane.place import Box
from hub.vision.lift.watch import LiftNow
from hub.vision.sighting.record import Sighting

#: Largest message in bytes: the saved state of a lane with some hundred stays.
MAX_FRAME = 16 * 1024 * 1024
#: The length before each message.
LENGTH = struct.Struct(">I")


_Part = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Lane(msgspec.Struct, frozen=True):
    """A fire lane in a camera's picture; ``state`` is what an earlier worker saved of it."""

    name: str
    polygon: Annotated[tuple[tuple[_Part, _Part], ...], msgspec.Meta(min_length=3, max_length=64)]
    state: bytes = b""


class LaneNow(msgspec.Struct, frozen=True):
    """What a lane is now. ``presence`` is None until it has been judged; ``boxes`` are those of what stands there."""

    name: str
    presence: Presence | None = None
    since: float = 0.0
    """When the first of what stands there came to a stand, in seconds since 1970; 0 where nothing does."""
    confidence: float = 0.0
    boxes: tuple[Box, ...] = ()


class Falls(msgspec.Struct, frozen=True):
    """A facade along which things may fall; without a calibration they are noticed, not located."""

    name: str
    facade: Facade | None = None


class Lift(msgspec.Struct, frozen=True):
    """The floor of a lift car in a camera's picture; ``knows`` is what the model's card lists."""

    name: str
    polygon: Annotated[tuple[tuple[_Part, _Part], ...], msgspec.Meta(min_length=3, max_length=64)]
    knows: tuple[Kind, ...] = ()


class Watch(msgspec.Struct, frozen=True, tag=True):
    """Hub → worker: watch a camera. ``url`` holds the password and is said nowhere else."""

    camera: str
    url: str
    policy: Decode = Decode.KEY
    lanes: tuple[Lane, ...] = ()
    falls: Falls | None = None
    lift: Lift | None = None
    ring_s: Annotated[float, msgspec.Meta(ge=5, le=600)] = 60.0
    model: str = ""
    """Folder of a detector's model, or empty."""
    data: str = ""
    """The data folder, for compiled models."""
    days: bytes = b""
    """The pictures of the last days (hub.vision.daily), as an earlier worker handed them out."""
    utc_s: int = 0
    """Seconds that clocks there are ahead of UTC."""


class Unwatch(msgspec.Struct, frozen=True, tag=True):
    """Hub → worker: leave a camera."""

    camera: str


class Cut(msgspec.Struct, frozen=True, tag=True):
    """Hub → worker: write the clip of these times (seconds since 1970) into a file."""

    id: int
    camera: str
    start: float
    end: float
    path: str


class Show(msgspec.Struct, frozen=True, tag=True):
    """Hub → worker: the last picture as JPEG with its lanes, boxes and time drawn into it.

    ``public`` makes it small and hides number plates; ``utc_s`` are the seconds that clocks there are ahead of UTC.
    ``plain`` draws nothing but the time.
    """

    id: int
    camera: str
    public: bool = False
    utc_s: int = 0
    plain: bool = False


class List(msgspec.Struct, frozen=True, tag=True):
    """Hub → worker: which groups of pictures of a camera are kept whole, for somebody who looks on."""

    id: int
    camera: str


class Fetch(msgspec.Struct, frozen=True, tag=True):
    """Hub → worker: one of these groups as fragmented MP4."""

    id: int
    camera: str
    number: int


class Prove(msgspec.Struct, frozen=True, tag=True):
    """Hub → worker: is the test card (hub.vision.testcard) in a camera's last picture?"""

    id: int
    camera: str


class Ping(msgspec.Struct, frozen=True, tag=True):
    """Hub → worker: are you there?"""


#: How a reason begins that lies with the hub itself: a fault in looking, not in the camera.
FAULT = "its pictures cannot be looked at"


class Link(StrEnum):
    """How a camera's stream is."""

    CONNECTING = "connecting"
    STREAMING = "streaming"
    LOST = "lost"
    REFUSED = "refused"
    """User or password are wrong, or there is no such stream: a person must act."""


class Health(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub, every two seconds: a camera's numbers since it is watched; ``reason`` is safe to show."""

    camera: str
    link: Link
    reason: str = ""
    fps: float = 0.0
    """Pictures per second of the stream's last 10 s."""
    packets: int = 0
    decoded: int = 0
    garbage: int = 0
    """Pictures and packets that could not be read."""
    jumps: int = 0
    """Jumps of the stream's time."""
    connections: int = 0
    ring_bytes: int = 0
    lag_s: float = 0.0
    """Seconds between a picture's time and now, when it was looked at last."""
    skipped: int = 0
    """Pictures that were not looked at as there was no time."""
    picture: Picture | None = None
    lanes: tuple[LaneNow, ...] = ()
    usual_fps: float = 0.0
    """Pictures a second that used to come, where there have been too few for some time; else 0."""
    ahead_s: float | None = None
    """Seconds that the camera's clock is ahead of ours (late: less than 0), where it is wrong; else None."""
    slowly: Picture | None = None
    """What has become wrong over days; None while nothing has."""
    unread_s: float = 0.0
    """Seconds for which nothing could be read though packets came; 0 where that is not worth a word."""
    missed: float = 0.0
    """Part of the pictures of the last seconds for which there was no time, from 0 to 1."""
    unruly: bool = False
    """Whether the stream's time jumps again and again."""
    width: int = 0
    height: int = 0
    """Pixels of the last picture; 0 while there is none."""
    unmodelled: str = ""
    """Why the model that should look at its pictures cannot; empty where it can, or none should."""


class Seen(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: a lane of a camera has changed; ``state`` outlives this worker."""

    camera: str
    lane: str
    event: LaneEvent
    now: LaneNow
    state: bytes


class Kept(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: what the next worker must know of a lane in which nothing has changed."""

    camera: str
    lane: str
    state: bytes


class Days(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: the pictures of the last days, for the next worker."""

    camera: str
    state: bytes


class Fell(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: something fell. Times in seconds since 1970, ``drop`` in metres."""

    camera: str
    name: str
    released: float
    decided: float
    severity: Severity
    confidence: float
    drop: float
    floor: Floor | None = None
    jpeg: bytes = b""
    """The picture of the decision, with the track drawn from the window down."""


class Carried(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: what is in a lift car: where it changed with a small picture, for review; and every minute."""

    camera: str
    name: str
    now: LiftNow
    jpeg: bytes = b""


class Passed(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: something has passed a camera, and has gone."""

    camera: str
    what: Sighting


class WasCut(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: what became of a Cut: from when until when, or why not."""

    id: int
    start: float = 0.0
    end: float = 0.0
    reason: str = ""


class Shown(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: the picture of a Show, or why there is none."""

    id: int
    jpeg: bytes = b""
    reason: str = ""


class Group(msgspec.Struct, frozen=True):
    """A key frame and what hangs on it: ``at`` in seconds since 1970, and how many it lasts."""

    number: int
    at: float
    seconds: float


class Listed(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: the answer to a List, oldest first; ``connection`` counts the streams opened, all are of one."""

    id: int
    connection: int = 0
    groups: tuple[Group, ...] = ()
    reason: str = ""


class Fetched(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: the answer to a Fetch: initialization section and segment (hub.vision.worker.live)."""

    id: int
    begin: bytes = b""
    segment: bytes = b""
    reason: str = ""


class Proved(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: the answer to a Prove: when the picture was taken (seconds since 1970), and where the card is."""

    id: int
    at: float = 0.0
    box: Box | None = None
    reason: str = ""


class Pong(msgspec.Struct, frozen=True, tag=True):
    """Worker → hub: here."""


ToWorker = Watch | Unwatch | Cut | Show | List | Fetch | Prove | Ping
ToHub = Health | Seen | Kept | Days | Fell | Carried | Passed | WasCut | Shown | Listed | Fetched | Proved | Pong

_ENCODER = msgspec.msgpack.Encoder()
_TO_WORKER: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_TO_HUB: msgspec.msgpack.Decoder[ToHub] = msgspec.msgpack.Decoder(ToHub)


def frame(message: ToWorker | ToHub) -> bytes:
    """Return a message with its length. Raises DecodeError for one that is too long."""
    body = _ENCODER.encode(message)
    if len(body) > MAX_FRAME:
        raise DecodeError(f"a message of {len(body)} bytes")
    return LENGTH.pack(len(body)) + body


def length(head: bytes) -> int:
    """Read the length of the next message. Raises DecodeError."""
    (found,) = LENGTH.unpack(head)
    if found > MAX_FRAME:
        raise DecodeError(f"a message of {found} bytes")
    return int(found)


def to_worker(file: BinaryIO) -> ToWorker | None:
    """Wait for the next message of the hub; None when it is gone. Raises DecodeError."""
    head = file.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    try:
        return _TO_WORKER.decode(file.read(length(head)))
    except msgspec.MsgspecError as error:
        raise DecodeError(f"nonsense: {clean(str(error), 120)}") from None


def to_hub(body: bytes) -> ToHub:
    """Read what a worker sent. Raises DecodeError."""
    try:
        return _TO_HUB.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DecodeError(f"nonsense: {clean(str(error), 120)}") from None
