"""What the tests of all notifiers share: a notice, and a web server that lies in every way a notifier must survive."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
import yaml

from hub.sdk import (
    BadCredentials,
    CommandKey,
    DeviceError,
    Notice,
    Notifier,
    Text,
    Tools,
    Unreachable,
    Unsupported,
)

NOTICE = Notice(
    key=CommandKey("0123456789abcdef" * 2),
    site=Text(zh="幸福里小区", en="Xingfuli"),
    zone=Text(zh="3号楼北侧消防通道", en="Lane 3"),
    rule="fire_lane_blocked",
    contact=Text(zh="值班保安"),
    decided_at="2026-11-20T16:03:09.250Z",
    text=Text(zh="3号楼北侧消防通道：车辆占道，请到现场处理。", en="Lane 3: a vehicle. Please go there."),
    local="北京时间 2026-11-21 00:03:09",
)
#: What a person must be able to read in every message: site, zone, rule, text, and the time in China (UTC+8).
TOLD = ("幸福里小区", "3号楼北侧消防通道", "fire_lane_blocked", "车辆占道，请到现场处理。", "2026-11-21 00:03:09")


def _answer(status: str, body: bytes = b"", header: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{header}Connection: close\r\n\r\n".encode() + body


#: An answer of a web server, byte by byte, and what it stands for; None says nothing and keeps the line open.
LIES: dict[str, tuple[bytes | None, type[DeviceError]]] = {
    "silence": (None, Unreachable),
    "hung up": (b"", Unreachable),
    "garbage": (bytes(range(256)), Unreachable),
    "cut off": (b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"errcode":0,"code":0', Unreachable),
    "endless header": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, Unreachable),
    "busy": (_answer("503 Service Unavailable"), Unreachable),
    "too many": (_answer("429 Too Many Requests"), Unreachable),
    "log in": (_answer("401 Unauthorized", header='WWW-Authenticate: Basic realm="x"\r\n'), BadCredentials),
    "forbidden": (_answer("403 Forbidden"), BadCredentials),
    "not found": (_answer("404 Not Found"), Unsupported),
    "redirect": (_answer("302 Found", header="Location: http://127.0.0.1:1/\r\n"), Unsupported),
    "10 MB": (_answer("200 OK", b" " * 10_000_000), Unsupported),
}
#: The same for bodies of a 200 answer that are no JSON object.
NO_OBJECT = {
    "empty": b"",
    "page": "<html>请登录</html>".encode(),
    "half": b'{"errcode":0,"code":0',
    "list": b"[0]",
    "number": b"0",
    "null": b"null",
    "not a number": b'{"errcode":NaN,"code":NaN}',
    "deep": b"[" * 60_000,
    "not UTF-8": b'{"errcode":0,"code":0,"x":"\xff"}',
}
LIES |= {name: (_answer("200 OK", body), Unsupported) for name, body in NO_OBJECT.items()}


@contextlib.asynccontextmanager
async def liar(answer: bytes | None) -> AsyncIterator[str]:
    """Serve ``answer`` to every request; yield ``http://127.0.0.1:port``."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                await reader.readexactly(int(length[1]) if length else 0)  # what is left unread would break the answer
                if answer is None:
                    await reader.read()  # until the client has had enough
                else:
                    writer.write(answer)
                    await writer.drain()
            finally:
                writer.close()
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*tasks)  # the client has hung up, also on silence


async def check_lie(name: str, tell: Callable[[str], Awaitable[None]], *secrets: str) -> None:
    """Assert that ``tell(base address)`` ends in the error that the lie stands for, and that no secret is in it."""
    answer, kind = LIES[name]
    async with liar(answer) as base:
        with pytest.raises(kind) as caught:
            async with asyncio.timeout(20):
                await tell(base)
    check_reason(caught.value, *secrets)
    assert name != "10 MB" or "larger than" in caught.value.reason  # not read to its end


def check_reason(error: DeviceError, *secrets: str) -> None:
    """Assert that the sentence can be shown: short, clean, without a secret."""
    assert error.reason
    assert error.reason.isprintable()
    assert len(error.reason) <= 200
    assert not [secret for secret in secrets if secret in error.reason]


async def driver(integration: ModuleType, config: msgspec.Struct, tools: Tools) -> Notifier:
    """Open the notifier ``duty`` of an integration as the hub does."""
    (equipment,) = await integration.connect("duty", config, tools)
    domain = integration.plugin.domain
    assert (equipment.entity.id, equipment.entity.capability) == (f"{domain}.duty", "notifier")
    assert isinstance(equipment.driver, Notifier)
    return equipment.driver


def check_manifest(integration: ModuleType, config: type[msgspec.Struct], *secrets: str) -> None:
    """Assert that the manifest names every field of the configuration, its default, and what is secret in it."""
    assert integration.__file__
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    fields = manifest["config"]
    wanted = {}
    for field in msgspec.structs.fields(config):
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        wanted[field.name] = list(default) if isinstance(default, tuple) else default
    assert {name: field.get("default", msgspec.NODEFAULT) for name, field in fields.items()} == wanted
    assert {name for name, field in fields.items() if field.get("required")} == {
        name for name, default in wanted.items() if default is msgspec.NODEFAULT
    }
    assert {name for name, field in fields.items() if field.get("secret")} == set(secrets)
    assert all(field["zh"] and field["en"] for field in fields.values())
