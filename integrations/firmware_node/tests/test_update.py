"""Images on their way to nodes: installed, resumed, refused, reverted, and a fleet that stops at the first revert."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware_bridge.image import Version, build, parse
from firmware_bridge.rollout import Stand
from firmware_bridge.tests.py_node import UdpNode
from firmware_bridge.update import Patience
from hub.sdk import Instant, RolloutOrder, Surroundings, Unsupported
from integrations.firmware_node.fleet import FLEET, KEY_FILE
from integrations.firmware_node.kept import Shelf
from integrations.firmware_node.tests.site import Hub, free_port, opened
from tests.kit.patience import until

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
BODY = bytes(range(256)) * 16


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / KEY_FILE).write_bytes(pem)
    FLEET.patience = Patience(answer=0.3, back=5, quiet=0.2, look=0.05)
    async with aiohttp.ClientSession(trust_env=False) as http:
        yield Hub(tmp_path, http)
    await FLEET.close()


@pytest.fixture
async def fleet(hub: Hub) -> AsyncIterator[list[UdpNode]]:
    """Return five open nodes."""
    port, nodes = free_port(), [UdpNode(number) for number in range(1, 6)]
    async with AsyncExitStack() as stack:
        for node in nodes:
            await node.join(port)
            stack.callback(node.leave)
            await stack.enter_async_context(opened(hub, node, port, f"n{node.id[-1]}"))
        yield nodes
        await FLEET.close()


def image(model: str = "menshen-ref", security: int = 2, body: bytes = BODY) -> bytes:
    return build(body, Version(2, 0, 0), model, security, KEY)


def around(alarm: str = "", minute: int = 120) -> Surroundings:
    async def alarms() -> str:
        return alarm

    return Surroundings(lambda: Instant(0), lambda: minute, alarms)


def roll(data: bytes, *units: str, surroundings: Surroundings | None = None) -> None:
    loaded = FLEET.load(data)
    FLEET.begin(RolloutOrder(loaded.digest, "zhang", units, quiet_s=0.2), surroundings or around())


def outcome() -> str:
    state = FLEET.state()
    return "" if state is None else state.outcome


def stands() -> dict[str, str]:
    return {unit.name: unit.stand for unit in FLEET.units()}


async def test_a_fleet_gets_an_image_while_events_flow(hub: Hub, fleet: list[UdpNode]) -> None:
    data = image()
    await until(lambda: all(unit.online for unit in FLEET.units()) and len(hub.values("fault")) == 5)
    roll(data)
    sent = 0
    while outcome() == "running":
        fleet[0].happen(0, sent % 2 == 0)
        sent += 1
        await asyncio.sleep(0.02)
    assert outcome() == "done"
    assert set(stands().values()) == {Stand.DONE}
    assert {node.slots.running for node in fleet} == {parse(data).digest}
    assert all(node.slots.confirmed and node.resets == 1 for node in fleet)
    assert {unit.version for unit in FLEET.units()} == {"2.0.0"}
    await until(lambda: not fleet[0].waiting)
    assert len(hub.values("n1_0_door")) == sent  # every event once, in spite of upload and restart
    state = FLEET.state()
    assert state is not None
    assert state.by == "zhang"


async def test_an_image_that_does_not_stay_up_stops_the_fleet(hub: Hub, fleet: list[UdpNode]) -> None:
    await until(lambda: len(hub.values("fault")) == 5)
    fleet[0].crashes = True
    roll(image())
    await until(lambda: outcome() == "stopped")
    assert stands() == {"n1": "reverted", "n2": "waiting", "n3": "waiting", "n4": "waiting", "n5": "waiting"}
    state = FLEET.state()
    assert state is not None
    assert state.reason == "n1: the new image did not stay up: the node is back on the old one"
    assert fleet[0].slots.version == "1.0.0"
    assert all(node.resets == 0 for node in fleet[1:])


async def test_a_failed_self_test_goes_back(hub: Hub, fleet: list[UdpNode]) -> None:
    await until(lambda: len(hub.values("fault")) == 5)
    roll(image(), "n1")
    await until(lambda: fleet[0].slots.data)
    fleet[0].health |= {"ok": False, "fail": "no magnetometer"}
    await until(lambda: outcome() == "stopped")
    assert "no magnetometer" in FLEET.units()[0].reason
    await until(lambda: fleet[0].slots.version == "1.0.0")


async def test_an_upload_goes_on_where_it_was_cut(hub: Hub, fleet: list[UdpNode]) -> None:
    await until(lambda: len(hub.values("fault")) == 5)
    node, data = fleet[0], image(body=BODY * 16)
    node.mtu = 256
    roll(data, "n1")
    await until(lambda: node.slots.data)
    node.deaf_to = {(1, 1)}
    held = len(node.slots.data)
    await asyncio.sleep(1.2)  # longer than all repetitions of one chunk
    node.deaf_to = set()
    node.hello()
    await until(lambda: outcome() == "done")
    assert held < len(data)
    assert bytes(node.slots.data) == data
    assert stands()["n1"] == Stand.DONE


async def test_a_roll_out_goes_on_after_a_restart_of_the_hub(hub: Hub) -> None:
    hub.surroundings = around()
    port, nodes = free_port(), [UdpNode(number) for number in (1, 2)]
    async with AsyncExitStack() as stack:
        for node in nodes:
            await node.join(port)
            stack.callback(node.leave)
        async with opened(hub, nodes[0], port, "n1"), opened(hub, nodes[1], port, "n2"):
            await until(lambda: len(hub.values("fault")) == 2)
            loaded = FLEET.load(image())
            FLEET.begin(RolloutOrder(loaded.digest, "zhang", quiet_s=60), around())
            await until(lambda: nodes[0].resets and FLEET.units()[0].phase == "watch")
            FLEET.stop("li")
        await FLEET.close()  # all of it in memory is gone
        assert not nodes[0].slots.confirmed
        plan = Shelf(hub.folder).plan()
        assert plan is not None
        hurried = msgspec.structs.replace(plan, quiet_s=0.1)
        Shelf(hub.folder).writing(hurried)()
        async with opened(hub, nodes[0], port, "n1"), opened(hub, nodes[1], port, "n2"):
            state = FLEET.state()
            assert state is not None
            assert (state.outcome, state.reason, state.by) == ("stopped", "stopped by li", "zhang")
            await until(lambda: stands()["n1"] == Stand.DONE)
            assert stands() == {"n1": "done", "n2": "waiting"}
            assert (nodes[0].resets, nodes[0].slots.confirmed, nodes[1].resets) == (1, True, 0)


async def test_one_that_cannot_go_on_after_a_restart_says_so(hub: Hub) -> None:
    hub.surroundings = around(alarm="an incident is open")
    port, node = free_port(), UdpNode()
    await node.join(port)
    async with opened(hub, node, port):
        await until(lambda: hub.values("fault"))
        roll(image(), "pole", surroundings=around(alarm="an incident is open"))
        await until(lambda: FLEET.units()[0].reason)
    await FLEET.close()
    (hub.folder / "rollout.image").write_bytes(image(security=9))
    async with opened(hub, node, port):
        state = FLEET.state()
        assert state is not None
        assert (state.outcome, state.reason) == (
            "stopped", "a restart of the hub interrupted it: its image is another one",
        )  # fmt: skip
    await FLEET.close()
    async with opened(hub, node, port):  # it was written down
        assert outcome() == "stopped"
    node.leave()


@pytest.mark.parametrize(
    ("bat", "alarm", "surroundings", "reason"),
    [
        (12, False, around(), "battery at 12 %"),
        (90, True, around(), "the node has an alarm"),
        (90, False, around(minute=600), "outside the maintenance window"),
        (90, False, around(alarm="an incident is open"), "an incident is open"),
    ],
)
async def test_what_keeps_an_update_from_beginning(
    hub: Hub, fleet: list[UdpNode], bat: int, alarm: bool, surroundings: Surroundings, reason: str
) -> None:
    await until(lambda: len(hub.values("fault")) == 5)
    fleet[0].health |= {"bat": bat, "alarm": alarm}
    roll(image(), "n1", surroundings=surroundings)
    await until(lambda: FLEET.units()[0].reason == reason)
    assert stands()["n1"] == Stand.WAITING
    assert not fleet[0].slots.data
    FLEET.stop("li")
    assert outcome() == "stopped"


async def test_images_and_orders_that_are_refused(hub: Hub, fleet: list[UdpNode]) -> None:
    good = image()
    with pytest.raises(Unsupported, match="not signed with the key"):
        FLEET.load(build(BODY, Version(2, 0, 0), "menshen-ref", 2, Ed25519PrivateKey.generate()))
    with pytest.raises(Unsupported, match="cut"):
        FLEET.load(good[:-1])
    with pytest.raises(Unsupported, match="load the image first"):
        FLEET.begin(RolloutOrder("00", "zhang"), around())
    with pytest.raises(Unsupported, match="the image is for camera"):
        roll(image(model="camera"), "n1")
    with pytest.raises(Unsupported, match="no camera is connected"):
        roll(image(model="camera"))
    with pytest.raises(Unsupported, match="no node n9"):
        roll(good, "n9")
    await until(lambda: len(hub.values("fault")) == 5)
    roll(good, "n1")
    with pytest.raises(Unsupported, match="is running"):
        FLEET.load(good)
    await until(lambda: outcome() == "done")
    roll(image(security=1), "n1")
    await until(lambda: outcome() == "done")
    assert stands()["n1"] == Stand.FAILED
    assert FLEET.units()[0].reason == "a downgrade: 1 after 2"


async def test_release(hub: Hub, fleet: list[UdpNode]) -> None:
    await FLEET.release("n1")
    assert not fleet[0].key
    with pytest.raises(Unsupported):
        await FLEET.release("n9")
