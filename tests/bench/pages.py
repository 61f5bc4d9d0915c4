"""Fifty pages open at once against 200 readings a second: how late a reading is on the screen, and what the hub pays.

Real hub, real Mosquitto, and one real Chromium whose MutationObserver stamps each value when it stands in the document.
The other 49 pages are connections that do what the page does: listen to the WebSocket, gather for 0.1 s, then fetch
the zones whole. Twenty sensors, as many as the desk shows at first, speak ten times a second for ``PAGES_SECONDS``
(default 20). A latency counts from the moment at which the reading was due to the first moment at which the document
shows it, or a later one of that sensor. The page then starts anew on a CPU slowed four times.

Then, at a site with 500 fire lanes, 500 incidents open within a second in front of one real page: the longest delay of
a key press, as the browser's own event timing has it, and how often the page sounded.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Page, async_playwright

from tests.bench.figure import Figure, percentile
from tests.kit.broker import Broker, find_mosquitto
from tests.kit.browser import FLAGS
from tests.kit.generator import Generator
from tests.kit.hub import HubProcess

BENCH = "pages"
PAGES, SENSORS, RATE, LANES = 50, int(os.environ.get("PAGES_SENSORS", "20")), 200, 500
#: Seconds for which the page gathers, as ui/src/api/live.ts has it.
GATHER = 0.1
RULE = """\
rule: at_once
name: {zh: 消防通道有车}
zones: {kind: fire_lane}
trigger: {vehicle: present}
actions: [{open_incident: {severity: high}}]
clear: {vehicle: absent, for: 1 h}
"""
#: Stamps what the document shows: [milliseconds since 1970, zone, value].
STAMP = """() => {
  window.stamps = []
  const look = (node) => {
    const card = (node.nodeType === 1 ? node : node.parentElement)?.closest('[data-testid="zone-card"]')
    const value = card && parseFloat(card.querySelector('.state strong')?.textContent ?? '')
    if (value) window.stamps.push([Date.now(), card.dataset.id, value])
  }
  new MutationObserver((list) => list.forEach((one) => look(one.target)))
    .observe(document.body, { subtree: true, childList: true, characterData: true })
}"""
#: Milliseconds from each key press to the next paint; and the sounds.
TIMING = """window.delays = []; window.sounds = 0
new PerformanceObserver((list) => list.getEntries().forEach((one) => window.delays.push(one.duration)))
  .observe({ type: 'event', durationThreshold: 16 })
