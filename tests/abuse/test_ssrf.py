"""Requests that an address could turn elsewhere (S15): other schemes, other spellings, redirects, names that rebind."""

from __future__ import annotations

import ast
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from aiohttp.test_utils import TestServer

from hub.config import integrations
from hub.model.document import Mapping
from hub.model.errors import ConfigError, DeviceError, Unreachable, Unsupported
from hub.sdk import Request, Tools, check_address, fetch
from hub.sdk.addresses import GuardedResolver, refused, session
from tests.kit.site import ROOT

#: Where nothing is ever sent, however it is spelt.
NOWHERE = [
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254.:80/",
    "http://169.254.170.2/",
    "http://100.100.100.200/latest/meta-data/",
    "http://169.254.0.23/",
    "http://[fd00:ec2::254]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[::169.254.169.254]/",
    "http://①⑥⑨.254.169.254/",
    "http://169。254。169。254/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://255.255.255.255/",
    "http://224.0.0.1/",
]
#: Spellings of this machine and its link that resolvers understand (inet_aton).
ODD = ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376"]
#: What is no address of a device.
FOREIGN = [
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/stat",
    "ftp://127.0.0.1/x",
    "exec:/bin/sh",
    "unix:///run/docker.sock",
    "concat:/etc/passwd",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "//127.0.0.1/",
    "http:///x",
    "http://user:pass@127.0.0.1/",
    "http://127.0.0.1:99999/",
    "http://[::1",
    "-i /etc/passwd",
    "",
]
#: What each integration calls the address of its device, and what else it must be told.
BASE = {"name": {"zh": "门"}, "user": "u", "password": "p"}
FIELDS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "axis_speaker": (("url",), BASE),
    "dahua": (("address",), BASE),
    "dingtalk": (("url",), {"name": {"zh": "门"}}),
    "feishu": (("url",), {"name": {"zh": "门"}}),
    "generic_camera": (("snapshot", "rtsp"), {"name": {"zh": "门"}}),
    "hikvision": (("address",), BASE),
    "http_speaker": (("url",), {"name": {"zh": "门"}}),
    "modbus": (("url",), {"name": {"zh": "梯"}, "maps": []}),
    "onvif": (("url",), BASE),
    "sms_gateway": (("url",), {"name": {"zh": "信"}, "phones": ["13800000000"], "fields": {}}),
    "wecom": (("url",), {"name": {"zh": "群"}}),
}


