"""The power goes: of what was not flushed any part may be left, and nothing acknowledged may be lost (F3).

One recording of a journal and its evidence gives any number of cuts, each at a call chosen by chance.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from hub.journal.store import Journal
from hub.journal.verify import verify_folder
from tests.faults.storm import seed
from tests.kit.broker import Broker
from tests.kit.generator import Generator
from tests.kit.hub import MakeHub
from tests.kit.mqtt import Lane
from tests.kit.powercut import STRACE, Call, Disk, calls
from tests.kit.scribe import METER, entry
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.store import rows, whole
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900 if "SOAK_KILLS" in os.environ else 120)]

#: Entries in the recording, and cuts: the 500 of F3 in a long run.
ENTRIES, CUTS = (150, 2_000) if "SOAK_KILLS" in os.environ else (60, 40)


#: Messages to a whole hub; the number that MQTT gives to an acknowledgement; the first message of a session, which is
#: the hub's own, to learn when it is up to date.
MESSAGES, PUBACK, SYNC = 120, 4, 1
COUNT = "SELECT COUNT(*) FROM readings WHERE value IS NOT NULL"


def need_strace() -> None:
    """Skip where what reaches the disk cannot be recorded."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: what reaches the disk cannot be recorded")


def record(folder: Path, told: Path) -> Path:
    """Have a journal kept, and every call on its files written down."""
    trace = told.with_suffix(".strace")
    with told.open("wb") as ledger:
        done = subprocess.run(
            [*STRACE, str(trace), sys.executable, "-m", "tests.kit.scribe", str(folder), str(ENTRIES)],
            stdout=ledger,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode and not told.read_text("ascii"):
        pytest.skip(f"strace may not trace here: {done.stderr.strip()[-300:]}")
    assert done.returncode == 0, done.stderr
    return trace


async def go_on(folder: Path) -> list[int]:
    """Start on what is left, write one more, and return what had survived, which is what the hub remembers."""
    journal = Journal(folder)
    try:
        kept = [int(value) for (value,) in rows(folder, "SELECT value FROM readings ORDER BY seq")]
        known = journal.load().states.get(METER)
        assert (known.value if known else None) == (kept[-1] if kept else None)
        await journal.commit(entry(ENTRIES + 1))
    finally:
        await journal.close()
    return kept


def test_nothing_acknowledged_is_lost_when_the_power_goes(tmp_path: Path) -> None:
    need_strace()
    folder, told = tmp_path / "data", tmp_path / "told"
    folder.mkdir()
    trace = record(folder, told)
    chance = random.Random(seed())
    disk, acknowledged, survived = Disk(folder), set[int](), 0
    done = [call for call in calls(trace) if disk.concerns(call) or call.file == str(told.resolve())]
    cuts = Counter(chance.choices(range(len(done)), k=CUTS))
    for number, call in enumerate(done):
        if disk.concerns(call):
            disk.play(call)
        else:
            acknowledged.add(int(call.texts[0]))
        for _ in range(cuts[number]):
            left = tmp_path / "left"
            disk.top.left(chance, left)
            survived += judge(left, acknowledged, f"cut after call {number} of {len(done)}: {call.name}")
            shutil.rmtree(left)
    print(f"{CUTS} cuts among {len(done)} calls; {survived} entries survived, none acknowledged was lost")  # noqa: T201


def judge(left: Path, acknowledged: set[int], where: str) -> int:
    """Assert that a hub goes on from what is left with all that was acknowledged; return how many entries there are."""
    kept = asyncio.run(go_on(left))
    assert acknowledged <= set(kept), where
    assert len(set(kept)) == len(kept), where
    counts = "SELECT (SELECT COUNT(*) FROM events WHERE kind = 'number'), (SELECT COUNT(*) FROM commands)"
    assert rows(left, counts) == [(len(kept) + 1, len(kept) + 1)], where
    whole(left)
    report = verify_folder(left)
    assert report.holds, (where, report.breaks)
    return len(kept)


class Wire:
    """What the hub sent to the broker: which messages it has acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: set[int] = set()
        """Packet identifiers."""
        self._socket = ""
        self._rest = b""

    def take(self, call: Call) -> None:
        """Read one ``sendto``, if it went to the broker (MQTT 3.1.1, 2.2 and 3.4)."""
        if call.texts and b"MQTT" in call.texts[0][:12]:
            self._socket = call.file
        if not self._socket or call.file != self._socket:
            return
        self._rest += call.texts[0]
        while (packet := self._packet()) is not None:
            if packet[0] >> 4 == PUBACK and (number := int.from_bytes(packet[2:4])) != SYNC:
                self.acknowledged.add(number)

    def _packet(self) -> bytes | None:
        length = shift = 0
        for number, byte in enumerate(self._rest[1:5], 2):
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if len(self._rest) < number + length:
                    return None
                packet, self._rest = self._rest[: number + length], self._rest[number + length :]
                return packet
        return None


def test_what_the_hub_acknowledged_to_the_broker_is_on_the_disk(
    tmp_path: Path, broker: Broker, hub_of: MakeHub
) -> None:
    """The whole hub, its page and accounts and all: what a cut leaves has every message that the broker may forget."""
    need_strace()
    config = write_site(tmp_path / "site", {"url": broker.url}, Ends())
    short_rule(config, "300 ms", clear="300 ms")
    hub, trace = hub_of(config), tmp_path / "hub.strace"
    hub.start(prefix=(*STRACE, str(trace)))
    until(lambda: rows(hub.data, "SELECT 1 FROM events WHERE kind = 'link_back'"), bool, what="its own message is back")
    with Generator(broker.port) as devices:
        lane = Lane(broker.port)
        devices.send(*lane.configuration(), retain=True)
        until(lambda: rows(hub.data, "SELECT 1 FROM announcements"), bool)
        for number in range(MESSAGES):
            devices.send(lane.topic, lane.state(occupied=number // 20 % 2 == 0))
            time.sleep(0.01)
    until(lambda: rows(hub.data, COUNT)[0][0], lambda count: count >= MESSAGES, within=30)
    traced = Path(f"/proc/{hub.pid}/task/{hub.pid}/children").read_text("ascii").split()
    os.kill(int(traced[0]), signal.SIGTERM)
    assert hub.ended(15) == 0
    chance = random.Random(seed())
    disk, wire = Disk(hub.data), Wire()
    done = [call for call in calls(trace) if disk.concerns(call) or call.name == "sendto"]
    cuts = Counter(chance.choices(range(len(done)), k=CUTS))
    for number, call in enumerate(done):
        if call.name == "sendto":
            wire.take(call)
        else:
            disk.play(call)
        for _ in range(cuts[number]):
            left = tmp_path / "left"
            disk.top.left(chance, left)
            asyncio.run(open_and_close(left))
            taken = {mid for (mid,) in rows(left, "SELECT mid FROM deliveries")}
            assert wire.acknowledged <= taken, f"cut after call {number} of {len(done)}: {call.name}"
            whole(left)
            report = verify_folder(left)
            assert report.holds, (number, report.breaks)
            shutil.rmtree(left)
    print(f"{CUTS} cuts among {len(done)} calls; {len(wire.acknowledged)} messages acknowledged, none lost")  # noqa: T201


async def open_and_close(folder: Path) -> None:
    """Start on what is left, as a hub does."""
    journal = Journal(folder)
    try:
        journal.load()
    finally:
        await journal.close()
