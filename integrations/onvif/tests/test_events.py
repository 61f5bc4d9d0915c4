"""What a camera tells by PullPoint, over sockets: subscriptions that end, are lost, or are made anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.sdk import Alarm, BadCredentials, DeviceError, Presence, Quality, Sample, Tools, Unreachable, Value
from integrations.onvif.kinds import KINDS
from integrations.onvif.tests.kit import opened
from integrations.sim.onvif_camera import FakeCamera
from integrations.sim.onvif_messages import FIELD, INPUT, LINE, MOTION, fault, notification, pulled
from tests.kit.patience import until


@asynccontextmanager
async def running(camera: FakeCamera, tools: Tools, **more: Any) -> AsyncIterator[asyncio.Task[None]]:
    """Run a camera's session; in the end nothing of it may be left."""
    before = asyncio.all_tasks()
    async with opened(camera, tools, **more) as connection:
        assert connection.run is not None
        task = asyncio.ensure_future(connection.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])
    assert not {left for left in asyncio.all_tasks() - before if "integrations.onvif" in repr(left)}


def values(heard: list[Sample], entity: str) -> list[Value | None]:
    return [sample.value for sample in heard if sample.entity == f"onvif.{entity}"]


async def test_what_is_and_what_changes(tools: Tools, heard: list[Sample]) -> None:
    at = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    camera = FakeCamera(
        initial=[
            notification(MOTION, {"IsMotion": "false"}, {"Rule": "a"}, "Initialized"),
            notification(INPUT, {"LogicalState": "true"}, {"InputToken": "1"}, "Initialized", at),
        ]
    )
    async with running(camera, tools):
        await until(lambda: values(heard, "gate_input"))
        assert values(heard, "gate_motion") == [Presence.ABSENT]
        assert Sample(heard[-1].entity, Alarm.ACTIVE, Quality.GOOD, heard[-1].device_at) == heard[-1]
        assert heard[-1].device_at == at.timestamp() * 1_000_000
        camera.tell(notification(MOTION, {"IsMotion": "true"}, {"Rule": "a"}))
        camera.tell(notification(MOTION, {"IsMotion": "false"}, {"Rule": "a"}))
        await until(lambda: len(values(heard, "gate_motion")) == 3)
        assert values(heard, "gate_motion")[1:] == [Presence.PRESENT, Presence.ABSENT], "no pulse is lost"
        camera.tell(notification(FIELD, {"IsInside": "maybe"}, {"Rule": "a"}))
        camera.tell(notification("tns1:RecordingConfig/JobState", {"State": "true"}))
        camera.tell(notification(FIELD, {"IsInside": "true"}, {"Rule": "a"}))
        await until(lambda: values(heard, "gate_field"))
        assert values(heard, "gate_field") == [Presence.PRESENT]


async def test_a_crossed_line_is_an_alarm_for_a_time(tools: Tools, heard: list[Sample]) -> None:
    camera = FakeCamera()
    sources = ("line:North", "line:South")
    async with running(camera, tools, hold_s=1.0, sources=sources):
        await until(lambda: values(heard, "gate_line"))
        assert values(heard, "gate_line") == [Alarm.CLEAR]
        camera.tell(notification(LINE, {"ObjectId": "7"}, {"Rule": "North"}, ""))
        await until(lambda: len(values(heard, "gate_line")) == 3)
        assert values(heard, "gate_line") == [Alarm.CLEAR, Alarm.ACTIVE, Alarm.CLEAR]
        assert values(heard, "gate_line_north") == [Alarm.CLEAR, Alarm.ACTIVE, Alarm.CLEAR]
        assert values(heard, "gate_line_south") == [Alarm.CLEAR]


async def test_a_subscription_is_renewed_in_time(tools: Tools, heard: list[Sample]) -> None:
    camera = FakeCamera(lives=2.0)
    async with running(camera, tools) as task:
        await until(lambda: camera.renewed >= 3)
        assert not task.done()
        assert camera.asked.count("CreatePullPointSubscription") == 1
        camera.tell(notification(MOTION, {"IsMotion": "true"}))
        await until(lambda: values(heard, "gate_motion"))
    assert not camera.subscriptions


