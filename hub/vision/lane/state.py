"""What a lane watch keeps over a restart: the reference and the stays, 60 kB for each picture."""

from __future__ import annotations

import msgspec
import numpy as np

from hub.model.errors import DecodeError
from hub.vision.frame import Grey, Mask
from hub.vision.lane.event import Reason
from hub.vision.lane.grid import COLUMNS, HEIGHT, ROWS, WIDTH
from hub.vision.lane.scene import Scene
from hub.vision.lane.stay import Stay
from hub.vision.lane.structure import structure

#: Counts changes of this format; another one is not read.
FORMAT = 1


class _Stay(msgspec.Struct, frozen=True):
    number: int
    since: float
    seen: float
    thing: bytes
    picture: bytes
    confidence: float
    reason: Reason


class _State(msgspec.Struct, frozen=True):
    format: int
    numbers: int
    picture: bytes
    known: bytes
    stays: tuple[_Stay, ...]


def save(scene: Scene, stays: tuple[Stay, ...], numbers: int) -> bytes:
    """Pack the state."""
    kept = tuple(
        _Stay(s.number, s.since, s.seen, _bits(s.thing), _levels(s.picture), s.confidence, s.reason) for s in stays
    )
    return msgspec.msgpack.encode(_State(FORMAT, numbers, _levels(scene.picture), _bits(scene.known), kept))


def restore(saved: bytes, scene: Scene) -> tuple[tuple[Stay, ...], int]:
    """Put the reference back and return the stays, and how many there have been. Raises DecodeError."""
    try:
        state = msgspec.msgpack.decode(saved, type=_State)
    except msgspec.MsgspecError as error:
        raise DecodeError(f"not the state of a lane: {error}") from None
    if state.format != FORMAT:
        raise DecodeError(f"state of a lane in format {state.format}, not {FORMAT}")
    stays = tuple(_stay(stay) for stay in state.stays)
    scene.recall(_picture(state.picture), _mask(state.known))
    return stays, state.numbers


def _stay(kept: _Stay) -> Stay:
    picture = _picture(kept.picture)
    thing = _mask(kept.thing)
    if not thing.any():
        raise DecodeError("a stay without a place")
    return Stay(
        kept.number,
        kept.since,
        kept.seen,
        thing,
        picture,
        structure(picture),
        kept.confidence,
        kept.reason,
        unsure=True,
    )


def _levels(picture: Grey) -> bytes:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8).tobytes()


def _bits(mask: Mask) -> bytes:
    return np.packbits(mask).tobytes()


def _picture(levels: bytes) -> Grey:
    if len(levels) != WIDTH * HEIGHT:
        raise DecodeError("a picture of another size")
    return np.frombuffer(levels, dtype=np.uint8).reshape(HEIGHT, WIDTH).astype(np.float32)


def _mask(bits: bytes) -> Mask:
    if len(bits) != ROWS * COLUMNS // 8:
        raise DecodeError("a mask of another size")
    return np.unpackbits(np.frombuffer(bits, dtype=np.uint8)).reshape(ROWS, COLUMNS).astype(np.bool_)
