"""Many rule files are read by two processes: the same rules and findings in the same order, also when one is lost."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from hub.config import rules
from hub.config.settings import read_settings
from hub.config.yaml import load
from hub.model.reader import Reader
from hub.model.site import Site
from tests.kit.many_rules import write_large_site


@pytest.fixture
def folder(tmp_path: Path) -> tuple[list[Path], Site]:
    config = write_large_site(tmp_path, 24, 4)
    folder = tmp_path / "rules"
    (folder / "rule_000003.yaml").write_text("rule: [", "utf-8")
    wrong = (folder / "rule_000020.yaml").read_text("utf-8")
    (folder / "rule_000020.yaml").write_text(wrong.replace("present", "presents"), "utf-8")
    (folder / "zz_twice.yaml").write_text((folder / "rule_000000.yaml").read_text("utf-8"), "utf-8")
    settings = read_settings(load(config), Reader())
    assert settings is not None
    return sorted(folder.glob("*.yaml")), settings.site


@pytest.mark.parametrize("lost", [False, True])
def test_two_processes_find_what_one_finds(
    lost: bool, folder: tuple[list[Path], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, site = folder
    alone = rules.read_rules(paths, site)
    assert len(alone[0]) == 22
    assert sorted(str(finding).split(":")[0] for finding in alone[1] if not finding.warning) == [
        "rules/rule_000003.yaml", "rules/rule_000020.yaml", "rules/zz_twice.yaml",
    ]  # fmt: skip
    monkeypatch.setattr(rules, "MANY", 2)
    if lost:
        monkeypatch.setattr(Future, "result", _lost)
    assert rules.read_rules(paths, site) == alone


def _lost(_future: Future[object], _timeout: float | None = None) -> None:
    raise BrokenProcessPool("a process was killed")
