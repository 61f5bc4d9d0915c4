"""The firmware of all nodes: a verified image, and the roll-out that brings it to them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from firmware_bridge import rollout as plan
from firmware_bridge.errors import BadFrame, BadImage, Reverted
from firmware_bridge.image import Image, parse, verify
from firmware_bridge.rollout import Outcome, Rollout, Stand, Window
from firmware_bridge.update import LOW_BATTERY, Patience, Phase, update, why_not
from hub.sdk import DeviceError, FirmwareImage, FirmwareUnit, Instant, RolloutState, Unsupported, clean
from integrations.firmware_node import links
from integrations.firmware_node.kept import Plan, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from hub.sdk import RolloutOrder, Surroundings, Tools
    from integrations.firmware_node.session import NodeSession

#: Public half of the key that signs images, in the site folder.
KEY_FILE = "firmware.pem"
#: Microseconds.
HOUR = 3_600_000_000
#: Seconds between two looks at who may begin.
TICK = 1.0


class Fleet:
    """All open nodes and the present roll-out. Implements ``hub.sdk.FirmwareKeeper``."""

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self._sessions: dict[str, NodeSession] = {}
        self._image: Image | None = None
        self._plan: Plan | None = None
        self._shelf: Shelf | None = None
        """Where the last roll-out was looked for and the present one is kept."""
        self._phases: dict[str, tuple[Phase, float]] = {}
        self._task: asyncio.Task[None] | None = None

    def opened(self, name: str, session: NodeSession) -> None:
        """Take note of a node that is there; the first one brings back the roll-out of before a restart."""
        self._sessions[name] = session
        if self._shelf is None or self._shelf.folder != session.tools.data:
            self._shelf = Shelf(session.tools.data)
            self._recall(self._shelf, session.tools)

    def closed(self, name: str, session: NodeSession) -> None:
        """Take note that a node is not open any more."""
        if self._sessions.get(name) is session:
            del self._sessions[name]

    def units(self) -> tuple[FirmwareUnit, ...]:
        """Return all nodes that are open or take part in the roll-out."""
        part = {} if self._rollout is None else self._rollout.nodes
        return tuple(self._unit(name) for name in sorted({*self._sessions, *part}))

    def state(self) -> RolloutState | None:
        """Return the roll-out, or the last one."""
        if self._plan is None:
            return None
        rollout = self._plan.rollout
        return RolloutState(self._plan.image, rollout.outcome, rollout.reason, self._plan.by)

    def load(self, data: bytes) -> FirmwareImage:
        """Verify an image and keep it. Raises Unsupported when it is not to be trusted."""
        self._must_be_idle()
        try:
            image = parse(data)
            verify(image, _site_key(self._folder()))
        except BadImage as error:
            raise Unsupported(error.reason) from None
        self._image, self._plan = image, None
        return _shown(image)

    def begin(self, order: RolloutOrder, surroundings: Surroundings) -> None:
        """Begin a roll-out. Raises Unsupported for an order that makes no sense."""
        self._must_be_idle()
        image = self._image
        if image is None or image.digest.hex() != order.digest:
            raise Unsupported("load the image first")
        names = order.units or tuple(
            name for name, session in sorted(self._sessions.items()) if session.peer.record.model == image.model
        )
        for name in names:
            session = self._sessions.get(name)
            if session is None:
                raise Unsupported(f"no node {clean(name)} is connected")
            if session.peer.record.model != image.model:
                raise Unsupported(f"{name} is a {session.peer.record.model}, the image is for {image.model}")
        if not names:
            raise Unsupported(f"no {image.model} is connected")
        if not (0 <= order.begin_minute <= 1440 and 0 <= order.end_minute <= 1440 and 0 < order.hours <= 24 * 14):
            raise Unsupported("the window is two minutes of the day, the limit at most 14 days")
        if not 0 <= order.quiet_s <= 24 * 3600:
            raise Unsupported("the quiet time is at most a day")
        self._phases.clear()
        rollout = plan.begin(names, Instant(surroundings.now() + round(order.hours * HOUR)))
        window = Window() if order.begin_minute == order.end_minute else Window(order.begin_minute, order.end_minute)
        begun = Plan(_shown(image), clean(order.by), window, order.quiet_s, rollout)
        try:  # before anything begins: a restart must know of it
            if self._shelf is not None:
                self._shelf.begin(begun, image.data)
        except OSError as error:
            raise Unsupported(f"the roll-out cannot be written down: {type(error).__name__}") from None
        self._plan = begun
        self._task = asyncio.ensure_future(self._drive(image, begun, surroundings))

    def stop(self, by: str) -> None:
        """Begin with no further node. Raises Unsupported when nothing runs."""
        if self._rollout is None or self._rollout.outcome is not Outcome.RUNNING:
            raise Unsupported("no roll-out is running")
        self._go(plan.stop(self._rollout, f"stopped by {clean(by)}"))
        with suppress(OSError):
            self._writing()()  # who is told that it has stopped must not see it run after a power cut

    async def release(self, name: str) -> None:
        """Give a node up: it can be claimed by another hub. Raises DeviceError."""
        session = self._sessions.get(name)
        if session is None:
            raise Unsupported(f"no node {clean(name)} is connected")
        await session.peer.release(session.hall.registry.save)

    async def close(self) -> None:
        """End the roll-out where it is, as the end of the hub does; each node is left as it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._task = self._plan = self._image = self._shelf = None
        self._phases.clear()

    @property
    def _rollout(self) -> Rollout | None:
        return None if self._plan is None else self._plan.rollout

    def _go(self, rollout: Rollout) -> None:
        """Take over how far the roll-out is now."""
        if self._plan is not None:
            self._plan = msgspec.structs.replace(self._plan, rollout=rollout)

    def _writing(self) -> Callable[[], None]:
        return (lambda: None) if self._plan is None or self._shelf is None else self._shelf.writing(self._plan)

    async def _save(self) -> None:
        with suppress(OSError):  # a full disk must not leave a node half updated; the next change is written again
            await asyncio.to_thread(self._writing())

    def _recall(self, shelf: Shelf, tools: Tools) -> None:
        """Go on with the roll-out that a restart of the hub had cut, or say why it does not."""
        found = None if self._plan is not None or self._image is not None else shelf.plan()
        if found is None:
            return
        self._plan = found
        if not found.rollout.busy:
            return
        try:
            image = parse(shelf.image())
            verify(image, _site_key(tools.site))
            why = "" if image.digest.hex() == found.image.digest else "its image is another one"
        except (BadImage, Unsupported) as error:
            why = error.reason
        if why or tools.surroundings is None:
            self._go(plan.interrupted(found.rollout, f"a restart of the hub interrupted it: {why}"))
            self._task = asyncio.ensure_future(self._save())
        else:
            self._image = image
            self._task = asyncio.ensure_future(self._drive(image, found, tools.surroundings))

    def _must_be_idle(self) -> None:
        if self._rollout is not None and self._rollout.busy and self._task is not None and not self._task.done():
            raise Unsupported("a roll-out is running: stop it, or wait for its end")
        if self._task is not None:
            self._task.cancel()  # it has nothing under way, and must not take a new roll-out for its own

    def _folder(self) -> Path:
        session = next(iter(self._sessions.values()), None)
        if session is None:
            raise Unsupported("no node is connected")
        return session.tools.site

    async def _drive(self, image: Image, ordered: Plan, around: Surroundings) -> None:
        """Begin with nodes as their turn comes until the roll-out has ended; those under way before a restart first."""
        patience = msgspec.structs.replace(self.patience, quiet=ordered.quiet_s)
        tasks: set[asyncio.Task[None]] = set()

        def start(*names: str) -> None:
            for name in names:
                task = asyncio.ensure_future(self._one(name, image, patience))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

        try:
            start(*(name for name, node in ordered.rollout.nodes.items() if node.stand is Stand.UPDATING))
            while self._rollout is not None and self._rollout.busy:
                barred = "" if ordered.window.holds(around.minute()) else "outside the maintenance window"
                barred = barred or await around.alarm()
                before = self._rollout
                after, begun = plan.step(before, around.now(), partial(self._why_not, barred))
                self._go(after)
                if after != before:
                    await self._save()
                start(*begun)
                await asyncio.sleep(min(TICK, patience.look))
        finally:
            for task in tuple(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _why_not(self, barred: str, name: str) -> str:
        """Say by what is known without asking why a node must wait; ``barred`` holds for all."""
        if barred:
            return barred
        session = self._sessions.get(name)
        if session is None or not session.online:
            return "not connected"
        health = session.health
        if health is None:
            return "its health is not known yet"
        if 0 <= health.bat < LOW_BATTERY:
            return f"battery at {health.bat} %"
        return "the node has an alarm" if health.alarm else ""

    async def _one(self, name: str, image: Image, patience: Patience) -> None:
        """Update one node. The link is held, since the session may end and begin anew with the new image's points."""
        stand, reason = await self._try(name, image, patience)
        if self._rollout is not None:
            self._go(plan.ended(self._rollout, name, stand, clean(reason, 160)))
            await self._save()

    async def _try(self, name: str, image: Image, patience: Patience) -> tuple[Stand, str]:
        session = await self._there(name, patience)
        if session is None:
            return Stand.FAILED, "not connected"
        hall, node = await links.enter(session.config.place, session.tools), session.peer.record.node
        peer = hall.link.join(node)
        try:
            reason = await why_not(peer)
            if reason:
                return Stand.WAITING, reason
            await update(peer, image, lambda phase, share: self._phases.update({name: (phase, share)}), patience)
        except Reverted as error:
            return Stand.REVERTED, error.reason
        except (DeviceError, BadFrame) as error:
            return Stand.FAILED, error.reason
        finally:
            hall.link.leave(node)
            await links.leave(hall, session.tools)
        return Stand.DONE, ""

    async def _there(self, name: str, patience: Patience) -> NodeSession | None:
        """Return the session of a node; after a restart of the hub it may come only now."""
        ends = asyncio.get_running_loop().time() + patience.back
        while True:
            session = self._sessions.get(name)
            if (session is not None and session.online) or asyncio.get_running_loop().time() > ends:
                return session
            await asyncio.sleep(min(TICK, patience.look))

    def _unit(self, name: str) -> FirmwareUnit:
        session = self._sessions.get(name)
        node = None if self._rollout is None else self._rollout.nodes.get(name)
        phase, share = self._phases.get(name, (None, 0.0))
        record = None if session is None else session.peer.record
        return FirmwareUnit(
            name=name,
            model="" if record is None else clean(record.model),
            version="" if record is None else clean(record.version),
            online=session is not None and session.online,
            stand="" if node is None else node.stand,
            phase="" if node is None or phase is None else phase,
            share=round(share, 3),
            reason="" if node is None else node.reason,
        )


#: The one of this hub: sessions have nobody above them who could hold it.
FLEET = Fleet()


def _shown(image: Image) -> FirmwareImage:
    return FirmwareImage(image.digest.hex(), str(image.version), clean(image.model), len(image.data))


def _site_key(folder: Path) -> Ed25519PublicKey:
    """Read the key that images must be signed with. Raises Unsupported."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key((folder / KEY_FILE).read_bytes())
    except (OSError, ValueError):
        raise Unsupported(f"put the public key of your images into {KEY_FILE} beside hub.yaml (PEM, Ed25519)") from None
    if not isinstance(key, Ed25519PublicKey):
        raise Unsupported(f"{KEY_FILE} is no Ed25519 key")
    return key
