"""What a worker is told to do for a camera: which pictures it decodes, and which model looks at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.model.ids import EntityId
from hub.model.site import Decode, Sees, Sight
from hub.seeing.blind import why_blind, why_poor
from hub.seeing.orders import model_for, order, read_models
from hub.vision.detect.box import Kind
from hub.vision.detect.card import CARD
from hub.vision.health import Picture
from hub.vision.worker.wire import Health, Link, Watch
from tests.vision.test_lift import FLOOR
from tests.vision.test_lift_camera import CARD_TEXT
from tests.vision.test_seeing import CAMERA, Stream

LANE = Sight(CAMERA, Sees.LANE, EntityId("vision.lane_vehicle"), FLOOR)
FALLS = Sight(CAMERA, Sees.FALLING, EntityId("vision.wall_falling"))
LIFT = Sight(CAMERA, Sees.LIFT, EntityId("vision.lift_ebike"), FLOOR)
ONLY_HEALTH = Sight(CAMERA, Sees.HEALTH)


def ordered(*sights: Sight, model: tuple[str, tuple[Kind, ...]] = ("", ())) -> Watch:
    found = order(CAMERA, sights, Stream(1), 60.0, lambda _: b"", model)
    assert found is not None
    return found


def how(sight: Sight, decode: Decode) -> Sight:
    return Sight(sight.camera, sight.sees, sight.entity, sight.polygon, sight.floors, decode)


@pytest.mark.parametrize(
    ("sights", "policy"),
    [
        ((LANE,), Decode.KEY),
        ((ONLY_HEALTH,), Decode.KEY),
        ((LIFT,), Decode.ADAPTIVE),
        ((LANE, FALLS), Decode.FULL),
        ((how(LANE, Decode.ADAPTIVE),), Decode.ADAPTIVE),
        ((how(LANE, Decode.FULL),), Decode.FULL),
        ((how(LIFT, Decode.KEY),), Decode.KEY),
        ((how(LANE, Decode.KEY), how(ONLY_HEALTH, Decode.ADAPTIVE)), Decode.ADAPTIVE),
        ((how(LANE, Decode.KEY), FALLS), Decode.FULL),
    ],
)
def test_the_policy(sights: tuple[Sight, ...], policy: Decode) -> None:
    assert ordered(*sights).policy is policy


def test_a_lane_is_given_the_model_that_knows_vehicles(tmp_path: Path) -> None:
    assert model_for({Sees.LANE}, read_models(tmp_path)) == ("", ())
    for name, kind in (("a", "bicycle"), ("b", "vehicle")):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / CARD).write_text(CARD_TEXT.format(name=name, kind=kind, sum="0" * 64))
    (tmp_path / "models" / "a" / CARD).write_text("neither a card")
    models = read_models(tmp_path)
    assert [name for name, why in models.unreadable if "is no card of a model" in why] == ["a"]
    found = model_for({Sees.LANE, Sees.FALLING}, models)
    assert found == (str(tmp_path / "models" / "b"), (Kind.PERSON, Kind.VEHICLE))
    assert ordered(LANE, model=found).model == found[0]
    assert ordered(FALLS, model=found).model == "", "nobody looks at boxes there"


def test_each_fault_of_a_camera_has_words_of_its_own() -> None:
    well = Health("c", Link.STREAMING, picture=Picture.WELL)
    assert (why_blind(well), why_poor(well)) == (None, None)
    faults = [picture for picture in Picture if picture not in {Picture.WELL, Picture.UNSURE}]
    words = [why_blind(Health("c", Link.STREAMING, picture=picture)) for picture in faults]
    words += [
        why_poor(Health("c", Link.STREAMING, ahead_s=3_600.4)),
        why_poor(Health("c", Link.STREAMING, ahead_s=-3_600.4)),
        why_poor(Health("c", Link.STREAMING, fps=5.0, usual_fps=25.0)),
        why_blind(Health("c", Link.LOST, "unplugged")),
        why_poor(Health("c", Link.STREAMING, unmodelled="street.xml is not the file of the card")),
    ]
    said = [(text.zh, text.en) for text in words if text is not None]
    assert len(said) == len(set(said)) == len(faults) + 5
    assert ("时钟慢了 1 h，请校准", "its clock is 1 h late: set it") in said
