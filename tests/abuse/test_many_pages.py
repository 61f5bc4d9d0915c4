"""A thousand pages that never read (S21): the hub warns as before, people sign in, and its memory stays bounded."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.web.live import MOST
from tests.abuse.test_bad_input import MIB, fires, resident
from tests.kit.broker import Broker
from tests.kit.http import request
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.sims import Speaker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PAGES = 1_000
#: Where they come from: one address alone would be stopped by the gate. Linux answers on all of 127.0.0.0/8.
SOURCES = tuple(f"127.0.0.{number}" for number in range(2, 6))
#: Masked with zeros (RFC 6455, 5.3).
_SUBSCRIBE = b'{"subscribe":["incidents","zones","site"]}'
FRAME = bytes((0x81, 0x80 | len(_SUBSCRIBE))) + bytes(4) + _SUBSCRIBE


def silent_page(hub: HubProcess, number: int) -> socket.socket:
    """Open a page's socket from one of the sources, ask for everything, and read nothing any more."""
    port = int(hub.url.rstrip("/").rpartition(":")[2])
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    link.settimeout(20)
    link.bind((SOURCES[number % len(SOURCES)], 0))
    link.connect(("127.0.0.1", port))
    link.sendall(
        f"GET /api/v1/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: Bearer {hub.token}\r\n\r\n".encode()
    )
    link.sendall(FRAME)
    return link


def test_a_thousand_pages_that_never_read(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    with ExitStack() as stack:
        speaker = stack.enter_context(Speaker(tmp_path))
        config = write_site(tmp_path / "site", {"url": broker.url}, Ends(rtp=speaker.ports["rtp"]))
        short_rule(config, "1 s")
        hub = hub_of(config)
        hub.start()
        lane = Lane(broker.port)
        lane.announce()
        until(hub.entities, lambda known: lane.entity in known)
        lane.free()
        new = {"name": "王师傅", "role": "guard", "password": "correct horse battery"}
        assert hub.send("POST", "users", new)[0] == 200
        before = resident(hub)
        links = [stack.enter_context(silent_page(hub, number)) for number in range(PAGES)]
        answers = [link.recv(12) for link in links]
        assert answers.count(b"HTTP/1.1 101") == MOST
        assert answers.count(b"HTTP/1.1 503") == PAGES - MOST
        for number in range(30):  # each is told to every page, and no page takes it
            hub.mode("test", on=number % 2 == 0)
        hub.mode("test", on=False)
        fires(hub, lane, speaker)
        given = {"name": new["name"], "password": new["password"]}
        assert request("POST", f"{hub.url}api/v1/session", given)[0] == 200
        grown = resident(hub) - before
        print(f"beside {PAGES} silent pages the hub grew by {grown / MIB:.0f} MiB")  # noqa: T201 - a figure
        assert grown < 64 * MIB
        assert hub.problems() == []
        assert "Traceback" not in hub.words()
        assert all(line.startswith("{") for line in hub.words().splitlines()), "not one JSON object a line"
        assert 0 < len(hub.said("web.no_http")) <= 10, (
            "what follows a refusal is no HTTP: it is told, and not each time"
        )
