"""A node pushes over real sockets to the hub's own page server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

import integrations.field_magnetometer as integration
from hub.sdk import (
    BadCredentials,
    Capability,
    Connection,
    EntityId,
    Instant,
    Presence,
    Quality,
    Sample,
    Text,
    Tools,
    Unsupported,
    Vitals,
)
from integrations.field_magnetometer.config import Config
from integrations.field_magnetometer.tests.sender import Sender
from integrations.sim.field_node import hmac_sha256
from tests.kit.office import Office, office

KEY = "0123456789abcdef-node-key"
CONFIG = Config(name=Text("3号楼北侧", "North of 3"), key=KEY)
EMPTY, TAKEN = (30.0, -5.0, 40.0), (35.0, -13.0, 65.0)
VEHICLE, DEVIATION = EntityId("field_magnetometer.lane_3"), EntityId("field_magnetometer.lane_3_deviation")
#: An hour and a half before now, so that no push of these tests is from the future.
BEGAN = int(time.time()) - 5_400


@dataclass
class Site:
    """What the integration told the hub, and the node that tells the integration."""

    sender: Sender
    office: Office
    folder: Path
    told: list[Sample | Vitals] = field(default_factory=list)
    broken: bool = False
    at: int = BEGAN

    async def report(self, *said: Sample | Vitals) -> None:
        if self.broken:
            raise OSError("the disk is full")
        self.told.extend(said)

    async def open(self, config: Config = CONFIG) -> Connection:
        hooks = self.office.context.hooks
        tools = Tools(
            http=self.sender.http,
            site=self.folder,
            data=self.folder / "field_magnetometer",
            report=self.report,
            receive=lambda handler: hooks.open("field_magnetometer", "lane_3", handler),
        )
        return await integration.connect("lane_3", config, tools)

    def samples(self, field: tuple[float, float, float], count: int = 30) -> dict[str, Any]:
        """Return a push with a sample every 10 s from where the last one ended."""
        times = [self.at + 10 * number for number in range(1, count + 1)]
        self.at = times[-1]
        return {"samples": [{"at": at * 1000, "field": field, "temperature": 18.5} for at in times]}

    def vehicle(self) -> list[tuple[Any, Quality]]:
        """Return what was told of the bay since the last call."""
        said = [(said.value, said.quality) for said in self.told if isinstance(said, Sample) and said.entity == VEHICLE]
        self.told.clear()
        return said


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with office(tmp_path) as desk, aiohttp.ClientSession() as http:
        url = desk.client.make_url("/hooks/field_magnetometer/lane_3")
        yield Site(Sender(http, url, KEY), desk, tmp_path)


UNKNOWN, ABSENT, PRESENT = (
    (None, Quality.UNKNOWN),
    (Presence.ABSENT, Quality.GOOD),
    (Presence.PRESENT, Quality.GOOD),
)


async def test_entities(site: Site) -> None:
    vehicle, deviation = (equipment.entity for equipment in (await site.open()).equipment)
    assert (vehicle.id, vehicle.capability, vehicle.device) == (VEHICLE, Capability.PRESENCE, "lane_3")
    assert (deviation.id, deviation.capability, deviation.unit) == (DEVIATION, Capability.MEASURE, "µT")
    assert vehicle.expire_after == deviation.expire_after == 30 * 60 * 1_000_000


async def test_from_unknown_to_a_parked_car(site: Site) -> None:
    await site.open()
    assert await site.sender.push(site.samples(EMPTY)) == 200
    assert site.vehicle() == [UNKNOWN]
    assert await site.sender.push(site.samples(EMPTY) | {"empty": True, "battery": 97}) == 200
    assert site.told[-1] == Vitals("lane_3", battery=97)
    assert site.vehicle() == [ABSENT, ABSENT]
    before = site.at
    assert await site.sender.push(site.samples(TAKEN)) == 200
    first, _, deviation = site.told
    assert isinstance(first, Sample)
    assert (first.value, first.device_at) == (Presence.PRESENT, Instant((before + 40) * 1_000_000))
    assert isinstance(deviation, Sample)
    assert deviation.value == pytest.approx(26.7, abs=0.5)
    assert site.vehicle() == [PRESENT, PRESENT]


async def marked(site: Site) -> Connection:
    connection = await site.open()
    assert await site.sender.push(site.samples(EMPTY) | {"empty": True}) == 200
    assert site.vehicle()[-1] == ABSENT
    return connection


async def test_a_push_heard_twice_says_nothing(site: Site) -> None:
    await marked(site)
    push = site.samples(TAKEN)
    assert await site.sender.push(push) == 200
    told = list(site.told)
    assert await site.sender.push(push | {"empty": True}) == 200
    assert site.told == told
    assert site.vehicle() == [PRESENT, PRESENT]
    assert await site.sender.push(site.samples(TAKEN)) == 200
    assert site.vehicle() == [PRESENT], "the repeat has not marked the bay empty"


async def test_what_could_not_be_kept_is_told_with_the_repeat(site: Site) -> None:
    await marked(site)
    push, site.broken = site.samples(TAKEN), True
    assert await site.sender.push(push) == 503
    site.broken = False
    assert await site.sender.push(push) == 200
    assert site.vehicle() == [PRESENT, PRESENT]


async def test_the_baseline_outlives_a_restart(site: Site) -> None:
    connection = await marked(site)
    await site.sender.push(site.samples(TAKEN))
    assert connection.close is not None
    await connection.close()
    await site.open()
    site.vehicle()
    assert await site.sender.push(site.samples(TAKEN)) == 200
    assert site.vehicle() == [PRESENT, PRESENT]


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\xff", b'{"at":1,"level":[0,0,0],"slope":[0,0,0],"covariance":[-1,0,1]}']
)
async def test_without_a_sound_baseline_it_begins_anew(text: bytes, site: Site) -> None:
    await marked(site)
    (site.folder / "field_magnetometer" / "lane_3.json").write_bytes(text)
    await site.open()
    assert await site.sender.push(site.samples(EMPTY)) == 200
    assert site.vehicle() == [UNKNOWN]


async def test_marking_forgets_what_was_kept(site: Site) -> None:
    await marked(site)
    file = site.folder / "field_magnetometer" / "lane_3.json"
    assert file.exists()
    assert await site.sender.push(site.samples(EMPTY, count=2) | {"empty": True}) == 200
    assert not file.exists()
    assert site.vehicle() == [UNKNOWN]


async def test_saturation_is_unknown(site: Site) -> None:
    await marked(site)
    assert await site.sender.push(site.samples((0.0, 0.0, 900.0))) == 200
    assert site.told[-1] == Sample(DEVIATION, None, Quality.UNKNOWN)
    assert site.vehicle() == [UNKNOWN, UNKNOWN]


async def test_strangers_say_nothing(site: Site) -> None:
    await marked(site)
    body = json.dumps(site.samples(TAKEN)).encode()
    for signature in ("", "0" * 64, "中", hmac_sha256(b"another-key-16-chars", body)):
        assert await site.sender.send(body, signature.encode().decode("latin-1")) == 401
    assert await site.sender.send(body + b" ", hmac_sha256(KEY.encode(), body)) == 401
    async with site.sender.http.get(site.sender.url) as answer:
        assert answer.status == 401
    assert site.told == []
    assert await site.sender.send(body, hmac_sha256(KEY.encode(), body).upper()) == 200


@pytest.mark.parametrize(
    "change",
    [
        {"samples": []},
        {"samples": None},
        {"samples": [{"at": 1, "field": [1, 2, 3]}]},
        {"samples": [{"at": 4_000_000_000_000, "field": [1, 2, 3]}]},
        {"samples": [{"at": BEGAN * 1000, "field": [1, 2]}]},
        {"samples": [{"at": BEGAN * 1000, "field": [1, 2, 1e9]}]},
        {"samples": [{"at": BEGAN * 1000, "field": [1, 2, "3"]}]},
        {"samples": [{"at": BEGAN * 1000, "field": [1, 2, 3], "temperature": 1e9}]},
        {"samples": [{"at": BEGAN * 1000, "field": [1, 2, 3]}] * 601},
        {"battery": 101},
        {"empty": "yes"},
    ],
)
async def test_what_is_not_as_documented_is_refused_whole(change: dict[str, Any], site: Site) -> None:
    await site.open()
    assert await site.sender.push(site.samples(EMPTY) | change) == 400
    assert site.told == []


async def test_broken_bodies(site: Site) -> None:
    await site.open()
    for body in (b"", b"{", b"null", b"[]", b"\xff", b"[" * 60_000):
        assert await site.sender.send(body) == 400
    with contextlib.suppress(aiohttp.ClientError):  # or the hub hangs up while the rest is being sent
        assert await site.sender.send(b"x" * 10_000_000) == 413
    assert site.told == []


async def test_configurations_that_cannot_work(site: Site) -> None:
    for key in ("", "short"):
        with pytest.raises(BadCredentials):
            await site.open(msgspec.structs.replace(CONFIG, key=key))
    with pytest.raises(Unsupported, match="free_ut"):
        await site.open(msgspec.structs.replace(CONFIG, free_ut=12.0))
    with pytest.raises(Unsupported, match="range_ut"):
        await site.open(msgspec.structs.replace(CONFIG, occupied_ut=60.0, range_ut=50.0))


async def test_without_numpy_the_extra_is_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(Unsupported, match=r"menshen\[field\]"):
        await site.open()


async def test_closing_without_a_baseline(site: Site) -> None:
    connection = await site.open()
    assert connection.close is not None
    await connection.close()
    assert not list(site.folder.glob("field_magnetometer/*"))


async def test_two_pushes_at_once_are_taken_one_by_one(site: Site) -> None:
    await marked(site)
    first, second = site.samples(TAKEN), site.samples(EMPTY)
    assert set(await asyncio.gather(site.sender.push(first), site.sender.push(second))) == {200}
    assert site.vehicle()[-1] == ABSENT
