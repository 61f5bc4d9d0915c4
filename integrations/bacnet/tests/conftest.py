"""What every test here leaves behind: nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from integrations.bacnet.tests.site import sockets


@pytest.fixture
async def clean_up() -> AsyncIterator[None]:
    """Fail the test that leaves a task or a socket."""
    tasks, open_before = asyncio.all_tasks(), sockets()
    yield
    assert asyncio.all_tasks() - {asyncio.current_task()} <= tasks, "a task is left"
    assert sockets() == open_before, "a socket is left"
