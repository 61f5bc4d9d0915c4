"""Decoders in processes of their own (RELIABILITY.md F13 to F16): one that misbehaves costs its message, no other's."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.model.ids import EntityId
from hub.model.reading import NEVER_HEARD, Contact, Presence, Quality, Value
from hub.runtime.intake import Decoder, Intake
from hub.runtime.isolation import decoding
from hub.runtime.isolation.decoding import DecoderProcess
from hub.runtime.isolation.wire import Open
from hub.runtime.mqtt.link import Arrival
from hub.runtime.problems import Problems
from hub.runtime.registry import Registry
from hub.sdk import Announcement, Capability, Device, Entity, Message, Route, Sample, Text
from tests.kit.hub import MakeHub
from tests.kit.loop import Loop
from tests.kit.patience import until
from tests.kit.puppet_broker import PuppetBroker
from tests.kit.site import ROOT, Ends, write_site
from tests.kit.store import rows
from tests.kit.wait import until as wait_until

BAD = Path(__file__).parents[1] / "kit" / "bad"
WORKER = (sys.executable, "-m", "hub.worker")
DOOR, GOOD = EntityId("garbler.door"), EntityId("good.door")


def good(message: Message) -> Announcement:
    """A decoder in the loop, which must lose nothing."""

    def decode(message: Message) -> tuple[Sample, ...]:
        return (Sample(GOOD, Presence(message.payload.decode())),)

    entity = Entity(GOOD, Capability.PRESENCE, Text("good"), "door")
    return Announcement((Device("door", Text("good"), (entity,), (Route("good/state", decode),)),))


class Hub:
    """An intake with a decoder in a process of its own and one in the loop; it stands for the link, too."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.filters: set[str] = set()
        self.acknowledged: list[int] = []
        self.mid = 0
        self.lag = 0.0
        self.unconfirmed = 0

    def acknowledge(self, arrival: Arrival) -> None:
        self.acknowledged.append(arrival.mid)

    def subscribe(self, filters: Iterable[str]) -> None:
        self.filters.update(filters)

    def unsubscribe(self, filters: Iterable[str]) -> None:
        self.filters.difference_update(filters)

    @asynccontextmanager
    async def running(self, folder: Path) -> AsyncIterator[Hub]:
        what = Open("garbler", "", {}, str(folder), str(folder), str(BAD))
        self.process = DecoderProcess(WORKER, what, self.loop.problems)
        opened = await self.process.open()
        decoders = (
            Decoder("garbler", opened.filters, process=self.process, uplinks=opened.uplinks),
            Decoder("good", ("good/find",), announce=good),
        )
        self.registry = Registry()
        self.intake = Intake("mqtt", self.loop.runtime, self.registry, decoders, self.loop.problems)
        self.intake.attach(self)
        watching = asyncio.create_task(self._watch())
        try:
            async with self.loop.running():
                yield self
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self.process.close()

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            self.lag = max(self.lag, time.monotonic() - before - 0.01)

    def send(self, topic: str, payload: str) -> int:
        """Let a message arrive; return its packet identifier."""
        self.mid += 1
        retained = "find" in topic
        self.intake.arrived(Arrival(topic, payload.encode(), 1, retained, False, self.mid, 1))
        return self.mid

    def known(self, entity: EntityId = DOOR) -> tuple[Value | None, Quality]:
        """Return what is known of an entity."""
        state = self.loop.runtime.state.states.get(entity, NEVER_HEARD)
        return state.value, state.quality

    async def taken(self, mid: int) -> None:
        """Wait until a message is acknowledged."""
        await until(lambda: mid in self.acknowledged)

    async def find(self) -> None:
        """Have the garbler's door announced."""
        await self.taken(self.send("garbler/find/1", "door"))


def site_with_garbler(folder: Path, port: int) -> Path:
    """Write a site whose own integrations hold the garbler, at the broker of ``port``; return its hub.yaml."""
    config = write_site(folder / "site", {"url": f"mqtt://127.0.0.1:{port}"}, Ends())
    site = json.loads(config.read_text("utf-8"))
    site["integrations"]["garbler"] = {}
    config.write_text(json.dumps(site), "utf-8")
    shutil.copytree(BAD, config.parent / "integrations")
    return config


