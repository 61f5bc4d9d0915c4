"""What the hub lends to a session, and what it heard from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from hub.sdk import Sample, Tools, Vitals


@pytest.fixture
def heard() -> list[Sample]:
    return []


@pytest.fixture
async def tools(tmp_path: Path, heard: list[Sample]) -> AsyncIterator[Tools]:
    async def report(*said: Sample | Vitals) -> None:
        heard.extend(sample for sample in said if isinstance(sample, Sample))

    async with aiohttp.ClientSession() as http:
        yield Tools(http=http, site=tmp_path, data=tmp_path, report=report)
