"""Hostile JSON (S2) at both edges, devices and people: one typed error, and a cap before anything is parsed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from hub.model.errors import DecodeError
from hub.sdk import json_object
from hub.sdk.message import MAX_PAYLOAD
from hub.web.routes import API
from hub.web.server import BODY
from tests.kit.office import Office, bearer, office
from tests.unit.web.test_roles import BODIES

pytestmark = pytest.mark.asyncio(loop_scope="module")

CORPUS: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n\t",
    "depth": b"[" * 30_000 + b"]" * 30_000,
    "object depth": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "overflow": b'{"a": 1e400}',
    "digits": b'{"a": ' + b"9" * 5_000,
    "surrogate cut": b'{"a": "\\ud8',
    "BOM": b'\xef\xbb\xbf{"a": 1}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "not UTF-8 key": b'{"\xc3\x28": 1}',
    "overlong": b'{"a": "\xc0\xaf"}',
    "NUL": b'{"a": "\x00"}',
    "control": b'{"a": "\x1b[31m"}',
    "single quotes": b"{'a': 1}",
    "comment": b'{"a": 1 /* x */}',
    "trailing": b'{"a": 1,}',
    "two": b'{"a": 1}{"a": 2}',
    "cut": b'{"a": "',
    "leading zero": b'{"a": 010}',
    "hex": b'{"a": 0x10}',
    "plus": b'{"a": +1}',
    "list": b"[1]",
    "text": b'"a"',
    "null": b"null",
    "true": b"true",
    "number": b"1",
}
#: JSON, though none that a route wants: what is in it must not get further than the reader or the check of a name.
ODD: dict[str, bytes] = {
    "surrogate": b'"\\ud800"',
    "surrogates reversed": b'"\\udc00\\ud800"',
    "escaped NUL": b'"\\u0000"',
    "bidi": b'"\\u202egnp.exe"',
    "5,000 digits": b"9" * 5_000,
    "huge float": b"1.7976931348623157e308",
    "minus zero": b"-0.0",
    "60 KB": b'"' + b"a" * 60_000 + b'"',
    "list": b"[[[[]]]]",
    "object": b'{"__proto__": {"admin": true}, "$where": "1"}',
    "null": b"null",
    "template": b'"{{7*7}}${7*7}<%= 7*7 %>"',
    "sql": b'"\'; DROP TABLE readings; --"',
}
WRITES = [route for route in API if route.takes is not None]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder: Path = tmp_path_factory.mktemp("json")
    async with office(folder) as found:
        yield found


@pytest.mark.parametrize("name", sorted(CORPUS))
async def test_a_device_s_json_is_one_typed_error(name: str) -> None:
    with pytest.raises(DecodeError) as caught:
        json_object(CORPUS[name])
    assert len(caught.value.reason) < 200
    assert caught.value.reason.isprintable()


async def test_too_much_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_PAYLOAD <= 1024 * 1024

    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("it was parsed")

    monkeypatch.setattr(msgspec.json, "decode", parsed)
    with pytest.raises(DecodeError, match="more than"):
        json_object(b" " * (MAX_PAYLOAD + 1))


async def test_of_a_key_that_stands_twice_the_last_counts_everywhere() -> None:
    """One reader on all edges: two that differ would let a check see one value and a decision another."""
    assert json_object(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize("route", WRITES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_person_s_json_is_refused_and_is_no_fault(desk: Office, route: object) -> None:
    for name, payload in CORPUS.items():
        await _send(desk, route, payload, name)


@pytest.mark.parametrize("route", WRITES, ids=lambda route: f"{route.method} {route.path}")
async def test_odd_values_in_each_field_are_no_fault(desk: Office, route: object) -> None:
    good = json.loads(json.dumps(BODIES.get(route.name, {})))  # type: ignore[attr-defined]
    fields = {info.encode_name for info in msgspec.structs.fields(route.takes)}  # type: ignore[attr-defined]
    for field in fields:
        for name, value in ODD.items():
            others = {key: json.dumps(kept).encode() for key, kept in good.items() if key != field}
            pairs = b", ".join(b'"%s": %s' % (key.encode(), kept) for key, kept in {**others, field: value}.items())
            await _send(desk, route, b"{" + pairs + b"}", f"{field}: {name}", refused=False)


async def test_a_body_over_the_cap_is_refused(desk: Office) -> None:
    for route in WRITES:
        await _send(desk, route, b" " * (BODY + 1), "large")


async def _send(desk: Office, route: object, payload: bytes, name: str, *, refused: bool = True) -> None:
    path = route.path  # type: ignore[attr-defined]
    for part in ("{id}", "{mode}", "{name}", "{zone}", "{device}", "{domain}", "{user}", "{number}"):
        path = path.replace(part, {"{id}": "lane", "{mode}": "night"}.get(part, "none"))
    async with desk.client.request(
        route.method,  # type: ignore[attr-defined]
        path,
        data=payload,
        headers={**bearer("token-of-admin"), "X-Menshen": "1", "Content-Type": "application/json"},
    ) as answer:
        said = await answer.read()
    assert answer.status < 500, (path, name, said[:300])
    assert answer.status != 401 or route.role is None, "it was not let in: nothing was tried"  # type: ignore[attr-defined]
    assert b"Traceback" not in said
    if refused:
        assert answer.status >= 400, (path, name)
    if answer.status >= 400:
        assert set(json.loads(said)) >= {"error", "message"}, (path, name, said[:300])
