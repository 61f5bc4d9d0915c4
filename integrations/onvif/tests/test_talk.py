"""The back channel: a camera on loopback hears the clip, in real time; what it refuses, and the lies it may tell."""

from __future__ import annotations

import asyncio
import ssl
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import integrations.onvif as integration
from hub.sdk import (
    BadCredentials,
    Capability,
    Clip,
    CommandKey,
    DeviceError,
    Speaker,
    Tools,
    Unreachable,
    Unsupported,
    g711,
)
from integrations.email.tests.conftest import certificate as certificate  # a fixture
from integrations.onvif.talk import BackChannel, read_sdp
from integrations.onvif.tests.back_channel import Intercom
from integrations.onvif.tests.kit import config, opened
from integrations.sim.digest import Scheme
from integrations.sim.onvif_camera import PASSWORD, FakeCamera

KEY = CommandKey("ab" * 16)
SOUND = Clip(pcm=struct.pack("<160h", *range(0, 16000, 100)) * 20)  # 0.4 s


def speaker(port: int, scheme: str = "rtsp", **more: Any) -> BackChannel:
    return BackChannel(f"{scheme}://127.0.0.1:{port}/live/1", config("http://unused", **more))


@pytest.mark.parametrize("scheme", ["digest", "basic", "none"])
@pytest.mark.parametrize(("codec", "name"), [("0", "pcmu"), ("8", "pcma")])
async def test_the_camera_hears_the_clip_in_real_time(scheme: Scheme, codec: str, name: g711.Codec) -> None:
    camera = Intercom(scheme=scheme, codec=codec, chats=True)
    async with camera.serve() as port:
        await speaker(port).play(SOUND, 50, KEY)
        await asyncio.wait_for(camera.ended.wait(), 20)
    packets = [data for _, data in camera.heard]
    said = b"".join(data[12:] for data in packets)
    assert g711.encode(SOUND.pcm, name, 50) in said
    assert {data[1] & 0x7F for data in packets} == {int(codec)}
    numbers = [int.from_bytes(data[2:4], "big") for data in packets]
    assert [(number - numbers[0]) & 0xFFFF for number in numbers] == list(range(len(packets)))
    assert camera.heard[-1][0] - camera.heard[0][0] > SOUND.seconds  # ends no earlier than the speech: not a burst
    assert camera.asked[-1] == "TEARDOWN"


async def test_a_relative_control_is_joined_to_the_base() -> None:
    camera = Intercom(control="audioback")
    async with camera.serve() as port:
        await speaker(port).play(Clip(pcm=bytes(320)), 100, KEY)
    assert camera.heard


async def test_it_is_a_loudspeaker_of_the_camera(tools: Tools) -> None:
    intercom = Intercom()
    async with intercom.serve() as port, opened(FakeCamera(rtsp=port), tools, speaker="backchannel") as connection:
        found = {one.entity.capability: one for one in connection.equipment}[Capability.SPEAKER]
        assert found.entity.id == "onvif.gate_speaker"
        assert isinstance(found.driver, Speaker)
        await found.driver.play(Clip(pcm=bytes(320)), 100, KEY)
    assert intercom.heard


async def test_without_a_stream_there_is_none(tools: Tools) -> None:
    camera = FakeCamera(lies={"GetStreamUri": lambda: (200, b"<html>")})
    async with camera.serve() as url:
        with pytest.raises(DeviceError):
            await integration.connect("gate", config(url, speaker="backchannel"), tools)


async def test_cancelled_it_falls_silent() -> None:
    camera = Intercom()
    async with camera.serve() as port:
        task = asyncio.ensure_future(speaker(port).play(Clip(pcm=bytes(16_000 * 60)), 100, KEY))
        async with asyncio.timeout(20):
            while not camera.heard:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.wait_for(camera.ended.wait(), 20)
        assert len(camera.heard) < 1_000


