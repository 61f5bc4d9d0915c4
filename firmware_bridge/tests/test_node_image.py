"""Images of the C node: what it refuses, how an update goes, and how it is undone."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_bridge.auth import must_be_sealed
from firmware_bridge.frame import Group, Op, head
from firmware_bridge.image import Version, build, parse
from firmware_bridge.messages import ImageCommand, ImageState, NodeCommand, read
from firmware_bridge.node_process import NodeProcess
from firmware_bridge.tests.small_hub import SmallHub, needs_compiler, running

pytestmark = needs_compiler

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = KEY.public_key().public_bytes_raw()
MODEL = "menshen-ref"
NEWER = Version(1, 1, 0)
#: Bytes of an image in one frame.
CHUNK = 1024


def image(body: bytes = b"new" * 3000, version: Version = NEWER, security: int = 1, model: str = MODEL) -> bytes:
    return build(body, version, model, security, KEY)


async def upload(hub: SmallHub, data: bytes, *, start: int = 0, stop: int | None = None) -> dict[str, Any]:
    """Send ``data`` from where the node wants it; return the last answer."""
    stop = len(data) if stop is None else stop
    sha = hashlib.sha256(data).digest()
    first = {"image": 0, "len": len(data), "sha": sha, "off": 0, "data": data[:CHUNK]}
    answer = await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.UPLOAD, first)
    while answer.get("rc", 0) == 0 and answer["off"] < stop:
        off = answer["off"]
        body = {"off": off, "data": data[off : off + CHUNK]}
        answer = await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.UPLOAD, body)
    return answer


async def state(hub: SmallHub) -> ImageState:
    return read(await hub.ask(Op.READ, Group.IMAGE, ImageCommand.STATE), ImageState)


async def mark(hub: SmallHub, data: bytes, *, confirm: bool = False) -> int:
    """Mark an image for test; return the code."""
    body = {"hash": parse(data).claimed_digest, "confirm": confirm}
    return int((await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.STATE, body)).get("rc", 0))


async def reset(node: NodeProcess, hub: SmallHub) -> str:
    """Reset the node; return why it says that it started."""
    hub.drain()
    await hub.ask(Op.WRITE, Group.OS, 5)
    await node.tick(400)
    return (await hub.hello()).why


async def test_an_update_is_tried_confirmed_and_stays(tmp_path: Path) -> None:
    new = image()
    async with running(tmp_path, signer=SIGNER, manual_clock=True) as (node, hub):
        await hub.hello()
        await hub.claim()
        answer = await upload(hub, new)
        assert (answer["off"], answer["match"]) == (len(new), True)
        old = (await state(hub)).images[0].hash
        assert await mark(hub, new) == 0
        assert [slot.pending for slot in (await state(hub)).images] == [False, True]
        assert await reset(node, hub) == "update"
        running_now, before = (await state(hub)).images
        assert (running_now.hash, running_now.version, running_now.confirmed) == (parse(new).digest, "1.1.0", False)
        assert (before.hash, before.confirmed) == (old, True)
        assert await mark(hub, new, confirm=True) == 0
        assert (await state(hub)).images[0].confirmed
        assert await reset(node, hub) == "reset"
        assert (await state(hub)).images[0].version == "1.1.0"


async def test_an_update_that_nobody_confirms_is_undone(tmp_path: Path) -> None:
    new = image()
    async with running(tmp_path, signer=SIGNER, manual_clock=True) as (node, hub):
        await hub.hello()
        old = (await state(hub)).images[0].hash
        await upload(hub, new)
        assert await mark(hub, new) == 0
        assert await reset(node, hub) == "update"
        assert (await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.UPLOAD, {"off": 0, "data": b"x"}))["rc"] == 6
        assert (await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.ERASE))["rc"] == 6, "the way back is not erased"
        assert await reset(node, hub) == "revert"
        assert [(slot.hash, slot.confirmed) for slot in (await state(hub)).images] == [
            (old, True),
            (parse(new).digest, False),
        ]


@pytest.mark.parametrize("how", ["flag", "version", "fault"])
async def test_an_image_that_crashes_is_undone_by_itself(tmp_path: Path, how: str) -> None:
    new = image(b"crash" if how == "flag" else b"fine", Version(1, 1, 99 if how == "version" else 0))
    faults = {"crash_loop": 1.0} if how == "fault" else {}
    async with running(tmp_path, signer=SIGNER, manual_clock=True, faults=faults) as (node, hub):
        await hub.hello()
        await upload(hub, new)
        assert await mark(hub, new) == 0
        assert await reset(node, hub) == "update"
        await node.tick(1_000)
        assert (await hub.hello()).why == "revert"
        assert (await state(hub)).images[0].version == "1.0.0"


async def test_a_sick_image_says_so(tmp_path: Path) -> None:
    new = image(b"sick")
    async with running(tmp_path, signer=SIGNER, manual_clock=True) as (node, hub):
        await hub.hello()
        await upload(hub, new)
        assert await mark(hub, new) == 0
        await reset(node, hub)
        health = await hub.ask(Op.READ, Group.NODE, NodeCommand.HEALTH)
        assert (health["ok"], health["fail"]) == (False, "magnetometer out of range")


def _unsigned() -> bytes:
    good = image()
    return good.replace(parse(good).signature, bytes(64))


def _by_another() -> bytes:
    return build(b"x", Version(1, 1, 0), MODEL, 1, Ed25519PrivateKey.generate())


def _without_tlvs() -> bytes:
    good = parse(image())
    return good.data[: -(4 + 64 + 4 + 32)]


def _changed() -> bytes:
    data = bytearray(image())
    data[100] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_unsigned(), 10),
        (_by_another(), 10),
        (_changed(), 10),
        (image(model="another"), 8),
        (image(security=0)[:-1], 10),
        (_without_tlvs(), 10),
    ],
    ids=["unsigned", "another key", "changed", "wrong model", "truncated by one byte", "truncated"],
)
async def test_what_is_refused_is_never_run(tmp_path: Path, data: bytes, code: int) -> None:
    async with running(tmp_path, signer=SIGNER, manual_clock=True) as (node, hub):
        await hub.hello()
        assert (await upload(hub, data))["match"]
        body = {"hash": parse(image()).digest if len(data) < 200 else _hash_of(data), "confirm": False}
        assert (await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.STATE, body))["rc"] == code
        assert await reset(node, hub) == "reset"
        assert (await state(hub)).images[0].version == "1.0.0"


def _hash_of(data: bytes) -> bytes:
    """Return the hash that an image claims, also a truncated one."""
    at = data.rfind(b"\x10\x00\x20\x00")
    return data[at + 4 : at + 36]


async def test_a_downgrade_is_refused(tmp_path: Path) -> None:
    new, old = image(security=5), image(b"old", Version(1, 0, 5), security=4)
    async with running(tmp_path, signer=SIGNER, manual_clock=True) as (node, hub):
        await hub.hello()
        await upload(hub, new)
        await mark(hub, new)
        await reset(node, hub)
        await mark(hub, new, confirm=True)
        await upload(hub, old)
        assert await mark(hub, old) == 8
        assert await mark(hub, image(security=6)) == 5, "it does not have that one"
        again = image(b"newer", Version(1, 2, 0), security=5)
        await upload(hub, again)
        assert await mark(hub, again, confirm=True) == 8, "nothing is made permanent that has not run"
        assert await mark(hub, again) == 0


async def test_a_replayed_update_is_refused_and_counted(tmp_path: Path) -> None:
    """Who recorded an update, or keeps an image that was good once, cannot bring it back."""
    old, new = image(b"old" * 500), image(b"new" * 500, Version(1, 2, 0))
    async with running(tmp_path, signer=SIGNER, manual_clock=True) as (node, hub):
        await hub.hello()
        await hub.claim()
        recorded: list[bytes] = []
        put = hub.put

        def record(data: bytes) -> None:
            recorded.append(data)
            put(data)

        hub.put = record
        await _update(node, hub, old)
        hub.put = put
        await _update(node, hub, new)
        before = await node.stats()
        for data in recorded:  # byte for byte, from the node's own hub
            put(data)
        sealed = [data for data in recorded if must_be_sealed(head(data))]
        assert {head(data).group for data in sealed} >= {Group.IMAGE, Group.OS}
        slots = (await state(hub)).images
        assert [(slot.version, slot.pending) for slot in slots] == [("1.2.0", False), ("1.1.0", False)]
        assert (await node.stats())["replayed"] - before["replayed"] == len(sealed)
        assert await mark(hub, old) == 8, "the same counter, a lower version: the image of an update that is over"
        await upload(hub, old)
        assert await mark(hub, old) == 8, "nor when it is sent anew"


async def _update(node: NodeProcess, hub: SmallHub, data: bytes) -> None:
    await upload(hub, data)
    assert await mark(hub, data) == 0
    assert await reset(node, hub) == "update"
    assert await mark(hub, data, confirm=True) == 0


async def test_a_bit_that_fell_over_is_found_at_the_end_of_the_upload(tmp_path: Path) -> None:
    async with running(tmp_path, signer=SIGNER, manual_clock=True, faults={"wrong_hash": 1.0}) as (_node, hub):
        await hub.hello()
        assert (await upload(hub, image()))["match"] is False
        body = {"off": 0, "data": b"", "len": len(image()), "sha": hashlib.sha256(image()).digest()}
        assert (await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.UPLOAD, body))["off"] == 0, "it begins anew"


async def test_an_upload_goes_on_after_a_restart(tmp_path: Path) -> None:
    new = image(b"\xff" * 9_000)  # looks like erased flash
    async with running(tmp_path, signer=SIGNER, manual_clock=True) as (node, hub):
        await hub.hello()
        answer = await upload(hub, new, stop=6_000)
        assert answer["off"] == 6_144
        again = {"image": 0, "len": len(new), "sha": hashlib.sha256(new).digest(), "off": 0, "data": new[:CHUNK]}
        assert (await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.UPLOAD, again))["off"] == 6_144
        await node.kill()
    async with running(tmp_path, signer=SIGNER, manual_clock=True) as (node, hub):
        await hub.hello()
        off = (await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.UPLOAD, again))["off"]
        assert off == CHUNK, "only the first sector shows that something was written: it is asked for again"
        assert (await upload(hub, new))["match"]
        assert await mark(hub, new) == 0


async def test_chunks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path, signer=SIGNER, manual_clock=True) as (_node, hub):
        await hub.hello()

        async def send(**body: object) -> dict[str, Any]:
            return await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.UPLOAD, body)

        sha = bytes(32)
        assert (await send(off=0, data=b"x"))["rc"] == 3
        assert (await send(off=0, data=b"x", len=0, sha=sha))["rc"] == 3
        assert (await send(off=0, data=b"x", len=1 << 20, sha=sha))["rc"] == 3, "larger than the slot"
        assert (await send(off=0, data=b"x", len=10, sha=b"short"))["rc"] == 3
        assert (await send(off=5, data=b"x"))["rc"] == 6, "nothing was begun"
        assert (await send(off=0, data=b"0123", len=10, sha=sha))["off"] == 4
        assert (await send(off=4, data=b"01234567"))["rc"] == 3
        assert (await send(off=7, data=b"0"))["off"] == 4
        assert (await send(off=1 << 40, data=b"0"))["off"] == 4
        assert (await hub.ask(Op.WRITE, Group.IMAGE, ImageCommand.ERASE)) == {}
        assert (await send(off=4, data=b"4"))["rc"] == 6


async def test_an_upload_over_a_paced_line_while_events_come(tmp_path: Path) -> None:
    new = image(b"\x5a" * 12_000)
    async with running(tmp_path, serial=True, signer=SIGNER, baud=115_200, events=20.0) as (_node, hub):
        await hub.hello()
        await hub.claim()
        hub.answer(await hub.next(NodeCommand.HELLO), {"rc": 0, "t": 0})
        came = hub.collect()
        began = asyncio.get_running_loop().time()
        assert (await upload(hub, new))["match"]
        lasted = asyncio.get_running_loop().time() - began
        assert lasted > len(new) * 4 / 3 / 11_520 * 0.9, "the line has its pace"
        got = [(event.boot, event.seq) for event in came]
        assert len(got) > 5
        assert sorted(set(got)) == [(1, seq) for seq in range(1, len(set(got)) + 1)]
