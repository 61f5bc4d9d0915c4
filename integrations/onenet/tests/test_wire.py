"""The documented messages, and whatever else may come: only DecodeError escapes."""

from __future__ import annotations

import contextlib
import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import integrations.onenet as integration
from hub.sdk import DecodeError, Text
from integrations.onenet.bays import news, places
from integrations.onenet.config import Bay, Config
from integrations.onenet.memory import Memory
from integrations.onenet.wire import Envelope, Point, Status, fits, read_envelope, read_item, read_items, word

FOLDER = Path(integration.__file__).parent
CAPTURES = [json.loads(line) for line in (FOLDER / "captures" / "pushes.jsonl").read_text().splitlines()]


def shown(item: Point | Status | None) -> list[Any] | None:
    return None if item is None else [type(item).__name__.lower(), *astuple(item)]


@pytest.mark.parametrize("row", CAPTURES, ids=lambda row: row["source"][:40])
def test_captures(row: dict[str, Any]) -> None:
    envelope = read_envelope(row["body"].encode())
    signature = envelope.msg_signature or envelope.signature
    assert fits("parking-token", envelope.nonce, envelope.text(), signature) == row["signed"]
    assert not fits("another-token", envelope.nonce, envelope.text(), signature)
    assert [shown(read_item(item)) for item in read_items(envelope.text())] == row["expect"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, "1"), (1.0, "1"), ("1 ", "1"), (True, "true"), (0.5, "0.5"), (None, None), ([], None), ({}, None)],
)
def test_words(value: object, expected: str | None) -> None:
    assert word(value) == expected


LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from([1, 2, 7]) | JSON,
        "dev_id": st.sampled_from([5, "5"]) | JSON,
        "ds_id": st.sampled_from(["p", "b"]) | JSON,
        "at": st.integers(0, 2**45) | JSON,
        "value": st.integers(0, 2) | JSON,
        "status": st.integers(-1, 2) | JSON,
    },
)
BAYS = places("x", Config(name=Text("x"), token="t", bays={"a": Bay("车", 5, "p", battery="b")}))


@given(st.lists(FIELDS | JSON, max_size=4))
def test_whatever_is_signed(items: list[Any]) -> None:
    found = []
    for item in read_items(msgspec.json.encode(items)):
        with contextlib.suppress(DecodeError):
            found.append(read_item(item))
    told = news(BAYS, Memory(Path("none")), filter(None, found), now=0)
    assert len(told.said) <= 2 * len(items)


@given(
    st.binary(max_size=200)
    | st.fixed_dictionaries({}, optional=dict.fromkeys(Envelope.__struct_fields__, JSON)).map(msgspec.json.encode)
)
def test_whatever_is_posted(body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        envelope = read_envelope(body)
        text = envelope.text()
        assert not fits("token", envelope.nonce, text, envelope.signature)
        read_items(text)


@given(st.text(), st.text(), st.text())
def test_whatever_is_asked(nonce: str, text: str, signature: str) -> None:
    assert not fits("token", nonce, text.encode("utf-8", "replace"), signature)


def test_too_many_messages() -> None:
    with pytest.raises(DecodeError, match="1001 messages"):
        read_items(b"[" + b"1," * 1000 + b"1]")


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load((FOLDER / "manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain == FOLDER.name
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}
    assert all({"zh", "en"} <= field.keys() for field in manifest["config"].values())
    for bay in msgspec.structs.fields(Bay):
        assert bay.name in manifest["config"]["bays"]["zh"]
    for line in manifest["quality"]:
        assert ("reason" in line) == (line["state"] == "exempt")


def test_the_example_of_the_documentation_is_a_configuration() -> None:
    text = (FOLDER.parent.parent / "docs" / "integrations" / "parking.md").read_text()
    (example,) = (
        part for part in text.split("```") if part.startswith("yaml\n") and f"  {integration.plugin.domain}:" in part
    )
    for device in yaml.safe_load(example.removeprefix("yaml\n"))["devices"][integration.plugin.domain].values():
        msgspec.convert(device | {"token": "0123456789abcdef"}, Config)
