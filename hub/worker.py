"""``python -m hub.worker FD``: a plugin's process. Started by the hub, which speaks to it over the socket FD."""

from __future__ import annotations

import asyncio
import ctypes
import resource
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hub.config import integrations
from hub.model.document import Mapping
from hub.runtime.isolation.child import serve
from hub.runtime.isolation.reading import Reading
from hub.sdk import Tools
from hub.sdk.addresses import session

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from hub.runtime.isolation.wire import Open
    from hub.sdk import Connection, Equipment
    from hub.sdk.tools import PushHandler, Report

#: Open files of one process.
FILES = 512
_PR_SET_PDEATHSIG = 1  # prctl(2)


async def _open(
    http: aiohttp.ClientSession, what: Open, report: Report, receive: Callable[[PushHandler], str]
) -> Connection | tuple[Equipment, ...] | Reading:
    if what.include:
        integrations.include(Path(what.include))
    if not what.name:
        return _reading(what)
    session = integrations.plugin(what.domain).session
    if session is None:
        raise TypeError(f"{what.domain} has no devices")
    config = integrations.convert(Mapping("hub.yaml", 1, 1, ()), what.values, session.config)
    tools = Tools(http, Path(what.site), Path(what.data), report, receive)
    opened: Connection | tuple[Equipment, ...] = await session.connect(what.name, config, tools)
    return opened


def _reading(what: Open) -> Reading:
    plugin = integrations.plugin(what.domain)
    node = Mapping("hub.yaml", 1, 1, ())
    if (part := plugin.decoder) is not None:
        config = integrations.convert(node, what.values, part.config)
        announce = part.announce
        return Reading(part.filters(config), announce=lambda message: announce(message, config))
    if (uplinks := plugin.uplinks) is not None:
        config = integrations.convert(node, what.values, uplinks.config)
        decode = uplinks.decode
        return Reading(uplinks.filters(config), decode=lambda message: decode(message, config))
    raise TypeError(f"{what.domain} reads no messages")


async def _main(descriptor: int) -> None:
    async with session() as http:
        await serve(socket.socket(fileno=descriptor), partial(_open, http))


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # a hub that was killed leaves no process behind
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Path("/proc/self/oom_score_adj").write_text("500")  # when memory ends, this goes before the hub (proc(5))
    asyncio.run(_main(int(sys.argv[1])))
