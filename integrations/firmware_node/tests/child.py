"""A hub's side in a process of its own, since bleak keeps its bus for the life of a loop: prints what a node says."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from hub.sdk import Sample, Tools, Unreachable, Vitals
from integrations.firmware_node import connect
from integrations.firmware_node.tests.site import config


async def _report(*said: Sample | Vitals) -> None:
    for one in said:
        if isinstance(one, Sample):
            _print([one.entity, one.value])


async def _report_marked(bookmarks: Mapping[str, str], *said: Sample | Vitals) -> None:
    await _report(*said)


def _print(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def _main(folder: Path, node: str, address: str) -> None:
    async with aiohttp.ClientSession(trust_env=False) as http:
        tools = Tools(http, folder, folder, _report, report_marked=_report_marked)
        try:
            connection = await connect("pole", config(node=node, ble=address), tools)
            assert connection.run is not None
            await connection.run()
        except Unreachable as error:
            _print(["unreachable", error.reason])


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
