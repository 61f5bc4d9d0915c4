"""Every published vector and every recorded message becomes what its line says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integrations.lorawan.codecs import CODECS
from integrations.lorawan.tests.play import CONFIG, outcome
from tests.kit.captures import Capture, read_captures

FOLDER = Path(__file__).parents[1] / "captures"
VECTORS: list[dict[str, Any]] = [
    json.loads(line) for line in (FOLDER / "vectors.jsonl").read_text(encoding="utf-8").splitlines()
]
MESSAGES = [capture for name in ("servers", "refused") for capture in read_captures(FOLDER / f"{name}.jsonl")]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda row: f"{row['codec']}-{row['port']}-{row['hex'][:12]}")
def test_vector_reads_as_published(vector: dict[str, Any]) -> None:
    said = CODECS[vector["codec"]].read(vector["port"], bytes.fromhex(vector["hex"]))
    assert dict(said.values) == vector["values"]
    assert said.battery == vector.get("battery")


def test_every_codec_has_a_vector_for_each_of_its_entities() -> None:
    seen = {(row["codec"], key) for row in VECTORS for key in row["values"]}
    assert seen == {(name, channel.key) for name, codec in CODECS.items() for channel in codec.channels}


@pytest.mark.parametrize("name", CODECS)
def test_every_codec_has_seen_both_states(name: str) -> None:
    """A bit read at the wrong place shows only when the vectors have it set and not set."""
    states = {row["values"].get("parking", row["values"].get("contact")) for row in VECTORS if row["codec"] == name}
    assert len(states - {None}) == 2, states


@pytest.mark.parametrize("capture", MESSAGES, ids=lambda capture: f"line{capture.line}")
def test_message_decodes_as_stored(capture: Capture) -> None:
    assert outcome(capture.message, CONFIG) == capture.expect
