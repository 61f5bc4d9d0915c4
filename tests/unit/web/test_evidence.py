"""The package of an incident from the page and the console, its view log, holds, and the head of the chain."""

from __future__ import annotations

import zipfile
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from hub.cli import main
from hub.journal.chain import extend
from hub.journal.package import verify_package
from hub.journal.store import FILE, connect
from hub.journal.verify import verify_folder
from tests.kit.facts import NAME, story
from tests.kit.office import GUARD, Office, bearer
from tests.kit.store import rows

MANAGER = {**GUARD, **bearer("token-of-manager")}


async def test_a_manager_exports_an_incident(desk: Office, tmp_path: Path) -> None:
    await desk.context.journal.commit(story())
    answer = await desk.client.post("/api/v1/incidents/1/export", headers=MANAGER)
    assert (answer.status, answer.content_type) == (200, "application/zip")
    made = tmp_path / "1.zip"
    made.write_bytes(await answer.read())
    report = verify_package(made)
    assert [found.where for found in report.breaks] == [next(iter(lost_pictures(made)))], (
        "the story has no real picture"
    )
    with zipfile.ZipFile(made) as opened:
        assert opened.read("cover.pdf").startswith(b"%PDF")
        assert "事件开启" in opened.read("story.txt").decode()
        assert b'"export"' in opened.read("chain/audit.json")
    log = await (await desk.client.get("/api/v1/incidents/1/views", headers=MANAGER)).json()
    assert [(line["action"], line["actor"]) for line in log["items"]] == [("export", "manager")]


def lost_pictures(made: Path) -> list[str]:
    import json

    with zipfile.ZipFile(made) as opened:
        lost: list[str] = json.loads(opened.read("incident.json"))["lost"]
    return lost


async def test_a_guard_does_not_export(desk: Office) -> None:
    answer = await desk.client.post("/api/v1/incidents/1/export", headers={**GUARD, **bearer("token-of-guard")})
    assert answer.status == 403


async def test_a_hold_is_set_and_ended(desk: Office) -> None:
    await desk.context.journal.commit(story())
    for on, left in ((True, [(NAME,)]), (False, [])):
        answer = await desk.client.put("/api/v1/incidents/1/hold", json={"on": on, "why": "police"}, headers=MANAGER)
        assert answer.status == 204
        assert rows(desk.context.data, "SELECT activation FROM holds") == left
        told = await (await desk.ask("/api/v1/incidents/1/hold", "guard")).json()
        assert (told["on"], told["by"], told["why"]) == (on, *(("manager", "police") if on else ("", "")))
        assert (told["at"] is not None) is on
    actions = rows(desk.context.data, "SELECT action FROM audit ORDER BY seq")
    assert actions[-2:] == [("hold",), ("hold",)]


async def test_who_looked_through_its_cameras_meanwhile_is_in_the_log_and_in_the_package(
    desk: Office, tmp_path: Path
) -> None:
    await desk.context.journal.commit(story())
    ((zone, opened),) = rows(desk.context.data, "SELECT zone, opened_at FROM incidents")

    def looked(action: str, by: str, target: str, at: int) -> None:
        sql = "INSERT INTO audit (at, actor, action, body, target) VALUES (?, ?, ?, '{}', ?)"
        with closing(connect(desk.context.data / FILE)) as db:
            db.execute(sql, (at, by, action, target))
            extend(db)

    looked("live_picture", "meanwhile", zone, opened + 1)
    looked("onlook", "by live video", zone, opened + 2)
    looked("live_picture", "elsewhere", "another", opened + 1)
    looked("sight_picture", "too early", zone, opened - 1)
    log = await (await desk.client.get("/api/v1/incidents/1/views", headers=MANAGER)).json()
    assert [(line["action"], line["actor"]) for line in log["items"]] == [
        ("onlook", "by live video"),
        ("live_picture", "meanwhile"),
    ]
    answer = await desk.client.post("/api/v1/incidents/1/export", headers=MANAGER)
    (tmp_path / "1.zip").write_bytes(await answer.read())
    with zipfile.ZipFile(tmp_path / "1.zip") as opened_zip:
        audit = opened_zip.read("chain/audit.json").decode()
    assert [word in audit for word in ("meanwhile", "elsewhere", "too early")] == [True, False, False]


async def test_the_head_is_shown_and_the_chain_verified(desk: Office) -> None:
    chain = await (await desk.client.get("/api/v1/chain", headers=MANAGER)).json()
    assert chain["qr"].startswith("data:image/svg+xml")
    assert chain["verified"] is None
    assert verify_folder(desk.context.data, chain["head"]).breaks == []
    answer = await (await desk.client.post("/api/v1/chain/verification", headers=MANAGER)).json()
    assert (answer["holds"], answer["breaks"]) == (True, [])
    chain = await (await desk.client.get("/api/v1/chain", headers=MANAGER)).json()
    assert (chain["verified"]["by"], chain["verified"]["holds"]) == ("manager", True)


async def test_the_console_verifies_and_prints_the_head(desk: Office, tmp_path: Path) -> None:
    data = str(desk.context.data)
    head = CliRunner().invoke(main, ["evidence", "head", "--data", data, "--qr"])
    assert head.exit_code == 0, head.output
    digest = head.output.splitlines()[1]
    well = CliRunner().invoke(main, ["evidence", "verify", "--data", data, "--head", digest])
    assert (well.exit_code, "完好" in well.output) == (0, True), well.output
    other = CliRunner().invoke(main, ["evidence", "verify", "--data", data, "--head", "0" * 64])
    assert (other.exit_code, "rolled back" in other.output) == (1, True)
    assert CliRunner().invoke(main, ["evidence", "verify"]).exit_code == 2
    assert CliRunner().invoke(main, ["evidence", "verify", "--data", data, "--head", "x"]).exit_code == 2
    (tmp_path / "no.zip").write_bytes(b"nothing")
    assert CliRunner().invoke(main, ["evidence", "verify", str(tmp_path / "no.zip")]).exit_code == 1


async def test_the_console_exports(desk: Office, tmp_path: Path) -> None:
    await desk.context.journal.commit(story())
    out = tmp_path / "out.zip"
    config = desk.context.editor.path if hasattr(desk.context.editor, "path") else None
    words = ["evidence", "export", "1", "--data", str(desk.context.data), "-o", str(out)]
    done = CliRunner().invoke(main, [*words, "-c", str(config or next(desk.context.data.parent.rglob("hub.yaml")))])
    assert done.exit_code == 0, done.output
    assert {found.where.split("/")[0] for found in verify_package(out).breaks} == {"evidence"}
