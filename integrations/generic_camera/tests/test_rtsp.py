"""Pictures by RTSP: the real child, PyAV and a server on loopback."""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from hub.sdk import BadCredentials, Text, Unreachable, Unsupported
from integrations.generic_camera import rtsp
from integrations.generic_camera.config import Config
from integrations.generic_camera.rtsp import RtspSource

av = pytest.importorskip("av", reason="the extra `video` is NOT installed")
from integrations.generic_camera.tests.rtsp_stub import RtspStub  # noqa: E402 (needs PyAV to encode)

pytestmark = pytest.mark.slow


def source(url: str, user: str = "", password: str = "", timeout_s: float = 8.0) -> RtspSource:
    return RtspSource(Config(name=Text(zh="东门"), rtsp=url, user=user, password=password, timeout_s=timeout_s))


def children() -> set[str]:
    return set(Path("/proc/thread-self/children").read_text().split())


async def test_a_key_frame_becomes_a_jpeg() -> None:
    async with RtspStub().serve() as url:
        picture = await source(url).picture()
    assert picture.media_type == "image/jpeg"
    with av.open(io.BytesIO(picture.data)) as container:
        frame = next(container.decode(video=0)).reformat(format="gray")
    row = bytes(frame.planes[0])[: frame.width]
    assert (frame.width, frame.height) == (160, 120)
    assert row[10] < 3  # black is black and white is white only if the colour range was converted
    assert row[150] > 252


async def test_credentials_with_any_character() -> None:
    stub = RtspStub(login="ad@min:p/w:#?%")
    async with stub.serve() as url:
        assert (await source(url, "ad@min", "p/w:#?%").picture()).data
        for user, password in (("ad@min", "wrong"), ("", "")):
            with pytest.raises(BadCredentials):
                await source(url, user, password).picture()


async def test_wrong_path_is_not_tried_again() -> None:
    async with RtspStub().serve() as url:
        with pytest.raises(Unsupported, match="404"):
            await source(url.replace("stream", "nothing")).picture()


async def test_nobody_there_and_no_password_in_the_sentence() -> None:
    with pytest.raises(Unreachable) as caught:
        await source("rtsp://127.0.0.1:1/stream", "admin", "hunter2").picture()
    assert "Connection refused" in caught.value.reason
    assert "hunter2" not in caught.value.reason


async def test_silent_camera_costs_the_time_out_and_leaves_no_process() -> None:
    before, stub = children(), RtspStub(silent=True)
    async with stub.serve() as url:
        with pytest.raises(Unreachable, match="within 1 s"):
            await source(url, timeout_s=1).picture()
    assert len(stub.requests) == 1, "it was reached"
    assert children() == before


async def test_password_is_not_in_the_process_list() -> None:
    before, stub = children(), RtspStub(silent=True)
    async with stub.serve() as url:
        task = asyncio.create_task(source(url, "admin", "hunter2").picture())
        await asyncio.wait_for(stub.asked.wait(), 20)
        (child,) = children() - before
        visible = b"".join((Path("/proc") / child / name).read_bytes() for name in ("cmdline", "environ"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert b"grab.py" in visible
    assert b"hunter2" not in visible
    assert children() == before


async def test_encrypted_stream_needs_a_trusted_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the program openssl is NOT installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(  # noqa: ASYNC221, S603 (a moment in a test; fixed arguments)
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=stub",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with RtspStub(tls=context).serve() as url:
        with pytest.raises(Unreachable, match="certificate"):
            await source(url).picture()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert (await source(url).picture()).data


@pytest.mark.parametrize(
    ("script", "kind", "sentence"),
    [
        ("import sys; sys.stdout.buffer.write(bytes(20_000_000))", Unsupported, "larger than"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", Unreachable, "code -11"),
        ("print('no picture')", Unreachable, "neither JPEG nor PNG"),
        ("import sys; print('\\x1b[31mno'); sys.exit(11)", BadCredentials, r"^\[31mno$"),
    ],
    ids=["flood", "crash", "text", "escape sequence"],
)
async def test_misbehaving_child(
    script: str, kind: type[Exception], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "grab.py"
    stand_in.write_text(script)
    monkeypatch.setattr(rtsp, "COMMAND", (*rtsp.COMMAND[:-1], str(stand_in)))
    with pytest.raises(kind, match=sentence):
        await source("rtsp://127.0.0.1/").picture()


async def test_only_the_stream_protocols_are_opened(tmp_path: Path) -> None:
    """A file that FFmpeg would gladly read is refused by the child itself, whatever the caller checked."""
    file = tmp_path / "stream.sdp"
    file.write_text("v=0\r\n")
    for url in (f"file://{file}", str(file), "http://127.0.0.1/", "concat:a|b"):
        with pytest.raises(Unsupported, match=re.escape("rtsp://")):
            await source(url).picture()


async def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtsp, "video_installed", lambda: False)
    with pytest.raises(Unsupported, match=r"menshen\[video\]"):
        await source("rtsp://127.0.0.1/").picture()
