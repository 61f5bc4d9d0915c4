"""What the tests of the page's server share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.office import Office, office

__all__ = ["desk"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Office]:
    """Lend an office."""
    async with office(tmp_path) as found:
        yield found
