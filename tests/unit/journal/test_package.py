"""The package for the police proves itself without a hub, and a changed byte anywhere in it is found."""

from __future__ import annotations

import hashlib
import io
import random
import stat
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.journal.desk import handle
from hub.journal.dossier import Dossier, Place, clock_off, collect, note_export
from hub.journal.package import verify_package, write_package
from hub.journal.queries import add_audit
from hub.journal.signing import fingerprint
from hub.journal.store import Anchor, Journal
from hub.journal.verify import grouped, verify_folder
from hub.model.incident import Handling, IncidentState, Verdict
from hub.model.time import HOUR, Instant
from tests.kit.facts import at
from tests.kit.lane import CAR
from tests.unit.journal.test_verify import PICTURE, live

PLACE = Place("梧桐苑", "3 号楼消防通道", {str(CAR): "车辆检测"}, ("北门",))


def written(target: Path, dossier: Dossier, data: Path, extra: dict[str, bytes]) -> None:
    with target.open("wb") as file:
        write_package(dossier, data, extra, file)


@pytest.fixture
async def packed(tmp_path: Path) -> tuple[Path, Path, str]:
    """Return data folder, package and its head."""
    data, now = tmp_path / "data", Instant(at(0) + 5 * HOUR)
    await live(data)
    journal = Journal(data)
    journal.anchor = lambda: Anchor(now, "boot", 0)
    await journal.execute(lambda db: add_audit(db, now, "li", "evidence", {}, target="picture"))
    await journal.execute(lambda db: note_export(db, now, "wang", 1))
    dossier = collect(data, 1, PLACE, "wang", now)
    await journal.close()
    made = tmp_path / "incident.zip"
    written(made, dossier, data, {"cover.pdf": b"%PDF", "readme.txt": "说明".encode()})
    return data, made, dossier.head


