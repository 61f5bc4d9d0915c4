"""A camera on loopback: log-in, pictures, what it refuses, and the lies it may tell."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import yaml

import integrations.onvif as integration
from hub.sdk import (
    BadCredentials,
    Camera,
    Capability,
    Connection,
    DeviceError,
    Picture,
    Text,
    Tools,
    Unreachable,
    Unsupported,
)
from integrations.onvif.camera import OnvifCamera
from integrations.onvif.config import Config
from integrations.onvif.tests.kit import config, opened
from integrations.sim.onvif_camera import JPEG, PASSWORD, Answer, FakeCamera
from integrations.sim.onvif_messages import fault, soap


async def snapshot(connection: Connection) -> Picture:
    driver = connection.equipment[0].driver
    assert isinstance(driver, Camera)
    return await driver.snapshot()


@pytest.mark.parametrize("http_login", [False, True])
@pytest.mark.parametrize("offset", [timedelta(), timedelta(days=-3, hours=8), timedelta(hours=8)])
async def test_pictures_and_entities(offset: timedelta, http_login: bool, tools: Tools) -> None:
    camera = FakeCamera(offset=offset, http_login=http_login)
    async with opened(camera, tools) as connection:
        entities = [equipment.entity for equipment in connection.equipment]
        assert [(entity.id, entity.capability) for entity in entities] == [
            ("onvif.gate", Capability.CAMERA),
            ("onvif.gate_motion", Capability.PRESENCE),
            ("onvif.gate_line", Capability.ALARM),
            ("onvif.gate_field", Capability.PRESENCE),
            ("onvif.gate_input", Capability.ALARM),
        ]
        assert entities[2].name == Text("大门摄像机 越线", "Gate camera: line crossed")
        assert await snapshot(connection) == Picture(data=JPEG, media_type="image/jpeg")
        driver = connection.equipment[0].driver
        assert isinstance(driver, OnvifCamera)
        assert driver.stream == "rtsp://127.0.0.1:554/live/1"
        assert len(camera.subscriptions) == 1
    assert not camera.subscriptions, "it was told good-bye"
    assert camera.refused == 0


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"user": "nobody"}, {"user": ""}])
@pytest.mark.parametrize("http_login", [False, True])
async def test_wrong_log_in(wrong: dict[str, str], http_login: bool, tools: Tools) -> None:
    async with FakeCamera(http_login=http_login).serve() as url:
        with pytest.raises(BadCredentials) as caught:
            await integration.connect("gate", config(url, **wrong), tools)
        assert PASSWORD not in caught.value.reason


async def test_a_clock_that_was_set_is_read_again(tools: Tools) -> None:
    camera = FakeCamera()
    async with opened(camera, tools) as connection:
        camera.offset = timedelta(hours=-8)
        assert (await snapshot(connection)).data == JPEG


async def test_old_firmware_knows_only_capabilities(tools: Tools) -> None:
    camera = FakeCamera(lies={"GetServices": lambda: (500, fault("Receiver", "ter:ActionNotSupported"))})
    async with opened(camera, tools) as connection:
        assert (await snapshot(connection)).data == JPEG
        assert connection.run is not None


@pytest.mark.parametrize(
    "refused",
    [
        (500, fault("Receiver", "ter:ActionNotSupported")),
        (400, fault("Sender", "ter:ActionNotSupported")),
        (200, fault("Receiver", "ter:ActionNotSupported")),
        (400, fault("Sender", said="Method not implemented: method name or namespace not recognized")),
        (404, b""),
    ],
)
async def test_without_events_there_are_pictures(refused: tuple[int, bytes], tools: Tools) -> None:
    camera = FakeCamera(lies={"CreatePullPointSubscription": lambda: refused})
    async with opened(camera, tools) as connection:
        assert [equipment.entity.id for equipment in connection.equipment] == ["onvif.gate"]
        assert connection.run is None
        assert (await snapshot(connection)).data == JPEG
    async with camera.serve() as url:
        with pytest.raises(Unsupported, match="no events"):
            await integration.connect("gate", config(url, sources=("line:Gate",)), tools)


async def test_without_pictures_there_are_events(tools: Tools) -> None:
    camera = FakeCamera(lies={"GetSnapshotUri": lambda: (500, fault("Receiver", "ter:ActionNotSupported"))})
    async with opened(camera, tools) as connection:
        assert connection.run is not None
        with pytest.raises(Unsupported, match=r"rtsp://127\.0\.0\.1:554/live/1"):
            await snapshot(connection)
    async with camera.serve() as url:
        with pytest.raises(Unsupported, match="no picture address"):
            await integration.connect("gate", config(url, events=False), tools)


async def test_a_channel_of_a_recorder(tools: Tools) -> None:
    async with opened(FakeCamera(), tools, profile="second") as connection:
        driver = connection.equipment[0].driver
        assert isinstance(driver, OnvifCamera)
        assert (await driver.address()).endswith("/snap.jpg?channel=second&q=1")
    async with FakeCamera().serve() as url:
        with pytest.raises(Unsupported, match="main, second"):
            await integration.connect("gate", config(url, profile="third"), tools)


@pytest.mark.parametrize("named", ["http://10.0.0.7:8080", "http://0.0.0.0", "https://elsewhere.example"])
async def test_a_wrong_host_is_replaced(named: str, tools: Tools) -> None:
    camera = FakeCamera(named=named)
    async with opened(camera, tools) as connection:
        assert (await snapshot(connection)).data == JPEG
        assert len(camera.subscriptions) == 1
    assert not camera.subscriptions


async def test_no_request_leaves_for_another_host(tools: Tools) -> None:
    other = FakeCamera()
    async with other.serve() as other_url:
        camera = FakeCamera(named=other_url.replace("127.0.0.1", "localhost"))
        async with opened(camera, tools) as connection:
            assert (await snapshot(connection)).data == JPEG
        assert other.asked == []


@pytest.mark.parametrize("named", ["http://169.254.169.254", "http://[fe80::1]", "ftp://127.0.0.1", "file:///etc"])
async def test_forbidden_addresses(named: str, tools: Tools) -> None:
    async with FakeCamera(named=named).serve() as url:
        with pytest.raises(Unsupported, match="the camera names"):
            await integration.connect("gate", config(url), tools)


LIES: list[tuple[Answer, type[DeviceError]]] = [
    (lambda: (200, b""), Unsupported),
    (lambda: (200, soap("<tds:GetProfilesResponse/>")[:-20]), Unsupported),
    (lambda: (200, b"<html><body>log in</body></html>"), Unsupported),
    (lambda: (200, b"\x00\xff\xfe" * 100), Unsupported),
    (
        lambda: (
            200,
            b'<!DOCTYPE x [<!ENTITY a "b">]>' + soap("<trt:GetProfilesResponse>&a;</trt:GetProfilesResponse>"),
        ),
        Unsupported,
    ),
    (lambda: (200, soap("<a>" * 5000 + "</a>" * 5000)), Unsupported),
    (lambda: (200, b" " * 10_000_000), Unsupported),
    (lambda: (200, soap("<trt:GetProfilesResponse/>")), Unsupported),
    (lambda: (200, soap('<trt:GetProfilesResponse><trt:Profiles token=""/></trt:GetProfilesResponse>')), Unsupported),
    (lambda: (302, b""), Unsupported),
    (lambda: (404, b""), Unsupported),
    (lambda: (503, b""), Unreachable),
    (lambda: (500, fault("Receiver", said="busy")), Unreachable),
    (lambda: (403, b""), BadCredentials),
    (lambda: (401, b""), BadCredentials),
    (lambda: (401, fault("Sender", "ter:NotAuthorized")), BadCredentials),
    (lambda: (500, fault("Sender", "ter:NotAuthorized")), BadCredentials),
    (lambda: (400, fault("Sender", "wsse:FailedAuthentication")), BadCredentials),
    (lambda: (400, fault("Sender", "ter:OperationProhibited")), BadCredentials),
    (lambda: (400, fault("Sender", "ter:InvalidArgVal", "ter:NoProfile")), Unsupported),
]


@pytest.mark.parametrize("number", range(len(LIES)))
async def test_lies(number: int, tools: Tools) -> None:
    lie, kind = LIES[number]
    camera = FakeCamera(lies={"GetProfiles": lie})
    async with camera.serve() as url:
        with pytest.raises(DeviceError) as caught:
            await integration.connect("gate", config(url), tools)
        assert type(caught.value) is kind
        assert caught.value.reason.isprintable()
        assert "snapshot" not in camera.asked
        assert camera.authorizations == [], "no password is sent in the clear to who did not ask for it"


async def test_the_camera_s_own_words_are_shown(tools: Tools) -> None:
    camera = FakeCamera(lies={"GetProfiles": lambda: (401, fault("Sender", "ter:NotAuthorized", said="no such user"))})
    async with camera.serve() as url:
        with pytest.raises(BadCredentials, match="no such user"):
            await integration.connect("gate", config(url), tools)


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        ((200, b"<html>"), Unsupported),
        ((200, bytes(17 * 1024 * 1024)), Unsupported),
        ((302, b""), Unsupported),
        ((503, b""), Unreachable),
        ((401, b""), BadCredentials),
    ],
)
async def test_what_is_no_picture(lie: tuple[int, bytes], kind: type[DeviceError], tools: Tools) -> None:
    async with opened(FakeCamera(lies={"snapshot": lambda: lie}), tools) as connection:
        with pytest.raises(DeviceError) as caught:
            await snapshot(connection)
        assert type(caught.value) is kind


async def raw(say: Callable[[asyncio.StreamWriter], Awaitable[None]], tools: Tools) -> DeviceError:
    """Open a camera that does ``say`` with each connection; return how that failed."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await say(writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(DeviceError) as caught:
            await integration.connect("gate", config(f"http://127.0.0.1:{port}", timeout_s=0.3), tools)
    return caught.value


