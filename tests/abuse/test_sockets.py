"""Only documented sockets listen (S20): what the hub's processes hold is compared with docs/security.md."""

from __future__ import annotations

import json
import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest

from tests.kit.broker import free_port
from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane, need_mosquitto
from tests.kit.sims import Speaker
from tests.kit.site import ROOT, Ends, short_rule, write_site
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

#: States of /proc/net/tcp (include/net/tcp_states.h); an unconnected UDP socket is "closed".
LISTEN, CLOSE = "0A", "07"
_ROW = re.compile(r"^\| (?P<what>[^|]+) \| `(?P<setting>[^`]+)` \| (?P<protocol>TCP|UDP) \|", re.MULTILINE)


def documented() -> dict[str, str]:
    """Return setting and protocol of every row of the table."""
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    return {match["setting"]: match["protocol"] for match in _ROW.finditer(text)}


def held(pids: set[int]) -> set[str]:
    """Return the inodes of the sockets of these processes."""
    found = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                target = str(link.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                found.add(target[8:-1])
    return found


def address(text: str) -> tuple[IPv4Address | IPv6Address, int]:
    """Read an address of /proc/net: words of 32 bits in the machine's order."""
    host, _, port = text.partition(":")
    data = bytes.fromhex(host)
    words = b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))
    return ip_address(words), int(port, 16)


def listening(hub: HubProcess) -> dict[str, set[tuple[str, int]]]:
    """Return what the hub and everything it started listens on, by protocol."""
    mine = held(hub.family())
    found: dict[str, set[tuple[str, int]]] = {"TCP": set(), "UDP": set(), "unix": set()}
    for file, protocol, state in (
        ("tcp", "TCP", LISTEN),
        ("tcp6", "TCP", LISTEN),
        ("udp", "UDP", CLOSE),
        ("udp6", "UDP", CLOSE),
    ):
        for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in mine and fields[3] == state:
                host, port = address(fields[1])
                found[protocol].add((str(host), port))
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[6] in mine and fields[3] == "00010000":  # __SO_ACCEPTCON
            found["unix"].add((fields[7] if len(fields) > 7 else "", 0))
    return found


def test_the_table_is_there() -> None:
    assert documented()["web.listen"] == documented()["mqtt.listen"] == "TCP"


def test_the_list_sees_a_socket(hub_of: MakeHub, tmp_path: Path) -> None:
    """A list that finds nothing would agree with any table."""
    import os

    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))

        class Us(HubProcess):
            def family(self) -> set[int]:
                return {os.getpid()}

        found = listening(Us(tmp_path / "x", tmp_path))
        assert ("127.0.0.1", server.getsockname()[1]) in found["TCP"]
        assert ("127.0.0.1", other.getsockname()[1]) in found["UDP"]


@pytest.mark.parametrize("own_broker", [True, False], ids=["own broker", "another broker"])
def test_nothing_else_listens(own_broker: bool, tmp_path: Path, hub_of: MakeHub) -> None:
    need_mosquitto()
    port, away = free_port(), free_port()
    mqtt = {"listen": f"127.0.0.1:{port}"} if own_broker else {"url": f"mqtt://127.0.0.1:{away}"}
    with Speaker(tmp_path) as speaker:
        config = write_site(tmp_path / "site", mqtt, Ends(rtp=speaker.ports["rtp"], camera=free_port()))
        short_rule(config, "1 s")
        hub = hub_of(config)
        hub.start()
        wanted = {"web.listen": ("127.0.0.1", int(hub.url.rstrip("/").rpartition(":")[2]))}
        if own_broker:
            wanted["mqtt.listen"] = ("127.0.0.1", port)
            lane = Lane(port)
            lane.announce()
            until(hub.entities, lambda known: lane.entity in known)
            lane.occupied()
            until(speaker.begun, within=10, what="it speaks")
        found = listening(hub)
        assert found["TCP"] == set(wanted.values())
        assert found["unix"] == set()
        assert {host for host, _ in found["UDP"]} <= {"127.0.0.1"}, (
            "a loudspeaker's sender is bound to the way it takes"
        )
        assert set(wanted) <= set(documented())


def test_the_defaults_are_for_this_machine_alone() -> None:
    from hub.config.settings import Mqtt, Web

    for listen in (Web().listen, Mqtt().listen):
        assert listen.loopback
        row = f"| TCP | {listen.host}:{listen.port} |"
        assert row in (ROOT / "docs" / "security.md").read_text("utf-8")


def test_beyond_this_machine_nobody_answers(tmp_path: Path, hub_of: MakeHub) -> None:
    """From another address of the machine, as a neighbour on the network would call."""
    need_mosquitto()
    port = free_port()
    config = write_site(tmp_path / "site", {"listen": f"127.0.0.1:{port}"}, Ends())
    short_rule(config, "1 s")
    hub = hub_of(config)
    hub.start()
    page = int(hub.url.rstrip("/").rpartition(":")[2])
    assert json.loads(config.read_text())["mqtt"]["listen"].startswith("127.0.0.1")
    for one in (page, port):
        for other in ("127.0.0.2", "127.255.255.254"):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((other, one), timeout=2)
