"""Plans by the API: a picture is taken by its bytes, places by their numbers, and both stand in the site folder."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from hub.config.picture import LARGEST
from hub.config.site import load_site
from tests.kit.office import GUARD, Office
from tests.unit.config.test_plans import picture


def config(folder: Path) -> Path:
    return next(folder.rglob("hub.yaml"))


async def put(desk: Office, path: str, **more: object) -> int:
    return (await desk.ask(f"/api/v1/plans/{path}", "manager", "PUT", headers=GUARD, **more)).status


async def test_a_plan_is_made_and_what_is_on_it(desk: Office, tmp_path: Path) -> None:
    assert await put(desk, "main/picture?name=%20总图%20", data=picture()) == 204
    assert await put(desk, "main/zones/lane", json={"polygon": [[0, 0], [0.33333, 0], [1, 1]]}) == 204
    assert await put(desk, "main/devices/sim.a", json={"x": 0.123456, "y": 1}) == 204
    plan = load_site(config(tmp_path)).settings.plans["main"]
    assert plan.name.zh == "总图"
    assert plan.zones == {"lane": ((0, 0), (0.3333, 0), (1, 1))}
    assert plan.devices == {"sim.a": (0.1235, 1)}
    for path in ("main/zones/lane", "main/devices/sim.a", "main"):
        answer = await desk.ask(f"/api/v1/plans/{path}", "manager", "DELETE", headers=GUARD)
        assert answer.status == 204
    assert load_site(config(tmp_path)).settings.plans == {}


async def test_a_viewer_sees_plan_and_picture(desk: Office, tmp_path: Path) -> None:
    await put(desk, "main/picture", data=picture("JPEG"))
    await put(desk, "main/devices/sim.a", json={"x": 0.5, "y": 0.25})
    folder = load_site(config(tmp_path))
    object.__setattr__(desk.context, "folder", lambda: folder)  # as the hub takes an edited folder over
    answer = await desk.ask("/api/v1/plans")
    assert (await answer.json())["items"] == [
        {"id": "main", "name": {"zh": "小区平面图", "en": "Site plan"}, "zones": {}, "devices": {"sim.a": [0.5, 0.25]}}
    ]
    answer = await desk.ask("/api/v1/plans/main/picture")
    assert (answer.status, answer.content_type, await answer.read()) == (200, "image/jpeg", picture("JPEG"))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    (config(tmp_path).parent / "plans" / "main.jpg").unlink()
    assert (await desk.ask("/api/v1/plans/main/picture")).status == 404
    assert (await desk.ask("/api/v1/plans/other/picture")).status == 404


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        ("main/picture", {"data": b"<svg onload='alert(1)'/>"}, 422),
        ("main/picture", {"data": io.BytesIO(bytes(LARGEST + 1))}, 413),
        ("Main/picture", {"data": picture()}, 422),
        ("..%2fmain/picture", {"data": picture()}, 422),
        ("main/zones/lane", {"json": {"polygon": [[0, 0], [1, 1]]}}, 400),
        ("main/zones/lane", {"json": {"polygon": [[0, 0], [1, 1], [0, 1.01]]}}, 400),
        ("main/zones/lane", {"json": {"polygon": [[0, 0]] * 41}}, 400),
        ("main/zones/nowhere", {"json": {"polygon": [[0, 0], [1, 1], [0, 1]]}}, 422),
        ("other/zones/lane", {"json": {"polygon": [[0, 0], [1, 1], [0, 1]]}}, 422),
        ("main/devices/Sim", {"json": {"x": 0, "y": 0}}, 422),
        ("main/devices/sim.a", {"json": {"x": -0.1, "y": 0}}, 400),
        ("main/devices/sim.a", {"data": '{"x": 1e999, "y": 0}'}, 400),
    ],
)
async def test_what_cannot_be_is_refused(
    desk: Office, tmp_path: Path, path: str, more: dict[str, object], status: int
) -> None:
    assert await put(desk, "main/picture", data=picture()) == 204
    before = config(tmp_path).read_bytes()
    assert await put(desk, path, **more) == status
    assert config(tmp_path).read_bytes() == before
    assert [file.name for file in (config(tmp_path).parent / "plans").iterdir()] == ["main.png"]
