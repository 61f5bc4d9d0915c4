"""kill -9 between the commit of a node's events and their answers: each is in the journal once (issue of the bridge).

The hub writes its registry of nodes every few seconds. What was committed since then only the journal knows.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge.tests.py_node import CODE, UdpNode
from integrations.firmware_node.tests.site import free_port
from tests.kit.broker import Broker
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import need_mosquitto
from tests.kit.store import rows, whole
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

KILLS = min(50, int(os.environ.get("SOAK_KILLS", "5")))
#: Events that happen at once; the node has eight under way.
BURST = 6
FIELD = "firmware_node.pole_1_field"


def site(folder: Path, broker: str, port: int, node: UdpNode) -> Path:
    folder.mkdir()
    pole = {"name": "三号杆", "node": node.id.hex(), "code": CODE, "udp": f"127.0.0.1:{port}"}
    site = {
        "site": {"id": "test", "name": "小区"},
        "mqtt": {"url": broker},
        "zones": {},
        "devices": {"firmware_node": {"pole": pole}},
    }
    (folder / "hub.yaml").write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    return folder / "hub.yaml"


def kept(hub: HubProcess) -> list[float]:
    """Return what the journal has of the field, in order."""
    sql = "SELECT value FROM readings WHERE entity = ? AND value IS NOT NULL ORDER BY seq"
    return [round(float(str(value)), 2) for (value,) in rows(hub.data, sql, FIELD)]


async def live(hub: HubProcess, node: UdpNode, holds: Callable[[], object], burst: int) -> None:
    """Let events happen until something holds; the node repeats what is not answered."""
    for turn in range(6_000):
        if holds():
            return
        if not node.key and turn % 20 == 0:
            node.hello()
        if node.key and turn % 10 == 0 and len(node.waiting) < BURST:
            for _ in range(burst):
                node.happen(1, (node.seq + 1) / 100)
        node.push()
        await asyncio.sleep(0.01)
    pytest.fail(f"not so within a minute: {hub.words()[-2000:]}")


async def test_every_event_is_committed_once_whenever_the_hub_dies(
    tmp_path: Path, broker: Broker, hub_of: MakeHub
) -> None:
    need_mosquitto()
    seed = int(os.environ.get("MENSHEN_TEST_SEED", "0")) or random.SystemRandom().getrandbits(32)
    print(f"seed {seed}: replay with MENSHEN_TEST_SEED={seed}")  # noqa: T201 - shown when the test fails
    chance, port, node = random.Random(seed), free_port(), UdpNode()
    await node.join(port)
    hub = hub_of(site(tmp_path / "site", broker.url, port, node))
    try:
        await asyncio.to_thread(hub.start)
        await live(hub, node, lambda: len(node.acked) >= BURST, BURST)
        await asyncio.to_thread(hub.kill)
        for _ in range(KILLS):
            point = chance.choice(("journal.committed", "batch.decided", "batch.acknowledged"))
            hub.start(wait=False, env={"MENSHEN_FAILPOINT": f"{point}:{chance.randint(8, 40)}"})
            await live(hub, node, lambda: not hub.running, BURST)
            assert hub.ended(1) == -signal.SIGKILL, hub.words()
        await asyncio.to_thread(hub.start)
        await live(hub, node, lambda: not node.waiting, 0)
        said = [number / 100 for number in range(1, node.seq + 1)]
        await asyncio.to_thread(until, lambda: kept(hub), lambda found: len(found) >= len(said))
        assert kept(hub) == said, "an event is lost, doubled or out of order"
        assert node.repeated > KILLS, "no answer was ever lost: the hub never died in between"
        assert (await asyncio.to_thread(hub.terminate))[0] == 0
        whole(hub.data)
    finally:
        node.leave()
