"""The broker for trying out, in a process of its own: ``python -m hub.runtime.mqtt.amqtt_child HOST PORT``."""

from __future__ import annotations

import asyncio
import signal
import sys


async def serve(host: str, port: int) -> None:
    """Serve until SIGTERM."""
    from amqtt.broker import Broker  # an optional extra, imported only where it is used

    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    await end.wait()
    await broker.shutdown()


if __name__ == "__main__":
    try:
        asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
    except ImportError:
        sys.exit("no broker: install mosquitto, or the extra `menshen[broker]`, or set `mqtt.url` in hub.yaml")
