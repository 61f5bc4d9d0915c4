"""Backups under fire (F24): taken while the hub writes; a restore killed anywhere leaves one whole state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.failpoint import RESTORE_POINTS
from hub.journal.migrate import migrate
from hub.journal.store import FILE, connect
from hub.ops.backup.restore import restore
from hub.ops.backup.sealed import Key
from hub.ops.backup.take import take
from tests.kit.broker import Broker
from tests.kit.generator import Generator
from tests.kit.hub import MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.site import Ends, write_site
from tests.kit.store import rows
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PASSPHRASE = "a gate that opens for one"
#: Interrupted restores, and messages sent while the backup is taken.
KILLS, MESSAGES = int(os.environ.get("RESTORE_KILLS", "100")), 2_000


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
    done = subprocess.run([*command, PASSPHRASE, str(KILLS)], capture_output=True, text=True, timeout=200, check=True)
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    reached = Counter(kill["point"] for kill in kills)
    assert set(reached) == set(RESTORE_POINTS), reached
    for kill in kills:
        decided = kill["point"] in RESTORE_POINTS[2:]
        assert kill["finished"] is decided, kill
        assert kill["state"] == ["new" if decided else "old"] * 2, kill
    print(f"{len(kills)} restores killed: {dict(reached)}")  # noqa: T201 - shown when the test fails


def test_a_backup_under_load_is_a_moment_of_the_hub(tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    broker = Broker(tmp_path / "broker")
    broker.start()
    try:
        with Generator(broker.port) as devices:
            lane = Lane(broker.port, "lane_0")
            config = write_site(tmp_path / "site", {"url": broker.url}, Ends(), lanes=("lane_0",))
            hub = hub_of(config)
            hub.start()
            devices.send(*lane.configuration(), retain=True)
            until(lambda: len(hub.entities()), lambda count: count >= 1, what="the lane is known")
            for number in range(MESSAGES):
                devices.send(lane.topic, lane.state(occupied=number % 2 == 0))
                if number == MESSAGES // 4:
                    began = len(rows(hub.data, "SELECT seq FROM readings"))
                    take(config, hub.data, tmp_path / "b", Key(PASSPHRASE), datetime.now(UTC))
            devices.flush()
            until(lambda: len(rows(hub.data, "SELECT seq FROM readings")), lambda count: count >= MESSAGES)
            hub.kill()
            again = hub_of(tmp_path / "empty/site/hub.yaml")
            restore(tmp_path / "b", Key(PASSPHRASE), again.config, again.data)
            whole = rows(hub.data, "SELECT * FROM readings ORDER BY seq")
            kept = rows(again.data, "SELECT * FROM readings ORDER BY seq")
            assert began <= len(kept) <= len(whole)
            assert kept == whole[: len(kept)]
            again.start()
            assert len(again.entities()) >= 1
    finally:
        broker.stop()
