"""Areas and zones by the API: written with comments kept, refused where something would hang in the air."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.config.site import load_site
from hub.model.ids import AreaId, ZoneId
from hub.model.site import Role, Site, ZoneKind
from tests.kit.office import GUARD, Office, office
from tests.unit.config.test_site import GOOD


async def put(desk: Office, path: str, body: dict[str, Any], role: str = "manager") -> int:
    answer = await desk.ask(f"/api/v1/{path}", role, "PUT", json=body, headers=GUARD)
    return answer.status


async def remove(desk: Office, path: str) -> int:
    return (await desk.ask(f"/api/v1/{path}", "manager", "DELETE", headers=GUARD)).status


def written(folder: Path) -> bytes:
    return next(folder.rglob("hub.yaml")).read_bytes()


def site(folder: Path) -> Site:
    return load_site(next(folder.rglob("hub.yaml"))).settings.site


async def test_a_place_is_made_named_and_given_its_zone(desk: Office, tmp_path: Path) -> None:
    assert await put(desk, "areas/building_9", {"name": {"zh": "9号楼", "en": "Building 9"}}) == 204
    assert await put(desk, "areas/unit_9_1", {"name": {"zh": "1单元", "en": ""}, "parent": "building_9"}) == 204
    box = {"kind": "supply", "name": {"zh": "9号楼弱电箱", "en": ""}, "area": "building_9"}
    assert await put(desk, "zones/box_9", box) == 204
    door = {"kind": "unit_door", "name": {"zh": "9号楼1单元门", "en": ""}, "area": "unit_9_1", "supplied_by": ["box_9"]}
    assert await put(desk, "zones/door_9", door) == 204
    now = site(tmp_path)
    assert now.areas[AreaId("unit_9_1")].parent == "building_9"
    zone = now.zones[ZoneId("door_9")]
    assert (zone.kind, zone.area, zone.supplied_by) == (ZoneKind.UNIT_DOOR, "unit_9_1", ("box_9",))


async def test_a_change_keeps_what_is_bound(desk: Office, tmp_path: Path) -> None:
    before = site(tmp_path).zones[ZoneId("lane")]
    assert before.bind
    lane = {"kind": "fire_lane", "name": {"zh": "新名字", "en": "New name"}}
    assert await put(desk, "zones/lane", lane) == 204
    after = site(tmp_path).zones[ZoneId("lane")]
    assert (after.name.zh, after.bind) == ("新名字", before.bind)


async def test_what_something_hangs_on_stays(desk: Office, tmp_path: Path) -> None:
    assert await put(desk, "areas/a", {"name": {"zh": "甲", "en": ""}}) == 204
    assert await put(desk, "zones/z", {"kind": "gate", "name": {"zh": "门", "en": ""}, "area": "a"}) == 204
    assert await remove(desk, "areas/a") == 422
    assert AreaId("a") in site(tmp_path).areas
    assert await remove(desk, "zones/z") == 204
    assert await remove(desk, "areas/a") == 204
    assert await remove(desk, "areas/a") == 422


async def test_the_community_is_named_and_the_rest_of_the_file_stays(desk: Office, tmp_path: Path) -> None:
    before = site(tmp_path)
    assert await put(desk, "site/name", {"name": {"zh": "和平里小区", "en": "Peace Lane"}}) == 204
    after = site(tmp_path)
    assert (after.name.zh, after.name.en, after.id) == ("和平里小区", "Peace Lane", before.id)
    assert (after.zones, after.areas) == (before.zones, before.areas)
    assert await put(desk, "site/name", {"name": {"zh": "", "en": ""}}) == 422
    assert await put(desk, "site/name", {"name": {"zh": "别的", "en": ""}}, role="guard") == 403
    assert site(tmp_path) == after


async def test_what_does_not_check_is_refused_and_nothing_is_written(desk: Office, tmp_path: Path) -> None:
    before = written(tmp_path)
    name = {"zh": "门", "en": ""}
    assert await put(desk, "zones/Big", {"kind": "gate", "name": name}) == 422
    assert await put(desk, "zones/z", {"kind": "gate", "name": name, "area": "nowhere"}) == 422
    assert await put(desk, "zones/z", {"kind": "gate", "name": name, "supplied_by": ["lane"]}) == 422
    assert await put(desk, "zones/z", {"kind": "moon", "name": name}) == 400
    assert await put(desk, "areas/a", {"name": {"zh": "", "en": ""}}) == 422
    assert await put(desk, "areas/a", {"name": name, "parent": "a"}) == 422
    assert await put(desk, "areas/a", {"name": name}, role="guard") == 403
    assert written(tmp_path) == before


async def test_the_hub_gets_a_zone_for_each_of_its_parts_and_a_second_time_none(tmp_path: Path) -> None:
    mine = GOOD.replace("zones:\n", "zones:\n  mine: {kind: hub, name: 磁盘, bind: {alarm: hub.disk}}\n")
    async with office(tmp_path, settings=mine) as desk:
        assert await put(desk, "site/hub", {}, "guard") == 403
        assert await put(desk, "site/hub", {}) == 204
        zones = {str(zone.id): zone for zone in site(tmp_path).zones.values() if zone.kind is ZoneKind.HUB}
        assert {name: zone.bound(Role.ALARM) for name, zone in zones.items()} == {
            "mine": ("hub.disk",), "hub_journal": ("hub.journal",), "hub_broker": ("hub.broker",),
            "hub_clock": ("hub.clock",), "hub_cameras": ("hub.cameras",),
        }  # fmt: skip
        before = written(tmp_path)
        assert await put(desk, "site/hub", {}) == 204
        assert written(tmp_path) == before
