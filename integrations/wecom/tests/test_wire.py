"""The words, the cut, the answers and the window: pure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import integrations.wecom as integration
from hub.sdk import DeviceError, Text
from integrations.wecom.wire import MAX_TEXT, check, message, shortened
from tests.kit.notifiers import NOTICE, TOLD, check_reason

ANSWERS = Path(integration.__file__).with_name("captures") / "answers.jsonl"
VECTORS = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["answer"][:40] for vector in VECTORS])
def test_answers(vector: dict[str, Any]) -> None:
    if vector["expect"] is None:
        return check(vector["answer"].encode())
    with pytest.raises(DeviceError) as caught:
        check(vector["answer"].encode())
    assert type(caught.value).__name__ == vector["expect"]
    if "code" in vector:
        assert str(vector["code"]) in caught.value.reason
    return None


def test_words() -> None:
    assert all(part in NOTICE.line(MAX_TEXT) for part in TOLD)
    assert json.loads(message(NOTICE)) == {"msgtype": "text", "text": {"content": NOTICE.line(MAX_TEXT)}}


@pytest.mark.parametrize(
    ("text", "cut"), [("abcdef", "abcdef"), ("abcdefg", "abc…"), ("占道", "占道"), ("占道中", "占…")]
)
def test_cut(text: str, cut: str) -> None:
    assert shortened(text, 6) == cut


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_makes_a_message(text: str, zone: str) -> None:
    body = message(msgspec.structs.replace(NOTICE, text=Text(zh=text), zone=Text(zh=zone)))
    content = json.loads(body)["text"]["content"]
    assert content.isprintable()
    assert 0 < len(content.encode()) <= 2048


_CODES = st.integers() | st.floats() | st.booleans() | st.none() | st.text() | st.lists(st.integers())
_ANSWERS = st.binary() | st.builds(
    lambda code, said: json.dumps({"errcode": code, "errmsg": said}).encode(), _CODES, st.text()
)


@given(_ANSWERS)
def test_only_device_errors_escape(answer: bytes) -> None:
    try:
        check(answer)
    except DeviceError as error:
        check_reason(error)
    else:
        code = json.loads(answer)["errcode"]
        assert (code, type(code)) == (0, int)
