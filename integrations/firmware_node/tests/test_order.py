"""Events in the order in which they happened, whatever order they come in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.frame import Frame, Group, Op
from firmware_bridge.messages import Event
from firmware_bridge.registry import Record
from firmware_bridge.tests import STEADY
from integrations.firmware_node.order import HOLD, MOST, Order

REQUEST = Frame(Op.WRITE, Group.NODE, 0, 2)


def event(seq: int, boot: int = 1) -> Event:
    return Event(boot, seq, 0, 0, 0, True)


def taken(order: Order, now: float) -> list[int]:
    return [one.seq for _, one in order.take(now)]


@STEADY
@given(st.permutations(range(1, 9)))
def test_what_comes_within_the_hold_is_taken_in_order(arrival: list[int]) -> None:
    record, got = Record(""), list[int]()
    order = Order(record)
    for seq in arrival:
        order.put(REQUEST, event(seq), 0)
        for _, one in order.take(0):
            got.append(one.seq)
            record.commit(one.boot, one.seq)
    assert got == list(range(1, 9))


def test_what_waits_for_one_that_never_comes_goes_on() -> None:
    order = Order(Record(""))
    for seq in (4, 3):
        order.put(REQUEST, event(seq), 10)
    assert taken(order, 10) == []
    assert order.due_at() == 10 + HOLD
    order.put(REQUEST, event(4), 12)  # its repetition prolongs nothing
    assert taken(order, 10 + HOLD) == [3, 4]
    assert order.due_at() is None


def test_a_repetition_of_what_is_kept_is_taken_at_once() -> None:
    record = Record("")
    record.commit(1, 5)
    order = Order(record)
    order.put(REQUEST, event(5), 0)
    order.put(REQUEST, event(6), 0)
    assert taken(order, 0) == [5, 6]


def test_of_two_starts_the_older_comes_first() -> None:
    order = Order(Record(""))
    order.put(REQUEST, event(1, boot=3), 0)
    order.put(REQUEST, event(1, boot=2), 0)
    assert [one.boot for _, one in order.take(0)] == [2, 3]


def test_no_more_than_a_few_wait() -> None:
    order = Order(Record(""))
    for seq in range(2, 1_000):
        order.put(REQUEST, event(seq), 0)
    assert len(taken(order, HOLD)) == MOST
