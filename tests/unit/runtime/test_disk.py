"""The room on the disk: warned in time, the reserve given up last and laid up again, said once each way."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from hub.runtime.disk import MOST, PART, RESERVE, Disk
from tests.kit.clock import settle
from tests.kit.loop import Loop

TOTAL = 100 << 20


class Usage(NamedTuple):
    total: int
    free: int


class Room:
    """The far end: a disk of 100 MiB, of which a part is free."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = 0.5
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(TOTAL, int(TOTAL * self.free)))


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    return Room(monkeypatch)


def test_the_reserve_is_given_up_last_and_laid_up_again(tmp_path: Path, room: Room) -> None:
    loop = Loop()
    disk, reserve = Disk(tmp_path, loop.runtime, loop.problems), tmp_path / RESERVE
    seen = []
    for room.free in (0.5, 0.05, 0.01, 0.11, 0.13):
        disk._keep()
        seen.append(reserve.stat().st_size if reserve.exists() else 0)
    size = min(MOST, TOTAL // PART)
    assert seen == [size, size, 0, 0, size]


async def test_people_are_told_once_and_told_when_it_is_over(tmp_path: Path, room: Room) -> None:
    loop = Loop()
    disk = Disk(tmp_path, loop.runtime, loop.problems)
    shown = []
    async with loop.running():
        for room.free in (0.5, 0.09, 0.09, 0.11, 0.13, 0.13):
            disk._tell()
            await settle()
            shown.append("disk" in loop.problems)
    assert shown == [False, True, True, True, False, False]
    notes = [note for entry in loop.journal.entries for note in entry.notes]
    assert [note.kind for note in notes] == ["disk_low", "disk_well"]


def test_a_disk_that_takes_no_reserve_ends_nothing(tmp_path: Path, room: Room) -> None:
    loop = Loop()
    Disk(tmp_path / "gone", loop.runtime, loop.problems)._keep()
    assert not (tmp_path / "gone").exists()
