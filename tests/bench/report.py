"""``report``: the figures of a month of a large site, its PDF drawn apart, and what the hub's loop waits meanwhile."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

from hub.journal.report import Scope, figures
from hub.model.ids import EntityId
from hub.model.site import Role
from hub.model.text import Text
from hub.web.drawing import Sheets, drawn
from hub.web.report_tables import Naming, tables
from tests.bench.backtest import BEGIN, DEVICES, END, record_month
from tests.bench.figure import Figure

BENCH = "report"


def bench() -> Iterator[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        rows = record_month(Path(name))
        names = {role: [EntityId(f"bench.{role}_{n}") for n in range(count)] for role, (count, _) in DEVICES.items()}
        alone = {role: {str(name): frozenset({name}) for name in found} for role, found in names.items()}
        cars, devices = alone[Role.VEHICLE], {name: one for found in alone.values() for name, one in found.items()}
        began = time.monotonic()
        found = figures(Path(name), Scope(cars, cars, alone[Role.DOOR], devices), BEGIN, END, END)
        yield Figure(BENCH, "report.month_s", round(time.monotonic() - began, 2), "s", rows, f"{len(devices)} devices")
    made = tables(found, Naming(_same, _same, _same, _same))
    sheets = Sheets("pdf", Text("小区 月报"), Text("2026-10"), made, "zh")
    idle, _ = asyncio.run(_lag(asyncio.sleep(3)))
    longest, seconds = asyncio.run(_lag(drawn(sheets)))
    yield Figure(BENCH, "report.pdf_s", round(seconds, 2), "s", sum(len(table.rows) for table in made), "rows")
    yield Figure(
        BENCH, "report.lag_ms", round(longest * 1_000, 1), "ms", 1, f"while it is drawn; idle {idle * 1e3:.1f}"
    )


async def _lag(work: Coroutine[Any, Any, object]) -> tuple[float, float]:
    """Do ``work``; return how much later than asked for the loop turned at worst, and how long it took, in seconds."""
    task, longest, began = asyncio.ensure_future(work), 0.0, time.monotonic()
    while not task.done():
        asked = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - asked - 0.005)
    await task
    return longest, time.monotonic() - began


def _same(name: str) -> Text:
    return Text(name, name)