@pytest.mark.parametrize(
    ("camera", "kind", "reason"),
    [
        (Intercom(knows=False), Unsupported, "no back channel"),
        (Intercom(codec="2"), Unsupported, r"not G\.711"),
        (Intercom(control=""), Unsupported, r"not G\.711"),
        (Intercom(hangs_up_after=5), Unreachable, "no connection for sound"),
    ],
    ids=["no option", "another codec", "no control", "hangs up"],
)
async def test_refusals(camera: Intercom, kind: type[DeviceError], reason: str) -> None:
    async with camera.serve() as port:
        with pytest.raises(kind, match=reason):
            await speaker(port).play(SOUND, 50, KEY)


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"user": "nobody"}, {"user": ""}])
@pytest.mark.parametrize("scheme", ["digest", "basic"])
async def test_wrong_log_in(wrong: dict[str, str], scheme: Scheme) -> None:
    async with Intercom(scheme=scheme).serve() as port:
        with pytest.raises(BadCredentials) as caught:
            await speaker(port, **wrong).play(SOUND, 50, KEY)
    assert PASSWORD not in caught.value.reason


LIES: dict[str, tuple[bytes | None, type[DeviceError]]] = {
    "silence": (None, Unreachable),
    "hung up": (b"", Unreachable),
    "truncated": (b"RTSP/1.0 200 OK\r\nContent-Length: 500\r\n\r\nv=0", Unreachable),
    "another protocol": (b"HTTP/1.1 200 OK\r\n\r\n", Unsupported),
    "binary": (bytes(range(255, -1, -1)) * 200, Unsupported),
    "endless head": (b"RTSP/1.0 200 OK\r\nX: " + b"x" * 200_000, Unsupported),
    "10 MB": (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 10000000\r\n\r\n", Unsupported),
    "a length that is none": (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n", Unsupported),
    "many headers": (b"RTSP/1.0 200 OK\r\n" + b"A: b\r\n" * 100 + b"\r\n", Unsupported),
    "redirect": (b"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: rtsp://169.254.169.254/\r\n\r\n", Unsupported),
    "packets without end": (b"$\x00\x00\x04abcd" * 2_000, Unreachable),
    "no SDP": (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 4\r\n\r\n\xff\xfe\xfd\xfc", Unsupported),
    "busy": (b"RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: 1\r\n\r\n", Unreachable),
}


@pytest.mark.parametrize("lie", LIES)
async def test_lies(lie: str) -> None:
    said, kind = LIES[lie]
    camera = Intercom(scheme="none", lies={"DESCRIBE": said})
    async with camera.serve() as port:
        with pytest.raises(kind):
            async with asyncio.timeout(20):
                await speaker(port, timeout_s=0.3).play(SOUND, 50, KEY)
    assert not camera.heard


@pytest.mark.parametrize("name", ["Session", "Transport"])
async def test_a_set_up_that_makes_no_sense(name: str) -> None:
    said = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n"
    said += b"Session: 1\r\n\r\n" if name == "Transport" else b"Transport: RTP/AVP/TCP;interleaved=4-5\r\n\r\n"
    async with Intercom(scheme="none", lies={"SETUP": said}).serve() as port:
        with pytest.raises(Unsupported, match="in the connection"):
            await speaker(port).play(SOUND, 50, KEY)


async def test_a_certificate_must_be_trusted(
    certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = Intercom()
    async with camera.serve(certificate[1]) as port:
        with pytest.raises(Unreachable, match="SSLCertVerificationError"):
            await speaker(port, "rtsps").play(SOUND, 50, KEY)
        assert not camera.asked
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        await speaker(port, "rtsps").play(Clip(pcm=bytes(320)), 50, KEY)
    assert camera.heard


@given(body=st.binary(max_size=300) | st.lists(st.sampled_from(
    [b"m=audio 0 RTP/AVP 0", b"m=", b"m=audio", b"a=sendonly", b"a=control:", b"a=control:http://[", b"a=control:x y",
     b"a=control:[", b"a=control:\xff"])).map(b"\r\n".join), base=st.text(max_size=30))  # fmt: skip
def test_any_sdp_is_a_track_or_unsupported(body: bytes, base: str) -> None:
    try:
        track = read_sdp(body, base)
    except Unsupported:
        return
    assert track.control.isascii()
    assert not set(track.control) & set(" \r\n")


@pytest.mark.parametrize("address", ["http://cam/", "rtsp://", "rtsp://a:b@cam/", "rtsp://169.254.169.254/live"])
def test_wrong_addresses_are_refused_at_once(address: str) -> None:
    with pytest.raises(Unsupported):
        BackChannel(address, config("http://unused"))
