"""What gateways on loopback are sent, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestServer

import integrations.sms_gateway as integration
from hub.sdk import BadCredentials, DeviceError, Text, Tools, Unreachable, Unsupported
from integrations.sim.sms_platform import TOKEN, Sms
from integrations.sms_gateway.config import Config
from tests.kit.notifiers import LIES, NO_OBJECT, NOTICE, TOLD, check_lie, check_manifest, check_reason, driver

NAME = {"zh": "短信"}
A, B, C = "13800000001", "+8613800000002", "13800000003"
JSON: dict[str, Any] = {
    "fields": {"to": [{"mobile": "{phone}"}], "message": "{text}", "n": 1, "flag": True},
    "headers": {"Authorization": f"Bearer {TOKEN}"},
    "success_field": "data.result",
    "success_value": "OK",
    "retry_values": ["BUSY"],
}
FORM: dict[str, Any] = {
    "fields": {"account": "wuye", "pwd": TOKEN, "mobile": "{phone}", "content": "{text}", "uid": "m-{key}"},
    "body": "form",
    "success_field": "code",
    "success_value": "0",
}
PLAIN = {"m": "{phone}", "c": "{text}"}
#: A text that breaks every form of writing that is put together from pieces.
NASTY = '"},{"to":"x&pwd=1\\u0000\\" {phone} %26+ \' 😀 <a> ;\\'


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path)


@pytest.fixture
async def sms() -> AsyncIterator[tuple[Sms, str]]:
    far = Sms()
    async with TestServer(far.app()) as server:
        yield far, str(server.make_url("/")).rstrip("/")


def config(url: str, *phones: str, **entry: Any) -> Config:
    """Read an entry of hub.yaml as the hub does."""
    return msgspec.convert({"name": NAME, "url": url, "phones": phones or (A,), **entry}, Config)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_json(method: str, sms: tuple[Sms, str], tools: Tools) -> None:
    far, base = sms
    gateway = await driver(integration, config(f"{base}/json", A, B, A, method=method, **JSON), tools)
    await gateway.tell(NOTICE)
    assert [phone for phone, _, _ in sorted(far.sent)] == [B, A]
    assert all(part in text for part in TOLD for _, text, _ in far.sent)
    assert len({key for _, _, key in far.sent}) == 2
    await gateway.tell(NOTICE)  # after a restart of the hub, say
    assert sorted(far.sent[2:]) == sorted(far.sent[:2])  # the same keys, so the gateway can tell


async def test_form_and_query(sms: tuple[Sms, str], tools: Tools) -> None:
    far, base = sms
    notice = msgspec.structs.replace(NOTICE, text=Text(zh=NASTY))
    await (await driver(integration, config(f"{base}/form", **FORM), tools)).tell(notice)
    query = config(f"{base}/query?v=2+a%26b#x", method="GET", fields={"m": "{phone}", "c": "{text}"})
    await (await driver(integration, query, tools)).tell(notice)
    (form_phone, form_text, form_key), (query_phone, query_text, query_key) = far.sent
    assert (form_phone, query_phone) == (A, A)
    assert form_text == query_text
    assert NASTY in form_text
    assert form_key == f"m-{query_key}"


async def test_nasty_text_stays_text_in_json(sms: tuple[Sms, str], tools: Tools) -> None:
    far, base = sms
    notice = msgspec.structs.replace(NOTICE, text=Text(zh=NASTY))
    await (await driver(integration, config(f"{base}/json", **JSON), tools)).tell(notice)
    ((_, text, _),) = far.sent
    assert NASTY in text


async def test_long_texts_are_cut(sms: tuple[Sms, str], tools: Tools) -> None:
    far, base = sms
    gateway = await driver(integration, config(f"{base}/json", max_text=70, **JSON), tools)
    await gateway.tell(msgspec.structs.replace(NOTICE, text=Text(zh="占" * 500)))
    ((_, text, _),) = far.sent
    assert (len(text), text[-1]) == (70, "…")


async def test_a_repeat_goes_only_to_those_who_were_not_told(sms: tuple[Sms, str], tools: Tools) -> None:
    far, base = sms
    gateway = await driver(integration, config(f"{base}/json", A, B, C, **JSON), tools)
    far.down, far.bad = {B}, {C: {"data": {"result": "NUMBER"}}}
    with pytest.raises(Unreachable, match="2 of 3 phones not told: the device is not ready"):
        await gateway.tell(NOTICE)
    assert [phone for phone, _, _ in far.sent] == [A]
    far.down = set()
    with pytest.raises(Unsupported, match="1 of 3 phones not told"):
        await gateway.tell(NOTICE)
    assert [phone for phone, _, _ in far.sent] == [A, B]
    far.bad = {}
    await gateway.tell(NOTICE)
    assert [phone for phone, _, _ in far.sent] == [A, B, C]


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        ({"data": {"result": "BUSY"}}, Unreachable, "`BUSY`"),
        ({"data": {"result": 4085}}, Unsupported, "but the number 4085"),
        ({"data": {"result": f"wrong {TOKEN}"}}, Unsupported, "did not say `OK` in `data.result`"),
        ({"data": {"result": A}}, Unsupported, "did not say `OK`"),
        ({"data": {"result": {"OK": 1}}}, Unsupported, "has no `data.result`"),
        ({"data": {"result": 0.5}}, Unsupported, "has no `data.result`"),
        ({"data": ["OK"]}, Unsupported, "has no `data.result`"),
        ({"result": "OK"}, Unsupported, "has no `data.result`"),
    ],
)
async def test_answers(
    answer: dict[str, Any], kind: type[DeviceError], says: str, sms: tuple[Sms, str], tools: Tools
) -> None:
    far, base = sms
    far.bad = {A: answer}
    gateway = await driver(integration, config(f"{base}/json", **JSON), tools)
    with pytest.raises(kind, match=says) as caught:
        await gateway.tell(NOTICE)
    check_reason(caught.value, TOKEN, A)


async def test_log_in_where_the_gateway_asks_for_it(sms: tuple[Sms, str], tools: Tools) -> None:
    far, base = sms
    entry = config(f"{base}/basic", method="GET", fields=PLAIN, user="wuye", password=TOKEN)
    await (await driver(integration, entry, tools)).tell(NOTICE)
    assert len(far.sent) == 1
    for wrong in ({"password": "hunter2"}, {"user": "", "password": ""}):
        with pytest.raises(BadCredentials) as caught:
            await (await driver(integration, msgspec.structs.replace(entry, **wrong), tools)).tell(NOTICE)
        check_reason(caught.value, "hunter2", TOKEN, A)
    assert len(far.sent) == 1


async def test_wrong_password(sms: tuple[Sms, str], tools: Tools) -> None:
    far, base = sms
    wrong = JSON | {"headers": {"authorization": "Bearer hunter2"}}
    with pytest.raises(BadCredentials) as caught:
        await (await driver(integration, config(f"{base}/json", **wrong), tools)).tell(NOTICE)
    check_reason(caught.value, "hunter2", A)
    wrong = FORM | {"fields": FORM["fields"] | {"pwd": "107"}}
    with pytest.raises(Unsupported) as refused:  # only the site knows what a code in a 200 answer means
        await (await driver(integration, config(f"{base}/form", **wrong), tools)).tell(NOTICE)
    check_reason(refused.value, "107", A)
    assert not far.sent


@pytest.mark.parametrize("name", LIES)
async def test_lies(name: str, tools: Tools) -> None:
    async def tell(base: str) -> None:
        entry = config(f"{base}/json?secret=s3cret", A, B, timeout_s=1, **JSON)
        await (await driver(integration, entry, tools)).tell(NOTICE)

    await check_lie(name, tell, TOKEN, A, B, "s3cret")


@pytest.mark.parametrize("name", [name for name in LIES if name not in NO_OBJECT])
async def test_lies_where_only_the_status_counts(name: str, tools: Tools) -> None:
    async def tell(base: str) -> None:
        entry = config(f"{base}/", timeout_s=1, fields={"m": "{phone}", "c": "{text}"}, method="GET")
        await (await driver(integration, entry, tools)).tell(NOTICE)

    await check_lie(name, tell, A)


@pytest.mark.parametrize(
    "entry",
    [
        {"url": "ftp://gateway/"},
        {"url": "https://a:secret@gateway/"},
        {"url": "https://gateway/?to={phone}"},
        {"fields": {"c": "{text}"}},
        {"fields": {"m": "{phone}"}},
        {"fields": {"{phone}": "x", "c": "{text}"}},
        {"fields": {}},
        {"fields": PLAIN | {"x": ["secret"]}, "body": "form"},
        {"fields": PLAIN | {"x": None}, "method": "GET"},
        {"fields": PLAIN | {"x": True}, "body": "form"},
        {"fields": PLAIN | {"x": "\ud800"}},
        {"fields": PLAIN | {"x": [[[[[[[[[["secret"]]]]]]]]]]}},
        {"headers": {"content-length": "5"}},
        {"success_field": "code"},
        {"success_value": "0"},
    ],
    ids=str,
)
async def test_templates_that_cannot_work_are_refused_at_once(entry: dict[str, Any], tools: Tools) -> None:
    given = {"name": NAME, "url": "https://gateway/", "phones": [A], "fields": PLAIN, **entry}
    with pytest.raises(Unsupported) as caught:
        await integration.connect("duty", msgspec.convert(given, Config), tools)
    check_reason(caught.value, "secret", A)


@pytest.mark.parametrize(
    "entry",
    [
        {"phones": []},
        {"phones": ["secret"]},
        {"phones": ["13800000001\n"]},
        {"phones": ["1" * 16]},
        {"phones": [A] * 21},
        {"phones": [13800000001]},
        {"headers": {"X Y": "1"}},
        {"headers": {"X": "1\r\nY: 2"}},
        {"headers": {"X": "密"}},
        {"headers": {"": "1"}},
        {"method": "DELETE"},
        {"body": "xml"},
        {"max_text": 9},
        {"timeout_s": 31},
        {"unknown": 1},
    ],
    ids=str,
)
def test_configuration_that_is_refused(entry: dict[str, Any]) -> None:
    given = {"name": NAME, "url": "https://gateway/", "phones": [A], "fields": PLAIN, **entry}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, Config)


def test_manifest_names_every_field_and_its_default() -> None:
    check_manifest(integration, Config, "url", "fields", "headers", "password")
