"""The words, the signature, the answers and the window: pure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

import integrations.dingtalk as integration
from hub.sdk import DeviceError, Text
from integrations.dingtalk.wire import MAX_TEXT, check, message, signature, signed
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
    assert json.loads(message(NOTICE)) == {"msgtype": "text", "text": {"content": NOTICE.line(MAX_TEXT)}}


def test_signature_that_openssl_gives() -> None:
    # printf '1599360473000\nSECthis' | openssl dgst -sha256 -hmac SECthis -binary | base64
    assert signature("SECthis", 1599360473000) == "CQ0+5NHFSMnwaV68xn0yE1VfeX6AAJhb/lLKyZDX/gM="


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.integers(0, 2**53))
def test_what_is_signed_arrives_as_it_was(secret: str, milliseconds: int) -> None:
    url = signed("https://robot/robot/send?access_token=a%2Bb&sign=old#top", secret, milliseconds)
    assert parse_qsl(URL(url).raw_query_string) == [  # as aiohttp sends it
        ("access_token", "a+b"),
        ("timestamp", str(milliseconds)),
        ("sign", signature(secret, milliseconds)),
    ]


def test_without_a_secret_the_address_stays() -> None:
    assert signed("https://robot/send?access_token=x", "", 1) == "https://robot/send?access_token=x"


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_makes_a_message(text: str, zone: str) -> None:
    body = message(msgspec.structs.replace(NOTICE, text=Text(zh=text), zone=Text(zh=zone)))
    content = json.loads(body)["text"]["content"]
    assert content.isprintable()
    assert 0 < len(content) <= 2000
    assert len(body) < 20_000


_CODES = st.just(310000) | st.integers() | st.floats() | st.booleans() | st.none() | st.text() | st.lists(st.integers())
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