async def test_a_decoder_in_a_process_reads_as_one_in_the_loop(tmp_path: Path) -> None:
    async with Hub().running(tmp_path) as hub:
        await hub.find()
        assert hub.filters >= {"garbler/find/+", "garbler/state/door"}
        await hub.taken(hub.send("garbler/state/door", "open"))
        assert hub.known() == (Contact.OPEN, Quality.GOOD)
        for word in ("refuse", "foreign", "raise"):
            await hub.taken(hub.send("garbler/state/door", word))
        assert hub.intake.counts["garbler", "refused"] == 3
        await hub.taken(hub.send("garbler/state/door", "closed"))
        assert hub.known() == (Contact.CLOSED, Quality.GOOD)
        assert hub.acknowledged == [1, 2, 3, 4, 5, 6], "in their order"
        await hub.taken(hub.send("garbler/find/1", ""))
        assert hub.known() == (None, Quality.UNKNOWN), "withdrawn"
        assert "garbler/state/door" not in hub.filters


async def test_a_message_is_acknowledged_only_after_its_commit(tmp_path: Path) -> None:
    async with Hub().running(tmp_path) as hub:
        await hub.find()
        hub.loop.journal.gate.clear()
        hub.send("garbler/state/door", "open")
        await until(lambda: hub.known()[0] is Contact.OPEN)
        assert hub.acknowledged == [1]
        hub.loop.journal.gate.set()
        await hub.taken(2)


@pytest.mark.parametrize("how", ["spin", "regex", "segfault", "exit", "print"])
async def test_a_decoder_that_misbehaves_costs_its_message_only(tmp_path: Path, how: str) -> None:
    async with Hub().running(tmp_path) as hub:
        await hub.find()
        await hub.taken(hub.send("good/find", "x"))
        hub.lag, began = 0.0, time.monotonic()
        bad = hub.send("garbler/state/door", how)
        after = hub.send("garbler/state/door", "open")
        for word in ("present", "absent") * 50:
            await hub.taken(hub.send("good/state", word))
            assert hub.known(GOOD) == (Presence(word), Quality.GOOD), "others go on while it hangs"
        await hub.taken(bad)
        took = time.monotonic() - began
        assert hub.intake.counts["garbler", "refused"] == 1, "counted and dropped"
        await hub.taken(after)
        assert hub.known() == (Contact.OPEN, Quality.GOOD), "a new process knows what was announced"
        assert sorted(hub.acknowledged) == list(range(1, hub.mid + 1)), "nothing is left with the broker"
        print(f"{how}: its message given up after {took:.1f} s, worst loop lag {hub.lag * 1000:.0f} ms")  # noqa: T201
        assert hub.lag < 1, "it would be 30 s inside the hub"


async def test_when_too_many_wait_numbers_go_and_no_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "WAITING", 20)
    async with Hub().running(tmp_path) as hub:
        await hub.find()
        await hub.taken(hub.send("garbler/find/2", "meter"))
        worker = hub.process._worker
        assert worker is not None
        os.kill(worker._process.pid, signal.SIGSTOP)
        doors = [hub.send("garbler/state/door", word) for word in ("open", "closed") * 4]
        meters = [hub.send("garbler/state/meter", str(number)) for number in range(15)]
        later = [hub.send("garbler/state/door", word) for word in ("open", "closed") * 5]
        await until(lambda: hub.intake.full)
        os.kill(worker._process.pid, signal.SIGCONT)
        assert any("cannot keep up" in text.en for text in hub.loop.problems.texts())
        await asyncio.wait_for(hub.intake.room(), 20)
        assert not hub.intake.full
        await hub.taken(later[-1])
        readings = [reading for entry in hub.loop.journal.entries for reading in entry.readings]
        assert sum(reading.entity == DOOR for reading in readings) == len(doors) + len(later), "no alarm is lost"
        shed = hub.intake.counts["garbler", "refused"]
        assert 0 < shed < len(meters)
        assert sum(reading.entity == "garbler.meter" for reading in readings) == len(meters) - shed
        assert sorted(hub.acknowledged) == list(range(1, hub.mid + 1))
        await until(lambda: not hub.loop.problems.texts())


async def test_nobody_waits_for_a_decoder_that_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "WAITING", 4)
    async with Hub().running(tmp_path) as hub:
        await hub.find()
        worker = hub.process._worker
        assert worker is not None
        os.kill(worker._process.pid, signal.SIGSTOP)
        for word in ("open", "closed") * 3:
            hub.send("garbler/state/door", word)
        await until(lambda: hub.intake.full)
        await hub.process.close()
        assert not hub.intake.full


