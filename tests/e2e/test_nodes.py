"""A community node from the box to the journal: found, claimed by its code, heard, and heard after a power cut."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.node_process import NodeOptions, NodeProcess
from hub.journal.store import FILE
from integrations.firmware_node.tests.site import free_port
from tests.kit.broker import Broker
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import need_mosquitto
from tests.kit.wait import until

pytestmark = pytest.mark.slow

DOOR = "firmware_node.pole_0_door"


def write(folder: Path, broker: Broker, port: int) -> Path:
    """Write a site that waits for new nodes."""
    folder.mkdir()
    entrance = {"name": {"zh": "节点入口"}, "udp": f"127.0.0.1:{port}"}
    site = {
        "site": {"id": "test", "name": "小区"},
        "mqtt": {"url": broker.url},
        "zones": {},
        "devices": {"firmware_node": {"entrance": entrance}},
    }
    (folder / "hub.yaml").write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    return folder / "hub.yaml"


async def seen(look: Callable[[], Any], holds: Callable[[Any], object], what: str) -> Any:
    """Wait for another process without holding up this loop, on which the node's pipes are."""
    return await asyncio.to_thread(until, look, holds, 40, what)


def door(hub: HubProcess) -> tuple[str | None, str]:
    found = hub.entities().get(DOOR, {})
    return found.get("value"), found.get("quality", "none")


def moves(hub: HubProcess) -> list[str]:
    """Return what the journal has of the door, in order."""
    with closing(sqlite3.connect(hub.data / FILE)) as db:
        rows = db.execute("SELECT value FROM readings WHERE entity = ? AND value IS NOT NULL ORDER BY seq", (DOOR,))
        return [str(value) for (value,) in rows]


async def test_a_node_from_the_box_to_the_journal(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    port = free_port()
    hub = hub_of(write(tmp_path / "site", broker, port))
    await asyncio.to_thread(hub.start)
    options = NodeOptions(state=tmp_path / "node", hub=("127.0.0.1", port))
    node = await NodeProcess.start(options)
    try:
        inbox = await seen(lambda: hub.get("discovered")["items"], bool, "found")
        (found,) = inbox
        assert (found["source"], found["integration"], found["facts"]["model"]) == (
            "session", "firmware_node", "menshen-ref",
        )  # fmt: skip
        values = {**found["values"], "name": "三号杆", "code": options.code.lower()}
        device = {"integration": "firmware_node", "name": "pole", "values": values, "found": found["key"]}
        status, answer = await asyncio.to_thread(hub.send, "POST", "devices", device)
        assert status == 204, answer
        await seen(lambda: door(hub), lambda it: it == ("closed", "good"), "claimed and heard")
        assert options.code.lower() not in hub.config.read_text("utf-8"), "the code is kept with the secrets"
        await node.say("door open")
        await seen(lambda: door(hub), lambda it: it == ("open", "good"), "open")

        await asyncio.to_thread(hub.kill)
        await node.say("door close")
        await node.say("door open")
        await node.say("door close")
        await asyncio.to_thread(hub.start)
        await seen(lambda: door(hub), lambda it: it == ("closed", "good"), "what happened while the hub was dead")
        (unit,) = (await asyncio.to_thread(hub.get, "firmware"))["units"]
        assert (unit["name"], unit["model"], unit["version"], unit["online"]) == ("pole", "menshen-ref", "1.0.0", True)
        stats = await node.stats()
        assert (stats["forged"], stats["replayed"]) == (0, 0)
        assert moves(hub)[:2] == ["closed", "open"]
        assert moves(hub)[-1] == "closed"
    finally:
        await node.close()
