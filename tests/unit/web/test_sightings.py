"""What passed the cameras: searched, paged, recorded who looked; quotas, retention, an answer without much reading."""

from __future__ import annotations

import base64
import itertools
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from hub.journal.store import connect
from hub.model.proof import Retention
from hub.model.time import DAY, SECOND, Instant
from hub.ops.backup.take import files
from hub.seeing import sightings as kept
from hub.seeing.sightings import FILE, Sightings, Wanted, find, look_of, question
from hub.vision.detect.kind import Kind
from hub.vision.sighting.palette import Colour
from hub.vision.sighting.record import Sighting
from tests.kit.office import Office, office
from tests.unit.config.test_site import GOOD

CAMERA, OTHER = "generic_camera.lane", "generic_camera.gate"
NOON = 1_700_000_000.0
JPEG = b"\xff\xd8\xff\xe0small"


def seen(at: float, kind: Kind = Kind.PERSON, upper: Colour = Colour.BLUE, lower: Colour = Colour.BLACK) -> Sighting:
    return Sighting(at, at + 4.5, kind, (0.25, 0.5, 0.5, 1.0), upper, lower, JPEG)


def at(seconds: float) -> Instant:
    return Instant(round(seconds * SECOND))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Sightings]:
    folder = tmp_path / "kept"
    folder.mkdir()
    made = Sightings(folder)
    yield made
    await made.close()


ALL = Wanted(at(NOON), at(NOON + 3600))


async def test_what_was_kept_is_found_by_class_colours_time_and_camera_in_its_order(store: Sightings) -> None:
    assert await store.find(ALL, 10) == [], "before there is a file"
    for second, kind, upper, lower, camera in (
        (20, Kind.PERSON, Colour.BLUE, Colour.BLACK, CAMERA),
        (10, Kind.VEHICLE, Colour.RED, Colour.RED, CAMERA),
        (30, Kind.PERSON, Colour.RED, Colour.BLUE, OTHER),
        (30, Kind.OTHER, Colour.BLUE, Colour.BLUE, OTHER),
    ):
        assert await store.add(camera, seen(NOON + second, kind, upper, lower))

    async def times(**wanted: frozenset[object]) -> list[float]:
        return [one.what.began - NOON for one in await store.find(msgspec.structs.replace(ALL, **wanted), 10)]

    assert await times() == [10, 20, 30, 30]
    assert await times(kinds=frozenset({Kind.PERSON})) == [20, 30]
    assert await times(upper=frozenset({Colour.BLUE})) == [20, 30]
    assert await times(upper=frozenset({Colour.BLUE}), lower=frozenset({Colour.BLACK, Colour.GREY})) == [20]
    assert await times(cameras=frozenset({CAMERA, "nobody.knows"})) == [10, 20]
    assert await times(cameras=frozenset({"nobody.knows"})) == []
    assert await times(cameras=frozenset({OTHER}), kinds=frozenset({Kind.OTHER})) == [30]
    found = await store.find(msgspec.structs.replace(ALL, begin=at(NOON + 20), end=at(NOON + 30)), 10)
    assert [(one.camera, one.what.ended - NOON, one.what.jpeg) for one in found] == [(CAMERA, 24.5, JPEG)]
    assert found[0].what.box == pytest.approx((0.25, 0.5, 0.5, 1.0), abs=0.01)
    first = await store.find(ALL, 3)
    assert [one.id for one in first + await store.find(ALL, 3, first[-1].id)] == [
        one.id for one in await store.find(ALL, 9)
    ]


async def test_a_camera_has_its_share_of_a_day(store: Sightings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "DAILY", 3)
    told = [await store.add(CAMERA, seen(NOON + second)) for second in range(5)]
    assert told == [True, True, True, False, False]
    assert await store.add(OTHER, seen(NOON)), "another camera has its own"
    assert await store.add(CAMERA, seen(NOON + 86_400)), "and so has another day"


