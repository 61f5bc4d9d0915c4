"""The event stream against a camera on loopback: true ones, and those that lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
import yaml

import integrations.hikvision as integration
from hub.sdk import BadCredentials, Capability, Connection, DeviceError, Tools, Unreachable, Unsupported
from integrations.hikvision.config import Config
from integrations.hikvision.kinds import KINDS
from integrations.hikvision.tests.kit import NAME, Hub, config
from integrations.sim.hikvision_camera import HEARTBEAT, Camera, Stream, alert
from tests.kit.patience import until

STREAM = "/ISAPI/Event/notification/alertStream"


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
async def tools(tmp_path: Path, hub: Hub) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield hub.tools(http, tmp_path)


async def opened(tools: Tools, entry: Config) -> Connection:
    connection = await integration.connect("gate", entry, tools)
    assert isinstance(connection, Connection)
    return connection


async def lost(tools: Tools, entry: Config) -> Unreachable:
    """Open and run until the device is lost; the reason."""
    connection = await opened(tools, entry)
    assert connection.run is not None
    assert connection.close is not None
    try:
        with pytest.raises(Unreachable) as caught:
            async with asyncio.timeout(20):
                await connection.run()
    finally:
        await connection.close()
    assert caught.value.reason.isprintable()
    return caught.value


def writes(*parts: bytes, stay: bool = False) -> Stream:
    async def stream(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if stay:
            await asyncio.get_running_loop().create_future()

    return stream


async def test_an_event_begins_and_ends_while_the_stream_goes_on(tools: Tools, hub: Hub) -> None:
    calm = asyncio.Event()

    async def stream(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEARTBEAT + alert("VMD") + alert("parking", channel=2))
        while not calm.is_set():
            writer.write(HEARTBEAT)
            await writer.drain()
            await asyncio.sleep(0.05)
        writer.write(alert("linedetection")[:100])
        await writer.drain()
        writer.write(alert("linedetection")[100:] + alert("linedetection", "inactive") + alert("shelteralarm"))

    camera = Camera(stream=stream)
    async with camera.on_loopback() as address:
        entry = config(address, events=("motion", "line", "parking", "tamper"), quiet_s=0.3)
        ended = asyncio.create_task(lost(tools, entry))
        await until(lambda: len(hub.said) == 5)
        calm.set()
        assert "ended the event stream" in (await ended).reason
    assert hub.said[0] == ("gate_motion", "present")
    calm_now = [
        ("gate_line", "absent"),
        ("gate_motion", "absent"),
        ("gate_parking", "absent"),
        ("gate_tamper", "clear"),
    ]
    assert sorted(hub.said[1:5]) == calm_now
    assert hub.said[5:] == [("gate_line", "present"), ("gate_line", "absent"), ("gate_tamper", "active")]
    assert camera.asked == [f"GET {STREAM}"]


async def test_equipment(tools: Tools) -> None:
    async with Camera(stream=writes()).on_loopback() as address:
        connection = await opened(tools, config(address, events=tuple(KINDS), speaker="builtin"))
        assert connection.close is not None
        await connection.close()
    entities = [equipment.entity for equipment in connection.equipment]
    assert {entity.id: entity.capability for entity in entities} == {
        "hikvision.gate": Capability.CAMERA,
        "hikvision.gate_speaker": Capability.SPEAKER,
        **{f"hikvision.gate_{event}": kind.capability for event, kind in KINDS.items()},
    }
    assert {entity.device for entity in entities} == {"北门"}
    assert entities[2].name == type(NAME)("北门 移动侦测", "North gate motion")


async def test_without_events_the_network_is_not_asked(tools: Tools) -> None:
    equipment = await integration.connect("gate", config("http://127.0.0.1:1"), tools)
    assert isinstance(equipment, tuple)
    assert len(equipment) == 1


async def test_silence_is_a_loss_even_when_bytes_come(tools: Tools) -> None:
    async def drips(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEARTBEAT)
        while True:
            writer.write(b"--boundary\r\n\r\n<broken>\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with Camera(stream=writes(stay=True)).on_loopback() as address:
        assert "no heartbeat for 0.6 s" in (await lost(tools, config(address, events=("motion",)))).reason
    async with Camera(stream=drips).on_loopback() as address:
        error = await lost(tools, config(address, events=("motion",)))
        assert "no heartbeat" in error.reason
        assert "not XML" in error.reason


@pytest.mark.parametrize(
    "part",
    [
        b"--boundary\r\nContent-Type: application/xml\r\nContent-Length: 10000000\r\n\r\n" + bytes(10_000_000),
        b"--boundary\r\nContent-Type: application/xml\r\n\r\n" + b"x" * 10_000_000,
        b"--boundary\r\n" + b"x" * 10_000_000,
        b"x" * 10_000_000,
        alert()[:-40],
    ],
)
async def test_streams_that_lie(part: bytes, tools: Tools, hub: Hub) -> None:
    async with Camera(stream=writes(HEARTBEAT, part)).on_loopback() as address:
        await lost(tools, config(address, events=("motion",), quiet_s=30))
    assert hub.said == []


async def test_a_message_that_cannot_be_read_costs_only_itself(tools: Tools, hub: Hub) -> None:
    broken = [alert("VMD", "perhaps"), alert("<!DOCTYPE a>"), alert("&x;")]
    async with Camera(stream=writes(*broken, alert())).on_loopback() as address:
        await lost(tools, config(address, events=("motion",)))
    assert hub.said == [("gate_motion", "present")]


CHALLENGE = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest %s\r\n\r\n"


@pytest.mark.parametrize(
    ("camera", "kind"),
    [
        (Camera(login="Basic"), Unsupported),
        (Camera(uses=0), BadCredentials),
        (Camera(status=302), Unsupported),
        (Camera(status=403), BadCredentials),
        (Camera(status=404), Unsupported),
        (Camera(status=503), Unreachable),
        (Camera(silent=frozenset({STREAM})), Unreachable),
        (Camera(answers={STREAM: b""}), Unreachable),
        (Camera(answers={STREAM: b"nonsense\r\n\r\n"}), Unreachable),
        (Camera(answers={STREAM: b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"}), Unreachable),
        (Camera(answers={STREAM: b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed\r\n\r\n"}), Unreachable),
        (Camera(answers={STREAM: b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000_000}), Unreachable),
        (Camera(answers={STREAM: b"HTTP/1.1 401 No\r\n\r\n"}), BadCredentials),
    ],
)
async def test_refusals(camera: Camera, kind: type[DeviceError], tools: Tools) -> None:
    if camera.answers:
        camera.login = ""
    async with camera.on_loopback() as address:
        with pytest.raises(kind) as caught:
            async with asyncio.timeout(20):
                await opened(tools, config(address, events=("motion",), heartbeat_s=20))
        assert isinstance(tools.http.connector, aiohttp.TCPConnector)
        assert not tools.http.connector._acquired  # noqa: SLF001
    assert caught.value.reason.isprintable()


@pytest.mark.parametrize(
    ("challenge", "kind"),
    [
        (b'realm="\xff", nonce="a"', Unsupported),
        (b'realm="a", nonce=""', Unreachable),
        (b'realm="a", nonce="a", algorithm=X', Unreachable),
        (b'realm="a", nonce="a", domain="http://[", qop="auth"', Unsupported),
        (b"", BadCredentials),
    ],
)
async def test_challenges_that_cannot_be_answered(challenge: bytes, kind: type[DeviceError], tools: Tools) -> None:
    async with Camera(login="", answers={STREAM: CHALLENGE % challenge}).on_loopback() as address:
        with pytest.raises(kind):
            await opened(tools, config(address, events=("motion",)))


async def test_credentials(tools: Tools) -> None:
    async with Camera(stream=writes()).on_loopback() as address:
        for wrong in ({"password": "no"}, {"user": "other"}, {"user": "", "password": ""}):
            with pytest.raises(BadCredentials):
                await opened(tools, config(address, events=("motion",), **wrong))
        with pytest.raises(Unsupported):
            await opened(tools, config(address, events=("motion",), user="a:b"))


async def test_nobody_there(tools: Tools) -> None:
    with pytest.raises(Unreachable):
        await opened(tools, config("http://127.0.0.1:1", events=("motion",)))


async def test_a_cancelled_opening_and_a_cancelled_run_leave_nothing(tools: Tools) -> None:
    async with Camera(stream=writes(HEARTBEAT, stay=True), silent=frozenset({"/x"})).on_loopback() as address:
        connection = await opened(tools, config(address, events=("motion",), heartbeat_s=20))
        assert connection.run is not None
        assert connection.close is not None
        running = asyncio.ensure_future(connection.run())
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await connection.close()
        assert isinstance(tools.http.connector, aiohttp.TCPConnector)
        assert not tools.http.connector._acquired  # noqa: SLF001


@pytest.mark.parametrize(
    "address",
    [
        "",
        "camera",
        "rtsp://camera/",
        "http://a:secret@camera",
        "http://camera/path",
        "http://camera?x=1",
        "http://camera:x",
    ],
)
async def test_wrong_addresses_are_refused_at_once(address: str, tools: Tools) -> None:
    with pytest.raises(Unsupported) as caught:
        await integration.connect("gate", config(address), tools)
    assert "secret" not in caught.value.reason


def test_manifest_names_every_field_its_default_and_its_choices() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    declared = {name: entry.get("default", msgspec.NODEFAULT) for name, entry in manifest["config"].items()}
    fields = {field.name: field.default for field in msgspec.structs.fields(Config)}
    assert {**declared, "events": tuple(declared["events"])} == fields
    assert manifest["config"]["events"]["choices"] == list(KINDS)
    plain = {"name": {"zh": "门"}, "address": "http://camera"}
    for speaker in manifest["config"]["speaker"]["choices"]:
        msgspec.convert({**plain, "events": list(KINDS), "speaker": speaker}, Config)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**plain, "events": ["all"]}, Config)
