"""What these tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.kit.broker import broker

__all__ = ["broker", "http"]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Lend a client session."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session
