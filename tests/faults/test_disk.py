"""The disk fails, fills, lies: alarms are still decided and shown, nothing is lost, it recovers alone (F4, F5, F7)."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from tests.kit.broker import Broker
from tests.kit.disk import SMALL, faulty, fill
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.served import Waiting
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.store import rows, whole
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

#: Promised seconds: until a fault is shown, and until all is well after it.
SHOWN, RECOVERED = 5.0, 10.0
#: Calls of each kind of which one fails, one after the other (all that a few commits make, by `make soak`).
CALLS = 30 if "SOAK_KILLS" in os.environ else 2
ZONE = "Fire lane lane_3"


def begin(tmp_path: Path, broker: Broker, hub_of: MakeHub, speaker: Speaker | None = None) -> tuple[HubProcess, Lane]:
    """Start a hub that knows one empty lane."""
    need_mosquitto()
    config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"] if speaker else 0))
    short_rule(config, "1 s")
    hub = hub_of(config)
    hub.start()
    lane = Lane(broker.port)
    lane.announce()
    until(hub.entities, lambda known: lane.entity in known)
    lane.free()
    until(lambda: rows(hub.data, "SELECT value FROM states"), lambda found: found == [("absent",)])
    assert hub.token
    return hub, lane


def shown(hub: HubProcess, *words: str) -> None:
    """Wait until one sentence of the banner holds all of ``words``."""
    until(hub.problems, lambda found: any(all(word in one for word in words) for one in found), within=SHOWN)


def recovered(hub: HubProcess, speaker: Speaker) -> None:
    """Wait until what was decided is recorded and said, once, and the banner is empty."""
    until(hub.incidents, lambda found: len(found) == 1, within=RECOVERED)
    until(speaker.begun, lambda said: len(said) == 1, within=RECOVERED)
    until(hub.problems, lambda found: not found, within=RECOVERED)
    assert hub.running
    assert hub.terminate()[0] == 0
    whole(hub.data)


@pytest.mark.parametrize(
    ("error", "calls", "word"),
    [("EIO", "fdatasync,fsync", "faults"), ("EIO", "pwrite64", "faults"), ("ENOSPC", "pwrite64", "full")],
)
def test_a_disk_that_fails(error: str, calls: str, word: str, tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    with Speaker(tmp_path) as speaker:
        hub, lane = begin(tmp_path, broker, hub_of, speaker)
        with faulty(hub, error, calls):
            lane.occupied()
            shown(hub, "journal cannot be written", word)
            shown(hub, ZONE)
            assert speaker.begun() == [], "nothing is done that is not on the disk"
            assert rows(hub.data, "SELECT value FROM states") == [("absent",)], "no silent success"
            assert hub.phase("lane_3", "short") == "active"
        recovered(hub, speaker)


def test_one_fault_at_any_call_is_survived(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    """Only the n-th flush or write fails: nothing is lost, nothing stored twice, and the banner is empty again."""
    hub, lane = begin(tmp_path, broker, hub_of)
    said = ["absent"]
    for calls in ("fdatasync,fsync", "pwrite64"):
        for number in range(1, CALLS + 1):
            refused = len(hub.said("journal.refused"))
            with faulty(hub, "EIO", calls, str(number)):
                for _ in range(2 + number):  # a commit each: it flushes once
                    said.append("present" if said[-1] == "absent" else "absent")
                    (lane.occupied if said[-1] == "present" else lane.free)()
                    until(lambda: stored(hub), lambda found: len(found) >= len(said), within=RECOVERED)
                    if len(hub.said("journal.refused")) > refused:
                        break
            assert len(hub.said("journal.refused")) == refused + 1, f"{calls} at call {number} was never hit"
            until(hub.problems, lambda found: not found, within=RECOVERED)
            assert stored(hub) == said, f"{calls} at call {number}"
    print(f"{calls}: each of {CALLS} calls failed once and was survived")  # noqa: T201 - shown when the test fails
    assert hub.terminate()[0] == 0
    whole(hub.data)


def stored(hub: HubProcess) -> list[str]:
    """Return what was kept of the lane, in order."""
    found = rows(hub.data, "SELECT value FROM readings WHERE value IS NOT NULL ORDER BY seq")
    return [str(value) for (value,) in found]


def test_a_disk_that_fills(small_disk: Path, tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    with Speaker(tmp_path) as speaker:
        hub, lane = begin(tmp_path, broker, hub_of, speaker)
        assert hub.data == small_disk
        until(lambda: (small_disk / "reserve").exists(), within=5)
        most = small_disk / "most"
        most.write_bytes(b"\0" * int(shutil.disk_usage(small_disk).free - 0.08 * SMALL))
        assert shutil.disk_usage(small_disk).free / SMALL > 0.05
        shown(hub, "% of the disk is free")
        filler = fill(small_disk)
        until(lambda: hub.said("disk.reserve_given_up"), within=SHOWN)
        filler = fill(small_disk) if filler.exists() else filler
        with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"\0" * 512):
                pass
        lane.occupied()
        shown(hub, "journal cannot be written", "full", ZONE)
        filler.unlink()
        most.unlink()
        freed = Waiting()
        recovered(hub, speaker)
        assert freed.served <= 2 * RECOVERED


def refused(hub: HubProcess) -> str:
    """Start it; it must end and say what to do. Return its words."""
    code, words = hub.run_again()
    assert code == 1
    assert "restore a backup" in words
    assert "Traceback" not in words
    return words


def test_a_journal_that_was_cut_never_begins_anew(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    hub, _ = begin(tmp_path, broker, hub_of)
    assert hub.terminate()[0] == 0
    path = hub.data / "journal.sqlite3"
    sound = path.read_bytes()
    for size in (0, 4096, 8192, len(sound) // 8192 * 4096, len(sound) - 4096):
        path.write_bytes(sound[:size])
        refused(hub)
    path.unlink()
    assert "is gone" in refused(hub)
    path.write_bytes(sound)
    hub.start()
    assert hub.ready()
