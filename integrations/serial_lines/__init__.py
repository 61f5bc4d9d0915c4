"""Lines of text that a microcontroller prints on a serial port.

There is no standard: the site says which lines mean what (``config.Line``), by whole text, prefix or JSON key. A line
is UTF-8, at most 256 bytes, and ends with LF, CR or both. Nothing is ever sent to the board.
"""

from __future__ import annotations

import asyncio

from hub.sdk import Connection, DecodeError, Equipment, Plugin, Sample, Tools
from integrations.serial_lines.config import DOMAIN, Config, address
from integrations.serial_lines.garbage import Garbage, garbage_entity
from integrations.serial_lines.port import Port, open_port
from integrations.serial_lines.rules import Rules, decode, rules
from integrations.serial_lines.splitter import Splitter

plugin = Plugin(DOMAIN)

#: What comes sooner than this after opening, in seconds, may be the rest of a line. Later, it begins one: at 300 baud a
#: byte takes 0.03 s.
QUIET = 0.2


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> Connection:
    """Open the port. Raises Unreachable while it is not plugged in, Unsupported for a wrong configuration."""
    counter = garbage_entity(name, config)
    known = rules(name, config, counter.id)
    port = await open_port(address(config.port), config.baudrate)

    async def run() -> None:
        await listen(port, known, Garbage(counter.id), tools)

    return Connection(tuple(Equipment(entity) for entity in (*known.entities, counter)), run, port.close)


async def listen(port: Port, known: Rules, garbage: Garbage, tools: Tools) -> None:
    """Report what the board says. Ends only by raising Unreachable, when the port is gone."""
    try:
        async with asyncio.timeout(QUIET):
            data = await port.read()
        splitter = Splitter(mid_line=True)
    except TimeoutError:
        data, splitter = b"", Splitter(mid_line=False)
    while True:
        said: list[Sample] = []
        for line in splitter.feed(data):
            try:
                said.extend(decode(line, known))
            except DecodeError:
                garbage.undecoded += 1
        said.extend(garbage.news(splitter.dropped))
        if said:
            await tools.report(*said)
        data = await port.read()
