"""What cameras look for, written by a manager into hub.yaml: comments and order stay, mistakes are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.model.ids import ZoneId
from hub.model.site import Decode, Role, Sees, Zone
from tests.kit.office import GUARD, Office
from tests.unit.web.test_places import remove, site, written

LANE = {"polygon": [[0.1, 0.9], [0.9, 0.9], [0.5, 0.23456789]]}
FLOORS = {"floors": [[0.5, 0.9, 1], [0.5, 0.7, 2], [0.5, 0.5, 3], [0.5, 0.3, 4]]}
ONE = "zones/lane/sight/generic_camera.lane"


async def put(desk: Office, path: str, body: dict[str, Any], role: str = "manager") -> tuple[int, str]:
    answer = await desk.ask(f"/api/v1/{path}", role, "PUT", json=body, headers=GUARD)
    return answer.status, "" if answer.status == 204 else msgspec.json.decode(await answer.read())["error"]


def lane(folder: Path) -> Zone:
    return site(folder).zones[ZoneId("lane")]


def comment(folder: Path) -> None:
    file = next(folder.rglob("hub.yaml"))
    file.write_text("# 我们的小区\n" + file.read_text("utf-8"), "utf-8")


async def test_a_lane_is_drawn_moved_and_taken_away(desk: Office, tmp_path: Path) -> None:
    comment(tmp_path)
    before = lane(tmp_path)
    assert await put(desk, f"{ONE}/lane", LANE) == (204, "")
    (sight,) = lane(tmp_path).see
    assert (sight.sees, sight.polygon) == (Sees.LANE, ((0.1, 0.9), (0.9, 0.9), (0.5, 0.2346)))
    assert sight.entity in lane(tmp_path).bound(Role.VEHICLE), "bound by itself"
    assert await put(desk, f"{ONE}/falling", FLOORS) == (204, "")
    assert [one.sees for one in lane(tmp_path).see] == [Sees.LANE, Sees.FALLING]
    moved = {"polygon": [[0.2, 0.9], [0.9, 0.9], [0.5, 0.2]]}
    assert await put(desk, f"{ONE}/lane", moved) == (204, "")
    first, second = lane(tmp_path).see
    assert (first.polygon[0], second.floors[3]) == ((0.2, 0.9), (0.5, 0.3, 4)), "its place in the list stays"
    assert b"polygon: [[0.2, 0.9]" in written(tmp_path).replace(b'"', b"")
    assert written(tmp_path).startswith("# 我们的小区".encode())
    assert await put(desk, f"{ONE}/lane", moved | {"decode": "adaptive"}) == (204, "")
    assert await put(desk, f"{ONE}/lane", moved) == (204, "")
    assert lane(tmp_path).see[0].decode is Decode.ADAPTIVE, "it stays where nothing else is said"
    assert (await put(desk, f"{ONE}/falling", FLOORS | {"decode": "key"}))[0] == 422
    assert await remove(desk, f"{ONE}/lane") == 204
    assert await remove(desk, f"{ONE}/lane") == 422, "it is gone"
    assert await remove(desk, f"{ONE}/falling") == 204
    assert lane(tmp_path) == before


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (f"{ONE}/lane", {}, (422, "refused")),
        (f"{ONE}/lane", FLOORS, (422, "refused")),
        (f"{ONE}/lane", {"polygon": [[0.1, 0.9], [1.1, 0.9], [0.5, 0.2]]}, (400, "bad_request")),
        (f"{ONE}/birds", LANE, (404, "not_found")),
        ("zones/nowhere/sight/generic_camera.lane/lane", LANE, (422, "refused")),
        ("zones/lane/sight/nonsense/lane", LANE, (422, "refused")),
        (f"{ONE}/falling", {"floors": [[0.5, 0.9, 1], [0.5, 0.7, 2], [0.5, 0.5, 3]]}, (422, "floors")),
        (f"{ONE}/falling", {"floors": [[0.5, 0.3, 1], [0.5, 0.5, 2], [0.5, 0.7, 3], [0.5, 0.9, 4]]}, (422, "floors")),
    ],
)
async def test_what_makes_no_sense_is_refused(
    desk: Office, tmp_path: Path, path: str, body: dict[str, Any], said: tuple[int, str]
) -> None:
    before = written(tmp_path)
    assert await put(desk, path, body) == said
    assert written(tmp_path) == before


async def test_a_guard_draws_nothing(desk: Office) -> None:
    assert await put(desk, f"{ONE}/lane", LANE, "guard") == (403, "role")
