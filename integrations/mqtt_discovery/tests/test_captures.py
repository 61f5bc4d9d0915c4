"""Every recorded message becomes what its line says, and the manifest says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.kit.captures import Player
from integrations.mqtt_discovery import plugin
from integrations.mqtt_discovery.config import Config
from tests.kit.captures import check_manifest, read_captures

FOLDER = Path(__file__).parents[1]
RECORDINGS = sorted((FOLDER / "captures").glob("*.jsonl"))


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
def test_recording_decodes_as_stored(file: Path) -> None:
    player = Player(plugin, Config())
    captures = read_captures(file)
    assert captures
    for capture in captures:
        assert player.play(capture.message) == capture.expect, f"{file.name}:{capture.line}"


def test_recordings_cover_both_outcomes() -> None:
    kinds = {key for file in RECORDINGS for capture in read_captures(file) for key in capture.expect}
    assert kinds == {"announce", "samples", "errors"}


def test_manifest_matches_the_code() -> None:
    check_manifest(FOLDER, plugin)