async def test_one_that_fails_again_and_again_is_held_and_shown(tmp_path: Path) -> None:
    async with Hub().running(tmp_path) as hub:
        await hub.find()
        for _ in range(decoding.FAULTS):
            await hub.taken(hub.send("garbler/state/door", "exit"))
        assert hub.process.held
        assert any("garbler" in text.en for text in hub.loop.problems.texts())
        await hub.taken(hub.send("garbler/state/door", "open"))
        assert hub.known()[0] is None, "dropped without a process"


async def test_what_the_broker_had_kept_is_read_before_the_link_is_trusted_again(tmp_path: Path) -> None:
    async with Hub().running(tmp_path) as hub:
        await hub.find()
        await hub.taken(hub.send("garbler/state/door", "open"))
        seen: list[tuple[Value | None, Quality]] = []
        hub.loop.runtime.listen(lambda _: seen.append(hub.known()))
        hub.intake.lost("gone")
        last = hub.send("garbler/state/door", "closed")
        hub.intake.synced(resumed=True)
        await hub.taken(last)
        assert (Contact.OPEN, Quality.STALE) in seen
        assert (Contact.OPEN, Quality.GOOD) not in seen


async def test_a_restarted_hub_asks_the_process_what_was_announced(tmp_path: Path) -> None:
    async with Hub().running(tmp_path) as first:
        await first.find()
        kept = [found for entry in first.loop.journal.entries for found in entry.announcements]
    async with Hub().running(tmp_path) as second:
        await second.intake.recall(kept)
        assert second.registry.topics() == ("garbler/state/door",)
        await second.taken(second.send("garbler/state/door", "open"))
        assert second.known() == (Contact.OPEN, Quality.GOOD)


async def test_uplinks_are_read_in_a_process_too(tmp_path: Path) -> None:
    lines = (ROOT / "integrations" / "lorawan" / "captures" / "servers.jsonl").read_text("utf-8").splitlines()
    config, first = json.loads(lines[0])["config"], json.loads(lines[1])
    loop, problems, acknowledged = Loop(), Problems(), Hub()
    process = DecoderProcess(WORKER, Open("lorawan", "", config, str(tmp_path), str(tmp_path), ""), problems)
    try:
        opened = await process.open()
        assert opened.uplinks
        decoder = Decoder("lorawan", opened.filters, process=process, uplinks=True)
        intake = Intake("mqtt", loop.runtime, Registry(), (decoder,), problems)
        intake.attach(acknowledged)
        async with loop.running():
            intake.arrived(Arrival(first["topic"], first["payload"].encode(), 1, False, False, 1, 1))
            await until(lambda: acknowledged.acknowledged == [1])
        assert intake.counts["lorawan", "decoded"] == 1
        assert [state.quality for state in loop.runtime.state.states.values()] != []
        (kept,) = [found for entry in loop.journal.entries for found in entry.announcements]
        again = Intake("mqtt", loop.runtime, registry := Registry(), (decoder,), problems)
        await again.recall([kept])
        assert registry.entities, "a restarted hub knows the device by its last message"
    finally:
        await process.close()


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_a_hub_whose_decoder_dies_takes_the_messages_that_come_after(tmp_path: Path, hub_of: MakeHub) -> None:
    with PuppetBroker() as broker:
        config = site_with_garbler(tmp_path, broker.port)
        hub = hub_of(config)
        hub.start()
        link = broker.accept(session_kept=False)
        link.publish("garbler/find/1", "door", mid=1, retained=True)
        words = ("open", "segfault", "closed", "open")
        for mid, word in enumerate(words, 2):
            link.publish("garbler/state/door", word, mid=mid)

        def values() -> list[object]:
            found = rows(hub.data, "SELECT value FROM readings WHERE entity = ? ORDER BY seq", DOOR)
            return [value for (value,) in found]

        found = wait_until(values, lambda seen: len(seen) >= 3, within=30)
        assert found == ["open", "closed", "open"]
        assert hub.messages()["garbler", "refused"] == 1
        hub.kill()
        hub.start()
        again = broker.accept(session_kept=True)
        again.publish("garbler/state/door", "closed", mid=9)
        wait_until(values, lambda seen: seen[-1] == "closed", within=30)
        link.close()
        again.close()
