"""Many devices of ten integrations at once: every reading is kept once, and silence is noticed in time (F20, F22).

The short form of ``python -m tests.bench devices``, which measures; nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.kit.broker import Broker
from tests.kit.crowd.ends import Ends
from tests.kit.crowd.ledger import audit
from tests.kit.crowd.page import Page, fall_silent, meet, speak
from tests.kit.crowd.site import told, write_site
from tests.kit.crowd.units import DOMAINS, crowd
from tests.kit.generator import Generator
from tests.kit.hub import MakeHub
from tests.kit.mqtt import need_mosquitto
from tests.kit.store import whole

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

DEVICES, PERIOD, SECONDS = 100, 1.0, 5.0
#: Seconds of silence until a device is stale, and by how many more it may be shown late.
SILENCE, LATE = 4, 5.0


async def test_nothing_is_lost_and_silence_is_noticed_in_time(tmp_path: Path, broker: Broker, hub_of: MakeHub) -> None:
    need_mosquitto()
    units = crowd(DEVICES)
    async with Ends(units, SILENCE) as ends:
        hub = hub_of(write_site(tmp_path / "site", broker.url, ends.port, units, SILENCE))
        await asyncio.to_thread(hub.start)
        async with Page(hub) as page:
            with Generator(broker.port) as farm:
                ends.announce(farm, hub.url)
                await meet(ends, page)
                assert {name.partition(".")[0] for name in await page.entities()} == set(DOMAINS)
                await speak(ends, PERIOD, SECONDS, page)
                silent = await fall_silent(ends, page, LATE)
            incidents = await asyncio.to_thread(told, hub)
        kept = await asyncio.to_thread(audit, hub.data, ends.said)
        problems = await asyncio.to_thread(hub.problems)
        code, _ = await asyncio.to_thread(hub.terminate)
    assert incidents == [("together", "mains")], "what dies of one cause is one incident"
    assert ends.refused == []
    assert problems == []
    assert code == 0
    whole(hub.data)
    assert len(ends.said) == DEVICES * SECONDS / PERIOD
    assert (kept.lost, kept.doubled) == (0, 0)
    assert kept.early == 0, "a device that speaks is not taken for silent"
    trusted = [unit.entity for unit in units if unit not in silent]
    assert trusted == [], f"still trusted {LATE:g} s after the limit"
    assert min(silent.values()) > -0.5, "no device is given up before its limit"
    assert len(page.shown) == len(ends.said) / 10, "what is looked out for is shown"
