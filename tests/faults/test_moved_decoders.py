"""A decoder that holds up the loop twice in a minute gets its own process; one that did not start is tried again."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from hub.config import integrations
from hub.model.reading import Contact, Quality
from hub.runtime.intake import Decoder
from hub.runtime.isolation import moving
from hub.runtime.isolation.decoding import DecoderProcess
from hub.runtime.isolation.moving import Mover
from hub.runtime.isolation.wire import Open
from tests.faults.test_bad_decoders import BAD, DOOR, WORKER, Hub, site_with_garbler
from tests.kit.hub import MakeHub
from tests.kit.patience import until
from tests.kit.puppet_broker import PuppetBroker
from tests.kit.store import rows
from tests.kit.wait import until as wait_until

#: A word upon which the door's decoder takes a third of a second: too long for the loop, fine for a process.
SLOW = 'if word == "slow":\n            import time\n            time.sleep(0.35)\n            word = "open"\n        '
FAILING = ("/bin/false",)


def open_of(folder: Path) -> Open:
    return Open("garbler", "", {}, str(folder), str(folder), str(BAD))


def in_loop() -> Decoder:
    """The garbler, read in the hub's own process."""
    integrations.include(BAD)
    part = integrations.plugin("garbler").decoder
    assert part is not None
    config = part.config()
    return Decoder("garbler", part.filters(config), announce=lambda message: part.announce(message, config))


async def test_moved_it_knows_its_devices_and_reads_on(tmp_path: Path) -> None:
    async with Hub().running(tmp_path) as hub:
        hub.intake._decoders = (in_loop(), hub.intake._decoders[1])
        hub.intake._processes.clear()
        mover = Mover(
            lambda _: DecoderProcess(WORKER, open_of(tmp_path), hub.loop.problems),
            hub.intake.host, hub.intake.in_loop, hub.loop.problems,
        )  # fmt: skip
        try:
            await hub.find()
            await hub.taken(hub.send("garbler/state/door", "open"))
            mover.named("garbler")
            mover.named("good")
            assert hub.intake.in_loop("garbler"), "once is not often"
            mover.named("garbler")
            await until(lambda: not hub.intake.in_loop("garbler"))
            assert hub.intake.in_loop("good")
            await hub.taken(hub.send("garbler/state/door", "closed"))
            assert hub.known() == (Contact.CLOSED, Quality.GOOD)
            await hub.taken(hub.send("garbler/state/door", "segfault"))
            await hub.taken(hub.send("garbler/state/door", "open"))
            assert hub.known() == (Contact.OPEN, Quality.GOOD), "it died, and the hub did not"
            (shown,) = (text for text in hub.loop.problems.texts() if "garbler" in text.en)
            assert "isolation: process" in shown.zh
            assert sorted(hub.acknowledged) == list(range(1, hub.mid + 1))
        finally:
            await mover.close()


async def test_twice_in_more_than_a_minute_is_not_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "WITHIN", -1.0)
    async with Hub().running(tmp_path) as hub:
        mover = Mover(lambda _: pytest.fail("moved"), hub.intake.host, lambda _: True, hub.loop.problems)
        for _ in range(3):
            mover.named("good")
        assert not mover._tasks
        await mover.close()


async def test_one_that_did_not_start_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "BACKOFF", (0.01, 0.02))
    async with Hub().running(tmp_path) as hub:
        hub.intake._decoders = hub.intake._decoders[1:]
        hub.intake._processes.clear()
        commands = [FAILING, FAILING, WORKER]
        mover = Mover(
            lambda _: DecoderProcess(commands.pop(0), open_of(tmp_path), hub.loop.problems),
            hub.intake.host, hub.intake.in_loop, hub.loop.problems,
        )  # fmt: skip
        try:
            mover.again(["garbler"])
            await until(lambda: hub.intake.reads("garbler"))
            assert not commands
            await hub.find()
            await hub.taken(hub.send("garbler/state/door", "open"))
            assert hub.known() == (Contact.OPEN, Quality.GOOD)
        finally:
            await mover.close()


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_a_running_hub_moves_it_by_itself(tmp_path: Path, hub_of: MakeHub) -> None:
    with PuppetBroker() as broker:
        config = site_with_garbler(tmp_path, broker.port)
        folder = config.parent / "integrations" / "garbler"
        code = (folder / "__init__.py").read_text("utf-8")
        (folder / "__init__.py").write_text(code.replace("if word in BAD:", SLOW + "if word in BAD:"), "utf-8")
        manifest = (folder / "manifest.yaml").read_text("utf-8")
        assert "isolation: process" in manifest
        (folder / "manifest.yaml").write_text(manifest.replace("isolation: process", ""), "utf-8")
        hub = hub_of(config)
        hub.start()
        link = broker.accept(session_kept=False)
        mids = count(1)
        link.publish("garbler/find/1", "door", mid=next(mids), retained=True)

        def say(word: str) -> None:
            link.publish("garbler/state/door", word, mid=next(mids))

        def values() -> list[object]:
            found = rows(hub.data, "SELECT value FROM readings WHERE entity = ? ORDER BY seq", DOOR)
            return [value for (value,) in found]

        def hold_up(times: int) -> None:
            say("slow")
            say("closed")
            wait_until(lambda: hub.said("decoder.moved") or len(values()) == 2 * times, within=30)

        rounds = 0
        while not hub.said("decoder.moved"):  # twice will do, unless a busy machine is taken for the one to blame
            rounds += 1
            assert rounds <= 10, "held up again and again, and it was not moved"
            hold_up(rounds)
        say("segfault")
        say("open")
        wait_until(values, lambda seen: seen == ["open", "closed"] * rounds + ["open"], within=30)
        link.close()
