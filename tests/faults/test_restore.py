"""Backups under fire (F24): taken while the hub writes; a restore killed anywhere leaves one whole state."""

from __future__ import annotations

import json
import operator
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from hub.failpoint import RESTORE_POINTS
from hub.journal.migrate import migrate
from hub.journal.store import FILE, connect
from hub.journal.verify import verify_folder
from hub.ops.backup.restore import restore
from hub.ops.backup.sealed import Key
from hub.ops.backup.take import take
from tests.faults.farm import ARRIVALS
from tests.faults.oracle import judge, ledger
from tests.faults.storm import LANES, seed, storm
from tests.kit.hub import MakeHub
from tests.kit.store import rows, undone
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PASSPHRASE = "a gate that opens for one"
#: Interrupted restores, and backups that are taken under load.
KILLS, BACKUPS = int(os.environ.get("RESTORE_KILLS", "100")), 20 if "SOAK_KILLS" in os.environ else 2
INCIDENTS, LINKS = "SELECT COUNT(*) FROM incidents", "SELECT COUNT(*) FROM events WHERE kind = 'link_back'"


def write_state(folder: Path, word: str) -> None:
    """Write a site and its data whose every file begins with ``word``."""
    for name in (
        "site/hub.yaml",
        "site/rules/a.yaml",
        "site/plans/b.yaml",
        "data/evidence/c.txt",
        "data/devices/d.txt",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{word}: {{}}\n")
    with connect(folder / "data" / FILE) as db:
        migrate(db)
    db.close()


def test_a_restore_that_is_killed_leaves_the_old_state_or_the_new(tmp_path: Path) -> None:
    write_state(tmp_path / "old", "old")
    write_state(tmp_path / "new", "new")
    take(tmp_path / "new/site/hub.yaml", tmp_path / "new/data", tmp_path / "b", Key(PASSPHRASE), datetime.now(UTC))
    command = [
        sys.executable,
        "-m",
        "tests.kit.restorer",
        *map(str, (tmp_path / "old", tmp_path / "work", tmp_path / "b")),
    ]
    done = subprocess.run([*command, PASSPHRASE, str(KILLS)], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    reached = Counter(kill["point"] for kill in kills)
    assert set(reached) == set(RESTORE_POINTS), reached
    for kill in kills:
        decided = kill["point"] in RESTORE_POINTS[2:]
        assert kill["finished"] is decided, kill
        assert kill["state"] == ["new" if decided else "old"] * 2, kill
    print(f"{len(kills)} restores killed: {dict(reached)}")  # noqa: T201 - shown when the test fails


def test_a_backup_under_load_is_a_moment_of_the_ledger(tmp_path: Path, hub_of: MakeHub) -> None:
    """What it holds is what the engine makes of the first so many messages, and a hub goes on from there.

    It trusts nothing of it until the devices say it again, also where a broker has kept the session of the hub that is
    gone: that one went on from another past.
    """
    with storm(tmp_path, hub_of, seed()) as weather:
        weather.begin()
        hub, made = weather.hub, list[Path]()
        for number in range(BACKUPS):
            time.sleep(weather.chance.uniform(0.2, ARRIVALS / BACKUPS))
            made.append(tmp_path / f"backup-{number}")
            began = _kept(hub.data)
            take(weather.config, hub.data, made[-1], Key(PASSPHRASE), datetime.now(UTC))
            assert _kept(hub.data) > began, "nothing was written meanwhile: that is no load"
        assert weather.end().faults == (), "whoever makes a backup disturbs nothing"
        weather.broker.stop()
        weather.broker.start()  # it has forgotten everything; of the second restored hub on it knows the session
        for number, backup in enumerate(made):
            again = hub_of(tmp_path / f"empty-{number}/site/hub.yaml")
            restore(backup, Key(PASSPHRASE), again.config, again.data)
            moment = ledger(weather.ledger)[: _kept(again.data)]
            links = rows(again.data, LINKS)[0][0]
            again.start()
            until(partial(rows, again.data, LINKS), lambda found, links=links: found[0][0] > links)  # type: ignore[misc]
            told = weather.tell("repeat")  # what has changed since is not known until the devices say it
            repeated = [one for one in ledger(weather.ledger) if one.number > told - LANES]
            until(partial(_kept, again.data), partial(operator.eq, len(moment) + LANES))
            until(partial(rows, again.data, INCIDENTS), lambda found: found[0][0] >= LANES // 2)
            until(partial(undone, again.data), lambda left: left == 0)
            assert again.terminate()[0] == 0
            went_on = [*moment, *(replace(one, at=moment[-1].at) for one in repeated)]
            verdict = judge(again.config, again.data, went_on, None)
            print(f"restored: {verdict}")  # noqa: T201 - shown when the test fails, and by `make soak`
            assert verdict.faults == ()
            report = verify_folder(again.data)
            assert report.holds, report.breaks


def _kept(data: Path) -> int:
    """Return how many messages are in the journal."""
    return int(rows(data, "SELECT COUNT(*) FROM readings WHERE value IS NOT NULL")[0][0])
