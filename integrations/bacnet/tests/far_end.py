"""The lift controller of the estate as a program that is told what to show.

``python -m integrations.bacnet.tests.far_end PORT all|one|tight`` says its port when it listens. ``one`` knows no
ReadPropertyMultiple, ``tight`` has no room for its answer. Orders are JSON lines: object, property, value.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from integrations.sim.bacnet_lift import controller, put


async def main(port: int, kind: str) -> None:
    application = await controller(port, kind)
    print(json.dumps(port), flush=True)  # noqa: T201
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        put(application, order["object"], order["property"], order["value"])
        print(json.dumps(None), flush=True)  # noqa: T201
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
