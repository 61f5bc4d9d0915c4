"""Work apart from the hub gives way to it: a report that is drawn must not hold up an alarm."""

from __future__ import annotations

import os

import pytest

from hub.web import apart
from hub.web.apart import Told, result_of, work_for_parent


class Given(Told, frozen=True):
    """How nice the process is."""

    result: int | None = None


def nice_here() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


async def test_it_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await result_of(__name__, None, Given) == nice_here()
    monkeypatch.undo()  # what spares the other tests of this folder the waiting
    assert apart.GIVES_WAY == 10
    assert await result_of(__name__, None, Given) == min(nice_here() + 10, 19)


if __name__ == "__main__":
    work_for_parent(Given, lambda _job, _progress: nice_here())
