"""Whatever happens, the contact opens again: relays that do it themselves, and those that the session watches."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.sdk import Alarm, Capability, CommandKey, DeviceError, EntityId, Sample, Unreachable, Unsupported
from integrations.modbus.bus import Question, Silent, Write
from integrations.modbus.config import RelayConfig
from integrations.modbus.relay import LONGEST, CoilRelay
from integrations.modbus.tests.far_end import FLASH, PAIR, TIMER
from integrations.modbus.tests.site import FarEnd, far_end, opened
from tests.kit.patience import until

PLAIN: dict[str, Any] = {"key": "hold", "name": "开门保持", "unit_id": 1, "coil": 0, "accept_no_watchdog": True}
A, B = CommandKey("a" * 32), CommandKey("b" * 32)


@pytest.fixture(scope="module", params=["tcp", "serial"])
def server(request: pytest.FixtureRequest) -> Iterator[FarEnd]:
    with far_end(request.param) as end:
        yield end


@pytest.fixture
def end(server: FarEnd) -> FarEnd:
    server.order("reset")
    return server


async def test_the_session_opens_the_contact_when_the_time_is_over(end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, url=end.url, relays=[PLAIN | {"max_s": 0.4}]) as hub:
        kinds = {str(item.entity.id): item.entity.capability for item in hub.connection.equipment}
        assert kinds == {"modbus.b_hold": Capability.RELAY, "modbus.b_hold_stuck": Capability.ALARM}
        hub.run()
        await hub.until("hold_stuck", Alarm.CLEAR)
        await hub.relay("hold").hold(3600.0, A)
        assert end.coil(1, 0)
        await until(lambda: not end.coil(1, 0))
        await hub.relay("hold").hold(0.1, B)  # the next order holds anew
        assert end.coil(1, 0)
        await until(lambda: not end.coil(1, 0))


async def test_a_contact_that_does_not_open_is_shown_and_tried_again(end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, url=end.url, relays=[PLAIN]) as hub:
        hub.run()
        await hub.until("hold_stuck", Alarm.CLEAR)
        await hub.relay("hold").hold(0.1, A)
        end.order("refuse", unit=1, code=4)
        await hub.until("hold_stuck", Alarm.ACTIVE)
        assert end.coil(1, 0) is True
        end.order("refuse", unit=1, code=0)
        await hub.until("hold_stuck", Alarm.CLEAR)
        assert end.coil(1, 0) is False


async def test_an_order_that_may_have_arrived_is_taken_back(end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, url=end.url, relays=[PLAIN | {"unit_id": 2}, PLAIN | {"key": "other"}]) as hub:
        hub.run()
        await hub.until("other_stuck", Alarm.CLEAR)
        end.order("lie", unit=2, lie="silence")
        with pytest.raises(Unreachable):
            await hub.relay("hold").hold(60.0, A)
        assert end.coil(2, 0) is True
        end.order("lie", unit=2, lie="")
        await until(lambda: not end.coil(2, 0))


async def test_the_end_of_the_session_opens_the_contact(end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, url=end.url, relays=[PLAIN]) as hub:
        hub.run()
        await hub.relay("hold").hold(60.0, A)
        assert end.coil(1, 0)
    assert not end.coil(1, 0)


async def test_what_a_dead_hub_left_closed_is_opened(end: FarEnd, tmp_path: Path) -> None:
    end.order("set", unit=1, function=5, address=0, values=[True])
    async with opened(tmp_path, url=end.url, relays=[PLAIN]) as hub:
        hub.run()
        await hub.until("hold_stuck", Alarm.CLEAR)
        assert not end.coil(1, 0)


async def test_a_lost_line_is_said(end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, url=end.url, relays=[PLAIN]) as hub:
        hub.run()
        end.order("lie", unit=1, lie="silence")
        assert await hub.lost()
        with pytest.raises(Unreachable):
            await hub.relay("hold").hold(1.0, A)


@pytest.mark.parametrize(
    ("by", "register"), [("flash_coil", FLASH), ("flash_pair", PAIR), ("time_register", TIMER)]
)  # fmt: skip
async def test_a_board_opens_by_itself_when_the_hub_is_gone(
    by: str, register: int, end: FarEnd, tmp_path: Path
) -> None:
    relay = PLAIN | {"pulse_register": register, "pulse_by": by, "accept_no_watchdog": False}
    async with opened(tmp_path, url=end.url, relays=[relay]) as hub:
        await hub.relay("hold").hold(0.8, A)
        await until(lambda: end.coil(1, 0))
        end.order("forget")
    assert end.coil(1, 0)  # nobody has switched it off
    assert not [question for question in end.order("heard") if question[1] == 5]
    await until(lambda: not end.coil(1, 0))


async def test_a_relay_without_a_watchdog_is_refused_unless_accepted(end: FarEnd, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="accept_no_watchdog"):
        async with opened(tmp_path, url=end.url, relays=[PLAIN | {"accept_no_watchdog": False}]):
            pass


class Memory:
    """A bus that keeps the orders and fails on demand."""

    def __init__(self) -> None:
        self.tenths: list[int] = []
        self.failure: DeviceError | None = None
        self.said: list[Sample] = []

    async def ask(self, question: Question) -> tuple[int, ...]:
        assert isinstance(question, Write)
        if self.failure is not None:
            raise self.failure
        self.tenths.append(question.numbers[0])
        return ()


@contextlib.asynccontextmanager
async def pulsed(bus: Memory, **fields: Any) -> AsyncIterator[CoilRelay]:
    async def report(*said: Sample) -> None:
        bus.said += said

    config = RelayConfig(key="k", name="k", unit_id=1, coil=0, pulse_register=FLASH, **fields)
    relay = CoilRelay(bus, config, EntityId("modbus.k"), report)
    yield relay
    await relay.close()


async def test_sixty_seconds_are_the_most_whatever_the_configuration_says() -> None:
    bus = Memory()
    async with pulsed(bus, max_s=3600.0) as relay:
        await relay.hold(3600.0, A)
    assert LONGEST == 60.0
    assert bus.tenths == [600]


async def test_more_orders_do_not_hold_longer() -> None:
    bus = Memory()
    async with pulsed(bus, max_s=60.0) as relay:
        await relay.hold(60.0, A)
        for number in range(5):
            await relay.hold(60.0, CommandKey(str(number)))
    assert bus.tenths == [600]


async def test_a_longer_order_prolongs_and_its_repeat_does_not() -> None:
    bus = Memory()
    async with pulsed(bus, max_s=30.0) as relay:
        await relay.hold(5.0, A)
        await relay.hold(5.0, A)
        await relay.hold(3.0, B)
        await relay.hold(99.0, B)
    assert len(bus.tenths) == 2
    assert bus.tenths[0] == 50
    assert 200 <= bus.tenths[1] < 300  # what is left of the 30 s since the first


async def test_an_order_that_failed_is_given_again() -> None:
    bus = Memory()
    async with pulsed(bus) as relay:
        bus.failure = Silent("silent")
        with pytest.raises(Silent):
            await relay.hold(5.0, A)
        bus.failure = None
        await relay.hold(5.0, A)
    assert bus.tenths == [50]


async def test_a_board_that_cannot_be_reached_is_not_called_stuck() -> None:
    bus = Memory()
    async with pulsed(bus) as relay:
        bus.failure = Silent("silent")
        await relay.start()
    assert [sample.value for sample in bus.said] == [Alarm.CLEAR]


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 0.05])
async def test_no_time_at_all_is_refused(seconds: float) -> None:
    bus = Memory()
    async with pulsed(bus) as relay:
        with pytest.raises(Unsupported):
            await relay.hold(seconds, A)
    assert bus.tenths == []
