"""What the tests of the page's server share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.web import apart
from tests.kit.office import Office, office

__all__ = ["desk"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Office]:
    """Lend an office."""
    async with office(tmp_path) as found:
        yield found


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work apart gives way to nobody here: beside other tests it would wait for seconds (proven by test_apart.py)."""
    monkeypatch.setattr(apart, "GIVES_WAY", 0)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.subprocess.Process]:
    """Make every process one that would never end by itself; list those that were started."""
    started: list[asyncio.subprocess.Process] = []
    real = asyncio.create_subprocess_exec

    async def start(*command: str, **options: Any) -> asyncio.subprocess.Process:
        script = "import time\nwhile True: print('{\"progress\": 0.5}', flush=True); time.sleep(0.01)"
        started.append(await real(command[0], "-c", script, **options))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    return started