async def test_a_camera_without_renew_is_subscribed_to_again(tools: Tools, heard: list[Sample]) -> None:
    camera = FakeCamera(
        lives=2.0,
        lies={"Renew": lambda: (500, fault("Receiver", "ter:ActionNotSupported"))},
        initial=[notification(MOTION, {"IsMotion": "true"}, operation="Initialized")],
    )
    async with running(camera, tools) as task:
        await until(lambda: camera.asked.count("CreatePullPointSubscription") == 3)
        assert not task.done()
        assert len(camera.subscriptions) == 1, "the old ones were given back"
        await until(lambda: len(values(heard, "gate_motion")) >= 2)


async def test_a_forgotten_subscription_is_a_lost_camera(tools: Tools) -> None:
    camera = FakeCamera(lives=2.0)
    async with running(camera, tools) as task:
        await until(lambda: "PullMessages" in camera.asked)
        camera.subscriptions.clear()
        camera.lies["CreatePullPointSubscription"] = lambda: (400, fault("Sender"))
        with pytest.raises(Unreachable, match="subscription is lost"):
            await asyncio.wait_for(task, 8)


@pytest.mark.parametrize(
    ("lie", "kind"),
    [
        ((200, b"<html>"), Unreachable),
        ((200, b" " * 2_000_000), Unreachable),
        ((503, b""), Unreachable),
        ((302, b""), Unreachable),
        ((200, pulled(times="<tev:CurrentTime>" + "9" * 100 + "</tev:CurrentTime>")), Unreachable),
        ((400, fault("Sender", "ter:NotAuthorized")), BadCredentials),
    ],
)
async def test_lies_while_it_runs(lie: tuple[int, bytes], kind: type[DeviceError], tools: Tools) -> None:
    async with running(FakeCamera(lies={"PullMessages": lambda: lie}), tools) as task:
        with pytest.raises(DeviceError) as caught:
            await asyncio.wait_for(task, 8)
        assert type(caught.value) is kind


async def test_an_answer_at_once_is_not_asked_for_without_pause(tools: Tools) -> None:
    camera = FakeCamera(lies={"PullMessages": lambda: (200, pulled())})
    async with running(camera, tools):
        began = asyncio.get_running_loop().time()
        await until(lambda: camera.asked.count("PullMessages") >= 6)
        assert asyncio.get_running_loop().time() - began > 0.4


async def test_silence_while_it_runs(tools: Tools) -> None:
    camera = FakeCamera(lives=2.0)
    async with running(camera, tools, timeout_s=0.3) as task:
        await until(lambda: "PullMessages" in camera.asked)
        camera.deaf = True
        with pytest.raises(Unreachable):
            await asyncio.wait_for(task, 8)
    assert camera.subscriptions, "it heard no good-bye, and nothing hung"


async def test_a_camera_that_hides_its_topics_gets_every_entity(tools: Tools) -> None:
    refusing = FakeCamera(lies={"GetEventProperties": lambda: (500, fault("Receiver", "ter:ActionNotSupported"))})
    for camera in (FakeCamera(topics=""), refusing):
        async with opened(camera, tools) as connection:
            ids = [equipment.entity.id for equipment in connection.equipment]
            assert ids == ["onvif.gate", *(f"onvif.gate_{kind.id}" for kind in KINDS)]


async def test_other_channels_of_a_recorder_are_not_heard(tools: Tools, heard: list[Sample]) -> None:
    camera = FakeCamera()
    async with running(camera, tools, profile="second"):
        await until(lambda: camera.subscriptions)
        camera.tell(notification(MOTION, {"IsMotion": "true"}, {"VideoSourceConfigurationToken": "vsc1"}))
        camera.tell(notification(MOTION, {"IsMotion": "true"}, {"Source": "vs1"}))
        camera.tell(notification(MOTION, {"IsMotion": "false"}, {"VideoSourceConfigurationToken": "vsc2"}))
        await until(lambda: values(heard, "gate_motion"))
        assert values(heard, "gate_motion") == [Presence.ABSENT]


async def test_a_camera_with_a_wrong_clock_keeps_its_subscription(tools: Tools, heard: list[Sample]) -> None:
    camera = FakeCamera(lives=2.0, offset=timedelta(days=-4000))
    async with running(camera, tools) as task:
        await until(lambda: camera.renewed >= 2)
        assert not task.done()