const start = OscillatorNode.prototype.start
OscillatorNode.prototype.start = function (at) { window.sounds += 1; return start.call(this, at) }"""


def figures() -> Iterator[Figure]:
    """Measure; raises RuntimeError where Mosquitto or Chromium is missing."""
    if find_mosquitto() is None or shutil.which("chromium") is None:
        raise RuntimeError("mosquitto or chromium is not installed")
    for site in (_sheds(), _lanes()):
        with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
            broker = Broker(Path(name) / "broker")
            broker.start()
            hub = HubProcess(_site(Path(name) / "site", broker, site), Path(name) / "data")
            try:
                hub.start()
                yield from asyncio.run(_measure(hub, broker, len(site)))
            finally:
                hub.close()
                broker.stop()


def _sheds() -> dict[str, Any]:
    return {
        f"shed_{n}": {"kind": "bike_shed", "name": f"车棚{n}", "bind": {"temperature": f"mqtt_discovery.t_{n}"}}
        for n in range(SENSORS)
    }


def _lanes() -> dict[str, Any]:
    return {
        f"lane_{n}": {"kind": "fire_lane", "name": f"车道{n}", "bind": {"vehicle": f"mqtt_discovery.v_{n}"}}
        for n in range(LANES)
    }


def _site(folder: Path, broker: Broker, zones: dict[str, Any]) -> Path:
    (folder / "rules").mkdir(parents=True)
    if len(zones) == LANES:
        (folder / "rules" / "at_once.yaml").write_text(RULE, "utf-8")
    site: dict[str, Any] = {
        "site": {"id": "pages", "name": "五十个页面"},
        "mqtt": {"url": broker.url},
        "integrations": {"mqtt_discovery": {}},
        "zones": zones,
    }
    (folder / "hub.yaml").write_text(json.dumps(site, ensure_ascii=False), "utf-8")
    return folder / "hub.yaml"


def _announce(farm: Generator) -> None:
    for n in range(SENSORS):
        said = {"unique_id": f"t_{n}", "name": "温度", "device_class": "temperature", "unit_of_measurement": "°C",
                "state_topic": f"t/{n}", "device": {"identifiers": [f"t{n}"]}}  # fmt: skip
        farm.send(f"homeassistant/sensor/t_{n}/config", json.dumps(said), retain=True)
        farm.send(f"t/{n}", "0.1")
    for n in range(LANES):
        said = {"unique_id": f"v_{n}", "name": "车辆", "device_class": "occupancy", "state_topic": f"v/{n}",
                "device": {"identifiers": [f"v{n}"]}}  # fmt: skip
        farm.send(f"homeassistant/binary_sensor/v_{n}/config", json.dumps(said), retain=True)


async def _measure(hub: HubProcess, broker: Broker, zones: int) -> list[Figure]:
    found: list[Figure] = []
    with Generator(broker.port) as farm:
        _announce(farm)
        farm.flush()
        await asyncio.sleep(2)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
            await page.add_init_script(TIMING)
            await page.goto(f"{hub.url}#token={hub.token}")
            await page.wait_for_selector('[data-testid="zone-card"]')
            await page.mouse.click(5, 300)  # a page that nobody has touched may not sound
            await page.evaluate(STAMP)
            if zones == LANES:
                found += await _storm(farm, page)
            else:
                found += await _readings(hub, farm, page, float(os.environ.get("PAGES_SECONDS", "20")))
                found.append(await _slow_start(page))
            await browser.close()
    return found


async def _readings(hub: HubProcess, farm: Generator, page: Page, seconds: float) -> list[Figure]:
    said: list[tuple[float, str, float]] = []
    fetched = [0, 0]  # answers, and their bytes
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {hub.token}"}) as http:
        others = [asyncio.create_task(_other(http, f"{hub.url}api/v1/", fetched)) for _ in range(PAGES - 1)]
        await asyncio.sleep(2)
        fetched[:], cpu, began = [0, 0], _cpu(hub.pid), time.time()
        for number in range(round(seconds * RATE)):
            due = began + number / RATE
            await asyncio.sleep(max(0.0, due - time.time()))
            turn, n = divmod(number, SENSORS)
            value = round(0.2 + turn / 10, 1)
            farm.send(f"t/{n}", str(value))
            said.append((due, f"shed_{n}", value))
        share = (_cpu(hub.pid) - cpu) / (time.time() - began)
        await asyncio.sleep(3)
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    stamps: list[tuple[float, str, float]] = await page.evaluate("() => window.stamps")
    late, unseen = _latencies(said, stamps)
    return [
        Figure(BENCH, "reading to screen p50", round(percentile(late, 0.5) * 1_000), "ms", len(late)),
        Figure(BENCH, "reading to screen p99", round(percentile(late, 0.99) * 1_000), "ms", len(late)),
        Figure(BENCH, "readings never on the screen", unseen, "", len(said), "0 is right: each is shown or overtaken"),
        Figure(BENCH, f"hub CPU with {PAGES} pages", round(share * 100), "%", 1, f"of one core, {RATE} readings/s"),
        Figure(BENCH, "fetches of the zones", round(fetched[0] / seconds), "1/s", fetched[0], "by the other 49 pages"),
        Figure(BENCH, "zones, read by a page", round(fetched[1] / seconds / (PAGES - 1) / 1_000), "kB/s", PAGES - 1),
    ]


def _latencies(said: list[tuple[float, str, float]], stamps: list[tuple[float, str, float]]) -> tuple[list[float], int]:
    """Match what was said with what was shown; a later value of the same sensor counts for the earlier ones."""
    by_zone: dict[str, list[tuple[float, float]]] = {}
    for at, zone, value in stamps:
        by_zone.setdefault(zone, []).append((at / 1_000, value))
    late, unseen = [], 0
    for due, zone, value in said:
        shown = next((at for at, seen in by_zone.get(zone, ()) if seen >= value - 0.01), None)
        if shown is None:
            unseen += 1
        else:
            late.append(shown - due)
    return late, unseen


async def _other(http: aiohttp.ClientSession, api: str, fetched: list[int]) -> None:
    """Do what a page does: fetch the zones that changed, or all where the hub names none."""
    changed, names = asyncio.Event(), set[str]()
    everything = True

    async def fetch() -> None:
        nonlocal everything
        while True:
            await changed.wait()
            await asyncio.sleep(GATHER)
            changed.clear()
            query = [] if everything else [("id", name) for name in sorted(names)]
            names.clear()
            everything = False
            async with http.get(api + "zones", params=query) as answer:
                fetched[1] += len(await answer.read())
            fetched[0] += 1

    fetching = asyncio.create_task(fetch())
    try:
        async with http.ws_connect(api + "ws") as socket:
            await socket.send_json({"subscribe": ["zones", "incidents", "site"]})
            async for message in socket:
                said = json.loads(message.data)
                if said["topic"] == "zones":
                    if said["id"] is None:
                        everything = True
                    else:
                        names.add(said["id"])
                    changed.set()
    finally:
        fetching.cancel()
        with suppress(asyncio.CancelledError):
            await fetching


async def _storm(farm: Generator, page: Page) -> list[Figure]:
    """Open an incident in every lane within a second, while somebody types."""
    await page.evaluate("() => { window.delays = []; window.sounds = 0 }")
    began = time.monotonic()
    for n in range(LANES):
        farm.send(f"v/{n}", "ON")
    keys, listed, count = 0, float("nan"), "() => document.querySelector('.pill.alarm.number')?.textContent"
    while time.monotonic() - began < 8:
        await page.keyboard.press("Tab")
        keys += 1
        await asyncio.sleep(0.05)
        if listed != listed and await page.evaluate(count) == str(LANES):
            listed = time.monotonic() - began
    delays: list[float] = await page.evaluate("() => window.delays")
    # two notes make one tone
    tones = await page.evaluate("() => window.sounds / 2")
    note = f"{LANES} incidents in 1 s; most of {keys} keys"
    return [
        Figure(BENCH, "longest input delay in a storm", max(delays, default=0), "ms", len(delays), note),
        Figure(BENCH, "tones in the storm", tones, "", 1, "in 8 s; at most one in 10 s"),
        Figure(BENCH, "all incidents listed within", round(listed, 1), "s", LANES, "from the first message"),
    ]


async def _slow_start(page: Page) -> Figure:
    """Load the page anew on a CPU slowed four times; done when the desk is drawn and answers."""
    slow = await page.context.new_cdp_session(page)
    await slow.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await slow.send("Network.setBypassServiceWorker", {"bypass": True})
    await slow.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    began = time.monotonic()
    await page.reload(wait_until="commit")
    await page.wait_for_selector('[data-testid="sign-out"]')
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    took = time.monotonic() - began
    await slow.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return Figure(
        BENCH,
        "interactive on a CPU slowed 4 times",
        round(took * 1_000),
        "ms",
        1,
        "signed in, nothing cached",
    )


def _cpu(pid: int) -> float:
    """Return the seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
