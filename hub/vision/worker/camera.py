"""One camera in a worker: a thread that reads the stream, keeps it, decodes what the policy says and looks at it."""

from __future__ import annotations

import threading
import time
import traceback
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from hub.model.errors import DecodeError, DeviceError, ModelError
from hub.model.site import Decode
from hub.model.text import clean
from hub.vision.daily import DailyReference
from hub.vision.falling.detector import FallDetector
from hub.vision.falling.drawing import draw_track
from hub.vision.falling.event import Fall
from hub.vision.frame import Frame, shrink
from hub.vision.health import CameraHealth
from hub.vision.lane.event import Presence
from hub.vision.lane.grid import HEIGHT, WIDTH, analysed
from hub.vision.lane.region import box
from hub.vision.lane.watch import LaneWatch
from hub.vision.lift.floor import EMPTY
from hub.vision.lift.watch import LiftWatch
from hub.vision.overlay import drawn, hide_plates, to_jpeg
from hub.vision.sighting.watch import SightingWatch
from hub.vision.testcard import find
from hub.vision.worker.clock import StreamClock
from hub.vision.worker.load import Load
from hub.vision.worker.pace import Pace
from hub.vision.worker.ring import Clip, Ring
from hub.vision.worker.sender import SenderClock
from hub.vision.worker.stream import opened
from hub.vision.worker.turn import Turn
from hub.vision.worker.unread import Unread
from hub.vision.worker.wire import (
    FAULT,
    Carried,
    Days,
    Fell,
    Group,
    Health,
    Kept,
    LaneNow,
    Link,
    Passed,
    Seen,
    Show,
    ToHub,
    Watch,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from hub.vision.detect.box import Detection, Detector
    from hub.vision.lane.place import Box

#: Seconds until the first new attempt, and the most of them.
FIRST, MOST = 1.0, 60.0
#: Seconds of full decoding after a change, under the adaptive policy.
AWAKE = 20.0
#: A picture that is so many seconds old when its turn comes is skipped, and so is all that hangs on it, until a key
#: frame is fresh again: what waits is only read, not decoded, and so no queue grows.
STALE, FRESH = 3.0, 1.0
#: Seconds that a packet was waited for, so that it is the newest there is, whatever its time stamp says.
WAITED = 0.01
#: Largest packet in bytes: a key frame of 8K.
MAX_PACKET = 16 * 1024 * 1024
#: Seconds between two times that the state of a lane is handed out, where nothing happens in it.
KEEP = 60.0
#: Width in pixels of a picture shown to staff, and to everybody.
STAFF, PUBLIC = 1280, 640
#: Width in pixels of a picture that is kept for review; of one that thumbnails are cut from.
REVIEW, PORTRAIT = 640, 960


class Camera(threading.Thread):
    """Reads until told to stop; whatever the stream does, it connects again, ever more slowly."""

    def __init__(
        self,
        watch: Watch,
        say: Callable[[ToHub], None],
        turn: Turn,
        detector: Detector | None = None,
        unmodelled: str = "",
    ) -> None:
        """``turn`` is that of all cameras of the process; ``unmodelled`` says why there is no detector."""
        super().__init__(name=f"camera {watch.camera}", daemon=True)
        self._watch = watch
        self._say = say
        self._turn = turn if watch.falls is None else nullcontext()  # it would lose pictures while it waits
        self._detector, self._unmodelled = detector, unmodelled
        self._over = threading.Event()
        self._lanes = {lane.name: _lane(lane.polygon, lane.state) for lane in watch.lanes}
        self._picture, self._daily = CameraHealth(), DailyReference(watch.utc_s, watch.days)
        self._clock = StreamClock()
        self._ring: Ring | None = None
        self._lock = threading.Lock()
        self._link, self._reason = Link.CONNECTING, ""
        self._packets = self._decoded = self._garbage = self._connections = self._skipped = 0
        self._saved: dict[str, float] = {}
        self._last: tuple[VideoFrame, float] | None = None
        self._facade = FallDetector(watch.falls.facade) if watch.falls is not None else None
        lift = watch.lift
        self._lift = (
            None if lift is None else LiftWatch(lift.polygon, frozenset(lift.knows) if detector else frozenset())
        )
        self._passing = SightingWatch()
        self._seen: tuple[float, Sequence[Detection] | None] = (0.0, None)
        self._lag, self._awake_until = 0.0, 0.0
        self._pace, self._sender, self._load = Pace(), SenderClock(), Load()
        self._unread = Unread(time.monotonic())
        self.beat = time.monotonic()
        """When it last showed that it is not stuck, in seconds of the monotonic clock."""

    def run(self) -> None:
        """Watch until stopped."""
        wait = FIRST
        while not self._over.is_set():
            before = self._packets
            try:
                with opened(self._watch.url) as (container, stream):
                    self._read(container.demux(stream), stream)
                self._lost(Link.LOST, "the stream ended")
            except DeviceError as error:
                self._lost(Link.LOST if error.retry else Link.REFUSED, error.reason)
            except Exception as error:  # noqa: BLE001 - one camera's fault is told, and kept from the others beside it
                where = traceback.extract_tb(error.__traceback__)[-1].name
                self._lost(Link.LOST, f"{FAULT}: {type(error).__name__} in {where}")
            for sighting in self._passing.end():
                self._say(Passed(self._watch.camera, sighting))
            wait = FIRST if self._packets > before + 100 else min(MOST, wait * 2)
            self._pause(wait)

    def stop(self) -> None:
        """Ask it to end; a read under way may last its time-out."""
        self._over.set()

    def health(self) -> Health:
        """Return its numbers."""
        ring, last, now = self._ring, self._last, time.time()
        return Health(
            self._watch.camera,
            self._link,
            self._reason,
            self._pace.rate(now),
            self._packets,
            self._decoded,
            self._garbage,
            self._clock.jumps,
            self._connections,
            ring.size if ring is not None else 0,
            self._lag,
            self._skipped,
            self._picture.state,
            tuple(_now(name, lane) for name, lane in self._lanes.items()),
            self._pace.usual if self._pace.slow else 0.0,
            self._sender.ahead if self._sender.wrong else None,
            self._daily.slowly,
            self._unread.seconds,
            self._load.missed(now),
            self._clock.unruly(now),
            *((0, 0) if last is None else (last[0].width, last[0].height)),
            self._unmodelled,
        )

    def show(self, show: Show) -> bytes | None:
        """Return the last picture with what is seen in it, as JPEG; None while there is none."""
        if self._last is None:
            return None
        picture, at = self._last
        local = datetime.fromtimestamp(at + show.utc_s, UTC)
        wide = min(picture.width, PUBLIC if show.public else STAFF)
        image = _rgb(picture, wide)
        boxes = [box(stay.thing) for lane in self._lanes.values() for stay in lane.stays]
        if show.public:
            hide_plates(image, boxes)
        lanes = [lane.polygon for lane in self._watch.lanes]
        shapes = ([], []) if show.plain else (lanes, boxes)
        return to_jpeg(drawn(image, *shapes, f"{local:%Y-%m-%d %H:%M:%S}"))

    def prove(self) -> tuple[float, Box | None] | None:
        """Return when the last picture was taken and where a test card is in it; None while there is none."""
        if self._last is None:
            return None
        picture, at = self._last
        return at, find(_luma(picture))

    def cut(self, start: float, end: float, path: Path) -> Clip | None:
        """Write a clip from the ring. Raises OSError."""
        with self._lock:
            return self._ring.clip(start, end, path) if self._ring is not None else None

    def groups(self) -> tuple[int, tuple[Group, ...]]:
        """Return the number of the connection and its groups that are kept whole."""
        with self._lock:
            return self._connections, tuple(self._ring.groups()) if self._ring is not None else ()

    def group(self, number: int) -> tuple[bytes, bytes] | None:
        """Return one of them for a browser; None where it is not kept. Raises DecodeError."""
        with self._lock:
            return self._ring.group(number) if self._ring is not None else None

    def _read(self, packets: Iterator[Packet[VideoStream]], stream: VideoStream) -> None:
        with self._lock:
            if self._ring is None or not self._ring.resume(stream):  # what was kept outlives a plug that is pulled
                self._ring = Ring(stream, self._watch.ring_s, self._ring.next if self._ring is not None else 1)
        self._clock.reconnected()
        self._pace, self._sender = Pace(), SenderClock()
        self._unread = Unread(time.monotonic())
        self._connections += 1
        waits_for_key, behind = True, False
        asked = time.monotonic()
        for packet in packets:
            self.beat = time.monotonic()
            newest = self.beat - asked > WAITED
            if self._over.is_set():
                return
            if not 0 < packet.size <= MAX_PACKET:
                continue
            self._link, self._reason = Link.STREAMING, ""
            now = time.time()
            at = self._clock.at(_seconds(packet), now)
            self._packets += 1
            self._pace.add(at)
            self._sender.add(packet, now)
            with self._lock:
                self._ring.add(packet, at)
            self._unread.came(self.beat)
            old = 0.0 if newest else now - at
            behind = not (packet.is_keyframe and old < FRESH) if behind else old > STALE
            if not self._wants(packet, at):
                waits_for_key = True
            elif behind:
                waits_for_key = True
                self._skip(now)
            elif packet.is_keyframe or not waits_for_key:
                with self._turn:
                    waits_for_key = not self._decode(packet, stream, at, time.time())
            asked = time.monotonic()

    def _wants(self, packet: Packet[VideoStream], at: float) -> bool:
        """Say whether the policy asks for this picture."""
        awake = self._watch.policy is Decode.ADAPTIVE and at < self._awake_until
        return packet.is_keyframe or awake or self._watch.policy is Decode.FULL

    def _skip(self, now: float) -> None:
        """Leave out a picture, as there is no time for it."""
        self._skipped += 1
        self._load.add(now, looked=False)
        self._unread.read(self.beat)

    def _decode(self, packet: Packet[VideoStream], stream: VideoStream, at: float, now: float) -> bool:
        """Decode and look; False where the picture could not be read, and the next key frame must be waited for."""
        try:
            if self._watch.policy is Decode.KEY:
                stream.codec_context.flush_buffers()  # nothing is between two key frames
            pictures = stream.codec_context.decode(packet)
            if self._watch.policy is Decode.KEY:
                pictures += stream.codec_context.decode(None)
        except av.error.FFmpegError:
            self._garbage += 1
            self._unread.failed()
            return False
        if not pictures:
            self._unread.failed()
        for picture in pictures:
            if picture.is_corrupt or picture.width * picture.height == 0:
                self._garbage += 1
                self._unread.failed()
                continue
            self._decoded += 1
            self._load.add(now, looked=True)
            self._unread.read(self.beat)
            self._lag = max(0.0, now - at)
            self._look(picture, at)
        return True

    def _look(self, picture: VideoFrame, at: float) -> None:
        """Let everything that wants this picture see it."""
        self._last = picture, at
        if self._facade is not None:
            self._look_for_falls(self._facade, picture, at)
        wanting = {name: lane for name, lane in self._lanes.items() if lane.wants(at)}
        others = (self._picture, self._passing, self._lift)
        if wanting or any(one is not None and one.wants(at) for one in others):
            self._look_closely(picture, at, wanting)

    def _look_closely(self, picture: VideoFrame, at: float, wanting: dict[str, LaneWatch]) -> None:
        """Let those see it who do not want every picture."""
        frame = Frame(analysed(picture), at)
        if self._picture.see(frame) is not None:
            self._awake_until = at + AWAKE
        if self._daily.wants(at):
            self._look_at_day(at)
        if self._lift is not None and self._lift.wants(at):
            self._look_into_lift(self._lift, frame, picture)
        if self._passing.wants(at):
            self._look_for_passers(frame, picture)
        if not wanting:
            return
        found = self._detect(picture, at)
        for name, lane in wanting.items():
            events = lane.see(frame, found)
            if not events:
                self._keep(name, lane, at)
                continue
            if any(event.presence is not Presence.ABSENT for event in events):
                self._awake_until = at + AWAKE
            state, self._saved[name] = lane.save(), at
            for event in events:
                self._say(Seen(self._watch.camera, name, event, _now(name, lane), state))

    def _keep(self, name: str, lane: LaneWatch, at: float) -> None:
        """Hand out now and then what the next worker must know, as light and place change while nothing happens."""
        if at > self._saved.setdefault(name, at) + KEEP:
            self._saved[name] = at
            self._say(Kept(self._watch.camera, name, lane.save()))

    def _look_at_day(self, at: float) -> None:
        """Compare a calm picture of the day with those of the days before, and hand out what must be kept."""
        calm = self._picture.calm
        kept = None if calm is None else self._daily.see(calm, at)
        if kept is not None:
            self._say(Days(self._watch.camera, kept))

    def _look_into_lift(self, lift: LiftWatch, frame: Frame, picture: VideoFrame) -> None:
        """Look at the car; a covered floor is looked at in every picture until it is free again."""
        assert self._watch.lift is not None  # noqa: S101 - there is a watch as there is an order
        changed = lift.see(frame, self._detect(picture, frame.at))
        if lift.now.covered > EMPTY or lift.now.ebike:
            self._awake_until = frame.at + AWAKE
        name = self._watch.lift.name
        if changed is not None or frame.at > self._saved.get(name, 0.0) + KEEP:
            self._saved[name] = frame.at
            jpeg = to_jpeg(_rgb(picture, REVIEW)) if changed is not None else b""
            self._say(Carried(self._watch.camera, name, lift.now, jpeg))

    def _look_for_passers(self, frame: Frame, picture: VideoFrame) -> None:
        at, luma = frame.at, shrink(frame.luma, WIDTH, HEIGHT)
        gone = self._passing.see(
            luma, at, lambda: _rgb(picture, PORTRAIT), lambda: self._detect(picture, at), _hues(picture)
        )
        for sighting in gone:
            self._say(Passed(self._watch.camera, sighting))

    def _look_for_falls(self, detector: FallDetector, picture: VideoFrame, at: float) -> None:
        luma = _luma(picture)
        try:
            found = detector.step(luma, at)
        except DecodeError:
            self._garbage += 1
            return
        watch = self._watch
        for fall in found:
            if isinstance(fall, Fall) and watch.falls is not None:
                self._say(
                    Fell(
                        watch.camera,
                        watch.falls.name,
                        fall.released,
                        fall.decided,
                        fall.severity,
                        fall.confidence,
                        fall.drop,
                        fall.floor,
                        to_jpeg(draw_track(luma, fall.track)),
                    )
                )

    def _detect(self, picture: VideoFrame, at: float) -> Sequence[Detection] | None:
        """Ask the model, once for each picture; None without one."""
        if self._detector is None:
            return None
        if self._seen[0] != at:
            try:
                self._seen = at, self._detector.detect((Frame(_pixels(picture, "bgr24"), at),))[0]
                self._unmodelled = ""
            except ModelError as error:
                self._seen, self._unmodelled = (at, None), clean(str(error), 120)
        return self._seen[1]

    def _lost(self, link: Link, reason: str) -> None:
        self._link, self._reason = link, clean(reason, 120)

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._over.is_set() and time.monotonic() < end:
            self.beat = time.monotonic()
            self._over.wait(1.0)


def _lane(polygon: tuple[tuple[float, float], ...], state: bytes) -> LaneWatch:
    lane = LaneWatch(polygon)
    if state:
        try:
            lane.restore(state)
        except DecodeError:
            return LaneWatch(polygon)  # an older format: learned anew
    return lane


def _now(name: str, lane: LaneWatch) -> LaneNow:
    stays = lane.stays
    if not stays:
        return LaneNow(name, lane.presence)
    first = min(stays, key=lambda stay: stay.since)
    return LaneNow(name, lane.presence, first.since, first.confidence, tuple(box(stay.thing) for stay in stays))


def _rgb(picture: VideoFrame, wide: int) -> npt.NDArray[np.uint8]:
    """Return a picture as RGB, at most this wide."""
    wide = min(wide, picture.width) // 2 * 2
    size = picture.reformat(width=wide, height=round(wide * picture.height / picture.width / 2) * 2, format="rgb24")
    return np.asarray(size.to_ndarray(), dtype=np.uint8)


def _hues(picture: VideoFrame) -> npt.NDArray[np.float32] | None:
    """Return U and V in half the analysed size, single pixels as they were decoded; None where they have no planes."""
    if picture.format.name not in {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p"}:
        return None
    found = np.empty((2, HEIGHT // 2, WIDTH // 2), dtype=np.float32)
    for into, plane in zip(found, picture.planes[1:], strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        down, across = (np.arange(size) * have // size for size, have in
                        ((HEIGHT // 2, plane.height), (WIDTH // 2, plane.width)))  # fmt: skip
        into[:] = rows[np.ix_(down, across)]
    return found


def _luma(picture: VideoFrame) -> npt.NDArray[np.uint8]:
    """Return the brightness as it was decoded, without converting where it lies in a plane of its own."""
    if picture.format.name not in {"yuv420p", "yuvj420p", "nv12", "yuv422p", "yuvj422p"}:
        return _pixels(picture, "gray")
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return np.ascontiguousarray(rows[:, : plane.width])


def _seconds(packet: Packet[VideoStream]) -> float | None:
    return None if packet.pts is None or packet.time_base is None else float(packet.pts * packet.time_base)


def _pixels(picture: VideoFrame, form: str) -> npt.NDArray[np.uint8]:
    return np.asarray(picture.to_ndarray(format=form), dtype=np.uint8)
