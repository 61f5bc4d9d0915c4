"""One node gets a new image: upload that resumes, test, reset, watch, confirm; a revert is noticed (PROTOCOL.md, 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import msgspec

from firmware_bridge.errors import BadImage, NoAnswer, Refused, Reverted, UpdateFailed
from firmware_bridge.frame import HEADER, MAX_BODY, Group, Op
from firmware_bridge.image import Version, check_for
from firmware_bridge.messages import Health, ImageCommand, ImageState, NodeCommand, OsCommand, read

if TYPE_CHECKING:
    from firmware_bridge.image import Image
    from firmware_bridge.peer import Peer

#: Percent of battery below which nothing is begun.
LOW_BATTERY = 30
#: Bytes of an upload's map beside its data: keys, ``len``, ``sha``, counter and mac.
_OVERHEAD = 128
#: What a node is asked for that does not say how long a frame it takes, in bytes.
_SMALLEST_BUFFER = 256
#: Chunks in a row that bring an upload no further.
_STUCK = 8


class Phase(StrEnum):
    """How far an update is."""

    CHECK = "check"
    UPLOAD = "upload"
    TEST = "test"
    RESTART = "restart"
    WATCH = "watch"
    CONFIRM = "confirm"
    DONE = "done"


class Patience(msgspec.Struct, frozen=True):
    """How long an update waits, in seconds."""

    answer: float = 5.0
    """For the answer to one chunk."""
    back: float = 120.0
    """For a node that is gone or restarts."""
    quiet: float = 300.0
    """For which a new image must run well."""
    look: float = 5.0
    """Between two looks at a new image."""


Answer = TypeVar("Answer")
Tell = Callable[[Phase, float], None]


async def update(peer: Peer, image: Image, tell: Tell, patience: Patience | None = None) -> None:
    """Install ``image``; ``tell`` hears the phase and its share that is done, 0 to 1.

    Raises UpdateFailed when the node runs what it ran before, Reverted when it tried the image and went back.
    """
    waits = patience or Patience()
    tell(Phase.CHECK, 0)
    try:
        state = await _state(peer)
        running = state.active
        if running is not None and running.hash == image.digest:
            if not running.confirmed:  # an update that a restart of the hub had ended
                await _prove(peer, image, peer.record.boot, tell, waits)
            tell(Phase.DONE, 1)
            return
        _check(peer, image)
        if state.having(image.digest) is None:
            await _upload(peer, image, tell, waits)
        boot = await _restart(peer, image, tell, waits)
        await _prove(peer, image, boot, tell, waits)
    except (NoAnswer, Refused) as error:
        raise UpdateFailed(error.reason) from None
    tell(Phase.DONE, 1)


async def why_not(peer: Peer) -> str:
    """Return why no update may begin on this node now, or an empty text. Raises NoAnswer, Refused or BadFrame."""
    health = await _health(peer)
    if 0 <= health.bat < LOW_BATTERY:
        return f"battery at {health.bat} %"
    return "the node has an alarm" if health.alarm else ""


def _check(peer: Peer, image: Image) -> None:
    known = peer.record.security
    try:
        check_for(image, peer.record.model, None if known < 0 else known, Version.read(peer.record.version))
    except BadImage as error:
        raise UpdateFailed(error.reason) from None


async def _upload(peer: Peer, image: Image, tell: Tell, waits: Patience) -> None:
    """Send the image from where the node has it; begin again after it was gone. Raises UpdateFailed or NoAnswer."""
    size = await _chunk(peer, waits)
    while True:
        try:
            await _upload_on(peer, image, size, tell, waits)
        except NoAnswer:
            await _heard_again(peer, waits)
        else:
            return


async def _upload_on(peer: Peer, image: Image, size: int, tell: Tell, waits: Patience) -> None:
    data, at, stuck = image.data, 0, 0
    while True:
        chunk = data[at : at + size]
        body: dict[str, object] = {"off": at, "data": chunk}
        if at == 0:
            body |= {"image": 0, "len": len(data), "sha": image.sha}
        answer = await peer.request(Op.WRITE, Group.IMAGE, ImageCommand.UPLOAD, body, timeout=waits.answer)
        following = answer.get("off")
        if type(following) is not int or not 0 <= following <= len(data):
            raise UpdateFailed("the node asks for a part that the image does not have")
        stuck = 0 if following > at else stuck + 1
        if stuck > _STUCK:
            raise UpdateFailed("the upload comes no further")
        at = following
        tell(Phase.UPLOAD, at / len(data))
        if at == len(data):
            if answer.get("match") is False:
                raise UpdateFailed("what the node wrote is not the image: its flash may be worn")
            return


async def _chunk(peer: Peer, waits: Patience) -> int:
    """Return how many bytes of the image fit into a frame that the node takes."""
    try:
        said = await peer.request(Op.READ, Group.OS, OsCommand.PARAMETERS, timeout=waits.answer)
        buffer = said.get("buf_size")
    except Refused:
        buffer = None
    if type(buffer) is not int or buffer < _SMALLEST_BUFFER:
        buffer = _SMALLEST_BUFFER
    return min(buffer - HEADER.size, MAX_BODY) - _OVERHEAD


async def _restart(peer: Peer, image: Image, tell: Tell, waits: Patience) -> int:
    """Mark the image for test and let it start; return the boot id under which the node came back."""
    tell(Phase.TEST, 0)
    mark = {"hash": image.digest, "confirm": False}
    await peer.request(Op.WRITE, Group.IMAGE, ImageCommand.STATE, mark, timeout=waits.answer)
    tell(Phase.RESTART, 0)
    before = peer.record.boot
    with suppress(NoAnswer):  # it may be gone before it has answered
        await peer.request(Op.WRITE, Group.OS, OsCommand.RESET, timeout=waits.answer, tries=1)
    ends = _now() + waits.back
    while peer.record.boot == before:
        if _now() > ends:
            raise UpdateFailed(f"the node did not come back within {waits.back:g} s; its boot loader will revert it")
        await asyncio.sleep(min(waits.look, 0.1))
    return peer.record.boot


async def _prove(peer: Peer, image: Image, boot: int, tell: Tell, waits: Patience) -> None:
    """Watch the new image for its quiet time, then confirm it. Raises Reverted."""
    began = _now()
    while True:
        slot = (await _patiently(peer, _state, waits)).active
        if slot is None or slot.hash != image.digest:
            raise Reverted("the new image did not stay up: the node is back on the old one")
        health = await _patiently(peer, _health, waits)
        if not health.ok:
            await _give_up(peer, waits)
            raise Reverted(f"self-test of the new image failed: {health.fail or 'no reason given'}")
        passed = _now() - began
        tell(Phase.WATCH, min(1.0, passed / waits.quiet) if waits.quiet else 1.0)
        if peer.record.boot != boot:
            raise Reverted("the new image restarted within its quiet time")
        if passed >= waits.quiet:
            break
        await asyncio.sleep(min(waits.look, waits.quiet - passed))
    tell(Phase.CONFIRM, 0)
    keep = {"hash": image.digest, "confirm": True}
    await peer.request(Op.WRITE, Group.IMAGE, ImageCommand.STATE, keep, timeout=waits.answer)
    slot = (await _state(peer)).active
    if slot is None or slot.hash != image.digest or not slot.confirmed:
        raise Reverted("the node did not keep the new image")
    peer.record.security, peer.record.version = image.security, slot.version


async def _give_up(peer: Peer, waits: Patience) -> None:
    """Let the boot loader go back at once."""
    with suppress(NoAnswer, Refused):  # then it goes back at its next reset
        await peer.request(Op.WRITE, Group.OS, OsCommand.RESET, timeout=waits.answer, tries=1)


async def _patiently(peer: Peer, ask: Callable[[Peer], Awaitable[Answer]], waits: Patience) -> Answer:
    """Ask, and again when the node has spoken after it was gone: a node that restarts is silent for a while."""
    while True:
        try:
            return await ask(peer)
        except NoAnswer:
            await _heard_again(peer, waits)


async def _heard_again(peer: Peer, waits: Patience) -> None:
    """Return when the node has spoken again. Raises NoAnswer when it does not."""
    since, ends = peer.heard_at, _now() + waits.back
    while peer.heard_at == since:
        if _now() > ends:
            raise NoAnswer(f"the node was gone for {waits.back:g} s")
        await asyncio.sleep(min(waits.look, 0.1))


async def _state(peer: Peer) -> ImageState:
    return read(await peer.request(Op.READ, Group.IMAGE, ImageCommand.STATE), ImageState)


async def _health(peer: Peer) -> Health:
    return read(await peer.request(Op.READ, Group.NODE, NodeCommand.HEALTH), Health)


def _now() -> float:
    return asyncio.get_running_loop().time()
