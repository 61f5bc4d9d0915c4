"""A session with the server of bacpypes3 in another process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.sdk import Alarm, Capability, Contact, Presence, Unreachable, Unsupported
from integrations.bacnet.tests.site import DEVICE, LIFT, FarEnd, far_end, free_port, opened

pytestmark = pytest.mark.usefixtures("clean_up")

LIFT_B = {"instance": 4, "key": "b", "name": "2号梯", "lowest_floor": -2}
PIT = {"instance": 7, "key": "pit", "name": "底坑门", "meaning": "contact"}


@pytest.fixture(scope="module", params=["all", "one", "tight"])
def end(request: pytest.FixtureRequest) -> Iterator[FarEnd]:
    with far_end(request.param) as started:
        yield started


async def test_a_lift_is_read_and_followed(end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, address=end.address, lifts=[LIFT, LIFT_B], inputs=[PIT]) as hub:
        hub.run()
        await hub.until("a_floor", 4.0)
        await hub.until("a_direction", 3.0)
        await hub.until("a_door", Contact.CLOSED)
        await hub.until("a_mode", 1.0)
        await hub.until("a_load", 37.5)
        await hub.until("a_alarm", Alarm.CLEAR)
        await hub.until("a_stopped", Alarm.CLEAR)
        await hub.until("a_fault", Alarm.CLEAR)
        await hub.until("pit", Contact.CLOSED)
        end.set("lift A", "carPosition", 9)
        end.set("lift A", "carDoorStatus", [7, 0])
        end.set("lift A", "faultSignals", [0, 8])
        end.set("lift A", "passengerAlarm", True)
        end.set("pit", "presentValue", 1)
        await hub.until("a_floor", 9.0)
        await hub.until("a_door", Contact.OPEN)
        await hub.until("a_stopped", Alarm.ACTIVE)
        await hub.until("a_fault", Alarm.ACTIVE)
        await hub.until("a_alarm", Alarm.ACTIVE)
        await hub.until("pit", Contact.OPEN)
        end.set("lift A", "carPosition", 4)
        end.set("lift A", "carDoorStatus", [0, 1])
        end.set("lift A", "faultSignals", [])
        end.set("lift A", "passengerAlarm", False)
        end.set("pit", "presentValue", 0)
        await hub.until("a_fault", Alarm.CLEAR)
        await hub.until("a_alarm", Alarm.CLEAR)


async def test_what_a_lift_does_not_have_or_know_touches_nothing_else(end: FarEnd, tmp_path: Path) -> None:
    missing = {"instance": 99, "key": "c", "name": "3号梯"}
    async with opened(tmp_path, address=end.address, lifts=[LIFT_B, missing], inputs=[PIT]) as hub:
        hub.run()
        await hub.until("b_mode", None, "stale")  # an optional property that it has not
        await hub.until("b_load", None, "stale")
        await hub.until("b_direction", None, "unknown")
        await hub.until("b_door", None, "unknown")
        await hub.until("b_floor", -2.0)
        await hub.until("b_stopped", Alarm.ACTIVE)
        await hub.until("b_alarm", Alarm.ACTIVE)
        await hub.until("c_floor", None, "stale")
        await hub.until("c_alarm", None, "stale")
        await hub.until("pit", Contact.CLOSED)
        end.set("pit", "presentValue", 1)
        await hub.until("pit", Contact.OPEN)
        end.set("pit", "presentValue", 0)
        assert len([sample for sample in hub.said if sample.entity == "bacnet.d_b_mode"]) == 1, "stale is said once"


async def test_out_of_service_is_not_believed(end: FarEnd, tmp_path: Path) -> None:
    async with opened(tmp_path, address=end.address) as hub:
        hub.run()
        await hub.until("a_alarm", Alarm.CLEAR)
        end.set("lift A", "outOfService", True)
        await hub.until("a_alarm", None, "stale")
        end.set("lift A", "outOfService", False)
        await hub.until("a_alarm", Alarm.CLEAR)


async def test_entities(end: FarEnd, tmp_path: Path) -> None:
    inputs = [PIT, PIT | {"key": "person", "meaning": "presence", "inverted": True}]
    async with opened(tmp_path, address=end.address, inputs=inputs) as hub:
        entities = {str(item.entity.id): item.entity for item in hub.connection.equipment}
        assert list(entities) == [
            f"bacnet.d_{key}"
            for key in (
                *(f"a_{key}" for key in ("floor", "direction", "door", "mode", "load", "alarm", "stopped", "fault")),
                "pit",
                "person",
            )
        ]
        load = entities["bacnet.d_a_load"]
        assert (load.capability, load.unit, load.name.zh, load.device) == (
            Capability.MEASURE,
            "%",
            "1号梯 载重",
            "电梯",
        )
        assert load.expire_after is not None
        hub.run()
        await hub.until("person", Presence.PRESENT)


async def test_another_device_is_not_mistaken_for_it(end: FarEnd, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="has no Device object 4712"):
        async with opened(tmp_path, address=end.address, device_id=DEVICE + 1):
            pass
    with pytest.raises(Unsupported, match="none of the 1 objects"):
        async with opened(tmp_path, address=end.address, lifts=[LIFT | {"instance": 98}]):
            pass


async def test_two_sessions_share_a_port(end: FarEnd, tmp_path: Path) -> None:
    with far_end("all") as other:
        local = f"127.0.0.1:{free_port()}"
        other.set("lift A", "carPosition", 20)
        async with (
            opened(tmp_path, address=end.address, local=local) as one,
            opened(tmp_path, address=other.address, local=local) as two,
        ):
            one.run()
            two.run()
            await one.until("a_floor", 4.0)
            await two.until("a_floor", 20.0)


async def test_a_device_that_goes_away_is_lost_and_nothing_is_left(tmp_path: Path) -> None:
    with far_end("all") as end:
        async with opened(tmp_path, address=end.address) as hub:
            hub.run()
            await hub.until("a_floor", 4.0)
            end.stop()
            assert "nobody there" in await hub.lost()
    with pytest.raises(Unreachable):
        async with opened(tmp_path, address=end.address):
            pass


async def test_a_change_is_told_and_what_is_not_told_is_polled(end: FarEnd, tmp_path: Path) -> None:
    """The lifts of the far end tell nothing (an error of class services): they are read in each round as ever."""
    end.set("lift A", "carPosition", 4)
    end.set("pit", "presentValue", 0)
    async with opened(tmp_path, address=end.address, lifts=[LIFT], inputs=[PIT], cov=True, poll_s=0.2) as hub:
        hub.run()
        await hub.until("pit", Contact.CLOSED)
        await hub.until("a_floor", 4.0)
        end.set("pit", "presentValue", 1)
        await hub.until("pit", Contact.OPEN)
        end.set("lift A", "carPosition", 9)
        await hub.until("a_floor", 9.0)
        end.set("pit", "presentValue", 0)
        await hub.until("pit", Contact.CLOSED)
        end.set("lift A", "carPosition", 4)
        await hub.until("a_floor", 4.0)


async def test_what_is_told_is_not_asked_for_in_each_round(end: FarEnd, tmp_path: Path) -> None:
    """With rounds of a minute only a notice can bring a change; PATIENCE is far shorter."""
    end.set("pit", "presentValue", 0)
    async with opened(tmp_path, address=end.address, lifts=[], inputs=[PIT], cov=True, poll_s=60) as hub:
        hub.run()
        await hub.until("pit", Contact.CLOSED)
        end.set("pit", "presentValue", 1)
        await hub.until("pit", Contact.OPEN)
        end.set("pit", "presentValue", 0)
        await hub.until("pit", Contact.CLOSED)
