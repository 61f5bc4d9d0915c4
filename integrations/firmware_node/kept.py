"""A roll-out on the disk: what was ordered, how far each node is, and the image. A restart of the hub ends none."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from firmware_bridge.files import write_whole
from firmware_bridge.image import MAX_IMAGE
from firmware_bridge.rollout import Rollout, Window
from hub.sdk import FirmwareImage, Unsupported

_STATE, _IMAGE = "rollout.json", "rollout.image"


class Plan(msgspec.Struct, frozen=True):
    """All of a roll-out but the image's bytes."""

    image: FirmwareImage
    by: str
    window: Window
    quiet_s: float
    rollout: Rollout


class Shelf:
    """The place of the last roll-out in a data folder; of two writings the later one stands, whichever thread wins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writing = threading.Lock()
        self._numbers = itertools.count()
        self._newest = -1

    def writing(self, plan: Plan) -> Callable[[], None]:
        """Return what keeps ``plan`` when it is called, in whatever thread. It raises OSError."""
        number, data = next(self._numbers), msgspec.json.encode(plan)

        def write() -> None:
            with self._writing:
                if number > self._newest:
                    write_whole(self.folder / _STATE, data)
                    self._newest = number

        return write

    def begin(self, plan: Plan, image: bytes) -> None:
        """Keep a new roll-out. Raises OSError."""
        with self._writing:
            write_whole(self.folder / _IMAGE, image)
        self.writing(plan)()

    def plan(self) -> Plan | None:
        """Return the last roll-out, None when there was none or somebody has damaged its file: it is written whole."""
        try:
            return msgspec.json.decode((self.folder / _STATE).read_bytes(), type=Plan)
        except (OSError, msgspec.DecodeError):
            return None

    def image(self) -> bytes:
        """Return its image. Raises Unsupported."""
        try:
            with (self.folder / _IMAGE).open("rb") as file:
                return file.read(MAX_IMAGE + 1)
        except OSError as error:
            raise Unsupported(f"{_IMAGE} cannot be read ({type(error).__name__})") from None
