"""The camera, read by aiohttp over HTTP and by FFmpeg (through PyAV) over RTSP."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Iterator

import aiohttp
import av
import pytest
from PIL import Image, ImageChops, ImageStat

from tests.kit.program import Program

MODULE = "integrations.sim.camera"
LOGIN = ("--user", "admin", "--password", "Tür-门")


@pytest.fixture(scope="module")
def camera() -> Iterator[Program]:
    with Program(MODULE, "--glide", "0") as program:
        yield program


@pytest.fixture(scope="module")
def basic() -> Iterator[Program]:
    with Program(MODULE, "--auth", "basic", "--user", "admin", "--password", "s3cret") as program:
        yield program


async def take(http: aiohttp.ClientSession, camera: Program) -> Image.Image:
    async with http.get(camera.url("/snapshot.jpg")) as answer:
        assert answer.status == 200
        assert answer.content_type == "image/jpeg"
        return Image.open(io.BytesIO(await answer.read())).convert("RGB")


async def put(http: aiohttp.ClientSession, camera: Program, *, vehicle: bool) -> None:
    async with http.put(camera.url("/scene"), json={"vehicle": vehicle}) as answer:
        assert (await answer.json()) == {"vehicle": vehicle}


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return how much the place where the car stands differs, in grey levels."""
    box = (440, 300, 610, 480)
    return float(ImageStat.Stat(ImageChops.difference(one.crop(box), other.crop(box)).convert("L")).mean[0])


def watch(url: str, count: int) -> list[tuple[Image.Image, bool]]:
    """Read pictures as a recorder would; returns each with whether it is a key frame."""
    seen = []
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=10) as stream:
        for frame in stream.decode(video=0):
            picture = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it untyped
            seen.append((picture, bool(frame.key_frame)))
            if len(seen) == count:
                break
    return seen


def rtsp(camera: Program, login: str = "") -> str:
    return f"rtsp://{login}127.0.0.1:{camera.ports['rtsp']}/lane"


async def test_the_picture_shows_the_car_only_while_it_is_there(http: aiohttp.ClientSession, camera: Program) -> None:
    await put(http, camera, vehicle=False)
    empty = await take(http, camera)
    await put(http, camera, vehicle=True)
    parked = await take(http, camera)
    await put(http, camera, vehicle=False)
    again = await take(http, camera)
    assert empty.size == (1280, 720)
    assert difference(empty, parked) > 40
    assert difference(empty, again) < 2


async def test_the_stream_begins_with_a_key_frame_for_each_of_two_clients(
    http: aiohttp.ClientSession, camera: Program
) -> None:
    await put(http, camera, vehicle=False)
    empty = await take(http, camera)
    await put(http, camera, vehicle=True)
    try:
        both = await asyncio.gather(*(asyncio.to_thread(watch, rtsp(camera), 30) for _ in range(2)))
    finally:
        await put(http, camera, vehicle=False)
    for seen in both:
        pictures, keys = zip(*seen, strict=True)
        assert pictures[0].size == (1280, 720)
        assert keys[0]
        assert sum(keys) >= 2, "a key frame every second"
        assert difference(empty, pictures[-1]) > 40


@pytest.mark.parametrize("kind", ["basic", "digest"])
async def test_the_stream_asks_for_the_login(kind: str, basic: Program) -> None:
    if kind == "basic":
        assert await asyncio.to_thread(watch, rtsp(basic, "admin:s3cret@"), 1)
        with pytest.raises(av.error.HTTPUnauthorizedError):
            await asyncio.to_thread(watch, rtsp(basic, "admin:wrong@"), 1)
        return
    with Program(MODULE, "--auth", "digest", "--user", "admin", "--password", "s3cret") as camera:
        assert await asyncio.to_thread(watch, rtsp(camera, "admin:s3cret@"), 1)
        with pytest.raises(av.error.HTTPUnauthorizedError):
            await asyncio.to_thread(watch, rtsp(camera, "admin:wrong@"), 1)


async def test_basic_login_over_http(http: aiohttp.ClientSession, basic: Program) -> None:
    for auth, status in ((None, 401), (("admin", "wrong"), 401), (("admin", "s3cret"), 200)):
        headers = {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}
        async with http.get(basic.url("/snapshot.jpg"), headers=headers) as answer:
            assert answer.status == status
            assert ("WWW-Authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_digest_login_over_http(http: aiohttp.ClientSession, algorithm: str) -> None:
    with Program(MODULE, "--auth", "digest", *LOGIN, "--algorithm", algorithm) as camera:
        url = camera.url("/snapshot.jpg?channel=1&text=%E9%97%A8")
        async with http.get(url) as answer:
            assert answer.status == 401
            assert f"algorithm={algorithm}" in answer.headers["WWW-Authenticate"]
        good = aiohttp.DigestAuthMiddleware("admin", "Tür-门")
        for _ in range(3):  # the same nonce with a rising count
            async with http.get(url, middlewares=(good,)) as answer:
                assert answer.status == 200
        async with http.get(url, middlewares=(aiohttp.DigestAuthMiddleware("admin", "wrong"),)) as answer:
            assert answer.status == 401


async def ask(camera: Program, *lines: str) -> str:
    """Send one RTSP request and return the answer's first line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", camera.ports["rtsp"])
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = await asyncio.wait_for(reader.readline(), 20)
    writer.close()
    await writer.wait_closed()
    return answer.decode().strip()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("OPTIONS * RTSP/1.0", "CSeq: 1"), 200),
        (("DESCRIBE rtsp://h/lane RTSP/1.0", "CSeq: 1"), 200),
        (("DESCRIBE rtsp://h/live RTSP/1.0", "CSeq: 1"), 404),
        (
            ("SETUP rtsp://h/lane/trackID=0 RTSP/1.0", "CSeq: 1", "Transport: RTP/AVP;unicast;client_port=5000-5001"),
            461,
        ),
        (("SETUP rtsp://h/lane/trackID=0 RTSP/1.0", "CSeq: 1", "Transport: RTP/AVP/TCP;interleaved=999-1000"), 461),
        (("SETUP rtsp://h/lane/trackID=0 RTSP/1.0", "CSeq: 1", "Transport: RTP/AVP/TCP;interleaved=4-5"), 200),
        (("PLAY rtsp://h/lane RTSP/1.0", "CSeq: 1", "Session: x"), 454),
        (("RECORD rtsp://h/lane RTSP/1.0", "CSeq: 1"), 501),
        (("hello",), 400),
        (("OPTIONS * RTSP/1.0", "CSeq: 1", "Content-Length: 99999999"), 400),
    ],
)
async def test_rtsp_answers(camera: Program, lines: tuple[str, ...], status: int) -> None:
    assert (await ask(camera, *lines)).startswith(f"RTSP/1.0 {status} ")


async def test_garbage_does_not_end_the_stream_server(camera: Program) -> None:
    for garbage in (b"\x00" * 50_000, b"$\x00\xff\xff", b"\r\n\r\n", "门\r\n\r\n".encode()):
        _, writer = await asyncio.open_connection("127.0.0.1", camera.ports["rtsp"])
        writer.write(garbage)
        writer.close()
        with contextlib.suppress(ConnectionError):  # refused before it was read
            await writer.wait_closed()
    assert (await ask(camera, "OPTIONS * RTSP/1.0", "CSeq: 7")).endswith("OK")
