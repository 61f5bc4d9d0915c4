"""The words, the signature, the answers and the window: pure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import integrations.feishu as integration
from hub.sdk import DeviceError, Text
from integrations.feishu.wire import MAX_TEXT, check, message, signature
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
    assert vector.get("says", "") in caught.value.reason
    return None


def test_words() -> None:
    assert all(part in NOTICE.line(MAX_TEXT) for part in TOLD)
    assert json.loads(message(NOTICE, "", 1)) == {"msg_type": "text", "content": {"text": NOTICE.line(MAX_TEXT)}}


def test_signature_that_openssl_gives() -> None:
    # printf '' | openssl dgst -sha256 -hmac $'1599360473\nthis' -binary | base64
    assert signature("this", 1599360473) == "aNhv0yX5CcCDL8JssHuWmVNLt6ImfxNE8frIydHcPvo="
    body = json.loads(message(NOTICE, "this", 1599360473))
    assert (body["timestamp"], body["sign"]) == ("1599360473", signature("this", 1599360473))


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_makes_a_message(text: str, zone: str) -> None:
    body = message(msgspec.structs.replace(NOTICE, text=Text(zh=text), zone=Text(zh=zone)), "secret", 1)
    content = json.loads(body)["content"]["text"]
    assert content.isprintable()
    assert 0 < len(content) <= 2000
    assert len(body) < 20_000


_CODES = (
    st.sampled_from([9499, 19021])
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.text()
    | st.lists(st.integers())
)
_ANSWERS = st.binary() | st.builds(
    lambda code, said: json.dumps({"code": code, "msg": said}).encode(), _CODES, st.text()
)


@given(_ANSWERS)
def test_only_device_errors_escape(answer: bytes) -> None:
    try:
        check(answer)
    except DeviceError as error:
        check_reason(error)
    else:
        said = json.loads(answer)
        code = said.get("code", said.get("StatusCode"))
        assert (code, type(code)) == (0, int)
