"""One node while it is open: events are answered when they are in the journal; clock and health are watched."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from firmware_bridge.auth import Distrust, read_code
from firmware_bridge.errors import BadFrame, NoAnswer, Rc
from firmware_bridge.frame import Frame, Group, Op
from firmware_bridge.messages import Description, Event, Health, Hello, NodeCommand, OsCommand, read
from hub.sdk import Alarm, BadCredentials, Equipment, Sample, Unreachable, Vitals
from integrations.firmware_node import bookmarks
from integrations.firmware_node.entities import Points
from integrations.firmware_node.order import Order
from integrations.firmware_node.relay import NodeRelay

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from firmware_bridge.peer import Peer
    from hub.sdk import Tools
    from integrations.firmware_node.config import Config
    from integrations.firmware_node.links import Hall

#: Seconds within which a node must say its first word; an unclaimed one says hello every 10 s.
FIRST_WORD = 22.0
#: Seconds of silence after which a node is missing: two heartbeats and a half.
MISSING = 150.0
#: Seconds between two settings of the clock, and between two looks at the health.
SYNC, HEALTH = 900.0, 60.0
#: Seconds that a clock may be off.
SKEW = 2.0
#: Seconds for which a forged frame keeps the tamper alarm active.
TAMPERED = 60.0
#: Seconds between two looks at counters and silence.
TICK = 1.0


class NodeSession:
    """One open node."""

    def __init__(self, name: str, config: Config, tools: Tools, hall: Hall, peer: Peer) -> None:
        self.peer = peer
        self.hall = hall
        self.health: Health | None = None
        self.skew: float | None = None
        """Seconds that the node's clock is ahead."""
        self.restarts = 0
        """Starts of the node that were seen since this was opened."""
        self.config = config
        self.tools = tools
        self.online = False
        self.points = Points(name, config.name, peer.record.points)
        self._synced_at = self._health_at = float("-inf")
        self._wake = asyncio.Event()
        self._newest: dict[int, tuple[tuple[int, int], Sample | Vitals]] = {}
        """By point, the last event and what it said."""
        self._bad_at = float("-inf")
        self._told: dict[str, object] = {}
        bookmarks.restore(peer.record, tools.bookmarks())

    @property
    def equipment(self) -> tuple[Equipment, ...]:
        """Return what the node brings."""
        sensed = [Equipment(entity) for entity in self.points.entities]
        relays = [Equipment(entity, NodeRelay(self.peer, i)) for i, entity in self.points.relays.items()]
        return *sensed, *relays

    async def run(self) -> None:
        """Serve the node until it is lost. Raises Unreachable."""
        self.peer.heard_at = max(self.peer.heard_at, self._now())
        self.online = True
        try:
            await first_to_fail(self._serve(), self._tend(), self._watch(), self.hall.link.broken())
        finally:
            self.online = False

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _serve(self) -> None:
        """Take the node's own requests, as many as have come at once; answer events when they are committed."""
        order = Order(self.peer.record)
        while True:
            for request in await self._requests(order.due_at()):
                try:
                    self._sort(request, order)
                except BadFrame:
                    self.hall.link.counts["malformed"] += 1
                    self.peer.answer(request, {"rc": int(Rc.INVALID)})
            events = order.take(self._now())
            if events:
                await self._commit(events)

    async def _requests(self, until: float | None) -> list[Frame]:
        """Return what has come; nothing when it is ``until`` before something has."""
        queue = self.peer.requests
        try:
            async with asyncio.timeout_at(until):
                requests = [await queue.get()]
        except TimeoutError:
            return []
        while not queue.empty():
            requests.append(queue.get_nowait())
        return requests

    def _sort(self, request: Frame, order: Order) -> None:
        """Answer a hello at once, put events in order. Raises BadFrame."""
        match request.group, request.command:
            case Group.NODE, NodeCommand.HELLO:
                self._greet(request)
            case Group.NODE, NodeCommand.EVENT:
                order.put(request, read(request.body, Event), self._now())
            case _:
                self.peer.answer(request, {"rc": int(Rc.NOT_SUPPORTED)})

    def _greet(self, request: Frame) -> None:
        hello = read(request.body, Hello)
        record = self.peer.record
        if record.boot not in {-1, hello.boot}:
            self.restarts += 1
            self._synced_at = self._health_at = float("-inf")
            self._wake.set()
        if record.boot > hello.boot:
            self.peer.counts[Distrust.CLONE] += 1
        record.boot, record.model, record.version = hello.boot, hello.model, hello.ver
        self.peer.answer(request, {"rc": 0, "t": round(time.time() * 1000)})
        if record.digest and record.digest != hello.dig.hex():
            record.digest, record.points = hello.dig.hex(), ()  # opened anew, it is asked for them
            raise Unreachable("the node has changed its points; it is opened anew")

    async def _commit(self, events: list[tuple[Frame, Event]]) -> None:
        record, fresh = self.peer.record, set[tuple[int, int]]()
        said: list[Sample | Vitals] = []
        good: list[tuple[Frame, Event]] = []
        for request, event in events:
            name = event.boot, event.seq
            if record.is_committed(*name) or name in fresh:
                good.append((request, event))
                continue
            part = self.points.said(event)
            if part is None:
                record.commit(*name)  # never to be stored: what follows need not wait for it
                self.peer.answer(request, {"rc": int(Rc.INVALID), "boot": event.boot, "seq": event.seq})
                continue
            fresh.add(name)
            said += self._in_time(event, part)
            good.append((request, event))
        if said:
            await self.tools.report_marked(bookmarks.after(self.peer.record, fresh), *said)
        for request, event in good:
            record.commit(event.boot, event.seq)
            self.peer.answer(request, {"rc": 0, "boot": event.boot, "seq": event.seq})

    def _in_time(self, event: Event, part: Sample | Vitals) -> tuple[Sample | Vitals, ...]:
        """Return what an event says; after one that comes late, again what its point has said since."""
        name = event.boot, event.seq
        newest, since = self._newest.get(event.pt, (name, part))
        if name < newest:
            return part, since
        self._newest[event.pt] = name, part
        return (part,)

    async def _tend(self) -> None:
        """Set the clock and ask how the node is, now and whenever it is time."""
        while True:
            self._wake.clear()
            try:
                if self._now() - self._health_at >= HEALTH:
                    await self.examine()
                if self._now() - self._synced_at >= SYNC:
                    await self.set_clock()
            except (NoAnswer, BadFrame):
                pass  # whether it is missing, its silence says
            try:
                async with asyncio.timeout(HEALTH / 4):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def examine(self) -> Health:
        """Ask how the node is, and report it. Raises NoAnswer, Refused or BadFrame."""
        asked = time.time()
        answer = await self.peer.request(Op.READ, Group.NODE, NodeCommand.HEALTH)
        health = self.health = read(answer, Health)
        self._health_at = self._now()
        said: list[Sample | Vitals] = [Sample(self.points.fault.id, _alarm(on=not health.ok))]
        if health.bat >= 0:
            said.append(Vitals(self.points.device, battery=float(health.bat)))
        if health.t:
            self.skew = round(health.t / 1000 - (asked + time.time()) / 2, 3)
            off = abs(self.skew) > SKEW
            self.peer.counts[Distrust.SKEW] += off
            said += [Sample(self.points.skew.id, self.skew), Sample(self.points.clock.id, _alarm(on=off))]
        await self.tools.report(*said)
        return health

    async def set_clock(self) -> None:
        """Set the node's clock. Raises NoAnswer or Refused."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        await self.peer.request(Op.WRITE, Group.OS, OsCommand.DATETIME, {"datetime": now}, tries=1)
        self._synced_at = self._now()

    async def _watch(self) -> None:
        """Tell of forged frames, and raise Unreachable when the node says nothing any more."""
        seen = 0
        while True:
            counts, now = self.peer.counts, self._now()
            bad = counts[Distrust.FORGED] + counts[Distrust.REPLAY] + counts[Distrust.CLONE]
            if bad > seen:
                self._bad_at, seen = now, bad
            await self._tell(
                Sample(self.points.tamper.id, _alarm(on=now - self._bad_at < TAMPERED)),
                Sample(self.points.refused.id, float(bad)),
                Sample(self.points.lost.id, float(counts[Distrust.GAP])),
            )
            if now - self.peer.heard_at > MISSING:
                raise Unreachable(silence(self.peer))
            await asyncio.sleep(TICK)

    async def _tell(self, *samples: Sample) -> None:
        new = [sample for sample in samples if self._told.get(sample.entity) != sample.value]
        if new:
            self._told |= {sample.entity: sample.value for sample in new}
            await self.tools.report(*new)


async def meet(config: Config, hall: Hall, peer: Peer) -> None:
    """Return when the node is claimed, described and heard. Raises Unreachable, BadCredentials or Unsupported."""
    if not peer.claimed:
        await _claim(config, hall, peer)
    elif peer.record.points:
        try:
            await _be_heard(peer)
        except Unreachable:
            if peer.orphan is None or peer.orphan.claimed or read_code(config.code) is None:
                raise
            await _claim(config, hall, peer)  # its button was pressed; until this succeeds, its key is kept
    if not peer.record.points:
        await _describe(hall, peer)


async def _claim(config: Config, hall: Hall, peer: Peer) -> None:
    code = read_code(config.code)
    if code is None:
        raise BadCredentials("enter the claim code of the label: 16 letters and digits")
    if peer.orphan is None:
        await _first_word(peer)
    hello = peer.orphan
    if hello is not None and hello.claimed and not peer.record.nonce:
        raise BadCredentials("the node belongs to another hub: release it there, or press its button")
    try:
        await peer.claim(code, hall.registry.hub, hall.registry.save)
    except NoAnswer:
        raise BadCredentials("the node does not accept the claim code: compare it with the label") from None
    if hello is not None:
        peer.record.digest, peer.record.boot, peer.record.points = hello.dig.hex(), hello.boot, ()


async def _describe(hall: Hall, peer: Peer) -> None:
    if peer.address is None:
        await _first_word(peer)
    said = read(await peer.request(Op.READ, Group.NODE, NodeCommand.DESCRIBE), Description)
    record = peer.record
    if len({point.i for point in said.pts}) < len(said.pts):
        raise Unreachable("the node describes two points with one number")
    record.model, record.version, record.points = said.model, said.ver, said.pts
    hall.registry.save()


async def _be_heard(peer: Peer) -> None:
    """Return when the node shows that it is there: it is asked where it was last, and may speak from elsewhere."""
    if peer.address is not None:
        try:
            await peer.request(Op.READ, Group.NODE, NodeCommand.HEALTH, timeout=1.0)
        except NoAnswer:
            pass
        else:
            return
    await _first_word(peer)


async def _first_word(peer: Peer) -> None:
    try:
        async with asyncio.timeout(FIRST_WORD):
            await peer.greeted.wait()
    except TimeoutError:
        raise Unreachable(silence(peer)) from None


def silence(peer: Peer) -> str:
    """Say what is known of a node that does not speak to us."""
    if peer.orphan is not None and not peer.orphan.claimed and peer.claimed:
        return "the node says that it has no owner any more: enter the code of its label again"
    return "the node is not heard: check its power, its network and the hub's address in it"


async def first_to_fail(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until one ends; end the others and raise what ended it."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for result in ended:
        if isinstance(result, Exception):
            raise result


def _alarm(*, on: bool) -> Alarm:
    return Alarm.ACTIVE if on else Alarm.CLEAR
