"""Frames that a node did not send now are refused, and named by what they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.auth import (
    WINDOW,
    Counters,
    Direction,
    Distrust,
    claim_key,
    must_be_sealed,
    read_code,
    seal,
    unseal,
)
from firmware_bridge.errors import NotAuthentic
from firmware_bridge.frame import Frame, Group, Op, decode, encode, head
from firmware_bridge.tests import STEADY

NODE, KEY = b"NODE0001", bytes(16)
FRAME = Frame(Op.WRITE, Group.NODE, 1, 2, {"seq": 1, "v": True})
SEALED = seal(FRAME, KEY, Direction.FROM_NODE, NODE, 5)


def why(data: bytes, key: bytes = KEY, direction: Direction = Direction.FROM_NODE, node: bytes = NODE) -> str:
    with pytest.raises(NotAuthentic) as refused:
        unseal(data, key, direction, node)
    return refused.value.why


def test_an_authentic_frame_and_a_plain_decoder() -> None:
    assert unseal(SEALED, KEY, Direction.FROM_NODE, NODE) == 5
    assert decode(SEALED).body == {"seq": 1, "v": True, "ctr": 5, "mac": SEALED[-8:]}


def test_another_key_node_or_direction_is_forged() -> None:
    assert why(SEALED, key=bytes(15) + b"\x01") == Distrust.FORGED
    assert why(SEALED, node=b"NODE0002") == Distrust.FORGED
    assert why(SEALED, direction=Direction.FROM_HUB) == Distrust.FORGED
    assert why(encode(FRAME)) == Distrust.FORGED


@STEADY
@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_every_changed_byte_is_forged(at: int, change: int) -> None:
    data = bytearray(SEALED)
    data[at] ^= change
    assert why(bytes(data)) == Distrust.FORGED


@STEADY
@given(st.binary(max_size=120))
def test_noise_is_forged(data: bytes) -> None:
    assert why(data) == Distrust.FORGED


@STEADY
@given(st.lists(st.integers(0, 300), max_size=200))
def test_no_counter_is_taken_twice_and_none_within_the_window_is_refused(tried: list[int]) -> None:
    counters, taken, highest = Counters(), set[int](), -1
    for counter in tried:
        if counter in taken or counter <= highest - WINDOW:
            with pytest.raises(NotAuthentic, match=Distrust.REPLAY):
                counters.accept(counter)
        else:
            counters.accept(counter)
            taken.add(counter)
            highest = max(highest, counter)


def test_gaps_are_counted_and_what_comes_late_is_none() -> None:
    counters = Counters()
    for counter in (1, 2, 6, 4):
        counters.accept(counter)
    assert counters.gaps == 2
    counters.accept(2 << 32)  # a new start is no gap
    assert counters.gaps == 2


def test_a_start_before_the_present_one_is_a_clone() -> None:
    counters = Counters()
    counters.accept(7 << 32 | 1)
    with pytest.raises(NotAuthentic) as refused:
        counters.accept(6 << 32 | 900)
    assert refused.value.why == Distrust.CLONE


@pytest.mark.parametrize(
    ("op", "group", "sealed"),
    [
        (Op.READ, Group.NODE, True),
        (Op.WRITE_ANSWER, Group.NODE, True),
        (Op.WRITE, Group.IMAGE, True),
        (Op.WRITE_ANSWER, Group.OS, True),
        (Op.READ_ANSWER, Group.IMAGE, False),
        (Op.WRITE, 3, False),
    ],
)
def test_what_must_be_authentic(op: Op, group: int, sealed: bool) -> None:
    assert must_be_sealed(head(encode(Frame(op, group, 0, 0)))) is sealed


@pytest.mark.parametrize("typed", ["01ab-cdef-ghjk-mnpq", "O1ABCDEF GHJKMNPQ", "0iABCDEFGHJKMNPQ", "0LABCDEFGHJKMNPQ"])
def test_a_code_as_people_type_it(typed: str) -> None:
    assert read_code(typed) == "01ABCDEFGHJKMNPQ"


@pytest.mark.parametrize("typed", ["", "01ABCDEFGHJKMNP", "01ABCDEFGHJKMNPQR", "01ABCDEFGHJKMNPU", "01ABCDEFGHJKMNP门"])
def test_what_is_no_code(typed: str) -> None:
    assert read_code(typed) is None


def test_the_key_of_a_claim_is_the_node_s_own() -> None:
    assert claim_key("01ABCDEFGHJKMNPQ", NODE) != claim_key("01ABCDEFGHJKMNPQ", b"NODE0002")