class Rebinding(AbstractResolver):
    """Answers what an attacker's DNS answers: something harmless at first, then whatever is wanted."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        kind = socket.AF_INET6 if ":" in answer else socket.AF_INET
        return [ResolveResult(hostname=host, host=answer, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def trap() -> AsyncIterator[tuple[TestServer, list[str]]]:
    """A server of this machine that notes whoever comes; ``/to?…`` redirects."""
    seen: list[str] = []

    async def note(request: web.Request) -> web.Response:
        seen.append(request.path_qs)
        if request.path == "/to":
            raise web.HTTPFound(request.query["url"])
        return web.Response(text="secret")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", note)
    server = TestServer(app, host="127.0.0.1")
    async with server:
        yield server, seen


@pytest.mark.parametrize("url", [*NOWHERE, *FOREIGN])
async def test_nothing_is_sent_there(url: str) -> None:
    with pytest.raises(Unsupported):
        check_address(url, "http", "https")
    async with session() as http:
        with pytest.raises(DeviceError):
            await fetch(http, Request(url, timeout=2))


@pytest.mark.parametrize("host", ODD)
async def test_another_spelling_of_this_machine_is_refused(host: str, trap: tuple[TestServer, list[str]]) -> None:
    server, seen = trap
    async with session() as http:
        with pytest.raises(Unsupported):
            await fetch(http, Request(f"http://{host}:{server.port}/x", timeout=3))
    assert seen == []


@pytest.mark.parametrize("answer", ["127.0.0.1", "::1", "169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1", "fe80::1"])
async def test_a_name_that_turns_out_to_be_this_machine_is_refused(
    answer: str, trap: tuple[TestServer, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, seen = trap
    monkeypatch.setattr(ThreadedResolver, "resolve", Rebinding(answer).resolve)
    async with session() as http:
        with pytest.raises(Unreachable):
            await fetch(http, Request(f"http://camera.example:{server.port}/x", timeout=3))
    assert seen == []


async def test_the_guard_refuses_what_the_same_name_answers_later(monkeypatch: pytest.MonkeyPatch) -> None:
    rebinding = Rebinding("192.0.2.7", "127.0.0.1")
    monkeypatch.setattr(ThreadedResolver, "resolve", rebinding.resolve)
    guard = GuardedResolver()
    assert [one["host"] for one in await guard.resolve("camera.example", 80)] == ["192.0.2.7"]
    with pytest.raises(OSError, match="does not call"):
        await guard.resolve("camera.example", 80)
    assert rebinding.asked == 2


async def test_an_address_that_was_written_down_is_called(trap: tuple[TestServer, list[str]]) -> None:
    server, seen = trap
    async with session() as http:
        assert await fetch(http, Request(f"http://127.0.0.1:{server.port}/x")) == b"secret"
        assert await fetch(http, Request(f"http://localhost:{server.port}/y")) == b"secret"
    assert seen == ["/x", "/y"]
    assert not refused("192.168.1.10", named=True)
    assert not refused("169.254.17.3", named=False), "a camera without DHCP"


@pytest.mark.parametrize("target", ["http://169.254.169.254/", "http://127.0.0.1:{port}/inside", "file:///etc/passwd"])
async def test_a_redirect_is_not_followed(target: str, trap: tuple[TestServer, list[str]]) -> None:
    server, seen = trap
    url = f"http://127.0.0.1:{server.port}/to?url={target.format(port=server.port)}"
    async with session() as http:
        with pytest.raises(Unsupported):
            await fetch(http, Request(url))
    assert len(seen) == 1


@pytest.mark.parametrize("domain", sorted(FIELDS))
async def test_every_integration_refuses_the_corpus(domain: str, tmp_path: Path) -> None:
    """By its configuration or when it is opened; none takes it, and none raises what is no error of ours."""
    part = integrations.plugin(domain).session
    assert part is not None

    async def nothing(*_: Any) -> None:
        return None

    async def opened(field: str, url: str) -> Any:
        async with session() as http:
            tools = Tools(http, tmp_path, tmp_path, nothing, lambda _handler: "/hooks/x", nothing)
            node = Mapping("hub.yaml", 1, 1, ())
            return await part.connect("one", integrations.convert(node, {**others, field: url}, part.config), tools)

    fields, others = FIELDS[domain]
    for field in fields:
        for url in (*NOWHERE, *FOREIGN):
            if not url and len(fields) > 1:
                continue  # one of two may be left out
            scheme = {"rtsp": "rtsp"}.get(field, "tcp" if domain == "modbus" else "http")
            with pytest.raises(
                (DeviceError, ConfigError), match=r"(?i)address|url|host|scheme|mention|robot|begin|user"
            ):
                await opened(field, url.replace("http", scheme, 1))


def test_no_request_leaves_redirects_on() -> None:
    """Every request of ours that is not made by ``fetch`` says ``allow_redirects=False``."""
    calls, wrong = 0, []
    for path in (*(ROOT / "hub").rglob("*.py"), *(ROOT / "integrations").rglob("*.py")):
        if {"tests", "sim"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            on = ast.unparse(node.func.value)
            if node.func.attr in {"get", "post", "put", "request", "ws_connect"} and on.endswith("http"):
                calls += 1
                given = {word.arg: ast.unparse(word.value) for word in node.keywords}
                if given.get("allow_redirects") != "False":
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert calls >= 4, "nothing was found: the test looks at the wrong thing"
    assert wrong == []
