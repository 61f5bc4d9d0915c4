"""A platform pushes over real sockets to the hub's own page server."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

import integrations.onenet as integration
from hub.sdk import (
    BadCredentials,
    Capability,
    Connection,
    EntityId,
    Instant,
    Presence,
    Push,
    PushAnswer,
    Quality,
    Sample,
    Text,
    Tools,
    Unreachable,
    Unsupported,
    Vitals,
)
from integrations.onenet.config import Bay, Config
from integrations.sim.onenet_platform import NONCE, Platform
from tests.kit.office import Office, office

TOKEN = "parking-token"
LANE = Bay(name=Text("消防通道", "Fire lane"), dev_id=2016617, ds_id="3200_0_5500", battery="3316_0_5700")
GATE = Bay(name="门口\x1b", dev_id="860000000000001", ds_id="park", occupied="busy", free="idle")
CONFIG = Config(name=Text("停车"), token=TOKEN, bays={"lane": LANE, "gate": GATE})
LANE_ID, GATE_ID = EntityId("onenet.parking_lane"), EntityId("onenet.parking_gate")
AT = 1_466_133_706_841


@dataclass
class Site:
    """What the integration told the hub, and the platform that tells the integration."""

    platform: Platform
    office: Office
    data: Path
    told: list[Sample | Vitals] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def report(self, *said: Sample | Vitals) -> None:
        self.waiting.set()
        await self.gate.wait()
        if self.broken:
            raise OSError("the disk is full")
        self.told.extend(said)

    async def open(self, config: Config = CONFIG) -> Connection:
        hooks = self.office.context.hooks
        tools = Tools(
            http=self.platform.http,
            site=self.data,
            data=self.data / "onenet",
            report=self.report,
            receive=lambda handler: hooks.open("onenet", "parking", handler),
        )
        return await integration.connect("parking", config, tools)

    def values(self) -> list[tuple[Any, Quality]]:
        return [(said.value, said.quality) for said in self.told if isinstance(said, Sample)]


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Site]:
    async with office(folder) as desk, aiohttp.ClientSession() as http:
        url = desk.client.make_url("/hooks/onenet/parking")
        site = Site(Platform(http, url, TOKEN), desk, folder)
        site.gate.set()
        yield site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with place(tmp_path) as found:
        yield found


def point(value: Any, at: int = AT, dev: int | str = 2016617, stream: str = "3200_0_5500") -> dict[str, Any]:
    return {"type": 1, "dev_id": dev, "ds_id": stream, "at": at, "value": value}


def status(online: int, at: int = AT) -> dict[str, Any]:
    return {"type": 2, "dev_id": 2016617, "status": online, "login_type": 10, "at": at}


async def test_entities(site: Site) -> None:
    lane, gate = (equipment.entity for equipment in (await site.open()).equipment)
    assert (lane.id, lane.capability, lane.name) == (LANE_ID, Capability.PRESENCE, LANE.name)
    assert (gate.id, gate.name) == (GATE_ID, Text("门口"))
    assert lane.expire_after == 25 * 3600 * 1_000_000
    assert lane.device != gate.device


@pytest.mark.parametrize("escaped", [True, False])
async def test_the_address_is_checked(escaped: bool, site: Site) -> None:
    await site.open()
    texts = [f"check-{number}-中" for number in range(12)]
    assert any("+" in site.platform.sign(text) for text in texts)
    for text in texts:
        assert await site.platform.check(text, escaped=escaped) == (200, text)
    assert (await site.platform.check("x", signature=site.platform.sign("y")))[0] == 401
    assert (await site.platform.check("x", signature="中\x00"))[0] == 401
    assert (await site.platform.check("x" * 513))[0] == 401
    async with site.platform.http.get(site.platform.url) as answer:
        assert answer.status == 401
    assert site.told == []


async def test_values_in_both_envelopes(site: Site) -> None:
    await site.open()
    assert await site.platform.push(point(1)) == 200
    assert await site.platform.push_text(point("0", AT + 1)) == 200
    batch = [
        point(1.0, AT + 2),
        point("busy", dev="860000000000001", stream="park"),
        point(87, AT, stream="3316_0_5700"),
    ]
    assert await site.platform.push(batch) == 200
    assert site.told == [
        Sample(LANE_ID, Presence.PRESENT, Quality.GOOD, Instant(AT * 1000)),
        Sample(LANE_ID, Presence.ABSENT, Quality.GOOD, Instant((AT + 1) * 1000)),
        Sample(LANE_ID, Presence.PRESENT, Quality.GOOD, Instant((AT + 2) * 1000)),
        Sample(GATE_ID, Presence.PRESENT, Quality.GOOD, Instant(AT * 1000)),
        Vitals("parking lane", battery=87.0),
    ]


@pytest.mark.parametrize("value", [2, "occupied", None, {"a": 1}, [1], True, 10**30, -1e308])
async def test_a_value_nobody_agreed_on_is_unknown(value: Any, site: Site) -> None:
    await site.open()
    assert await site.platform.push(point(value)) == 200
    assert site.values() == [(None, Quality.UNKNOWN)]


async def test_repeats_and_late_messages_are_told_once(site: Site) -> None:
    await site.open()
    for value, at in ((1, AT), (1, AT), (0, AT - 1), (0, AT + 5), (1, AT), (0, AT + 5)):
        assert await site.platform.push(point(value, at)) == 200
    assert site.values() == [(Presence.PRESENT, Quality.GOOD), (Presence.ABSENT, Quality.GOOD)]
    await site.open()  # the hub was started again
    assert await site.platform.push(point(1, AT)) == 200
    assert len(site.told) == 2
    (site.data / "onenet" / "parking.json").write_bytes(b"\xff{")
    await site.open()
    assert await site.platform.push(point(1, AT + 6)) == 200
    assert site.values()[-1] == (Presence.PRESENT, Quality.GOOD)


async def test_a_time_far_ahead_does_not_make_the_bay_deaf(site: Site) -> None:
    await site.open()
    assert await site.platform.push(point(1, 4_000_000_000_000)) == 200
    assert await site.platform.push(point(0, AT)) == 200
    assert [value for value, _ in site.values()] == [Presence.PRESENT, Presence.ABSENT]


async def test_online_and_offline(site: Site) -> None:
    await site.open()
    await site.platform.push([point(1), status(0, AT + 10)])
    await site.platform.push(status(1, AT + 20))
    await site.platform.push({"type": 7, "dev_id": 2016617, "cmd_id": "c", "cmd_type": 1, "at": AT})
    stale = (None, Quality.STALE)
    assert site.values() == [(Presence.PRESENT, Quality.GOOD), stale]
    await site.platform.push(point(0, AT + 5))  # sent again from before the loss
    await site.platform.push(point(1, AT + 30))
    assert site.values()[2:] == [(Presence.ABSENT, Quality.STALE), (Presence.PRESENT, Quality.GOOD)]


async def test_answered_after_it_is_on_the_disk(site: Site) -> None:
    await site.open()
    site.gate.clear()
    pushing = asyncio.create_task(site.platform.push(point(1)))
    await site.waiting.wait()
    repeat = asyncio.create_task(site.platform.push(point(1)))  # the platform lost patience
    done, _ = await asyncio.wait([pushing, repeat], timeout=0.1)
    assert not done
    site.gate.set()
    assert [await pushing, await repeat] == [200, 200]
    assert len(site.told) == 1


async def test_what_could_not_be_kept_is_sent_again(site: Site) -> None:
    await site.open()
    site.broken = True
    assert await site.platform.push(point(1)) == 503
    site.broken = False
    assert await site.platform.push(point(1)) == 200
    assert site.values() == [(Presence.PRESENT, Quality.GOOD)]


async def test_wrong_signatures_say_nothing(site: Site) -> None:
    connection = await site.open()
    stranger = Platform(site.platform.http, site.platform.url, "guess", tries=1)
    assert await stranger.push(point(1)) == 401
    assert await stranger.push_text("bm90IGpzb24=") == 401
    assert await site.platform.push(point(1), msg_signature="") == 401
    assert await site.platform.push(point(1), nonce="other123") == 401
    assert site.told == []
    assert connection.run is not None
    with pytest.raises(TimeoutError):  # a stranger cannot stop the session
        await asyncio.wait_for(connection.run(), 0.05)


@pytest.mark.parametrize("nonce", [NONCE * 5, f"{NONCE}\x80\x00", f"{NONCE} ", ""])
async def test_a_nonce_cannot_hide_what_was_signed(nonce: str, site: Site) -> None:
    """There is no mark between nonce and message, and MD5 can be extended: a long or odd nonce is a forgery."""
    await site.open()
    site.platform.tries = 1
    inner = msgspec.json.encode(point(1)).decode()
    body = {"msg": inner, "signature": site.platform.sign(inner, nonce), "nonce": nonce}
    assert await site.platform.send(msgspec.json.encode(body)) == 401
    assert site.told == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"nonce":"abcdefgh"}',
        b'{"nonce":1,"msg":{}}',
        b'{"msg":' + b"[" * 30_000,
        b'{"nonce":"abcdefgh","msg":"\\ud800"}',
    ],
)
async def test_broken_bodies(body: bytes, site: Site) -> None:
    await site.open()
    site.platform.tries = 1
    assert await site.platform.send(body) == 400
    assert site.told == []


async def test_ten_megabytes(site: Site) -> None:
    await site.open()
    site.platform.tries = 1
    with contextlib.suppress(aiohttp.ClientError):  # or the hub hangs up while the rest is being sent
        assert await site.platform.send(io.BytesIO(b"x" * 10_000_000)) == 413
    assert site.told == []


@pytest.mark.parametrize(
    "odd",
    [5, None, {}, {"type": 1}, {"type": "1"}, point(1, -1), point(1, 10**18), {"type": 1, "dev_id": [], "at": 1}, "x"],
)
async def test_an_odd_message_does_not_cost_the_others(odd: Any, site: Site) -> None:
    await site.open()
    assert await site.platform.push([odd, point(1), point(1, dev=99)]) == 200
    assert site.values() == [(Presence.PRESENT, Quality.GOOD)]


async def test_encrypted_messages_are_refused_with_a_sentence(site: Site) -> None:
    connection = await site.open()
    assert connection.run is not None
    site.platform.tries = 1
    assert await site.platform.push_text("hC5A9u0O1o9vWw==") == 400
    with pytest.raises(Unreachable, match="明文模式"):
        await connection.run()


async def test_the_older_encrypted_envelope(site: Site) -> None:
    connection = await site.open()
    assert connection.run is not None
    site.platform.tries = 1
    body = {"enc_msg": "hC5A9u0O", "msg_signature": site.platform.sign("hC5A9u0O"), "nonce": NONCE}
    assert await site.platform.send(msgspec.json.encode(body)) == 400
    with pytest.raises(Unreachable, match="明文模式"):
        await connection.run()


async def test_configurations_that_cannot_work(site: Site) -> None:
    with pytest.raises(BadCredentials):
        await site.open(msgspec.structs.replace(CONFIG, token=""))
    with pytest.raises(Unsupported, match="short name"):
        await site.open(msgspec.structs.replace(CONFIG, bays={"a-b": LANE, "a.b": LANE}))
    same = msgspec.structs.replace(LANE, occupied="1", free=1.0)
    with pytest.raises(Unsupported, match="occupied and free"):
        await site.open(msgspec.structs.replace(CONFIG, bays={"a": same}))


async def test_a_push_needs_no_server(tmp_path: Path) -> None:
    """The handler by itself, as `isolation: process` would call it."""
    handlers: list[Callable[[Push], Awaitable[PushAnswer]]] = []

    def receive(handler: Callable[[Push], Awaitable[PushAnswer]]) -> str:
        handlers.append(handler)
        return ""

    async with aiohttp.ClientSession() as http:
        tools = Tools(http=http, site=tmp_path, data=tmp_path, receive=receive)
        await integration.connect("parking", CONFIG, tools)
    answer = await handlers[0](Push("GET", {"msg": "check-me", "nonce": "abcdefgh", "signature": CHECK}, {}, b""))
    assert answer == PushAnswer(200, b"check-me")


#: Made with another program: printf '%s' 'parking-tokenabcdefghcheck-me' | openssl dgst -md5 -binary | base64
CHECK = "MFD2DzMBoVqTgBlnsBEp3A=="