@pytest.mark.parametrize(
    "wrong",
    [
        {"jpeg": b""}, {"jpeg": b"GIF89a"}, {"jpeg": JPEG + bytes(9_000)}, {"began": -1.0}, {"began": float("nan")},
        {"ended": NOON - 1}, {"ended": NOON + 1e9}, {"began": 1e12, "ended": 1e12}, {"box": (0.0, 0.0, 1.5, 1.0)},
        {"box": (0.5, 0.0, 0.2, 1.0)}, {"box": (float("nan"), 0.0, 0.2, 1.0)},
    ],
    ids=str,
)  # fmt: skip
async def test_what_no_worker_says_is_not_kept(store: Sightings, wrong: dict[str, object]) -> None:
    assert not await store.add(CAMERA, msgspec.structs.replace(seen(NOON), **wrong))


async def test_what_is_old_goes_and_what_is_too_much(store: Sightings, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(3):
        await store.add(CAMERA, seen(NOON + day * 86_400))
    assert await store.erase(at(NOON + 86_400)) == 1
    everything = Wanted(Instant(0), at(NOON + 9 * 86_400))
    assert len(await store.find(everything, 10)) == 2
    monkeypatch.setattr(kept, "MOST_BYTES", 1)
    monkeypatch.setattr(kept, "CHUNK", 1)
    await store.erase(Instant(0))
    assert await store.find(everything, 10) == []
    with sqlite3.connect(store._path) as db:
        assert db.execute("SELECT count(*) FROM thumbnails").fetchone() == (0,)


async def test_a_search_while_the_file_is_being_made_waits_for_it(tmp_path: Path) -> None:
    store = Sightings(tmp_path)
    (tmp_path / FILE).touch()  # as it is when it was opened, and has no tables yet
    assert await store.find(ALL, 10) == []
    await store.close()


@pytest.mark.parametrize("retention", [Retention(sightings=0), Retention(pictures=0)])
async def test_who_wants_none_keeps_none(tmp_path: Path, retention: Retention) -> None:
    store = Sightings(tmp_path, lambda: retention)
    assert not await store.add(CAMERA, seen(NOON))
    assert not (tmp_path / FILE).exists()
    await store.close()


async def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to be looked at" * 99)
    store = Sightings(tmp_path)
    assert await store.add(CAMERA, seen(NOON))
    assert (tmp_path / "sightings.damaged").exists()
    await store.close()


async def test_no_backup_has_them(store: Sightings, tmp_path: Path) -> None:
    await store.add(CAMERA, seen(NOON))
    (tmp_path / "hub.yaml").write_text("")
    assert not [name for name, _ in files(tmp_path / "hub.yaml", tmp_path / "kept") if "sightings" in name]


def rows(count: int) -> Iterator[tuple[int, int, int, int, bytes]]:
    """A month of fifty cameras, evenly spread; people in purple are rare."""
    kinds, colours = itertools.cycle((Kind.PERSON, Kind.PERSON, Kind.VEHICLE)), itertools.cycle(list(Colour)[:8])
    for number in range(count):
        upper = Colour.PURPLE if number % 5_000 == 4_999 else next(colours)
        yield (
            kept.number_of(at(NOON + number * 30 * 86_400 / count)), number % 50 + 1,
            look_of(next(kinds), upper, next(colours)), 4_500, b"\1\2\3\4",
        )  # fmt: skip


async def test_a_rare_thing_is_found_without_reading_the_month(store: Sightings) -> None:
    """How much SQLite does is counted in its own steps, so that no clock decides: a thousandth of the rows is read."""
    await store.add(CAMERA, seen(NOON - 86_400))
    with connect(store._path) as db:
        db.execute("BEGIN")
        db.executemany("INSERT INTO cameras VALUES (?, ?)", [(number, f"onvif.c{number}") for number in range(2, 51)])
        days = [(camera, int(NOON // 86_400) + day, 1) for camera in range(1, 51) for day in range(31)]
        db.executemany("INSERT OR IGNORE INTO days VALUES (?, ?, ?)", days)
        db.executemany("INSERT INTO sightings VALUES (?, ?, ?, ?, ?)", rows(30_000))
        db.execute("COMMIT")
        month = Wanted(at(NOON), Instant(at(NOON) + 30 * DAY))

        def steps(wanted: Wanted) -> tuple[int, int]:
            taken = 0

            def count() -> int:
                nonlocal taken
                taken += 10
                return 0

            db.set_progress_handler(count, 10)
            found = find(db, wanted, 60)
            db.set_progress_handler(None, 0)
            return len(found), taken

        whole = 30_000 * 5  # a scan takes some steps for each row
        purple = msgspec.structs.replace(month, kinds=frozenset({Kind.PERSON}), upper=frozenset({Colour.PURPLE}))
        assert steps(purple)[0] == 4
        assert steps(purple)[1] < whole / 50
        assert steps(month)[1] < whole / 50, "what is found at once is not searched for"
        assert steps(msgspec.structs.replace(month, cameras=frozenset({"onvif.none"})))[1] < whole / 100
        assert steps(msgspec.structs.replace(month, upper=frozenset(list(Colour)[:4])))[0] == 60
        sql, values = question(db, purple, 60, 0)
        (plan,) = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values) if "sightings" in row[3]]
        assert "looks" in plan


async def test_a_search_is_recorded_with_what_was_shown(desk: Office, store: Sightings) -> None:
    desk.context.eyes.sightings = store
    for second in (1, 2, 3):
        await store.add(CAMERA, seen(NOON + second))
    ask = "/api/v1/sightings?begin=2023-11-14T22:13:00Z&end=2023-11-14T22:14:00Z&upper=blue&upper=red&kind=person"
    answer = await desk.ask(f"{ask}&limit=2", "guard")
    page = await answer.json()
    assert answer.status == 200, page
    assert [one["began"] for one in page["items"]] == ["2023-11-14T22:13:21.000Z", "2023-11-14T22:13:22.000Z"]
    assert base64.b64decode(page["items"][0]["picture"]) == JPEG
    assert page["items"][0]["incident"] is None
    rest = await (await desk.ask(f"{ask}&cursor={page['next']}", "guard")).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)

    def trail(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
        return db.execute("SELECT actor, action, body FROM audit WHERE action = 'sightings' ORDER BY rowid").fetchall()

    page_one, page_two = await desk.context.journal.answer(trail)
    assert page_one[0] == "guard"
    body = json.loads(page_one[2])
    assert body["upper"] == ["blue", "red"]
    assert body["shown"] == [one["id"] for one in page["items"]]
    assert json.loads(page_two[2])["shown"] == [rest["items"][0]["id"]]


async def test_an_incident_of_the_zone_about_that_time_is_named(store: Sightings, tmp_path: Path) -> None:
    settings = GOOD.replace("name: 车道,", "name: 车道, see: {camera: generic_camera.lane, as: health},")
    async with office(tmp_path, settings=settings) as desk:
        desk.context.eyes.sightings = store
        for second in (0, 3_000):
            await store.add(CAMERA, seen(NOON + second))
        await store.add(OTHER, seen(NOON))

        def opened(db: sqlite3.Connection) -> None:
            sql = "INSERT INTO incidents (activation, rule, zone, severity, state, opened_at) VALUES (?, ?, ?, ?, ?, ?)"
            db.execute(sql, ("a", "blocked", "lane", "high", "open", at(NOON + 240)))

        await desk.context.journal.execute(opened)
        ask = "/api/v1/sightings?begin=2023-11-14T22:00:00Z&end=2023-11-15T00:00:00Z"
        page = await (await desk.ask(ask, "guard")).json()
    found = [(one["camera"], one["incident"]) for one in page["items"]]
    assert sorted(found, key=str) == [(OTHER, None), (CAMERA, "1"), (CAMERA, None)]


@pytest.mark.parametrize(
    "query", ["upper=mauve", "kind=cat", "begin=2024-01-01T00:00Z&end=2023-01-01T00:00Z", "limit=0", "cursor=x"]
)
async def test_a_question_that_makes_no_sense_is_refused(desk: Office, query: str) -> None:
    assert (await desk.ask(f"/api/v1/sightings?{query}", "guard")).status == 400
    assert (await desk.ask("/api/v1/sightings", "viewer")).status == 403
