"""Filling in and reading answers: pure, and no input gets through as syntax."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from hub.sdk import DeviceError, Text
from integrations.sms_gateway.config import Config
from integrations.sms_gateway.wire import check, filled, request
from tests.kit.notifiers import NOTICE, TOLD, check_reason

PHONE = "13800000001"
FIELDS = {"m": "{phone}", "c": "A{text}B", "k": "{key}", "same": "x"}
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


def config(**entry: Any) -> Config:
    given = {"name": {"zh": "短信"}, "url": "https://gateway/send?v=1", "phones": [PHONE], "fields": FIELDS, **entry}
    return msgspec.convert(given, Config)


def test_words() -> None:
    assert all(part in NOTICE.line(200) for part in TOLD)


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    values = {"phone": "{text}", "text": "{phone}{key}", "key": "k"}
    template = {"{phone}": ["{phone}{text}", {"x": "{key}{other}{ phone }"}, 1, None]}
    assert filled(template, values) == {"{phone}": ["{text}{phone}{key}", {"x": "k{other}{ phone }"}, 1, None]}


@given(st.text(st.characters()))
def test_any_text_is_one_value_in_every_form(text: str) -> None:
    notice = msgspec.structs.replace(NOTICE, text=Text(zh=text))
    said = f"A{notice.line(200)}B"
    by_json = request(config(), notice, PHONE)
    by_form = request(config(body="form"), notice, PHONE)
    by_query = request(config(method="GET"), notice, PHONE)
    key = by_json.headers["Idempotency-Key"]
    fields = {"m": PHONE, "c": said, "k": key, "same": "x"}
    assert json.loads(by_json.data or b"") == fields
    assert dict(parse_qsl((by_form.data or b"").decode())) == fields
    assert parse_qsl(URL(by_query.url).raw_query_string) == [("v", "1"), *fields.items()]
    assert urlsplit(by_query.url).netloc == "gateway"
    assert by_query.data is None


def test_the_key_names_the_notice_and_the_phone() -> None:
    def key(entry: Config, phone: str) -> str:
        return request(entry, NOTICE, phone).headers["Idempotency-Key"]

    assert key(config(), PHONE) == key(config(method="GET"), PHONE)
    assert key(config(), PHONE) != key(config(), "13800000002")


def test_the_site_may_name_its_own_content_type_and_key() -> None:
    made = request(config(headers={"content-type": "application/json; charset=utf-8"}), NOTICE, PHONE)
    assert set(made.headers) == {"Idempotency-Key", "content-type"}


@given(st.binary() | _JSON.map(lambda value: json.dumps(value).encode()))
def test_only_device_errors_escape(answer: bytes) -> None:
    entry = config(success_field="a.b", success_value="0", retry_values=["1"])
    try:
        check(entry, answer)
    except DeviceError as error:
        check_reason(error)
    else:
        assert json.loads(answer)["a"]["b"] in (0, "0")


@given(st.binary())
def test_without_a_field_the_status_is_enough(answer: bytes) -> None:
    check(config(), answer)


def test_numbers_texts_and_switches_compare_as_text() -> None:
    for answer, wanted in ((b'{"a":0}', "0"), (b'{"a":"0"}', "0"), (b'{"a":true}', "true"), (b'{"a":false}', "false")):
        check(config(success_field="a", success_value=wanted), answer)
