"""A large site as a real process: how long until it is ready after a crash, and how much memory it takes.

``restart``: 100 rules over 1,000 lanes with 100,000 running ``for``, and a million readings in the journal.
``footprint``: 1,000 rules and 10,000 entities (Home Assistant: 254 MiB, 3.9 s). Ready counts from the start of the
process to the first 200 of /readyz; the broker runs already, as it does after the crash of a hub.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hub.config.site import load_site
from hub.engine.state import EngineState
from hub.engine.step import adopt, step
from hub.journal.store import Journal
from hub.model.entry import Announcement, Entry
from hub.model.ids import EntityId
from hub.model.reading import Presence, Quality, Reading, Value
from hub.model.time import Instant
from hub.runtime.clock import wall
from tests.bench.figure import Figure
from tests.kit.broker import Broker, find_mosquitto
from tests.kit.hub import HubProcess
from tests.kit.many_rules import write_large_site

LANES, RULES, READINGS = 1_000, 100, 1_000_000
WAITING = """\
rule: waiting_{number}
name: {{zh: 等待{number}}}
zones: {{kind: fire_lane}}
trigger: {{vehicle: present, for: 12 h}}
actions: [{{open_incident: {{severity: low}}}}]
clear: {{vehicle: absent}}
"""
#: Discovery messages of Home Assistant: what makes an entity known.
CLASSES = {"vehicle": "occupancy", "door": "door"}


def figures() -> Iterator[Figure]:
    """Measure both sites; raises RuntimeError where Mosquitto is missing."""
    if find_mosquitto() is None:
        raise RuntimeError("mosquitto is not installed: there is nothing to listen to")
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        broker = Broker(Path(name) / "broker")
        broker.start()
        try:
            yield from _restart(Path(name) / "restart", broker)
            yield from _footprint(Path(name) / "footprint", broker)
        finally:
            broker.stop()


def _restart(folder: Path, broker: Broker) -> Iterator[Figure]:
    config = write_large_site(
        folder, 0, LANES, f"mqtt: {{url: {broker.url}}}\nintegrations: {{mqtt_discovery: {{}}}}\n"
    )
    for number in range(RULES):
        (folder / "rules" / f"waiting_{number}.yaml").write_text(WAITING.format(number=number), "utf-8")
    pending = asyncio.run(_crowd(folder / "data", config))
    ready, _ = _run(config, folder / "data")
    note = f"{pending} running `for`, {READINGS} readings in the journal; want 5"
    yield Figure("restart", "restart.ready_s", round(ready, 2), "s", 1, note)


def _footprint(folder: Path, broker: Broker) -> Iterator[Figure]:
    extra = f"mqtt: {{url: {broker.url}}}\nintegrations: {{mqtt_discovery: {{}}}}\n"
    config = write_large_site(folder, 1_000, LANES, extra)
    asyncio.run(_announce(folder / "data", 10_000))
    ready, resident = _run(config, folder / "data")
    note = "10,000 entities, 1,000 rules"
    yield Figure("footprint", "footprint.ready_s", round(ready, 2), "s", 1, f"{note}; want 1.5")
    yield Figure("footprint", "footprint.rss_mib", round(resident), "MiB", 1, f"{note}; want 120")


async def _crowd(data: Path, config: Path) -> int:
    """Fill a journal: every lane has a car, every rule waits for it, and much was heard before."""
    data.mkdir(parents=True)  # noqa: ASYNC240 - nothing else runs here
    journal, folder = Journal(data), load_site(config)
    program, state, now = folder.program(), EngineState(), wall()
    made = adopt(program, state, now)
    state.apply(made)
    entry = Entry(at=now, slots=dict(made.slots))
    for number in range(LANES):
        at = Instant(now + number)
        reading = Reading(_entity("vehicle", number), Presence.PRESENT, Quality.GOOD, at)
        change = step(program, state, reading, at)
        state.apply(change)
        entry.states.update(change.states)
        entry.slots.update(change.slots)
    entry.announcements = [_announced("vehicle", number) for number in range(LANES)]
    await journal.commit(entry)
    values: tuple[Value, ...] = (Presence.PRESENT, Presence.ABSENT)
    for begin in range(0, READINGS, 50_000):
        readings = [
            Reading(_entity("vehicle", n % LANES), values[n // LANES % 2], Quality.GOOD, Instant(now - READINGS + n))
            for n in range(begin, begin + 50_000)
        ]
        await journal.commit(Entry(at=now, readings=readings))
    await journal.close()
    return len(state.slots)


async def _announce(data: Path, entities: int) -> None:
    """Make entities known, a vehicle sensor or a door contact each."""
    data.mkdir(parents=True)  # noqa: ASYNC240 - nothing else runs here
    journal = Journal(data)
    kinds = list(CLASSES)
    found = [_announced(kinds[number % 2], number // 2) for number in range(entities)]
    await journal.commit(Entry(at=wall(), announcements=found))
    await journal.close()


def _entity(kind: str, number: int) -> EntityId:
    return EntityId(f"mqtt_discovery.{kind}_{number}")


def _announced(kind: str, number: int) -> Announcement:
    name = f"{kind}_{number}"
    payload = {
        "name": name, "unique_id": name, "device_class": CLASSES[kind], "state_topic": f"{kind}/{number}/state",
        "device": {"identifiers": [name], "name": name},
    }  # fmt: skip
    topic = f"homeassistant/binary_sensor/{name}/config"
    return Announcement("mqtt_discovery", topic, json.dumps(payload).encode())


def _run(config: Path, data: Path) -> tuple[float, float]:
    """Start a hub; return seconds until it was ready and its resident memory in MiB a moment later."""
    hub = HubProcess(config, data)
    began = time.monotonic()
    hub.start()
    ready = time.monotonic() - began
    try:
        time.sleep(2)
        with open(f"/proc/{hub.pid}/status", encoding="ascii") as status:  # noqa: PTH123 - no file on a disk
            (line,) = (line for line in status if line.startswith("VmRSS"))
        return ready, int(line.split()[1]) / 1_024
    finally:
        hub.close()
