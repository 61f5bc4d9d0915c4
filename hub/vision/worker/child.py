"""The inside of a camera worker: takes orders from the hub, runs a thread for each camera, says how they are."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hub.model.errors import DecodeError, ModelError
from hub.model.text import clean
from hub.vision.worker.camera import Camera
from hub.vision.worker.turn import Turn
from hub.vision.worker.wire import (
    Cut,
    Fetch,
    Fetched,
    List,
    Listed,
    Ping,
    Pong,
    Prove,
    Proved,
    Show,
    Shown,
    ToHub,
    Unwatch,
    WasCut,
    Watch,
    frame,
    to_worker,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.vision.detect.box import Detection, Detector
    from hub.vision.frame import Frame

#: Seconds between two reports of health; without a beat of a camera after which the process gives itself up.
REPORT, STUCK = 2.0, 45.0
#: Seconds in which a model must be ready: one is compiled anew on a weak box, and while other cameras go on.
PREPARED = 180.0
#: By how much the worker steps back (nice): the hub has nine times its weight (sched(7)), and is not made to wait for a
#: processor when cameras want more than there are. A tenth is enough to go on answering beside a machine that is full.
NICE = 10
#: Exit code of a process that gave itself up.
GAVE_UP = 3


def serve(connection: socket.socket) -> None:
    """Serve the hub at the other end until it is gone."""
    _Child(connection).run()


def step_back() -> None:
    """Let the hub go first."""
    os.nice(NICE)


class InTurn:
    """A detector that several cameras use, one after the other: their threads share one core anyway."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._lock = threading.Lock()

    def detect(self, frames: Sequence[Frame]) -> list[tuple[Detection, ...]]:
        """Look at frames when it is their turn. Raises ModelError."""
        with self._lock:
            return self._detector.detect(frames)


class _Child:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock, self._turn = threading.Lock(), Turn()
        self._cameras: dict[str, Camera] = {}
        self._detectors: dict[str, Detector] = {}
        self._wanted: dict[str, Watch] = {}
        self._preparing: dict[str, float] = {}
        self._one_by_one, self._starting = threading.Lock(), threading.Lock()

    def run(self) -> None:
        threading.Thread(target=self._report, name="health", daemon=True).start()
        orders = self._connection.makefile("rb")
        try:
            while (message := to_worker(orders)) is not None:
                if isinstance(message, Ping):
                    self._say(Pong())
                elif isinstance(message, Watch):
                    self._leave(message.camera)
                    self._watch(message)
                elif isinstance(message, Unwatch):
                    self._leave(message.camera)
                elif isinstance(message, Cut):
                    self._say(self._cut(message))
                elif isinstance(message, Show):
                    self._say(self._show(message))
                elif isinstance(message, List):
                    self._say(self._list(message))
                elif isinstance(message, Fetch):
                    self._say(self._fetch(message))
                elif isinstance(message, Prove):
                    self._say(self._prove(message))
        except (OSError, DecodeError):
            pass  # the hub is gone, and so is the reason to be here

    def _watch(self, watch: Watch) -> None:
        """Begin with a camera; where its model must be made ready first, what else is asked is answered meanwhile."""
        with self._starting:
            self._wanted[watch.camera], self._preparing[watch.camera] = watch, time.monotonic()
        if not watch.model or watch.model in self._detectors:
            self._begin(watch)
        else:
            threading.Thread(target=self._begin, args=(watch,), name=f"model {watch.camera}", daemon=True).start()

    def _begin(self, watch: Watch) -> None:
        detector, unmodelled = self._detector(watch)
        with self._starting:
            if self._wanted.get(watch.camera) is not watch:
                return  # it was told otherwise meanwhile
            del self._preparing[watch.camera]
            camera = self._cameras[watch.camera] = Camera(watch, self._say, self._turn, detector, unmodelled)
        camera.start()

    def _leave(self, name: str) -> None:
        with self._starting:
            self._wanted.pop(name, None)
            self._preparing.pop(name, None)
            camera = self._cameras.pop(name, None)
        if camera is not None:
            camera.stop()

    def _cut(self, cut: Cut) -> WasCut:
        camera = self._cameras.get(cut.camera)
        try:
            clip = camera.cut(cut.start, cut.end, Path(cut.path)) if camera is not None else None
        except (OSError, DecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            return WasCut(cut.id, reason=f"the clip cannot be written ({why})")
        return (
            WasCut(cut.id, reason="nothing is kept of that time")
            if clip is None
            else WasCut(cut.id, clip.start, clip.end)
        )

    def _show(self, show: Show) -> Shown:
        camera = self._cameras.get(show.camera)
        jpeg = camera.show(show) if camera is not None else None
        return Shown(show.id, reason="no picture yet") if jpeg is None else Shown(show.id, jpeg)

    def _list(self, wanted: List) -> Listed:
        camera = self._cameras.get(wanted.camera)
        connection, groups = camera.groups() if camera is not None else (0, ())
        return Listed(wanted.id, connection, groups) if groups else Listed(wanted.id, reason="nothing is kept yet")

    def _fetch(self, wanted: Fetch) -> Fetched:
        camera = self._cameras.get(wanted.camera)
        try:
            found = camera.group(wanted.number) if camera is not None else None
        except DecodeError as error:
            return Fetched(wanted.id, reason=str(error))
        if found is None:
            return Fetched(wanted.id, reason="nothing is kept of that time")
        return Fetched(wanted.id, *found)

    def _prove(self, wanted: Prove) -> Proved:
        camera = self._cameras.get(wanted.camera)
        found = camera.prove() if camera is not None else None
        return Proved(wanted.id, reason="no picture yet") if found is None else Proved(wanted.id, *found)

    def _detector(self, watch: Watch) -> tuple[Detector | None, str]:
        """Return the detector of a model, one for all cameras; without one also why a model cannot be used."""
        if not watch.model:
            return None, ""
        with self._one_by_one:
            if watch.model not in self._detectors:
                from hub.vision.detect.openvino import OpenVinoDetector

                try:
                    self._detectors[watch.model] = InTurn(OpenVinoDetector(Path(watch.model), Path(watch.data)))
                except ModelError as error:
                    return None, clean(str(error), 120)
                except OSError as error:
                    return None, f"its files cannot be read ({error.strerror})"
            return self._detectors[watch.model], ""

    def _report(self) -> None:
        while True:
            time.sleep(REPORT)
            cameras = list(self._cameras.values())
            now = time.monotonic()
            late = any(now - since > PREPARED for since in list(self._preparing.values()))
            if late or any(now - camera.beat > STUCK for camera in cameras):
                os._exit(GAVE_UP)  # a thread cannot be ended; a process can
            for camera in cameras:
                self._say(camera.health())

    def _say(self, message: ToHub) -> None:
        with self._lock:
            try:
                self._connection.sendall(frame(message))
            except OSError:
                os._exit(0)  # the hub is gone
