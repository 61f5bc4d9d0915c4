"""200 community nodes on UDP with 10 events a second each, and what the hub makes of them.

A real hub in a process of its own; the nodes speak the whole protocol (claim, counters, HMAC, repetition) from this
process. A latency counts from the moment at which the event was due to the node's receipt of the answer, which the hub
sends after the commit: network and the sender's own delay are in it. Lost is what the nodes were told is kept and what
the journal does not have, by counting. ``SOAK_SECONDS`` (default 60) says how long. The garbage collector of this
process rests meanwhile: with 200 nodes in it, one round held the senders up for 60 to 110 ms every ten seconds, and
that was taken for the hub's.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.frame import Frame
from firmware_bridge.tests.py_node import CODE, UdpNode
from hub.journal.store import FILE
from integrations.firmware_node.tests.site import free_port
from tests.bench.cuts import bricked
from tests.bench.figure import Figure, percentile
from tests.kit.broker import Broker
from tests.kit.hub import HubProcess

BENCH = "bridge"
NODES, RATE = 200, 10
#: Seconds until all nodes must be claimed, and until the last events must be answered.
CLAIMED, ANSWERED = 120.0, 120.0
_TICKS = os.sysconf("SC_CLK_TCK")


class TimedNode(UdpNode):
    """Knows when each event was due, and how long its answer took."""

    due: dict[int, float]
    took: list[float]

    def tell(self, due: float) -> None:
        """Let the door move."""
        self.due[self.seq + 1] = due
        self.happen(0, self.seq % 2 == 0)

    def _answered(self, frame: Frame) -> None:
        before = len(self.acked)
        super()._answered(frame)
        for _, seq in self.acked[before:]:
            if (due := self.due.pop(seq, None)) is not None:
                self.took.append(time.monotonic() - due)


@dataclass(frozen=True)
class _Run:
    seconds: float
    took: list[float]
    said: int
    kept: int
    cpu: float
    resident: float
    """MiB of the hub in the end."""
    repeated: int


def figures() -> Iterator[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        done = asyncio.run(_run(Path(name), float(os.environ.get("SOAK_SECONDS", "60"))))
    load = f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    note = f"{NODES} nodes, {RATE}/s each, {done.seconds:.0f} s, {done.repeated} repetitions; {load}"
    count = len(done.took)
    yield Figure(BENCH, "bridge.p50_ms@2000", round(percentile(done.took, 0.5) * 1_000, 2), "ms", count, note)
    yield Figure(BENCH, "bridge.p99_ms@2000", round(percentile(done.took, 0.99) * 1_000, 2), "ms", count, "want 20")
    yield Figure(BENCH, "bridge.events_lost", done.said - done.kept, "", done.said, "want 0; negative: kept twice")
    yield Figure(BENCH, "bridge.cpu_cores@2000", round(done.cpu / done.seconds, 2), "", 1, "of the whole hub")
    yield Figure(BENCH, "bridge.rss_mib@2000", round(done.resident, 1), "MiB", 1, "of the whole hub in the end")
    yield from _cuts()


def _cuts() -> Iterator[Figure]:
    count = int(os.environ.get("BRIDGE_CUTS", "100"))
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        dead, came, done = asyncio.run(bricked(Path(name), count))
    note = f"updates of the C node with a power cut at a random point; {came} cuts came, {done} updates ended as done"
    yield Figure(BENCH, "bridge.bricked_of_100_cuts", dead, "", count, f"{note}; want 0")


async def _run(folder: Path, seconds: float) -> _Run:
    nodes = [TimedNode(number + 1) for number in range(NODES)]
    broker = Broker(folder / "broker")
    broker.start()
    try:
        hub = HubProcess(_site(folder, broker.url, port := free_port(), nodes), folder / "data")
        hub.start()
        try:
            for node in nodes:
                node.due, node.took = {}, []
                await node.join(port)
            await _until(lambda: _strange(nodes), CLAIMED, lambda: _greet(nodes), "nodes are not claimed")
            gc.collect()
            gc.disable()
            began_cpu, began = _cpu(hub.pid), time.monotonic()
            await asyncio.gather(*(_speak(node, number, seconds) for number, node in enumerate(nodes)))
            spent, cpu = time.monotonic() - began, _cpu(hub.pid) - began_cpu
            await _until(lambda: _unanswered(nodes), ANSWERED, lambda: _push(nodes), "events are not answered")
            resident = _resident(hub.pid)
        finally:
            gc.enable()
            hub.close()
            for node in nodes:
                node.leave()
    finally:
        broker.stop()
    return _Run(
        seconds=spent,
        took=[one for node in nodes for one in node.took],
        said=sum(node.seq for node in nodes),
        kept=_kept(folder / "data"),
        cpu=cpu,
        resident=resident,
        repeated=sum(node.repeated for node in nodes),
    )


async def _speak(node: TimedNode, number: int, seconds: float) -> None:
    """Ten events a second, nodes spread over the tenth; what is not answered is repeated."""
    loop = asyncio.get_running_loop()
    begin = time.monotonic() + number / NODES / RATE
    for event in range(round(seconds * RATE)):
        due = begin + event / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        node.tell(due)
        if event % RATE == 0:
            loop.call_soon(node.push)


async def _until(left: Callable[[], int], within: float, nudge: Callable[[], None], what: str) -> None:
    ends = time.monotonic() + within
    while left():
        if time.monotonic() > ends:
            raise RuntimeError(f"{left()} {what} after {within:g} s")
        nudge()
        await asyncio.sleep(0.5)


def _strange(nodes: list[TimedNode]) -> int:
    return sum(not (node.key and node.clock) for node in nodes)


def _unanswered(nodes: list[TimedNode]) -> int:
    return sum(len(node.waiting) for node in nodes)


def _greet(nodes: list[TimedNode]) -> None:
    for node in nodes:
        if not node.key:
            node.hello()


def _push(nodes: list[TimedNode]) -> None:
    for node in nodes:
        node.push()


def _site(folder: Path, broker: str, port: int, nodes: list[TimedNode]) -> Path:
    (folder / "rules").mkdir()
    devices = {
        f"n{number}": {"name": f"节点 {number}", "node": node.id.hex(), "code": CODE, "udp": f"127.0.0.1:{port}"}
        for number, node in enumerate(nodes)
    }
    site = {
        "site": {"id": "nodes", "name": "节点小区"},
        "mqtt": {"url": broker},
        "zones": {},
        "devices": {"firmware_node": devices},
    }
    config = folder / "hub.yaml"
    config.write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    return config


def _kept(data: Path) -> int:
    with closing(sqlite3.connect(data / FILE)) as db:
        sql = "SELECT count(*) FROM readings WHERE entity LIKE 'firmware_node.%_0_door' AND value IS NOT NULL"
        return int(db.execute(sql).fetchone()[0])


def _cpu(pid: int) -> float:
    """Return seconds of processor time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(pid: int) -> float:
    """Return MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
