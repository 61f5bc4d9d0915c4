"""The event stream and pictures against a camera on loopback: true ones, and those that lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
import yaml

import integrations.dahua as integration
from hub.sdk import BadCredentials, Capability, Connection, DeviceError, Picture, Tools, Unreachable, Unsupported
from hub.sdk import Camera as CameraDriver
from integrations.dahua.config import Config
from integrations.dahua.kinds import KINDS
from integrations.dahua.tests.kit import Hub, config
from integrations.sim.dahua_camera import HEARTBEAT, JPEG, Camera, Stream, event, part
from tests.kit.patience import until

ATTACH, SNAPSHOT = "action=attach", "snapshot.cgi"


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
        for piece in parts:
            writer.write(piece)
            await writer.drain()
        if stay:
            await asyncio.get_running_loop().create_future()

    return stream


async def test_starts_stops_and_pulses(tools: Tools, hub: Hub) -> None:
    calm = asyncio.Event()

    async def stream(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            HEARTBEAT + event("ParkingDetection") + event("CrossLineDetection", "Pulse") + event("VideoMotion")
        )
        while not calm.is_set():
            writer.write(HEARTBEAT)
            await writer.drain()
            await asyncio.sleep(0.05)
        writer.write(event("ParkingDetection", "Stop") + event("VideoMotion", "Stop", 1) + event("VideoBlind"))

    camera = Camera(stream=stream, lasts={"VideoLoss": (0,), "VideoMotion": (3,)})
    kinds = ("motion", "line", "parking", "tamper", "video_loss")
    async with camera.on_loopback() as address:
        ended = asyncio.create_task(lost(tools, config(address, events=kinds)))
        await until(lambda: ("gate_line", "absent") in hub.said[5:])
        calm.set()
        assert "ended the event stream" in (await ended).reason
    assert sorted(hub.said[:5]) == [
        ("gate_line", "absent"), ("gate_motion", "absent"), ("gate_parking", "absent"), ("gate_tamper", "clear"),
        ("gate_video_loss", "active"),
    ]  # fmt: skip
    assert hub.said[5:] == [
        ("gate_parking", "present"), ("gate_line", "present"), ("gate_motion", "present"), ("gate_line", "absent"),
        ("gate_parking", "absent"), ("gate_tamper", "active"),
    ]  # fmt: skip
    codes = "VideoMotion,CrossLineDetection,ParkingDetection,VideoBlind,VideoLoss"
    assert camera.asked[0] == f"/cgi-bin/eventManager.cgi?action=attach&codes=[{codes}]&heartbeat=0.2"
    assert len(camera.asked) == 6


async def test_equipment(tools: Tools) -> None:
    async with Camera(stream=writes()).on_loopback() as address:
        connection = await opened(tools, config(address, events=tuple(KINDS)))
        assert connection.close is not None
        await connection.close()
    entities = [equipment.entity for equipment in connection.equipment]
    assert {entity.id: entity.capability for entity in entities} == {
        "dahua.gate": Capability.CAMERA,
        **{f"dahua.gate_{kind}": meaning.capability for kind, meaning in KINDS.items()},
    }
    assert {entity.device for entity in entities} == {"北门"}
    assert (entities[1].name.zh, entities[1].name.en) == ("北门 移动侦测", "North gate motion")


async def test_without_events_the_network_is_not_asked(tools: Tools) -> None:
    equipment = await integration.connect("gate", config("http://127.0.0.1:1"), tools)
    assert isinstance(equipment, tuple)
    assert len(equipment) == 1


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_camera_that_does_not_say_what_lasts(status: int, tools: Tools, hub: Hub) -> None:
    refusal = {"getEventIndexes": b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status}
    async with Camera(answers=refusal, stream=writes(event("VideoMotion"))).on_loopback() as address:
        await lost(tools, config(address, events=("motion", "parking")))
    assert hub.said == [("gate_motion", "present")]


async def test_silence_is_a_loss_even_when_bytes_come(tools: Tools) -> None:
    async def drips(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEARTBEAT)
        while True:
            writer.write(part("hello"))
            await writer.drain()
            await asyncio.sleep(0.02)

    async with Camera(stream=writes(stay=True)).on_loopback() as address:
        assert "no heartbeat for 0.6 s" in (await lost(tools, config(address, events=("motion",)))).reason
    async with Camera(stream=drips).on_loopback() as address:
        error = await lost(tools, config(address, events=("motion",)))
        assert "no heartbeat" in error.reason
        assert "hello" in error.reason
    async with Camera(stream=writes(HEARTBEAT), silent="getEventIndexes").on_loopback() as address:
        assert "no answer" in (await lost(tools, config(address, events=("motion",)))).reason


@pytest.mark.parametrize(
    "piece",
    [
        b"--myboundary\r\nContent-Type: text/plain\r\nContent-Length: 10000000\r\n\r\n" + bytes(10_000_000),
        b"--myboundary\r\nContent-Type: text/plain\r\n\r\n" + b"x" * 10_000_000,
        b"--myboundary\r\n" + b"x" * 10_000_000,
        b"x" * 10_000_000,
        event("VideoMotion")[:-12],
    ],
)
async def test_streams_that_lie(piece: bytes, tools: Tools, hub: Hub) -> None:
    async with Camera(stream=writes(HEARTBEAT, piece)).on_loopback() as address:
        await lost(tools, config(address, events=("motion",)))
    assert hub.said == [("gate_motion", "absent")]


async def test_a_message_that_cannot_be_read_costs_only_itself(tools: Tools, hub: Hub) -> None:
    async with Camera(stream=writes(part("Code=;"), event("VideoMotion"))).on_loopback() as address:
        await lost(tools, config(address, events=("motion",)))
    assert hub.said[-1] == ("gate_motion", "present")


CHALLENGE = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest %s\r\n\r\n"


@pytest.mark.parametrize(
    ("camera", "kind"),
    [
        (Camera(login="Basic"), Unsupported),
        (Camera(status=302), Unsupported),
        (Camera(status=400), Unsupported),
        (Camera(status=403), BadCredentials),
        (Camera(status=503), Unreachable),
        (Camera(silent=ATTACH), Unreachable),
        (Camera(answers={ATTACH: b""}), Unreachable),
        (Camera(answers={ATTACH: b"nonsense\r\n\r\n"}), Unreachable),
        (Camera(answers={ATTACH: b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nOK"}), Unreachable),
        (Camera(answers={ATTACH: b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000_000}), Unreachable),
        (Camera(answers={ATTACH: b"HTTP/1.1 401 No\r\n\r\n"}), BadCredentials),
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
    async with Camera(login="", answers={ATTACH: CHALLENGE % challenge}).on_loopback() as address:
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


@pytest.mark.parametrize("silent", ["", "getEventIndexes"])
async def test_a_cancelled_run_leaves_nothing(silent: str, tools: Tools) -> None:
    camera = Camera(stream=writes(HEARTBEAT, stay=True), silent=silent)
    async with camera.on_loopback() as address:
        connection = await opened(tools, config(address, events=("motion",), heartbeat_s=20))
        assert connection.run is not None
        assert connection.close is not None
        running = asyncio.ensure_future(connection.run())
        await until(lambda: len(camera.asked) == 2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await connection.close()
        assert isinstance(tools.http.connector, aiohttp.TCPConnector)
        assert not tools.http.connector._acquired  # noqa: SLF001


async def snapshot(tools: Tools, address: str, **changes: object) -> Picture:
    equipment = await integration.connect("gate", config(address, **changes), tools)
    assert isinstance(equipment, tuple)
    driver = equipment[0].driver
    assert isinstance(driver, CameraDriver)
    return await driver.snapshot()


async def test_a_picture(tools: Tools) -> None:
    async with Camera().on_loopback() as address:
        assert await snapshot(tools, address) == Picture(JPEG, "image/jpeg")
        with pytest.raises(BadCredentials):
            await snapshot(tools, address, password="no")
        with pytest.raises(Unsupported):  # a recorder's input that is not there
            await snapshot(tools, address, channel=2)


@pytest.mark.parametrize(
    ("camera", "kind"),
    [
        (Camera(status=302), Unsupported),
        (Camera(status=503), Unreachable),
        (Camera(silent=SNAPSHOT), Unreachable),
        (Camera(answers={SNAPSHOT: b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nGIF"}), Unsupported),
        (Camera(answers={SNAPSHOT: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\xff\xd8\xff"}), Unreachable),
    ],
)
async def test_no_picture(camera: Camera, kind: type[DeviceError], tools: Tools) -> None:
    async with camera.on_loopback() as address:
        with pytest.raises(kind):
            await snapshot(tools, address)


@pytest.mark.parametrize(
    "address", ["", "rtsp://camera/", "http://a:secret@camera", "http://camera/path", "http://camera:x"]
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
    msgspec.convert({**plain, "events": list(KINDS)}, Config)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**plain, "events": ["All"]}, Config)