def names(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_package_holds_and_has_everything(packed: tuple[Path, Path, str]) -> None:
    data, made, head = packed
    files = names(made)
    report = verify_package(made, grouped(head), grouped(fingerprint(files["public.pem"])))
    assert report.breaks == []
    assert report.files == 1
    assert PICTURE in files.values()
    assert report.rows["events"] > 5
    assert report.rows["audit"] >= 1, "its own export is in it"
    assert {"incident.json", "diligence.json", "clock.json", "chain/links.json", "cover.pdf"} <= files.keys()
    assert stat.S_IMODE((data / "keys/evidence.pem").stat().st_mode) == 0o600
    assert verify_folder(data, head).holds


async def test_what_came_after_the_export_was_noted_does_not_spoil_it(tmp_path: Path) -> None:
    data, now = tmp_path / "data", Instant(at(0) + 5 * HOUR)
    await live(data)
    journal = Journal(data)
    journal.anchor = lambda: Anchor(now, "boot", 0)
    await journal.execute(lambda db: note_export(db, now, "wang", 1))
    before = collect(data, 1, PLACE, "wang", now)
    name = before.incident["activation"]
    step = Handling(name, IncidentState.CLOSED, now, "li", Verdict.RESOLVED)
    assert await handle(journal, step, IncidentState(before.incident["state"]))
    dossier = collect(data, 1, PLACE, "wang", now)  # a moment later, on a small machine
    await journal.close()
    written(tmp_path / "incident.zip", dossier, data, {})
    assert verify_package(tmp_path / "incident.zip").breaks == []
    assert [part.rows for part in dossier.parts] == [part.rows for part in before.parts]


def test_every_changed_byte_is_found(packed: tuple[Path, Path, str], tmp_path: Path) -> None:
    _, made, _ = packed
    content, changed = made.read_bytes(), tmp_path / "changed.zip"
    dice = random.Random(7)
    for _ in range(300):
        place = dice.randrange(len(content))
        changed.write_bytes(content[:place] + bytes([content[place] ^ dice.randrange(1, 256)]) + content[place + 1 :])
        assert not verify_package(changed).holds, place
    for touched in (content + b"x", b"x" + content, content[:-1], content[: len(content) // 2], b""):
        changed.write_bytes(touched)
        assert not verify_package(changed).holds


def test_files_added_removed_or_signed_by_another_are_found(packed: tuple[Path, Path, str], tmp_path: Path) -> None:
    from hub.journal import package

    _, made, _ = packed
    files, changed = names(made), tmp_path / "changed.zip"
    for touched in (
        {**files, "more.txt": b"x"},
        {name: content for name, content in files.items() if name != "cover.pdf"},
        {name: content for name, content in files.items() if name != "manifest.json"},
        {**files, "chain/events.json": files["chain/events.json"].replace(b"opened", b"openee")},
    ):
        with changed.open("wb") as target:  # a forger writes ZIPs as the hub does
            package._zip({name: package._whole(content) for name, content in touched.items()}, target)
        assert not verify_package(changed).holds
    assert [found.where for found in verify_package(made, key="0" * 64).breaks] == ["public.pem"]
    assert [found.where for found in verify_package(made, head="0" * 64).breaks] == ["head"]


async def test_one_who_signs_anew_still_cannot_change_what_the_head_seals(
    packed: tuple[Path, Path, str], tmp_path: Path
) -> None:
    """The site itself forges: a row is altered in the journal before the export, and the key is its own."""
    import sqlite3
    from contextlib import closing

    data, _, head = packed
    with closing(sqlite3.connect(data / "journal.sqlite3", isolation_level=None)) as db:
        db.execute("UPDATE events SET body = replace(body, 'second_warning', 'first_warning')")
    forged = tmp_path / "forged.zip"
    written(forged, collect(data, 1, PLACE, "wang", Instant(at(0) + 5 * HOUR)), data, {})
    assert "events" in {found.where for found in verify_package(forged, head).breaks}


def test_a_picture_that_was_altered_at_the_hub_is_not_passed_off(
    packed: tuple[Path, Path, str], tmp_path: Path
) -> None:
    data, _, _ = packed
    picture = next((data / "evidence").rglob("*.jpg"))
    picture.write_bytes(b"forged")
    made = tmp_path / "made.zip"
    written(made, collect(data, 1, PLACE, "wang", Instant(at(0) + 5 * HOUR)), data, {})
    report = verify_package(made)
    assert b"forged" not in names(made).values()
    assert ["no longer had" in found.what for found in report.breaks] == [True]


def test_a_bomb_is_refused_unread(tmp_path: Path) -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("manifest.json", bytes(50_000_000))
    (tmp_path / "bomb.zip").write_bytes(kept.getvalue())
    assert "no package" in verify_package(tmp_path / "bomb.zip").breaks[0].what


def test_files_that_share_their_bytes_are_refused_unread(tmp_path: Path) -> None:
    """A bomb without compression: thousands of entries that all point at one megabyte."""
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w") as made:
        made.writestr("manifest.json", bytes(1 << 20))
        made.filelist.extend(made.filelist * 5_000)
    assert "no package" in verify_package(tmp_path / "bomb.zip").breaks[0].what


def test_a_case_with_many_pictures_takes_no_more_memory(packed: tuple[Path, Path, str], tmp_path: Path) -> None:
    data, _, _ = packed
    picture = b"\xff\xd8" + bytes(1 << 20)
    digest, paths = hashlib.sha256(picture).hexdigest(), [f"evidence/many/{number}.jpg" for number in range(48)]
    (data / "evidence/many").mkdir()
    for path in paths:
        (data / path).write_bytes(picture)
    dossier = collect(data, 1, PLACE, "wang", Instant(at(0) + 5 * HOUR))
    dossier = msgspec.structs.replace(dossier, pictures=dict.fromkeys(paths, digest))
    made = tmp_path / "many.zip"
    tracemalloc.start()
    try:
        written(made, dossier, data, {})
        report = verify_package(made)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.stat().st_size > len(paths) * len(picture)
    assert peak < 8 << 20, f"{peak >> 20} MiB for pictures of {len(paths)} MiB"
    assert {found.where.split("/")[0] for found in report.breaks} == {"evidence"}, "of no outcome"


def test_how_far_the_clock_of_a_device_was_off_is_in_the_package() -> None:
    def row(seq: int, entity: str, off: float | None, retained: int = 0) -> list[Any]:
        told = None if off is None else at(seq) + round(off * 1e6)
        return [seq, entity, 1.0, "good", at(seq), told, retained]

    rows = [row(1, "a.b", -2.0), row(2, "a.b", -2.5), row(3, "a.b", 90.0), row(4, "a.b", -9e9, retained=1)]
    rows += [row(5, "a.c", None), row(6, "a.d", 3_600.0)]
    assert [clock_off(rows, name) for name in ("a.b", "a.c", "a.d", "a.e")] == [-2.0, None, 3_600.0, None]


def test_it_is_in_the_record_of_each_device(packed: tuple[Path, Path, str]) -> None:
    (one,) = msgspec.json.decode(names(packed[1])["diligence.json"])["availability"]
    assert one.keys() == {"device", "name", "share", "clock_off_s"}
