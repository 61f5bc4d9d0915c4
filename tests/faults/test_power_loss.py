"""The power goes: of what was not flushed any part may be left, and nothing acknowledged may be lost (F3).

One recording of a journal and its evidence gives any number of cuts, each at a call chosen by chance.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hub.journal.store import Journal
from hub.journal.verify import verify_folder
from tests.faults.storm import seed
from tests.kit.powercut import CALLS, Disk, calls
from tests.kit.scribe import METER, entry
from tests.kit.store import rows, whole

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900 if "SOAK_KILLS" in os.environ else 120)]

#: Entries in the recording, and cuts: the 500 of F3 in a long run.
ENTRIES, CUTS = (150, 2_000) if "SOAK_KILLS" in os.environ else (60, 60)


def record(folder: Path, told: Path) -> Path:
    """Have a journal kept, and every call on its files written down."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: what reaches the disk cannot be recorded")
    trace = told.with_suffix(".strace")
    command = ["strace", "-f", "-qq", "-y", "-xx", "-s", "1000000", "-o", str(trace), "-e", f"trace={CALLS}"]
    with told.open("wb") as ledger:
        done = subprocess.run(
            [*command, sys.executable, "-m", "tests.kit.scribe", str(folder), str(ENTRIES)],
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
