"""Three community nodes: reference nodes of ``firmware_bridge/node``, each a process, one on a pty and two by UDP.

They are built in the background when they never were, so that nobody waits for the compiler; a machine without one
does without them, and is told so once.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from firmware_bridge.errors import NodeFailed
from firmware_bridge.node_process import NodeOptions, NodeProcess, build
from integrations.sim.control import scenes_routes
from integrations.sim.process import Address, Life, add_address, parser, run
from integrations.sim.web import serving

#: By what each of them sees: the number on its label, and what is told to it when that ends and when it begins.
NODES: Mapping[str, tuple[str, tuple[str, str]]] = {
    "entrance": ("4d53000000000011", ("door close", "door open")),
    "bay": ("4d53000000000012", ("car leave", "car park")),
    "plant": ("4d53000000000013", ("door close", "door open")),
}
#: The one on a line; the others are in the network.
ON_A_LINE = "entrance"
#: Seconds before a node that ended is started again: its power was cut, or it is started too early.
PAUSE = 1.0


class Part:
    """One node and what it shall see."""

    def __init__(self, name: str, arguments: argparse.Namespace) -> None:
        label, self._words = NODES[name]
        hub: Address = arguments.hub
        by_udp = None if name == ON_A_LINE else (hub.host, hub.port)
        self._link: Path | None = arguments.link if name == ON_A_LINE else None
        self._options = NodeOptions(
            state=arguments.data / name, id=bytes.fromhex(label), hub=by_udp, signer=arguments.signer
        )
        self._changed = asyncio.Event()
        self.seen = False

    def change(self, seen: bool) -> None:
        """Show it that something begins or ends."""
        self.seen = seen
        self._changed.set()

    async def live(self) -> None:
        """Keep it running until cancelled. Raises NodeFailed when it does not start."""
        while True:
            node = await NodeProcess.start(self._options)
            try:
                if self._link is not None:
                    self._link.unlink(missing_ok=True)
                    self._link.symlink_to(node.port)
                if self.seen:
                    self._changed.set()
                telling = asyncio.ensure_future(self._tell(node))
                try:
                    await node.wait()
                finally:
                    telling.cancel()
            finally:
                await node.close()
            await asyncio.sleep(PAUSE)

    async def _tell(self, node: NodeProcess) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await node.say(self._words[self.seen])


async def live(arguments: argparse.Namespace, life: Life) -> None:
    """Run the nodes until cancelled."""
    parts = {name: Part(name, arguments) for name in NODES}

    def show() -> dict[str, bool]:
        return {name: part.seen for name, part in parts.items()}

    changes = {name: part.change for name, part in parts.items()}
    async with serving(scenes_routes(changes, show), arguments.control) as port:
        life.ready(control=port)
        running = asyncio.ensure_future(_run(tuple(parts.values())))
        try:
            await life.over.wait()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            arguments.link.unlink(missing_ok=True)


async def _run(parts: tuple[Part, ...]) -> None:
    """Build and start; where that is not possible, say so and be content."""
    try:
        await asyncio.to_thread(partial(build, "menshen-node"))
        await asyncio.gather(*(part.live() for part in parts))
    except NodeFailed as error:
        sys.stderr.write(f"演示中没有社区节点 / the demo runs without community nodes: {error}\n")
        sys.stderr.flush()


def main() -> int:
    """Read the arguments and run."""
    options = parser("nodes", __doc__)
    add_address(options, "--control", "where PUT /scene is taken")
    add_address(options, "--hub", "the hub's UDP socket", "127.0.0.1:1337")
    options.add_argument("--link", type=Path, required=True, metavar="PATH", help="name of the serial port")
    options.add_argument("--data", type=Path, required=True, metavar="DIR", help="the nodes' flash")
    options.add_argument("--signer", type=bytes.fromhex, default=bytes(32), metavar="HEX", help="who signs images")
    return run("nodes", live, options.parse_args())


if __name__ == "__main__":
    sys.exit(main())
