"""What every test here leaves behind: nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integrations.bacnet.tests.site import sockets


@pytest.fixture
def clean_up(nothing_left_behind: None) -> Iterator[None]:
    """Fail the test that leaves a task, a timer or a socket."""
    before = sockets()
    yield
    assert sockets() <= before, "a socket is left"  # one of an earlier test may be gone meanwhile
