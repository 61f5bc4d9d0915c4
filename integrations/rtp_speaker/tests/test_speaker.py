"""What leaves the hub, as a receiver on loopback hears it."""

from __future__ import annotations

import asyncio
import math
import socket
from array import array
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
import msgspec
import pytest
import yaml

import integrations.rtp_speaker as integration
from hub.sdk import Capability, Clip, CommandKey, Speaker, Text, Tools, Unreachable, Unsupported
from hub.sdk.g711 import Codec
from hub.sdk.rtp import LEAD_IN, PAYLOAD_TYPES, Stream, pace, packets
from integrations.rtp_speaker.config import Config
from integrations.rtp_speaker.speaker import RtpSpeaker, open_socket
from integrations.rtp_speaker.tests.receiver import Receiver, decode, parse

NAME = Text(zh="三号车道音箱")
KEY = CommandKey("0123456789abcdef" * 2)
TONE = array("h", (round(20_000 * math.sin(2 * math.pi * 440 * i / 8_000)) for i in range(1_700)))
CLIP = Clip(pcm=TONE.tobytes())
GROUP = "239.255.84.20"  # administratively scoped (RFC 2365)


async def heard(config: dict[str, Any], group: str = "", volume: int = 100) -> Receiver:
    receiver = Receiver()
    async with receiver.listen(group) as port:
        await RtpSpeaker(Config(name=NAME, address=group or "127.0.0.1", port=port, **config)).play(CLIP, volume, KEY)
    return receiver


@pytest.mark.parametrize("codec", ["pcmu", "pcma"])
async def test_a_receiver_hears_the_clip(codec: Codec) -> None:
    got = (await heard({"codec": codec})).packets
    count = LEAD_IN + math.ceil(len(TONE) / 160)
    stream = Stream.of(KEY)
    assert [packet.marker for packet in got] == [True] + [False] * (count - 1)
    assert {packet.payload_type for packet in got} == {PAYLOAD_TYPES[codec]}
    assert {packet.ssrc for packet in got} == {stream.ssrc}
    assert {len(packet.payload) for packet in got} == {160}
    assert [packet.sequence for packet in got] == [(stream.sequence + i) % 2**16 for i in range(count)]
    assert [packet.timestamp for packet in got] == [(stream.timestamp + 160 * i) % 2**32 for i in range(count)]
    sound = decode(b"".join(packet.payload for packet in got), codec)[LEAD_IN * 160 :]
    assert all(abs(a - b) <= 16 + abs(b) / 16 for a, b in zip(sound, TONE, strict=False))  # half a step of G.711
    assert max(map(abs, sound[len(TONE) :])) <= 8  # the last packet ends in silence


async def test_real_time() -> None:
    got = (await heard({})).packets
    took = got[-1].at - got[0].at
    assert took == pytest.approx(0.02 * (len(got) - 1), abs=0.015)


async def test_pace_does_not_drift_and_makes_good_a_stall() -> None:
    clock, sent = [100.0], list[float]()

    async def oversleep(seconds: float) -> None:
        clock[0] += seconds + (0.3 if len(sent) == 50 else 0.004)  # a loop that is always late, and once very

    await pace([b""] * 1_000, lambda _packet: sent.append(clock[0]), lambda: clock[0], oversleep)
    late = [at - (100 + 0.02 * number) for number, at in enumerate(sent)]
    assert max(late[:50]) <= 0.0041
    assert late[50] > 0.25
    assert max(late[100:]) <= 0.0041
    assert clock[0] == pytest.approx(100 + 1_000 * 0.02 + 0.004)


async def test_multicast_on_loopback() -> None:
    try:
        receiver = await heard({"interface": "127.0.0.1"}, group=GROUP)
    except OSError as error:
        pytest.skip(f"no multicast on the loopback interface: {error}")
    assert len(receiver.packets) == LEAD_IN + math.ceil(len(TONE) / 160)


async def test_priority_and_reach_are_set_on_the_packets() -> None:
    config = Config(name=NAME, address=GROUP, ttl=3, interface="127.0.0.1")
    with await open_socket(config) as sender:
        assert sender.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) >> 2 == 46  # Expedited Forwarding
        assert sender.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL) == 3
        assert sender.getsockname()[0] == "127.0.0.1"


def peak(volume: int) -> int:
    payloads = [parse(packet).payload for packet in packets(CLIP, volume, "pcmu", Stream.of(KEY))]
    return max(map(abs, decode(b"".join(payloads), "pcmu")))


def test_volume_scales_the_amplitude() -> None:
    assert peak(100) == pytest.approx(20_000, rel=0.03)
    assert peak(50) == pytest.approx(10_000, rel=0.03)
    assert peak(0) == 0


def test_a_repeat_is_the_same_stream_and_another_command_is_not() -> None:
    other = CommandKey("f" * 32)
    assert list(packets(CLIP, 80, "pcma", Stream.of(KEY))) == list(packets(CLIP, 80, "pcma", Stream.of(KEY)))
    assert Stream.of(KEY) != Stream.of(other)
    assert Stream.of(KEY).ssrc != Stream.of(other).ssrc


def test_counters_wrap() -> None:
    got = [parse(packet) for packet in packets(CLIP, 80, "pcmu", Stream(ssrc=1, sequence=65_535, timestamp=2**32 - 1))]
    assert [packet.sequence for packet in got[:3]] == [65_535, 0, 1]
    assert [packet.timestamp for packet in got[:3]] == [2**32 - 1, 159, 319]


async def test_nobody_listens() -> None:
    receiver = Receiver()
    async with receiver.listen() as port:
        pass  # the port is free again
    with pytest.raises(Unreachable, match="Connection refused"):
        await RtpSpeaker(Config(name=NAME, address="127.0.0.1", port=port)).play(CLIP, 80, KEY)


async def test_network_errors_are_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_arguments: object, **_options: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(Unreachable, match="Permission denied"):  # broadcast
        await RtpSpeaker(Config(name=NAME, address="255.255.255.255")).play(CLIP, 80, KEY)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match=r"speaker\.lan:5004 \(Name or service not known\)"):
        await RtpSpeaker(Config(name=NAME, address="speaker.lan")).play(CLIP, 80, KEY)


async def test_connect(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        tools = Tools(http=http, site=tmp_path, data=tmp_path)
        (equipment,) = await integration.connect("lane_3", Config(name=NAME, address="192.0.2.9"), tools)
        with pytest.raises(Unsupported, match="interface"):
            await integration.connect("lane_3", Config(name=NAME, address="192.0.2.9", interface="eth0"), tools)
        with pytest.raises(Unsupported, match="host name"):
            await integration.connect("lane_3", Config(name=NAME, address="a" * 64 + ".lan"), tools)
    assert (equipment.entity.id, equipment.entity.capability) == ("rtp_speaker.lane_3", Capability.SPEAKER)
    assert isinstance(equipment.driver, Speaker)


def test_manifest_names_every_field_and_its_default() -> None:
    manifest = yaml.safe_load(Path(integration.__file__).with_name("manifest.yaml").read_text())
    assert manifest["domain"] == integration.plugin.domain
    declared = {name: field.get("default", msgspec.NODEFAULT) for name, field in manifest["config"].items()}
    assert declared == {field.name: field.default for field in msgspec.structs.fields(Config)}
