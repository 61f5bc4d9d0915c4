"""A camera that turns: it is sent to presets by their names, and waited for; its clock is told."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree

import pytest

from hub.sdk import Clocked, Connection, Tools, Turnable, Unsupported
from integrations.onvif.ptz import read_presets, read_status
from integrations.onvif.tests.kit import opened
from integrations.sim.onvif_camera import FakeCamera
from integrations.sim.onvif_messages import SPACES, fault

PRESETS = {"1": "南侧 5-10 层", "2": "south", "south": "the token is not the name"}


def turning(connection: Connection) -> Turnable:
    driver = connection.equipment[0].driver
    assert isinstance(driver, Turnable)
    return driver


@pytest.mark.parametrize(("preset", "token"), [("南侧 5-10 层", "1"), ("south", "2"), ("1", "1")])
async def test_it_turns_to_a_preset_by_name_first_and_is_waited_for(preset: str, token: str, tools: Tools) -> None:
    camera = FakeCamera(presets=PRESETS)
    async with opened(camera, tools, settle_s=0.0) as connection:
        await turning(connection).go_to(preset)
        assert camera.at == token
        assert camera.asked.count("GetStatus") == camera.turns + 2, "asked until it stood twice"
        await turning(connection).go_home()
        assert camera.at == ""


async def test_one_that_does_not_say_whether_it_stands_is_given_time(tools: Tools) -> None:
    camera = FakeCamera(presets=PRESETS, tells=False)
    async with opened(camera, tools, settle_s=0.0, turn_s=0.0) as connection:
        await turning(connection).go_to("south")
        assert (camera.at, camera.asked.count("GetStatus")) == ("2", 1)


async def test_a_preset_that_is_not_there_names_those_that_are(tools: Tools) -> None:
    camera = FakeCamera(presets=PRESETS)
    async with opened(camera, tools) as connection:
        with pytest.raises(Unsupported, match="no preset `north`; it has: 南侧 5-10 层, south"):
            await turning(connection).go_to("north")
        assert "GotoPreset" not in camera.asked


async def test_a_camera_without_ptz_does_not_turn(tools: Tools) -> None:
    async with opened(FakeCamera(), tools) as connection:
        assert not isinstance(connection.equipment[0].driver, Turnable)


async def test_old_firmware_names_its_ptz_service_among_capabilities(tools: Tools) -> None:
    camera = FakeCamera(presets=PRESETS)
    camera.lies["GetServices"] = lambda: (500, fault("Receiver", "ter:ActionNotSupported"))
    async with opened(camera, tools, settle_s=0.0) as connection:
        await turning(connection).go_to("south")
        assert camera.at == "2"


@pytest.mark.parametrize("off", [0, 90, -3600])
async def test_its_clock_is_told(off: int, tools: Tools) -> None:
    camera = FakeCamera(offset=timedelta(seconds=off))
    async with opened(camera, tools) as connection:
        driver = connection.equipment[0].driver
        assert isinstance(driver, Clocked)
        ahead = await driver.clock_ahead()
        assert ahead is not None
        assert abs(ahead - off) < 1
        camera.offset += timedelta(seconds=5)
        later = await driver.clock_ahead()
        assert later is not None
        assert 3 < later - ahead < 7


@pytest.mark.parametrize(
    ("said", "moves"),
    [
        ("", None),
        ("<tt:PanTilt>UNKNOWN</tt:PanTilt>", None),
        ("<tt:PanTilt>IDLE</tt:PanTilt><tt:Zoom>MOVING</tt:Zoom>", True),
        ("<tt:PanTilt>IDLE</tt:PanTilt>", False),
    ],
)
def test_status(said: str, moves: bool | None) -> None:
    text = f"<a xmlns:tt='{SPACES['tt']}'><PTZStatus><tt:MoveStatus>{said}</tt:MoveStatus></PTZStatus></a>"
    assert read_status(ElementTree.fromstring(text)) is moves  # noqa: S314 - our own text


def test_presets_without_a_name_or_a_token() -> None:
    text = '<a><Preset token="3"/><Preset><Name>lost</Name></Preset><Preset token="4"><Name>x</Name></Preset></a>'
    assert read_presets(ElementTree.fromstring(text)) == (("3", "3"), ("4", "x"))  # noqa: S314 - our own text
