"""``menshen import-automation``: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import main
from tests.kit import home_assistant as kit
from tests.kit.home_assistant import read_back


def run(folder: Path, *arguments: str, text: str = kit.NUMERIC) -> tuple[int, str, str]:
    (folder / "hub.yaml").write_text(kit.SITE, "utf-8")
    (folder / "ha.yaml").write_text(text, "utf-8")
    given_ = ["import-automation", str(folder / "ha.yaml"), "-c", str(folder / "hub.yaml"), *arguments]
    result = CliRunner().invoke(main, given_)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_rules_are_printed_and_the_report_stands_beside(tmp_path: Path) -> None:
    code, out, err = run(tmp_path)
    assert code == 0
    assert read_back(out, "battery_room_is_hot.yaml") is not None
    assert err.splitlines()[-1] == "已转换 1，部分 0，未转换 0 / turned 1, partly 0, not turned 0"
    code, out, err = run(tmp_path, text=kit.NUMERIC.replace("numeric_state", "tag"))
    assert (code, out) == (1, "")
    assert "未转换 / not turned" in err
    assert "ha.yaml:3:3: a trigger of kind `tag` has no counterpart" in err


def test_files_are_written_once_and_never_over_another(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    code, out, _ = run(tmp_path, "--out", str(rules))
    path = rules / "battery_room_is_hot.yaml"
    assert (code, list(rules.iterdir())) == (0, [path])
    assert "已转换 / turned" in out
    assert CliRunner().invoke(main, ["check", "-c", str(tmp_path / "hub.yaml")]).exit_code == 0
    path.write_text(before := path.read_text("utf-8").replace("90 s", "91 s"), "utf-8")
    code, out, _ = run(tmp_path, "--out", str(rules))
    assert (code, len(list(rules.iterdir()))) == (0, 2), "the id is taken, so another one is given"
    other = tmp_path / "other"
    other.mkdir()
    (other / "battery_room_is_hot_3.yaml").write_text("mine", "utf-8")
    code, out, _ = run(tmp_path, "--out", str(other))
    assert code == 1
    assert "battery_room_is_hot_3.yaml:1:1: is there already and was not overwritten" in out
    assert path.read_text("utf-8") == before
    assert (other / "battery_room_is_hot_3.yaml").read_text("utf-8") == "mine"


def test_json_for_programs(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "--json", "--live", text=kit.THROTTLED + kit.BOTH_DOORS + "- 7\n")
    found = json.loads(out)
    assert (code, err, found["findings"]) == (1, "", [])
    assert [each["outcome"] for each in found["automations"]] == ["turned", "turned", "not"]
    assert found["automations"][0]["rules"][0]["rule"] == "throttled"
    assert "dry_run" not in found["automations"][0]["rules"][0]["text"]
    assert found["automations"][2]["notes"][0]["mark"]["line"] == 15


BAD_FILES = {
    "secret": ("- alias: x\n  trigger: !secret y\n", "2:12: `!secret` is a tag; leave it out (Home Assistant resolves"),
    "include": ("automation: !include a.yaml\n", "1:13: `!include` is a tag"),
    "anchor": ("- &a {alias: x}\n- *a\n", "1:3: `&a` is an anchor"),
    "deep": ("a: " + "[" * 100_000, "1:28: nested more than 24 levels deep\n"),
    "large": ("- alias: " + "x" * 10_000_000, "1:1: the file is larger than"),
    "not YAML": ("a: [1, 2\nb: 3\n", "2:2: this is not YAML"),
    "no automations": ("light: [1]\n", "1:1: holds no automations"),
}


@pytest.mark.parametrize(("text", "finding"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path, text: str, finding: str) -> None:
    code, out, err = run(tmp_path, text=text)
    assert (code, out) == (1, "")
    assert f"ha.yaml:{finding}" in err


MISUSE = {
    "no file": (), "map without zone": ("x.yaml", "--map", "a.b"), "no such zone": ("x.yaml", "--map", "a.b=far.door"),
    "no such role": ("x.yaml", "--map", "a.b=lane_3.dor"), "no contact": ("x.yaml", "--map", "notify.a=far"),
    "mapped twice": ("x.yaml", "--map", "a.b=lane_3.door", "--map", "a.b=lane_4.door"),
    "no zone": ("x.yaml", "--zone", "far"), "no option": ("x.yaml", "--colour"),
}  # fmt: skip


@pytest.mark.parametrize("arguments", MISUSE.values(), ids=MISUSE)
def test_misuse(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "hub.yaml").write_text(kit.SITE, "utf-8")
    result = CliRunner().invoke(main, ["import-automation", "-c", str(tmp_path / "hub.yaml"), *arguments])
    assert result.exit_code == 2
    assert "Error" in result.stderr


def test_a_file_that_is_not_there_and_a_site_that_does_not_check(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text(kit.SITE, "utf-8")
    command = ["import-automation", str(tmp_path / "no.yaml"), "-c", str(tmp_path / "hub.yaml")]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, "no.yaml:1:1: cannot be read" in result.stderr) == (1, True)
    (tmp_path / "hub.yaml").write_text(kit.SITE.replace("fire_lane", "x"), "utf-8")
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, "hub.yaml:4:11: `x` is no zone kind" in result.stderr) == (1, True)
