"""A clip where nothing was kept is a picture: better than a command that failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.actions.capture import Capture
from hub.actions.evidence import EvidenceStore
from hub.model.decision import Capture as Wanted
from hub.model.decision import Command
from hub.model.errors import Unsupported
from hub.model.ids import EntityId
from hub.model.site import Role, Site, Zone, ZoneKind
from hub.model.text import Text
from hub.model.time import SECOND, Duration
from hub.sdk import Picture
from hub.seeing.eyes import Eyes
from tests.kit.clock import VirtualClock
from tests.kit.facts import command
from tests.kit.lane import LANE, site

CLIP = Wanted(Duration(30 * SECOND), Duration(60 * SECOND))


class Camera:
    """The far end: a camera that answers at once."""

    async def snapshot(self) -> Picture:
        return Picture(b"\xff\xd8\xff picture", "image/jpeg")


class Equipped:
    def driver(self, entity: EntityId) -> Camera:
        return Camera()


async def never(asked: Command) -> None:
    raise AssertionError(f"nothing was filmed, yet {asked.key} is locked")


def capture(folder: Path, found: Site) -> Capture:
    clock = VirtualClock()
    return Capture(lambda: found, Equipped(), EvidenceStore(folder), clock, Eyes(), folder / "clips", never)


async def test_a_clip_of_a_camera_that_is_not_watched_is_a_picture(tmp_path: Path) -> None:
    asked = command(CLIP)
    found = site(Zone(LANE, ZoneKind.FIRE_LANE, Text("车道"), bind={Role.CAMERA: (EntityId("cam.lane"),)}))
    done = await capture(tmp_path, found).perform(asked)
    assert done.evidence is not None
    assert (done.evidence.media_type, done.detail) == ("image/jpeg", {"entity": "cam.lane"})
    again = await capture(tmp_path, found).perform(asked)
    assert again.evidence is not None
    assert again.evidence.sha256 == done.evidence.sha256, "a second try takes no second picture"


async def test_a_clip_where_there_is_no_camera_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="no camera is bound"):
        await capture(tmp_path, site()).perform(command(CLIP))
