"""The last deliveries: so many are known again and no more, and the memory for them never grows."""

from __future__ import annotations

import sys

from hub.runtime.recent import Recent

A, B = b"a" * 16, b"b" * 16


def test_a_delivery_is_known_by_identifier_and_digest() -> None:
    recent = Recent(3)
    recent.keep(7, A)
    assert recent.holds(7, A)
    assert not recent.holds(7, B)
    assert not recent.holds(8, A)
    recent.keep(7, B)
    assert not recent.holds(7, A), "the identifier names another message now"
    assert recent.holds(7, B)


def test_the_oldest_is_forgotten() -> None:
    recent = Recent(3)
    for mid in (65_535, 1, 2, 3):
        recent.keep(mid, A)
    assert [recent.holds(mid, A) for mid in (65_535, 1, 2, 3)] == [False, True, True, True]


def test_a_new_session_knows_none() -> None:
    recent = Recent(3)
    recent.keep(7, A)
    recent.clear()
    assert not recent.holds(7, A)
    assert not recent.holds(0, b"\xff" * 16)
    recent.keep(8, A)
    assert recent.holds(8, A)


def test_its_memory_does_not_grow() -> None:
    recent = Recent(20_480)

    def size() -> int:
        return sum(sys.getsizeof(part) for part in vars(recent).values())

    before = size()
    for number in range(100_000):
        recent.keep(number % 65_535 + 1, number.to_bytes(16))
    assert size() - before < 64
