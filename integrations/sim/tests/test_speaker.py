"""The loudspeaker, spoken to over RTP by a sender of these tests and over HTTP."""

from __future__ import annotations

import io
import json
import math
import random
import socket
import struct
import time
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from integrations.sim import g711
from tests.kit.patience import eventually
from tests.kit.program import Program

MODULE = "integrations.sim.speaker"
CODES = bytes(random.Random(5).randbytes(160 * 40))


@pytest.fixture
def speaker(tmp_path: Path) -> Iterator[Program]:
    with Program(MODULE, "--data", str(tmp_path / "said"), "--ledger", str(tmp_path / "ledger.jsonl")) as program:
        yield program


def speak(
    speaker: Program, ssrc: int, codes: bytes = CODES, *, kind: int = 0, start: int = 65_530, skip: int = -1
) -> None:
    """Send a burst: 20 ms of G.711 a packet, faster than real time (RFC 3550, RFC 3551)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(len(codes) // 160):
            if number != skip:
                second = kind | (0x80 if number == 0 else 0)
                head = struct.pack("!BBHII", 0x80, second, (start + number) & 0xFFFF, 7_000 + number * 160, ssrc)
                sender.sendto(head + codes[number * 160 :][:160], ("127.0.0.1", speaker.ports["rtp"]))


async def listed(http: aiohttp.ClientSession, speaker: Program) -> list[dict[str, Any]]:
    async with http.get(speaker.url("/utterances")) as answer:
        found: list[dict[str, Any]] = await answer.json()
        return found


async def heard(
    http: aiohttp.ClientSession, speaker: Program, count: int = 1, repeats: int = 0
) -> list[dict[str, Any]]:
    """Wait until ``count`` utterances are over, with so many repeats of the newest."""

    def over(said: list[dict[str, Any]]) -> bool:
        return len(said) == count and not any(u["speaking"] for u in said) and said[0]["repeats"] == repeats

    return await eventually(lambda: listed(http, speaker), over)


async def sound(http: aiohttp.ClientSession, speaker: Program, url: str) -> array[int]:
    async with http.get(speaker.url(url)) as answer:
        assert answer.content_type == "audio/wav"
        with wave.open(io.BytesIO(await answer.read())) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
            return array("h", file.readframes(file.getnframes()))


def sounds(folder: Path) -> list[Path]:
    return list(folder.glob("*.wav"))


def tone(seconds: float = 0.5) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        wanted = [round(16_384 * math.sin(2 * math.pi * 400 * n / 8000)) for n in range(int(8000 * seconds))]
        file.writeframes(array("h", wanted).tobytes())
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [g711.PCMU, g711.PCMA])
async def test_a_burst_is_one_utterance_with_the_right_sound(
    http: aiohttp.ClientSession, speaker: Program, tmp_path: Path, kind: int
) -> None:
    before = time.time()
    speak(speaker, 0xDEADBEEF, kind=kind)
    said = (await heard(http, speaker))[0]
    assert (said["via"], said["ssrc"], said["packets"], said["lost"]) == ("rtp", 0xDEADBEEF, 40, 0)
    assert said["seconds"] == pytest.approx(0.8)
    assert before <= said["started_at"] <= before + 2
    samples = await sound(http, speaker, said["url"])
    assert samples == g711.decode(kind, CODES)
    assert said["rms"] == pytest.approx(g711.rms(samples), abs=1e-4)
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert [(line["ssrc"], line["started_at"]) for line in lines] == [(0xDEADBEEF, said["started_at"])]


async def test_a_repeat_is_counted_and_not_said_again(http: aiohttp.ClientSession, speaker: Program) -> None:
    speak(speaker, 1)
    first = (await heard(http, speaker))[0]
    speak(speaker, 1)  # after the end
    await heard(http, speaker, repeats=1)
    speak(speaker, 1, start=100)  # the sender has chosen another first number
    again = (await heard(http, speaker, repeats=2))[0]
    assert again == first | {"repeats": 2}
    speak(speaker, 2)
    assert [one["ssrc"] for one in await heard(http, speaker, count=2)] == [2, 1]


async def test_a_repeat_without_a_pause_is_recognised(http: aiohttp.ClientSession, speaker: Program) -> None:
    speak(speaker, 1)
    speak(speaker, 1)
    assert (await heard(http, speaker, repeats=1))[0]["packets"] == 40


async def test_a_repeat_completes_what_was_cut_short(http: aiohttp.ClientSession, speaker: Program) -> None:
    speak(speaker, 1, CODES[: 160 * 10], skip=4)
    short = (await heard(http, speaker))[0]
    assert (short["packets"], short["lost"]) == (9, 1)
    speak(speaker, 1)
    whole = await eventually(lambda: listed(http, speaker), lambda said: said[0]["seconds"] > 0.7)
    assert (whole[0]["packets"], whole[0]["lost"], whole[0]["repeats"]) == (40, 0, 1)
    assert await sound(http, speaker, whole[0]["url"]) == g711.decode(0, CODES)


async def test_a_lost_packet_is_silence(http: aiohttp.ClientSession, speaker: Program) -> None:
    speak(speaker, 1, skip=3)
    said = (await heard(http, speaker))[0]
    assert (said["packets"], said["lost"]) == (39, 1)
    samples = await sound(http, speaker, said["url"])
    assert samples[480:640] == array("h", [0] * 160)
    assert samples[640:] == g711.decode(0, CODES)[640:]


async def test_other_datagrams_are_not_sound(http: aiohttp.ClientSession, speaker: Program) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in (b"", b"hello", bytes(12), b"\x80\x60" + bytes(20), b"\x9f\x00" + bytes(30)):
            sender.sendto(data, ("127.0.0.1", speaker.ports["rtp"]))
    speak(speaker, 9)
    assert [one["ssrc"] for one in await heard(http, speaker)] == [9]


async def test_multicast(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    with Program(MODULE, "--data", str(tmp_path), "--multicast", "239.255.77.1") as speaker:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            packet = struct.pack("!BBHII", 0x80, 0x80, 1, 0, 5) + CODES[:160]
            sender.sendto(packet, ("239.255.77.1", speaker.ports["rtp"]))
        assert (await heard(http, speaker))[0]["ssrc"] == 5


async def test_play_says_each_key_once(http: aiohttp.ClientSession, speaker: Program, tmp_path: Path) -> None:
    for repeat in (False, True):
        headers = {"Idempotency-Key": "command-1"}
        async with http.post(speaker.url("/play?volume=80"), data=tone(), headers=headers) as answer:
            assert (await answer.json())["repeat"] is repeat
    said = (await heard(http, speaker, repeats=1))[0]
    assert (said["via"], said["key"], said["volume"]) == ("http", "command-1", 80)
    assert said["seconds"] == pytest.approx(0.5)
    assert said["rms"] == pytest.approx(0.5 / math.sqrt(2), abs=0.001)
    for _ in range(2):  # without a key each is a new one
        async with http.post(speaker.url("/play"), data=tone()) as answer:
            assert answer.status == 200
    assert len(await heard(http, speaker, count=3)) == 3
    assert len((tmp_path / "ledger.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("path", "data"), [("/play", b""), ("/play", b"RIFF"), ("/play?volume=101", tone()), ("/play?volume=-1", tone())]
)
async def test_play_refuses(http: aiohttp.ClientSession, speaker: Program, path: str, data: bytes) -> None:
    async with http.post(speaker.url(path), data=data) as answer:
        assert answer.status == 400
    assert await listed(http, speaker) == []


async def test_a_restart_forgets_nothing(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    with Program(MODULE, "--data", str(tmp_path)) as speaker:
        speak(speaker, 1)
        before = (await heard(http, speaker))[0]
        speaker.kill()
    with Program(MODULE, "--data", str(tmp_path)) as speaker:
        speak(speaker, 1)
        assert await heard(http, speaker, repeats=1) == [before | {"repeats": 1}]
        assert len(await sound(http, speaker, before["url"])) == 6400

        async def emptied() -> list[dict[str, Any]]:
            async with http.delete(speaker.url("/utterances")) as answer:
                assert answer.status == 204
            return await listed(http, speaker)

        # the repeat is counted at its first packet; the others may still lie in the socket
        await eventually(emptied, lambda said: said == [])
        assert not sounds(tmp_path)


async def test_the_page_escapes_and_other_sites_are_refused(http: aiohttp.ClientSession, speaker: Program) -> None:
    headers = {"Idempotency-Key": "<script>alert(1)</script>"}
    async with http.post(speaker.url("/play"), data=tone(), headers=headers) as answer:
        assert answer.status == 200
    async with http.get(speaker.url("/")) as answer:
        text = await answer.text()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "喇叭说过的话" in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text
    for foreign in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
        async with http.delete(speaker.url("/utterances"), headers=foreign) as answer:
            assert answer.status == 403
    async with http.get(speaker.url("/utterances/..%2F..%2Fledger.wav")) as answer:
        assert answer.status == 404
    assert len(await listed(http, speaker)) == 1
