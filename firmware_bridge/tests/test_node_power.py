"""The C node loses its power at a hundred random points: nothing that it stored is lost, and it always starts."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.errors import NodeFailed
from firmware_bridge.frame import Group, Op
from firmware_bridge.image import Version, parse
from firmware_bridge.messages import Event
from firmware_bridge.node_process import POWER_CUT, NodeProcess
from firmware_bridge.tests.small_hub import SmallHub, needs_compiler, running
from firmware_bridge.tests.test_node_events import settled
from firmware_bridge.tests.test_node_image import SIGNER, image, mark, state, upload

pytestmark = needs_compiler

CUTS = 100
#: Steps (bytes written, halves of sectors erased) that a node gets; an exchange of 9 kB takes about 30,000.
FEWEST, MOST = 1, 150_000


class Hub(SmallHub):
    """Keeps what came, each event once, in the order of its coming."""

    def __init__(self) -> None:
        super().__init__(bytes.fromhex("4d53000000000001"), "0123456789ABCDEF")
        self.got: list[tuple[int, int]] = []
        self.on_event = self._keep
        self.updates = self.reverts = self.uploads = 0

    def _keep(self, event: Event) -> bool:
        if (event.boot, event.seq) not in self.got:
            self.got.append((event.boot, event.seq))
        return True


async def _until_dark(node: NodeProcess, work: Coroutine[Any, Any, None]) -> int | None:
    """Do ``work`` until the node loses its power; return its exit code, or None if the work was done first."""
    task, ended = asyncio.ensure_future(work), asyncio.ensure_future(node.wait())
    await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
    code = ended.result() if ended.done() else None
    for one in (task, ended):
        one.cancel()
    results = await asyncio.gather(task, ended, return_exceptions=True)
    if code is None and isinstance(results[0], Exception):
        raise results[0]
    return code


async def _live(node: NodeProcess, hub: Hub, dice: random.Random, owned: asyncio.Event) -> None:
    """What a node does in its life, over and over: events, and now and then an update."""
    await hub.met.wait()
    if not owned.is_set():
        await hub.claim()
        owned.set()  # the key is here: once the node has heard it, it takes no claim any more
        await hub.ask(Op.READ, Group.NODE, 5)
    door = False
    while True:
        for _ in range(dice.randrange(6)):
            door = not door
            await node.say(f"door {'open' if door else 'close'}")
            await node.tick(100)
            await hub.ask(Op.READ, Group.OS, 6)
        slots = (await state(hub)).images
        if not slots[0].confirmed:
            hub.updates += 1
            if dice.random() < 0.5:
                await hub.ask(Op.WRITE, Group.IMAGE, 0, {"confirm": True})
            else:
                hub.reverts += 1
                await _reset(node, hub)
            continue
        hub.uploads += 1
        new = image(dice.randbytes(9_000), Version(1, 0, hub.uploads))  # each newer than the last: no downgrade
        if (await upload(hub, new)).get("match"):
            assert await mark(hub, new) == 0
            assert parse(new).digest in [slot.hash for slot in (await state(hub)).images]
            await _reset(node, hub)
        else:
            await hub.ask(Op.WRITE, Group.IMAGE, 5)


async def _reset(node: NodeProcess, hub: Hub) -> None:
    hub.start += 1
    await hub.ask(Op.WRITE, Group.OS, 5)
    await node.tick(400)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_hundred_power_cuts(tmp_path: Path) -> None:
    dice = random.Random(7)
    hub = Hub()
    owned = asyncio.Event()
    for cut in range(CUTS):
        early = round(FEWEST * (MOST / FEWEST) ** dice.random())
        steps = dice.choice((early, dice.randint(FEWEST, MOST)))
        code: int | None = None
        faults: dict[str, float | str] = {"power_cut": steps}
        try:
            async with running(tmp_path, hub=hub, signer=SIGNER, manual_clock=True, seed=cut, faults=faults) as (
                node,
                _,
            ):
                hub.start += 1
                code = await _until_dark(node, _live(node, hub, dice, owned))
        except NodeFailed as ended:  # before it could be spoken to
            code = ended.code
        assert code == POWER_CUT, f"cut {cut} after {steps} steps: {(tmp_path / 'log').read_text()[-500:]}"
    async with running(tmp_path, hub=hub, signer=SIGNER, manual_clock=True) as (node, _):
        hub.start += 1
        await hub.met.wait()
        for _ in range(100):
            await settled(node, hub)
            await node.tick(1_000)
        assert (await settled(node, hub))["waiting"] == 0
        assert (await state(hub)).active is not None
    stored = {(int(boot), int(seq)) for boot, seq in re.findall(r"stored (\d+) (\d+)", (tmp_path / "log").read_text())}
    assert len(stored) > CUTS // 2
    assert stored - set(hub.got) == set(), "lost"
    assert hub.got == sorted(hub.got), "in order"
    assert hub.updates > 5
    assert hub.reverts > 1
