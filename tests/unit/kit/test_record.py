"""Real traffic becomes a capture, and no secret of it does."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from hub.cli import main
from hub.kit.captures import CaptureError, read_lines
from hub.kit.record import masked_body, masked_fields, masked_path, record_http
from tests.kit.broker import Broker, free_port
from tests.kit.mqtt import need_mosquitto, publish


def test_messages_of_a_broker(tmp_path: Path, broker: Broker) -> None:
    need_mosquitto()
    publish(broker.port, "door/A17/state", '{"open": true, "token": "s3cret"}', retain=True)
    publish(broker.port, "door/A17/raw", b"\xff\x00\x01", retain=True)
    publish(broker.port, "other/A17/state", "not asked for", retain=True)
    out = tmp_path / "door.jsonl"
    arguments = ["record", "mqtt", "door/#", "--url", broker.url, "--seconds", "1", "-o", str(out)]
    timer = threading.Timer(0.4, publish, (broker.port, "door/B2/state", "live"))
    timer.start()
    result = CliRunner().invoke(main, arguments)
    timer.join()
    assert result.exit_code == 0, result.output
    lines = {line.said["topic"]: line for line in read_lines(out)}
    assert lines.keys() == {"door/A17/state", "door/A17/raw", "door/B2/state"}
    assert json.loads(lines["door/A17/state"].message.payload) == {"open": True, "token": "***"}
    assert lines["door/A17/state"].message.retained
    assert lines["door/A17/raw"].message.payload == b"\xff\x00\x01"
    assert not lines["door/B2/state"].message.retained
    assert "s3cret" not in out.read_text("utf-8")


def test_no_broker_is_said(tmp_path: Path) -> None:
    arguments = ["record", "mqtt", "#", "--url", f"mqtt://127.0.0.1:{free_port()}", "-o", str(tmp_path / "x.jsonl")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "mqtt://127.0.0.1" in result.output


async def test_requests_between_hub_and_device(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Basic abc"
        body = json.dumps({"state": request.query["door"], "password": "p4ss"})
        return web.Response(text=body, status=201, headers={"Set-Cookie": "id=s1d", "X-Model": "A"})

    app = web.Application()
    app.router.add_get("/state", answer)
    written: list[dict[str, Any]] = []
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with TestServer(app) as device, aiohttp.ClientSession() as http:
        task = asyncio.create_task(record_http(str(device.make_url("/")), 0, written.append, found.set_result))
        headers = {"Authorization": "Basic abc"}
        async with http.get(f"{await found}/state?door=open&apikey=k3y", headers=headers) as response:
            assert (response.status, json.loads(await response.text())["password"]) == (201, "p4ss")
        task.cancel()
        await asyncio.wait({task})
    (line,) = written
    assert line["request"] == {"method": "GET", "path": "/state?door=open&apikey=***"}
    assert line["response"]["headers"]["X-Model"] == "A"
    assert json.loads(line["response"]["body"]) == {"state": "open", "password": "***"}
    assert not {"p4ss", "k3y", "s1d", "abc"} & set(json.dumps(line).replace("=", '"').split('"'))


def test_masks() -> None:
    assert masked_path("/x?a=1&token=2&name=门") == "/x?a=1&token=***&name=%E9%97%A8"
    challenge = 'Digest realm="cam", nonce="abc", qop="auth"'
    assert masked_fields({"WWW-Authenticate": challenge, "Cookie": "x", "Content-Type": "a/b"}) == {
        "WWW-Authenticate": 'Digest realm="cam", nonce="***", qop="auth"', "Cookie": "***", "Content-Type": "a/b",
    }  # fmt: skip
    assert json.loads(masked_body(b'[{"a": {"Secret": "x", "key": "y", "n": 1}}]')) == [
        {"a": {"Secret": "***", "key": "***", "n": 1}}
    ]
    assert masked_body(b"\x00 not json") == b"\x00 not json"


def test_a_capture_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"topic": "a", "payload": ""}\n\n[1]\n', "utf-8")
    with pytest.raises(CaptureError, match=r"x\.jsonl:3: must be a JSON object"):
        read_lines(file)
    file.write_text('{"topic": "a", "payload_b64": "%"}\n', "utf-8")
    with pytest.raises(CaptureError, match=r"x\.jsonl:1: needs"):
        _ = read_lines(file)[0].message
