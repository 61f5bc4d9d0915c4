"""The hub's side against the reference node in C, as processes: updates while events flow, and a fleet that stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware_bridge.image import Version, build
from firmware_bridge.node_process import NodeOptions, NodeProcess
from firmware_bridge.rollout import Stand
from firmware_bridge.update import Patience
from hub.sdk import Instant, RolloutOrder, Sample, Surroundings
from integrations.firmware_node import connect
from integrations.firmware_node.fleet import FLEET, KEY_FILE
from integrations.firmware_node.links import registry
from integrations.firmware_node.tests.site import Hub, config, free_port, running
from tests.kit.patience import until

pytestmark = pytest.mark.slow

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = KEY.public_key().public_bytes_raw()
IMAGE = build(bytes(range(256)) * 240, Version(1, 1, 0), "menshen-ref", 2, KEY)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / KEY_FILE).write_bytes(pem)
    FLEET.patience = Patience(answer=2, back=20, quiet=2, look=0.2)
    async with aiohttp.ClientSession(trust_env=False) as http:
        yield Hub(tmp_path, http)
    await FLEET.close()


def roll(*units: str) -> None:
    async def calm() -> str:
        return ""

    loaded = FLEET.load(IMAGE)
    order = RolloutOrder(loaded.digest, "zhang", units, 0, 0, quiet_s=2)
    FLEET.begin(order, Surroundings(lambda: Instant(0), lambda: 0, calm))


def outcome() -> str:
    state = FLEET.state()
    return "" if state is None else state.outcome


def events_reported(hub: Hub) -> int:
    """Return how many events were handed to the hub: what the session says of the node itself is none."""
    own = ("_fault", "_tamper", "_clock", "_skew", "_refused", "_lost")
    calls = [
        said for said in hub.reports if not any(isinstance(one, Sample) and one.entity.endswith(own) for one in said)
    ]
    return sum(len(said) for said in calls)


async def test_60_kb_over_a_line_of_115200_baud_while_20_events_a_second_come_in(hub: Hub, tmp_path: Path) -> None:
    options = NodeOptions(state=tmp_path / "node", signer=SIGNER, events=20, baud=115_200)
    node = await NodeProcess.start(options)
    try:
        connection = await connect("door", config(node=options.id.hex(), serial=node.port), hub.tools)
        async with running(connection):
            await until(lambda: hub.values("fault"))
            assert len(IMAGE) > 60_000
            roll("door")
            await until(lambda: outcome() != "running", within=90)
            assert {unit.name: (unit.stand, unit.version) for unit in FLEET.units()} == {"door": (Stand.DONE, "1.1.0")}
            (record,) = registry(hub.folder).records
            assert set(record.committed) == {1, 2}, "events of before and after the restart"
            assert all(events.gaps == 0 for events in record.committed.values()), "none was lost"
            assert events_reported(hub) == sum(events.highest for events in record.committed.values()) > 100
            assert (await node.stats())["dropped"] == 0
    finally:
        await node.close()


async def test_an_image_that_crashes_on_1_of_20_nodes_stops_the_roll_out(hub: Hub, tmp_path: Path) -> None:
    port, names = free_port(), [f"n{number:02}" for number in range(1, 21)]
    options = [
        NodeOptions(
            state=tmp_path / name,
            id=b"NODE" + number.to_bytes(4, "big"),
            signer=SIGNER,
            hub=("127.0.0.1", port),
            faults={"crash_loop": 1.0} if name == "n03" else {},
        )
        for number, name in enumerate(names)
    ]
    async with AsyncExitStack() as stack:
        nodes = [await NodeProcess.start(one) for one in options]
        for node in nodes:
            stack.push_async_callback(node.close)
        places = [config(node=one.id.hex(), udp=f"127.0.0.1:{port}") for one in options]
        entrance = await connect("entrance", config(udp=f"127.0.0.1:{port}"), hub.tools)
        await stack.enter_async_context(running(entrance))
        opened = await asyncio.gather(
            *(connect(name, place, hub.tools) for name, place in zip(names, places, strict=True))
        )
        for connection in opened:
            await stack.enter_async_context(running(connection))
        await until(lambda: len(hub.values("fault")) == 20, within=30)
        roll()
        await until(lambda: outcome() != "running", within=60)
        await until(lambda: not any(unit.stand == Stand.UPDATING for unit in FLEET.units()), within=30)
        assert outcome() == "stopped"
        stands = {unit.name: unit.stand for unit in FLEET.units()}
        assert stands == dict.fromkeys(names[3:], "waiting") | {"n01": "done", "n02": "done", "n03": "reverted"}
        versions = {unit.name: unit.version for unit in FLEET.units() if unit.version != "1.0.0"}
        assert versions == {"n01": "1.1.0", "n02": "1.1.0"}
        state = FLEET.state()
        assert state is not None
        assert state.reason.startswith("n03: the new image")
