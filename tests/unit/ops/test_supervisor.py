"""Without a supervisor, or with half of its words, the hub is silent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.ops.supervisor import interval, tell


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for address in ("", "nonsense", str(tmp_path / "gone")):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        tell("READY=1")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("micros", "process", "seconds"),
    [("30000000", None, 15.0), ("30000000", "1", None), ("0", None, None), ("x", None, None), ("", None, None)],
)
def test_how_often(micros: str, process: str | None, seconds: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", micros)
    monkeypatch.setenv("WATCHDOG_PID", process or str(os.getpid()))
    assert interval() == seconds
