"""Files of reports are drawn apart: the hub's loop does not wait, what is missing is said, nobody is left behind."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable
from typing import Any

import msgspec
import pytest

from hub.journal.report import Blocked, Judged
from hub.model.errors import JournalError
from hub.model.text import Text
from hub.model.time import HOUR
from hub.web.drawing import Sheets, drawn
from hub.web.errors import Refusal
from hub.web.report_files import pdf
from hub.web.report_tables import tables
from hub.web.reports import RECENT, ReportOut
from tests.kit import pdf as read_pdf
from tests.kit.office import Office
from tests.unit.web.test_reports import NAMING, hostile


def sheets(rows: int) -> Sheets:
    """Return the month of a large site: so many rules, zones, devices and lanes."""
    judged = tuple(Judged(f"名称{number}号楼{chr(0x4E00 + number)}", number, 1, 0) for number in range(rows))
    lanes = tuple(Blocked(one.name, HOUR, 2 * HOUR) for one in judged)
    found = msgspec.structs.replace(hostile(), rules=judged, zones=judged, devices=judged, lanes=lanes, doors=lanes)
    return Sheets("pdf", Text("小区 月报 2026-11"), Text("b"), tables(found, NAMING), "zh")


async def beside(work: Awaitable[bytes]) -> tuple[bytes, float]:
    """Do ``work`` while the loop turns, as a hub's does; also return the longest turn, whatever else the machine does.

    A turn is measured by what this process computes in it, in seconds: a thread that holds the interpreter's lock while
    the loop waits for it counts in full.
    """
    task, longest = asyncio.ensure_future(work), 0.0
    gc.disable()  # a full round is the garbage of all tests before
    try:
        while not task.done():
            began = time.process_time()
            await asyncio.sleep(0.002)
            longest = max(longest, time.process_time() - began)
    finally:
        gc.enable()
    return task.result(), longest


async def test_the_loop_turns_as_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.apart.GIVES_WAY", 10)  # as in a hub
    large = sheets(80)
    began = time.process_time()
    content, busy = await beside(drawn(large))
    apart = time.process_time() - began
    assert "名称79号楼" in read_pdf.words(content)
    began = time.process_time()
    _, on_a_thread = await beside(asyncio.to_thread(pdf, large.title, large.subtitle, large.tables, large.language))
    here = time.process_time() - began
    assert busy < on_a_thread / 3, "the longest turn"
    assert apart < here / 3, "the hub's own share of the work"


async def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refusal, match="fonts-noto-cjk") as caught:
        await drawn(sheets(1))
    assert (caught.value.status, caught.value.error) == (409, "no_font")


async def test_a_process_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = asyncio.create_subprocess_exec

    async def start(*command: str, **options: Any) -> asyncio.subprocess.Process:
        return await real(command[0], "-c", "import sys; sys.stdin.read()", **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    with pytest.raises(JournalError, match="without a result"):
        await drawn(sheets(1))


async def test_nobody_is_left_who_draws_for_nobody(endless: list[asyncio.subprocess.Process]) -> None:
    task = asyncio.create_task(drawn(sheets(1)))
    while not endless:  # noqa: ASYNC110
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert endless[0].returncode is not None


async def test_a_file_that_nobody_waits_for_is_not_drawn_to_the_end(
    desk: Office, endless: list[asyncio.subprocess.Process]
) -> None:
    found = msgspec.json.decode(
        '{"period": "day", "at": "2026-11-20", "begin": null, "end": null, "made": "x", "title": {"zh": "a"}, '
        '"subtitle": {"zh": "b"}, "tables": []}', type=ReportOut,
    )  # fmt: skip
    desk.client.app[RECENT].keep(found)
    asking = asyncio.create_task(desk.ask("/api/v1/reports/pdf?period=day&at=2026-11-20&made=x", "manager"))
    while not endless:  # noqa: ASYNC110 - the server starts it
        await asyncio.sleep(0.01)
    assert endless[0].returncode is None
    asking.cancel()
    async with asyncio.timeout(10), desk.context.counting:
        assert endless[0].returncode is not None
