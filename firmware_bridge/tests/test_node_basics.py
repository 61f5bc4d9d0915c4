"""The C node as any SMP client sees it, and its claim."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cbor2
import pytest

from firmware_bridge.auth import Direction, claim_key, seal
from firmware_bridge.frame import Frame, Group, Op, encode
from firmware_bridge.messages import Description, Health, ImageState, NodeCommand, read
from firmware_bridge.tests.small_hub import needs_compiler, running

pytestmark = needs_compiler


async def test_it_says_hello_every_ten_seconds_until_it_is_answered_then_once_a_minute(tmp_path: Path) -> None:
    async with running(tmp_path, manual_clock=True) as (node, hub):
        first = await hub.next(NodeCommand.HELLO)
        await node.tick(9_990)
        assert hub.asked.empty()
        await node.tick(20)
        again = await hub.next(NodeCommand.HELLO)
        assert (first.body["boot"], again.body["boot"]) == (1, 1)
        assert again.body["up"] == 10_000
        assert not again.body["claimed"]
        assert again.body["why"] == "power"
        hub.answer(again, {"rc": 0, "t": 1_790_000_000_000})
        await node.stats()
        await node.tick(59_900)
        assert hub.asked.empty()
        await node.tick(100)
        assert (await hub.next(NodeCommand.HELLO)).body["up"] == 70_000


@pytest.mark.parametrize("serial", [False, True])
async def test_the_standard_groups(tmp_path: Path, serial: bool) -> None:
    async with running(tmp_path, serial=serial) as (_node, hub):
        await hub.hello()
        assert await hub.ask(Op.WRITE, Group.OS, 0, {"d": "hi"}) == {"r": "hi"}
        assert await hub.ask(Op.READ, Group.OS, 6) == {"buf_size": 4104, "buf_count": 1}
        assert await hub.ask(Op.READ, Group.OS, 8) == {"bootloader": "MCUboot"}
        assert await hub.ask(Op.READ, Group.OS, 8, {"query": "mode"}) == {"mode": 1}
        assert await hub.ask(Op.READ, Group.OS, 4) == {"rc": 5}, "nobody has said what time it is"
        assert await hub.ask(Op.WRITE, Group.OS, 4, {"datetime": "2026-11-21T09:30:00.123Z"}) == {}
        assert (await hub.ask(Op.READ, Group.OS, 4))["datetime"].startswith("2026-11-21T09:30:0")
        assert await hub.ask(Op.WRITE, Group.OS, 77) == {"rc": 8}
        assert await hub.ask(Op.READ, 2, 0) == {"rc": 8}, "a group that it does not have"
        assert await hub.ask(Op.WRITE, Group.OS, 4, {"datetime": "2026-02-30T00:00:00Z"}) == {"rc": 3}
        (slot,) = read(await hub.ask(Op.READ, Group.IMAGE, 0), ImageState).images
        assert slot.active
        assert slot.confirmed
        assert slot.version == "1.0.0"


async def test_describe_health_and_the_digest_of_the_points(tmp_path: Path) -> None:
    async with running(tmp_path) as (node, hub):
        hello = await hub.hello()
        said = await hub.ask(Op.READ, Group.NODE, NodeCommand.DESCRIBE)
        described = read(said, Description)
        assert hello.dig == hashlib.sha256(cbor2.dumps(said["pts"])).digest()[:8]
        assert [point.c for point in described.pts] == [
            "contact", "presence", "field", "field", "field", "relay", "battery",
        ]  # fmt: skip
        await node.say("battery 20")
        await node.stats()
        health = read(await hub.ask(Op.READ, Group.NODE, NodeCommand.HEALTH), Health)
        assert health.ok
        assert health.t == 0


async def test_a_claim_and_a_release(tmp_path: Path) -> None:
    async with running(tmp_path, manual_clock=True) as (node, hub):
        await hub.hello()
        assert await hub.ask(Op.WRITE, Group.NODE, NodeCommand.SET, {"pt": 5, "v": True, "max": 5}) == {"rc": 8}
        await hub.claim()
        await node.tick(1_000)
        assert (await hub.hello()).claimed, "it says hello anew, under the key"
        assert read(await hub.ask(Op.READ, Group.NODE, NodeCommand.DESCRIBE), Description).claimed
        body = {"hub": b"HUB\0\0\0\0\2", "nonce": bytes(16)}
        key = hub.key
        hub.key = claim_key(hub.code, hub.id)
        assert (await hub.ask(Op.WRITE, Group.NODE, NodeCommand.CLAIM, body))["rc"] == 8, "it has an owner"
        hub.key = key
        assert (await hub.ask(Op.WRITE, Group.NODE, NodeCommand.CLAIM, {"release": True}))["rc"] == 0
        hub.key = b""
        await node.tick(1_000)
        assert not (await node.stats())["claimed"]
        assert not (await hub.hello()).claimed


async def test_a_claim_whose_answer_was_lost_ends_well(tmp_path: Path) -> None:
    async with running(tmp_path) as (_node, hub):
        await hub.hello()
        await hub.claim()
        key = hub.key
        await hub.claim()
        assert hub.key == key, "the same claim gets the same answer"
        await hub.ask(Op.READ, Group.NODE, NodeCommand.HEALTH)
    async with running(tmp_path, hub=hub) as (_node, hub):
        assert (await hub.hello()).claimed, "it stands in flash"


async def test_the_button_frees_a_node_whose_hub_is_lost(tmp_path: Path) -> None:
    async with running(tmp_path, manual_clock=True) as (node, hub):
        await hub.hello()
        await hub.claim()
        await node.say("button")
        await node.tick(20)
        assert not (await node.stats())["claimed"]


async def test_what_is_not_authentic_is_dropped_in_silence_and_counted(tmp_path: Path) -> None:
    async with running(tmp_path, manual_clock=True) as (node, hub):
        await hub.hello()
        await hub.claim()
        assert (await hub.ask(Op.WRITE, Group.OS, 0, {"d": "x"}))["r"] == "x"
        frame = Frame(Op.WRITE, Group.NODE, 200, NodeCommand.SET, {"pt": 5, "v": True, "max": 9})
        assert await hub.silent(encode(frame)), "plain"
        forged = bytearray(seal(frame, hub.key, Direction.FROM_HUB, hub.id, 9 << 32))
        forged[-1] ^= 1
        assert await hub.silent(bytes(forged))
        assert await hub.silent(seal(frame, hub.key, Direction.FROM_HUB, b"another1", 9 << 32)), "another node's"
        assert await hub.silent(seal(frame, hub.key, Direction.FROM_NODE, hub.id, 9 << 32)), "reflected"
        good = seal(frame, hub.key, Direction.FROM_HUB, hub.id, 10 << 32 | 1)
        assert not await hub.silent(good)
        frame = Frame(Op.WRITE, Group.NODE, 201, NodeCommand.SET, {"pt": 5, "v": False})
        off = seal(frame, hub.key, Direction.FROM_HUB, hub.id, 10 << 32 | 2)
        assert not await hub.silent(off)
        assert await hub.silent(good), "a replay"
        stats = await node.stats()
        assert (stats["forged"], stats["replayed"], stats["relay"]) == (4, 1, False)


async def test_a_replay_from_before_a_restart_is_dropped(tmp_path: Path) -> None:
    async with running(tmp_path, manual_clock=True) as (_node, hub):
        await hub.hello()
        await hub.claim()
        frame = Frame(Op.WRITE, Group.NODE, 200, NodeCommand.SET, {"pt": 5, "v": True, "max": 9})
        recorded = seal(frame, hub.key, Direction.FROM_HUB, hub.id, 3 << 32 | 7)
        assert not await hub.silent(recorded)
    async with running(tmp_path, manual_clock=True, hub=hub) as (node, hub):
        assert (await hub.hello()).boot == 2
        assert await hub.silent(recorded)
        assert (await node.stats())["replayed"] == 1
        hub.start = 4
        assert (await hub.ask(Op.READ, Group.NODE, NodeCommand.HEALTH))["ok"]
