"""Value templates: the kinds that are read, what they say of a message, and the kinds that are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import DecodeError
from integrations.mqtt_discovery.template import MAX_STATE, render
from integrations.mqtt_discovery.template_parser import parse
from tests.kit.captures import check_reason


@pytest.mark.parametrize(
    ("source", "payload", "state"),
    [
        ("{{ value }}", "ON", "ON"),
        ("{{value}}", " 21.5\n", "21.5"),
        ("{{ value | lower }}", "ON", "on"),
        ("{{ value|upper }}", "open", "OPEN"),
        ("{{ value | int }}", "12.7", "12"),
        ("{{ value | float }}", "3", "3.0"),
        ("{{ value_json }}", "true", "True"),
        ("{{ value_json.a.b }}", '{"a":{"b":1}}', "1"),
        ("{{ value_json['a'] }}", '{"a":"x"}', "x"),
        ('{{ value_json["a b"]["c"] }}', '{"a b":{"c":1.5}}', "1.5"),
        ("{{ value_json.a['b'].c | float | int }}", '{"a":{"b":{"c":"2.9"}}}', "2"),
        ("{{ value_json.a | is_defined }}", '{"b":1}', ""),
        ("{{ value_json.a }}", "{}", ""),
        ("{{ value_json.a.b }}", '{"a":null}', "None"),
        ("{{ value_json.a | int }}", '{"a":null}', "None"),
        ("{{ 'ON' if value_json.x else 'OFF' }}", '{"x":1}', "ON"),
        ("{{ 'ON' if value_json.x else 'OFF' }}", '{"x":false}', "OFF"),
        ("{{ 'ON' if value_json.x else 'OFF' }}", "{}", ""),  # silence is not "OFF"
        ("{{ 'ON' if value_json.x else 'OFF' }}", '{"x":null}', "None"),
        ("{{ 'ON' if value_json.x == 1 else 'OFF' }}", '{"x":1}', "ON"),
        ("{{ 'ON' if value_json.x == 1 else 'OFF' }}", '{"x":"1"}', "OFF"),
        ("{{ 'ON' if value_json.x|int != 1 else 'OFF' }}", '{"x":"1"}', "OFF"),
        ("{{ 'ON' if value_json.x == true else 'OFF' }}", '{"x":true}', "ON"),
        ("{{ 'ON' if value_json.x == 'open' else 'OFF' }}", '{"x":"open"}', "ON"),
        ("{{ 'ON' if value_json.x > -2.5 else 'OFF' }}", '{"x":-3}', "OFF"),
        ("{{ 'ON' if value_json.x >= 2 else 'OFF' }}", '{"x":2}', "ON"),
        ("{{ 'ON' if value_json.x < 2 else 'OFF' }}", '{"x":2}', "OFF"),
        ("{{ 'ON' if value_json.x <= 2 else 'OFF' }}", '{"x":2}', "ON"),
        ("{{ 'ON' if value == 'if' else 'OFF' }}", "if", "ON"),
        ("{{ 1 if value | float > 7.5 else 0 }}", "8", "1"),
        ("{{ value_json.a }}", "", ""),
    ],
)
def test_render(source: str, payload: str, state: str) -> None:
    assert render(parse(source), payload.encode()) == state


@pytest.mark.parametrize(
    "source",
    [
        "",
        "ON",
        "{{ }}",
        "{{ value",
        "{{ value }} W",
        "{{ value }}{{ value }}",
        "{% if value %}ON{% endif %}",
        "{{ value_jsonx }}",
        "{{ value.real }}",
        "{{ value_json. }}",
        "{{ value_json[0] }}",
        "{{ value_json['a }}",
        "{{ value_json['a'\\'] }}",
        "{{ value_json.a | round(1) }}",
        "{{ value_json.a | default('x') }}",
        "{{ value_json.a * 2 }}",
        "{{ value_json.a is defined }}",
        "{{ 'ON' if not value else 'OFF' }}",
        "{{ 'ON' if value }}",
        "{{ 'ON' if value == value else 'OFF' }}",
        "{{ 'ON' if value == 1 and value == 2 else 'OFF' }}",
        "{{ 'ON' 'if' value else 'OFF' }}",
        "{{ states('lock.door') }}",
        "{{ value | lower | attr('__class__') }}",
        "{{ value_json.a }}" + " " * 500 + "x",
        "{{ " + "value_json" + ".a" * 400 + " }}",
    ],
)
def test_other_templates_are_refused_with_a_clean_sentence(source: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        parse(source)
    assert refusal.value.reason.isprintable()
    assert "is not supported" in refusal.value.reason


@pytest.mark.parametrize(
    ("source", "payload"),
    [
        ("{{ value }}", b"\xff"),
        ("{{ value }}", b"x" * (MAX_STATE + 1)),
        ("{{ value_json.a }}", b"not json"),
        ("{{ value_json.a }}", b"[1]"),
        ("{{ value_json.a }}", b'{"a":NaN}'),
        ("{{ value_json.a }}", b'{"a":{"b":1}}'),
        ("{{ value_json.a.b }}", b'{"a":1}'),
        ("{{ value_json.a | int }}", b'{"a":"nan"}'),
        ("{{ value_json.a | int }}", b'{"a":"1_000"}'),
        ("{{ value_json.a | float }}", b'{"a":"1e999"}'),
        ("{{ value_json.a | float }}", b'{"a":' + b"9" * 400 + b"}"),
        ("{{ 'a' if value_json.a > 1 else 'b' }}", b'{"a":"2"}'),
        ("{{ value_json.a }}", b'{"a":' * 3000),
        ("{{ value_json.a }}", b'{"a":1,"b":"' + b"x" * 65_536 + b'"}'),
    ],
)
def test_wrong_payloads_are_decode_errors(source: str, payload: bytes) -> None:
    template = parse(source)
    with pytest.raises(DecodeError):
        render(template, payload)


WORDS = st.sampled_from(
    [
        *("{{", "}}", "value", "value_json", ".a", "['a']", "|", "int", "float", "lower", "is_defined", " ", "\n"),
        *("'ON'", "'OFF'", "if", "else", "==", ">", "1", "-2.5", "true", "(", "%", "\\", "é", "\u202e"),
    ]
)
PAYLOADS = st.one_of(
    st.binary(max_size=40), st.sampled_from([b'{"a":1}', b'{"a":"x"}', b'{"a":null}', b"5", b"ON", b'{"a":[]}'])
)


@given(st.lists(WORDS, max_size=14).map("".join) | st.text(max_size=60), PAYLOADS)
def test_only_decode_errors_escape(source: str, payload: bytes) -> None:
    try:
        state = render(parse("{{ " + source + " }}"), payload)
    except DecodeError as error:
        check_reason(error)
    else:
        assert isinstance(state, str)
