"""Messages as the specification and the makers of boards print them, and what no hostile answer may do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

import integrations.modbus as integration
from hub.sdk import CommandKey, DecodeError, DeviceError, EntityId, Unreachable, Unsupported
from integrations.modbus.bus import Question, Read, Write, read_answer
from integrations.modbus.config import RelayConfig
from integrations.modbus.relay import CoilRelay

CAPTURES = Path(integration.__file__).with_name("captures")
ERRORS = {"DecodeError": DecodeError, "Unsupported": Unsupported, "Unreachable": Unreachable}


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CAPTURES / name).read_text().splitlines()]


def question(ask: list[Any]) -> Question:
    if ask[0] == "read":
        return Read(1, *ask[1:])
    return Write(1, ask[1], ask[2], tuple(ask[3]))


@pytest.mark.parametrize("row", rows("specification.jsonl"), ids=lambda row: row["source"])
def test_messages_of_the_specification(row: dict[str, Any]) -> None:
    asked, answer = question(row["ask"]), bytes.fromhex(row["answer"])
    assert asked.pdu == bytes.fromhex(row["sent"])
    if "error" in row:
        with pytest.raises(ERRORS[row["error"]]):
            read_answer(asked, answer)
    else:
        assert read_answer(asked, answer) == tuple(row["numbers"])


class Written:
    """A bus that keeps what was ordered."""

    def __init__(self) -> None:
        self.orders: list[Question] = []

    async def ask(self, question: Question) -> tuple[int, ...]:
        self.orders.append(question)
        return ()


async def unheard(*said: object) -> None:
    raise AssertionError(f"nothing is to be said: {said}")


@pytest.mark.parametrize("row", rows("boards.jsonl"), ids=lambda row: row["source"])
async def test_boards_are_told_the_time_as_their_makers_print_it(row: dict[str, Any]) -> None:
    bus = Written()
    config = RelayConfig(key="k", name="k", coil=0, **{k: row[k] for k in ("unit_id", "pulse_by", "pulse_register")})
    relay = CoilRelay(bus, config, EntityId("modbus.k"), unheard)
    await relay.hold(row["seconds"], CommandKey("1"))
    await relay.close()
    framer = FramerRTU(DecodePDU(is_server=False))
    frames = [framer.encode(order.pdu, order.unit_id, 0) for order in bus.orders]
    assert frames == [bytes.fromhex(frame) for frame in row["frames"]]


KINDS = st.sampled_from(["coil", "discrete", "holding", "input"])
WORDS = st.integers(0, 0xFFFF)
QUESTIONS = st.one_of(
    st.builds(Read, st.integers(1, 255), KINDS, WORDS, st.integers(1, 125)),
    st.builds(Write, st.integers(1, 255), st.sampled_from([5, 6]), WORDS, st.tuples(WORDS)),
    st.builds(Write, st.integers(1, 255), st.just(16), WORDS, st.tuples(WORDS, WORDS)),
)


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[Question, bytes]:
    """A question, and an answer that is nonsense or almost right."""
    asked = draw(QUESTIONS)
    if draw(st.booleans()):
        return asked, draw(st.binary(max_size=260))
    function = asked.pdu[0] | draw(st.sampled_from([0, 0x80]))
    size = [(asked.count + 7) // 8, asked.count * 2] if isinstance(asked, Read) else [0]
    return asked, bytes([function, draw(st.sampled_from(size)) % 256]) + draw(st.binary(max_size=252))


@given(exchanges())
def test_only_expected_errors_escape(exchange: tuple[Question, bytes]) -> None:
    asked, answer = exchange
    try:
        numbers = read_answer(asked, answer)
    except (DecodeError, DeviceError):
        return
    assert len(numbers) == (asked.count if isinstance(asked, Read) else 0)
    assert all(0 <= number <= 0xFFFF for number in numbers)
