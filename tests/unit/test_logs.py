"""A log file is private, rotated, and holds one JSON object a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from hub import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    if (lines := getattr(structlog.get_config()["logger_factory"], "__self__", None)) is not None:
        lines.close()
    structlog.configure(**before)


def test_lines_go_to_the_file_and_it_is_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_SIZE", 2_000)
    monkeypatch.setattr(logs, "FILES", 2)
    path = tmp_path / "log" / "menshen.log"
    logs.configure("INFO", path)
    log = structlog.get_logger()
    for number in range(100):
        log.info("a.line", number=number, text="门\n神")
    log.debug("not.this")
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["menshen.log", "menshen.log.1", "menshen.log.2"]
    assert all(file.stat().st_size <= 2_000 for file in files)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert lines[-1]["number"] == 99
    assert lines[-1]["event"] == "a.line"
    assert path.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        logs.configure("INFO", tmp_path / "file" / "menshen.log")


def test_what_a_library_says_is_a_line_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    path = tmp_path / "menshen.log"
    logs.configure("INFO", path)
    library = logging.getLogger("some.library")
    try:
        int("a\nline")
    except ValueError:
        library.exception("went wrong: %s", "门")
    library.warning("%d of %d", 1)
    library.info("not this")
    first, second = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert (first["event"], first["library"], first["text"]) == ("library.said", "some.library", "went wrong: 门")
    assert "ValueError" in first["exception"]
    assert (first["level"], second["level"], second["text"]) == ("error", "warning", "%d of %d")