async def test_silence_garbage_and_a_broken_answer(tools: Tools) -> None:
    released = asyncio.Event()

    async def silent(_writer: asyncio.StreamWriter) -> None:
        await released.wait()

    async def garbage(writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")

    async def broken(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<s:Envelope")

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 500 Oh\r\nContent-Type: application/soap+xml\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"<a>" * 10_000)
            await writer.drain()

    assert type(await raw(silent, tools)) is Unreachable
    released.set()
    assert type(await raw(garbage, tools)) is Unreachable
    assert type(await raw(broken, tools)) is Unreachable
    assert type(await raw(endless, tools)) is Unsupported


async def test_a_certificate_must_be_trusted(tools: Tools, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the program openssl is NOT installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(  # noqa: ASYNC221, S603 - a moment in a test; fixed arguments
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=camera",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    taken = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="Certificate"):
            await integration.connect("gate", config(f"https://127.0.0.1:{port}"), tools)
    assert not taken


async def test_nobody_there(tools: Tools) -> None:
    with pytest.raises(Unreachable):
        await integration.connect("gate", config("http://127.0.0.1:1"), tools)


@pytest.mark.parametrize(
    "url", ["", "camera", "rtsp://camera/", "http://", "http://camera:x/", "http://a:secret@camera/"]
)
async def test_wrong_addresses_are_refused_at_once(url: str, tools: Tools) -> None:
    with pytest.raises(Unsupported) as caught:
        await integration.connect("gate", config(url), tools)
    assert "secret" not in caught.value.reason


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    own = {field.name: field.default for field in msgspec.structs.fields(Config)}
    assert declared == own | {"sources": list(own["sources"])}
    for field in manifest["config"].values():
        assert field["zh"]
        assert field["en"]


@pytest.mark.parametrize("source", ["door:1", "line", "line:", "line:a\nb", "line:" + "x" * 65])
def test_sources_are_checked(source: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": {"zh": "门"}, "url": "http://c", "sources": [source]}, Config)
