"""Cameras of a worker look one at a time, in the order in which they asked, whatever happens in a turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from hub.vision.worker.turn import Turn


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.001)


def test_they_come_in_the_order_in_which_they_asked_and_nobody_twice_before_the_others() -> None:
    turn, order = Turn(), list[str]()

    def look(name: str, times: int) -> None:
        for _ in range(times):
            with turn:
                order.append(name)

    threads = [threading.Thread(target=look, args=(name, times)) for name, times in (("a", 3), ("b", 1), ("c", 1))]
    with turn:
        for number, thread in enumerate(threads, 1):
            thread.start()
            until(lambda: turn.waiting == number)  # noqa: B023 - asked at once
    for thread in threads:
        thread.join(20)
    assert order[:3] == ["a", "b", "c"], "the first one has more to do, and lets the others go before that"
    assert sorted(order) == ["a", "a", "a", "b", "c"]
    assert turn.waiting == 0


def test_never_two_at_once() -> None:
    turn, inside, most = Turn(), 0, 0

    def look() -> None:
        nonlocal inside, most
        for _ in range(500):
            with turn:
                inside += 1
                most = max(most, inside)
                if inside == 1:
                    time.sleep(0)  # lets the others try
                inside -= 1

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == 1
    assert turn.waiting == 0


def test_a_fault_in_a_turn_gives_it_on() -> None:
    turn = Turn()
    with suppress(ValueError), turn:
        raise ValueError
    with turn:
        assert turn.waiting == 0
