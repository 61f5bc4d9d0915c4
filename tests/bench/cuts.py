"""Power cuts at random points of updates that a running hub carries out: does the node start again, and end well?"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware_bridge.errors import NodeFailed
from firmware_bridge.image import Version, build
from firmware_bridge.node_process import POWER_CUT, NodeOptions, NodeProcess
from firmware_bridge.update import Patience
from hub.sdk import Instant, RolloutOrder, Surroundings
from integrations.firmware_node import connect
from integrations.firmware_node.fleet import FLEET, KEY_FILE
from integrations.firmware_node.tests.site import Hub, config, free_port, running
from tests.kit.patience import until

#: Steps of the flash (a byte written, a sector erased) after which the power is cut, spread evenly over their size.
FEWEST, MOST = 10, 60_000


async def bricked(folder: Path, cuts: int) -> tuple[int, int, int]:
    """Return how many nodes did not start again, how many cuts came, and how many updates ended as done."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = key.public_key()
    (folder / KEY_FILE).write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    FLEET.patience = Patience(answer=0.5, back=20, look=0.1)
    port, dice = free_port(), random.Random(7)
    options = NodeOptions(state=folder / "node", signer=public.public_bytes_raw(), hub=("127.0.0.1", port))
    dead = came = done = 0
    async with aiohttp.ClientSession(trust_env=False) as http:
        hub = Hub(folder, http)
        node = await NodeProcess.start(options)
        connection = await connect("pole", config(node=options.id.hex(), udp=f"127.0.0.1:{port}"), hub.tools)
        async with running(connection):
            await until(lambda: hub.values("fault"))
            for number in range(cuts):
                await node.close()
                steps = round(FEWEST * (MOST / FEWEST) ** dice.random())
                node = await _start(options, {"power_cut": steps})
                image = build(dice.randbytes(20_000), Version(1, number, 0), "menshen-ref", number + 1, key)
                _roll(FLEET.load(image).digest)
                while FLEET.state() is not None and _outcome() == "running":
                    if node.code is not None:
                        came += node.code == POWER_CUT
                        dead += node.code != POWER_CUT
                        await node.close()
                        node = await _start(options, {})
                    await asyncio.sleep(0.05)
                done += _outcome() == "done" and FLEET.units()[0].stand == "done"
                await node.stats()  # it is alive, or this raises NodeFailed
        await FLEET.close()
        await node.close()
    return dead, came, done


async def _start(options: NodeOptions, faults: dict[str, float | str]) -> NodeProcess:
    """Start a node; a cut that comes before it can be spoken to is started over without."""
    try:
        return await NodeProcess.start(msgspec.structs.replace(options, faults=faults))
    except NodeFailed as failed:
        if failed.code != POWER_CUT:
            raise
        return await NodeProcess.start(options)


def _roll(digest: str) -> None:
    async def calm() -> str:
        return ""

    order = RolloutOrder(digest, "bench", ("pole",), 0, 0, quiet_s=0.3)
    FLEET.begin(order, Surroundings(lambda: Instant(0), lambda: 0, calm))


def _outcome() -> str:
    state = FLEET.state()
    return "" if state is None else state.outcome
