"""kill -9 in the middle of a roll-out: the hub goes on with it, and no node is updated twice."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware_bridge.image import Version, build
from firmware_bridge.tests.py_node import CODE, UdpNode
from integrations.firmware_node.fleet import KEY_FILE
from integrations.firmware_node.tests.site import free_port
from tests.kit.broker import Broker
from tests.kit.http import put_image
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import need_mosquitto

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
NAMES = ("n1", "n2")
#: Seconds for which a new image must run: long enough to be killed in.
QUIET = 4


def site(folder: Path, broker: str, port: int, nodes: list[UdpNode]) -> Path:
    folder.mkdir()
    devices = {
        name: {"name": name, "node": node.id.hex(), "code": CODE, "udp": f"127.0.0.1:{port}"}
        for name, node in zip(NAMES, nodes, strict=True)
    }
    site = {
        "site": {"id": "test", "name": "小区"},
        "mqtt": {"url": broker},
        "zones": {},
        "devices": {"firmware_node": devices},
    }
    (folder / "hub.yaml").write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    (folder / KEY_FILE).write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return folder / "hub.yaml"


async def seen(hub: HubProcess, nodes: list[UdpNode], what: str, *wanted: Any) -> dict[str, Any]:
    """Let the nodes live until the page shows one of ``wanted`` for ``what``."""
    found: dict[str, Any] = {}
    for turn in range(300):
        for node in nodes:
            if not node.key and turn % 5 == 0:
                node.hello()
            node.push()
        found = await asyncio.to_thread(hub.get, "firmware")
        units = {unit["name"]: unit for unit in found["units"]}
        shown = {
            "online": sum(unit["online"] for unit in units.values()),
            "phase": units.get("n1", {}).get("phase"),
            "outcome": (found["rollout"] or {}).get("outcome"),
        }
        if shown[what] in wanted:
            return found
        await asyncio.sleep(0.1)
    pytest.fail(f"{what} is not {wanted}: {found}")


async def test_a_roll_out_goes_on_after_the_hub_was_killed(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    port, nodes = free_port(), [UdpNode(1), UdpNode(2)]
    hub = hub_of(site(tmp_path / "site", broker.url, port, nodes))
    try:
        for node in nodes:
            await node.join(port)
        await asyncio.to_thread(hub.start)
        await seen(hub, nodes, "online", 2)
        image = build(bytes(20_000), Version(2, 0, 0), "menshen-ref", 2, KEY)
        digest = await asyncio.to_thread(put_image, hub.url, hub.token, image)
        order = {"digest": digest, "begin_minute": 0, "end_minute": 0, "quiet_s": QUIET}
        status, said = await asyncio.to_thread(hub.send, "POST", "firmware/rollout", order)
        assert status == 204, said
        await seen(hub, nodes, "phase", "watch")
        assert (nodes[0].resets, nodes[0].slots.confirmed, nodes[1].resets) == (1, False, 0)
        await asyncio.to_thread(hub.kill)
        await asyncio.to_thread(hub.start)
        found = await seen(hub, nodes, "outcome", "done", "stopped", "expired")
        assert found["rollout"]["outcome"] == "done", found
        assert found["rollout"]["by"] == "tester"
        assert [(unit["stand"], unit["version"]) for unit in found["units"]] == [("done", "2.0.0")] * 2
        assert [(node.resets, node.slots.confirmed) for node in nodes] == [(1, True)] * 2
        await asyncio.to_thread(hub.kill)
        await asyncio.to_thread(hub.start)
        assert (await seen(hub, nodes, "outcome", "done"))["rollout"]["by"] == "tester"  # the last one is still shown
    finally:
        for node in nodes:
            node.leave()
