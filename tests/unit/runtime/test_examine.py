"""The way to a device, tried from below: each failure says what to do about it."""

from __future__ import annotations

import asyncio

import pytest

from hub.runtime.examine import way_to
from tests.kit.broker import free_port


async def test_an_open_port_is_found_and_a_closed_one_explained() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        (step,) = await way_to({"url": f"http://127.0.0.1:{port}/x", "again": [f"http://127.0.0.1:{port}/y"]})
        assert (step.well, step.answer, step.advice) == (True, "open", None)
        named = await way_to({"url": f"rtsp://localhost:{port}"})
        assert [one.well for one in named] == [True, True]
    (closed,) = await way_to({"url": f"http://127.0.0.1:{free_port()}/"})
    assert (closed.well, closed.answer) == (False, "refused")
    assert closed.advice is not None
    assert "端口" in closed.advice.zh


async def test_a_name_that_nobody_knows_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    (step,) = await way_to({"a": "http://camera.invalid/", "b": "http://127.0.0.1:1/"})
    assert not step.well
    assert step.advice is not None
    assert "hub.yaml" in step.advice.en


async def test_serial_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    (gone,) = await way_to({"url": "serial:///dev/ttyNOPE0?baudrate=9600"})
    assert (gone.well, gone.answer) == (False, "not there")
    (there,) = await way_to({"port": "/dev/null"})
    assert there.well
    monkeypatch.setattr("os.access", lambda *_: False)
    (barred,) = await way_to({"port": "/dev/null"})
    assert barred.advice is not None
    assert "dialout" in barred.advice.zh
    assert await way_to({"name": "x", "retries": 3, "bad": "http://[::1"}) == []
