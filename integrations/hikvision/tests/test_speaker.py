"""What the camera hears, when, and what it is told afterwards."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

import integrations.hikvision as integration
from hub.sdk import BadCredentials, Clip, CommandKey, DeviceError, Speaker, Tools, Unreachable, Unsupported
from hub.sdk.digest import authorization
from hub.sdk.g711 import SILENCE, Codec, encode
from integrations.hikvision.call import send
from integrations.hikvision.config import Config
from integrations.hikvision.tests.kit import Hub, config
from integrations.sim.hikvision_camera import AUDIO, Camera
from tests.kit.patience import until

KEY = CommandKey("0123456789abcdef" * 2)
CLIP = Clip(pcm=array("h", range(-16_000, 16_000, 8)).tobytes())  # 0.5 s
TAIL = 1600


@pytest.fixture
async def tools(tmp_path: Path) -> AsyncIterator[Tools]:
    async with aiohttp.ClientSession() as http:
        yield Hub().tools(http, tmp_path)


async def speaker(tools: Tools, entry: Config) -> Speaker:
    opened = await integration.connect("gate", entry, tools)
    assert isinstance(opened, tuple)
    driver = opened[1].driver
    assert isinstance(driver, Speaker)
    return driver


async def play(tools: Tools, address: str, volume: int = 100, **changes: object) -> None:
    driver = await speaker(tools, config(address, speaker="builtin", **changes))
    await driver.play(CLIP, volume, KEY)


def calls(camera: Camera) -> list[str]:
    return [entry.removeprefix("PUT ").removeprefix(AUDIO) for entry in camera.asked if entry.startswith("PUT")]


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize(("codec", "name"), [("pcmu", "G.711ulaw"), ("pcma", "G.711alaw")])
async def test_the_camera_hears_the_clip_in_real_time(early: bool, codec: Codec, name: str, tools: Tools) -> None:
    camera = Camera(early=early, codec=name, uses=1)
    async with camera.on_loopback() as address:
        await play(tools, address, volume=50)
    assert b"".join(data for _, data in camera.heard) == encode(CLIP.pcm, codec, 50) + bytes([SILENCE[codec]]) * TAIL
    audio = "/audioData?sessionId=2093716360"
    assert calls(camera) == ["/open", audio, "/close"]
    assert not camera.left_open
    begin, heard = camera.heard[0][0], 0
    for when, data in camera.heard:
        heard += len(data)
        assert heard <= 8000 * (when - begin) + 1000, "faster than it is spoken"
    assert 0.6 < camera.heard[-1][0] - begin < 1.5


async def test_a_channel_that_was_left_open_is_closed_first(tools: Tools) -> None:
    camera = Camera(left_open=True)
    async with camera.on_loopback() as address:
        await play(tools, address)
    assert calls(camera)[:3] == ["/open", "/close", "/open"]
    assert not camera.left_open


async def test_a_camera_without_log_in_and_without_session(tools: Tools) -> None:
    camera = Camera(login="", session="")
    async with camera.on_loopback() as address:
        await play(tools, address, user="", password="")
    assert calls(camera) == ["/open", "/audioData", "/audioData", "/close"]  # the first asks whether there is a log-in
    assert len(b"".join(data for _, data in camera.heard)) == 4000 + TAIL


async def test_cancelled_it_falls_silent_and_closes(tools: Tools) -> None:
    camera = Camera()
    async with camera.on_loopback() as address:
        playing = asyncio.create_task(play(tools, address))
        await until(lambda: len(camera.heard) > 3)
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        assert calls(camera)[-1] == "/close"
        assert not camera.left_open
        await until(lambda: camera.hung_up)
        assert sum(len(data) for _, data in camera.heard) < 4000


OPEN, SOUND = f"{AUDIO}/open", f"{AUDIO}/audioData"
CHALLENGE = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="a", nonce="b"%s\r\n\r\n'


@pytest.mark.parametrize(
    ("camera", "kind"),
    [
        (Camera(codec="AAC"), Unsupported),
        (Camera(codec="\x1b"), Unsupported),
        (Camera(session="1 2"), Unsupported),
        (Camera(session="1&amp;a=b"), Unsupported),
        (Camera(answers={AUDIO: b"HTTP/1.1 404 No\r\n\r\n"}), Unsupported),
        (Camera(answers={AUDIO: b"HTTP/1.1 302 Go\r\nLocation: http://192.0.2.1/\r\n\r\n"}), Unsupported),
        (Camera(answers={AUDIO: b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000}), Unsupported),
        (Camera(answers={AUDIO: b"HTTP/1.1 200 OK\r\n\r\n<!DOCTYPE a>"}), Unsupported),
        (Camera(answers={OPEN: b"HTTP/1.1 200 OK\r\n\r\nhello"}), Unsupported),
        (Camera(silent=frozenset({OPEN})), Unreachable),
        (Camera(silent=frozenset({SOUND})), Unreachable),
        (Camera(answers={SOUND: b""}), Unreachable),
        (Camera(answers={SOUND: b"nonsense\r\n\r\n"}), Unsupported),
        (Camera(answers={SOUND: b"x" * 10_000_000}), Unsupported),
        (Camera(answers={SOUND: b"HTTP/1.1 302 Go\r\nLocation: http://192.0.2.1/\r\n\r\n"}), Unsupported),
        (Camera(answers={SOUND: b"HTTP/1.1 403 No\r\n\r\n"}), BadCredentials),
        (Camera(answers={SOUND: b"HTTP/1.1 404 No\r\n\r\n"}), Unsupported),
        (Camera(answers={SOUND: b"HTTP/1.1 503 Busy\r\n\r\n"}), Unreachable),
        (Camera(login="", answers={SOUND: b"HTTP/1.1 401 No\r\n\r\n"}), Unsupported),
        (Camera(login="", answers={SOUND: CHALLENGE % b""}), BadCredentials),
        (Camera(login="", answers={SOUND: CHALLENGE % b', qop="x"'}), Unsupported),
    ],
)  # fmt: skip
async def test_refusals(camera: Camera, kind: type[DeviceError], tools: Tools) -> None:
    async with camera.on_loopback() as address:
        with pytest.raises(kind) as caught:
            async with asyncio.timeout(20):
                await play(tools, address)
    assert caught.value.reason.isprintable()
    assert not camera.left_open


async def test_credentials(tools: Tools) -> None:
    camera = Camera()
    async with camera.on_loopback() as address:
        for user, password in (("admin", "no"), ("", "")):
            with pytest.raises(BadCredentials):
                await play(tools, address, user=user, password=password)
    assert calls(camera) == []  # three wrong log-ins more could lock the account


async def test_nobody_there(tools: Tools) -> None:
    with pytest.raises(Unreachable):
        await play(tools, "http://127.0.0.1:1")


async def test_certificates_are_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the program openssl is NOT installed")
    key, file = tmp_path / "key.pem", tmp_path / "camera.pem"
    subprocess.run(  # noqa: ASYNC221, S603 (fixed arguments, before anything runs)
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=camera",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(file)],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file, key)
    camera = Camera()
    async with camera.on_loopback(tls=tls) as address:
        with pytest.raises(Unreachable):
            await send(address, SOUND, config(address), b"x" * 640)
        assert camera.heard == []
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        await send(address, SOUND, config(address), b"x" * 640)
        assert b"".join(data for _, data in camera.heard) == b"x" * 640


def test_digest_of_rfc_7616() -> None:
    """The example of section 3.9.1, both algorithms."""
    nonce, cnonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    for algorithm, response in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ]:
        challenge = (
            f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="{nonce}"'
        )
        header = authorization(f'{challenge}, opaque="F"', "GET", "/dir/index.html", "Mufasa", "Circle of Life", cnonce)
        assert f'response="{response}"' in header
        assert 'opaque="F"' in header


def test_digest_without_qop() -> None:
    """RFC 2069, section 2.4, with the values of its erratum 749."""
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    header = authorization(challenge, "GET", "/dir/index.html", "Mufasa", "CircleOfLife", "unused")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in header
    assert "qop" not in header
    assert "unused" not in header


@pytest.mark.parametrize("user", ['a"b', "a\nb", "a:b", "a\\b"])
def test_users_that_would_break_out_of_the_header(user: str) -> None:
    with pytest.raises(Unsupported):
        authorization('Digest realm="a", nonce="b"', "PUT", "/", user, "p", "c")
