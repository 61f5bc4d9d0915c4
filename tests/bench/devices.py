"""A thousand devices over ten integrations at 200 readings a second: latency, memory, loss, and all silent at once.

Real hub, real Mosquitto. Zigbee2MQTT, MQTT discovery and LoRaWAN speak through the broker, five plugins of the site
hold a TCP connection to each of their devices, one runs in processes of its own, one is pushed to by HTTP. Each device
speaks every 5 s for ``SOAK_SECONDS`` (default 60), a number that it never says again.

A latency counts from the moment at which the reading was due, so that a late sender hides nothing, to the moment at
which a program that listens to the WebSocket and, at each change, fetches the zones in which it waits for something,
has an answer with that value. That is the way of the page: it contains the commit that precedes the notice, and the
request. One reading in ten is looked out for, of each integration alike; to fetch after each of 200 readings a second
would measure the fetching. The API shows what is decided: a fetch after the notice of one reading may show the next
one a moment before its commit. The delay up to the decision is taken of all readings, from the journal.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figure import Figure, percentile
from tests.kit.broker import Broker, find_mosquitto
from tests.kit.crowd.ends import Ends, Said
from tests.kit.crowd.ledger import Ledger, audit
from tests.kit.crowd.page import Page, fall_silent, meet, speak
from tests.kit.crowd.site import told, write_site
from tests.kit.crowd.units import DOMAINS, Unit, crowd
from tests.kit.generator import Generator
from tests.kit.hub import HubProcess

BENCH = "devices"
DEVICES, PERIOD, SILENCE = 1_000, 5.0, 15
#: Seconds after the last limit for which devices that are still trusted are waited for.
WITHIN = 60.0
#: Samples of memory, one a second, whose median stands for a moment; the moments. At 200 readings a second the
#: journal's page cache (hub.journal.store.CACHE, 170 bytes a reading) is full after 290 s; nothing grows after that.
MOMENT, MOMENTS, FULL = 5, (60, 120, 300, 600), 300


@dataclass(frozen=True)
class _Run:
    seconds: float
    shown: list[tuple[Said, float]]
    missing: int
    late: list[float]
    """Seconds by which each reading was sent late."""
    resident: list[float]
    """MiB of the hub, once a second."""
    held: int
    silent: dict[Unit, float]
    ledger: Ledger
    said: int
    incidents: int
    """How many were open at the end."""


def figures() -> Iterator[Figure]:
    """Measure; raises RuntimeError where Mosquitto is missing."""
    if find_mosquitto() is None:
        raise RuntimeError("mosquitto is not installed: there is nothing to measure through")
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        done = asyncio.run(_run(Path(name), float(os.environ.get("SOAK_SECONDS", "60"))))
    yield from _latency(done)
    yield from _memory(done)
    ledger = done.ledger
    note = f"readings that are not in the journal; {ledger.doubled} twice, {ledger.early} times silent while speaking"
    yield Figure(BENCH, "devices.lost", ledger.lost, "", done.said, f"{note}; want 0")
    yield from _silence(sorted(done.silent.values()))
    note = "open when all have been silent for long, on one supply; want 1"
    yield Figure(BENCH, "devices.incidents", done.incidents, "", DEVICES, note)


def _silence(late: list[float]) -> Iterator[Figure]:
    """Seconds after its limit at which each device was shown stale, those that never were left out."""
    never, first = DEVICES - len(late), late[0] if late else WITHIN
    note = f"after the limit of {SILENCE} s, the first after {first:.2f}, {never} never within {WITHIN:g}; want 5"
    yield Figure(BENCH, "devices.stale_s", round(WITHIN if never else late[-1], 2), "s", len(late), note)


def _latency(done: _Run) -> Iterator[Figure]:
    shown = [(said.unit.domain, (at - said.due) * 1_000) for said, at in done.shown]
    every = [latency for _, latency in shown]
    late = f"{percentile(done.late, 0.99) * 1_000:.1f} ms late at p99, {max(done.late) * 1_000:.0f} at most"
    note = f"due to shown; sender {late}; {done.missing} never shown; loop held {done.held} times"
    for part, label in ((0.5, "p50"), (0.99, "p99"), (1.0, "max")):
        want = "; want 10" if label == "p99" else ""
        yield Figure(BENCH, f"devices.{label}_ms", round(percentile(every, part), 2), "ms", len(every), note + want)
    for domain in DOMAINS:
        own = [latency for name, latency in shown if name == domain]
        note = f"p50 {percentile(own, 0.5):.2f}"
        yield Figure(BENCH, f"devices.p99_ms@{domain}", round(percentile(own, 0.99), 2), "ms", len(own), note)
    decided = done.ledger.decided
    value = round(percentile(decided, 0.99) * 1_000, 2)
    yield Figure(BENCH, "devices.decided_p99_ms", value, "ms", len(decided), "due to decided, of all readings")


def _memory(done: _Run) -> Iterator[Figure]:
    """Memory at some moments, and how it grows, before and after everything that has a limit is full."""
    for at in MOMENTS:
        if at <= len(done.resident):
            value = statistics.median(done.resident[at - MOMENT : at])
            yield Figure(BENCH, f"devices.rss_mib@{at}s", round(value, 1), "MiB", MOMENT, "of the hub's process")
    for begin, want in ((120, "; the page cache still fills"), (FULL, "; want 0")):
        warm = done.resident[begin:]
        if len(warm) < 60:
            return
        slope = statistics.linear_regression(range(len(warm)), warm).slope * 60
        note = f"from {begin} s to {len(done.resident)} s{want}"
        yield Figure(BENCH, f"devices.rss_slope_mib_min@{begin}s", round(slope, 3), "MiB/min", len(warm), note)
        grown = statistics.median(warm[-MOMENT:]) - statistics.median(warm[:MOMENT])
        yield Figure(BENCH, f"devices.rss_growth_mib@{begin}s", round(grown, 1), "MiB", len(warm), note)


async def _run(folder: Path, seconds: float) -> _Run:
    units = crowd(DEVICES)
    async with AsyncExitStack() as stack:
        ends = await stack.enter_async_context(Ends(units, SILENCE))
        broker = Broker(folder / "broker", extra=("max_queued_messages 100000", "max_inflight_messages 20000"))
        broker.start()
        stack.callback(broker.stop)
        hub = HubProcess(write_site(folder / "site", broker.url, ends.port, units, SILENCE), folder / "data")
        stack.callback(hub.close)
        await asyncio.to_thread(hub.start)
        page = await stack.enter_async_context(Page(hub))
        ends.announce(stack.enter_context(Generator(broker.port)), hub.url)
        await meet(ends, page)
        held, resident = len(hub.said("loop.held")), list[float]()
        weighing = asyncio.create_task(_weigh(hub.pid, resident))
        late = await speak(ends, PERIOD, seconds, page)
        weighing.cancel()
        held = len(hub.said("loop.held")) - held
        silent = await fall_silent(ends, page, WITHIN)
        incidents = await asyncio.to_thread(told, hub)
        ledger = audit(hub.data, ends.said)
        return _Run(
            seconds, page.shown, page.missing, late, resident, held, silent, ledger, len(ends.said), len(incidents)
        )


async def _weigh(pid: int, resident: list[float]) -> None:
    """Note the resident memory of a process once a second, in MiB."""
    began = time.monotonic()
    while True:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:  # noqa: ASYNC230, PTH123 - no file on a disk
            (line,) = (line for line in status if line.startswith("VmRSS"))
        resident.append(int(line.split()[1]) / 1_024)
        await asyncio.sleep(began + len(resident) - time.monotonic())
