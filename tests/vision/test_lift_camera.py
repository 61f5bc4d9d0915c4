"""A lift car's camera joined to the hub, with a real worker and a real RTSP stream."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from hub.model.entry import Note
from hub.model.ids import EntityId
from hub.model.reading import Presence, Quality
from hub.model.site import Decode, Sees, Sight
from hub.seeing import reviews
from hub.seeing.orders import model_for, order, read_models
from hub.vision.detect.box import Kind
from hub.vision.detect.card import CARD
from hub.vision.lift.watch import LiftNow
from hub.vision.worker.wire import Carried
from tests.vision.film import Film, Stage, showing
from tests.vision.test_lift import FLOOR, car
from tests.vision.test_seeing import CAMERA, House, Stream, kill_worker

EBIKE, BULKY = EntityId("vision.lift_ebike"), EntityId("vision.lift_ebike_bulky")
SIGHT = Sight(CAMERA, Sees.LIFT, EBIKE, FLOOR)
CARD_TEXT = """name: {name}
licence: none
source: a test
files: [{{file: model.xml, sha256: "{sum}"}}]
decoder: ssd
labels: {{0: person, 1: {kind}}}
"""


def show(at: float) -> npt.NDArray[np.uint8]:
    """Show an empty car for 10 s, then something large in it."""
    return car(at, 7, ((0.25, 0.45, 0.75, 0.9),) if at > 10 else ()).pixels


def house(tmp_path: Path) -> House:
    found = House(tmp_path, FLOOR)
    found.zone = msgspec.structs.replace(found.zone, see=(SIGHT,))
    return found


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_without_a_model_something_bulky_is_a_notice_and_never_an_ebike(tmp_path: Path) -> None:
    stage, home = Stage(show), house(tmp_path)
    async with showing(Film(stage)) as port, home.open():
        home.plug(port)
        await home.until(lambda: home.said(BULKY) == [Presence.ABSENT])
        # the empty car is learned of five pictures
        await home.until(lambda: home.manager.health[CAMERA].decoded > 10)
        stage.go(400)
        await home.until(lambda: home.said(BULKY) == [Presence.ABSENT, Presence.PRESENT])
        await home.until(lambda: list((tmp_path / reviews.FOLDER).glob("*.jpg")))
        kill_worker(home)
        await home.until(lambda: Quality.STALE in home.said(BULKY))
    assert home.said(EBIKE) == [], "no door is held for what nobody can name"
    notes = [note.body for note in home.loop.journal.of(Note) if isinstance(note, Note)]
    assert [(note["ebike"], note["bulky"]) for note in notes if "bulky" in note] == [(None, True)]


async def test_what_a_model_names_is_a_reading_and_is_doubted_when_it_fails(tmp_path: Path) -> None:
    home = house(tmp_path)
    async with home.open():
        home.plug(1)
        await home.until(lambda: home.manager.watched(CAMERA))
        for now in (LiftNow(ebike=True, confidence=0.8), LiftNow(ebike=None)):
            home.manager._heard(Carried(str(CAMERA), EBIKE, now))
        await home.until(lambda: Quality.STALE in home.said(EBIKE))
    assert home.said(EBIKE)[:2] == [Presence.PRESENT, Quality.STALE]


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_a_model_that_cannot_be_read_is_told_until_it_is_gone(tmp_path: Path) -> None:
    card = tmp_path / "models" / "street" / CARD
    card.parent.mkdir(parents=True)
    card.write_text("neither a card", "utf-8")
    home = house(tmp_path)
    async with home.open():
        await home.until(lambda: "models" in home.loop.problems)
        assert any("识别模型 street 读不出" in text.zh for text in home.loop.problems.texts())
        card.unlink()
        card.parent.rmdir()
        await home.until(lambda: "models" not in home.loop.problems)


def test_the_model_that_knows_ebikes_is_taken_before_one_of_bicycles(tmp_path: Path) -> None:
    assert model_for({Sees.LIFT}, read_models(tmp_path)) == ("", ())
    for name, kind in (("a", "vehicle"), ("b", "bicycle"), ("c", "ebike")):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / CARD).write_text(CARD_TEXT.format(name=name, kind=kind, sum="0" * 64))
        taken = model_for({Sees.LIFT, Sees.LANE}, read_models(tmp_path))
        expected = {"a": ("", ()), "b": (str(folder), (Kind.BICYCLE, Kind.PERSON))}
        assert taken == expected.get(name, (str(folder), (Kind.EBIKE, Kind.PERSON)))
    watch = order(CAMERA, (SIGHT,), Stream(1), 60.0, lambda _: b"", taken, tmp_path)
    assert watch is not None
    assert watch.lift is not None
    assert (watch.policy, watch.model, watch.lift.polygon) == (Decode.ADAPTIVE, taken[0], FLOOR)


def test_review_pictures_are_few_and_young(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "MOST", 3)
    for at in (1.0, 40 * 86_400.0, 40 * 86_400.0 + 1, 40 * 86_400.0 + 2, 40 * 86_400.0 + 3):
        reviews.keep(tmp_path, EBIKE, at, b"jpeg")
    kept = sorted(path.name for path in (tmp_path / reviews.FOLDER).iterdir())
    assert [name.split("-")[0] for name in kept] == [f"{3_456_000_000 + ms:014d}" for ms in (1000, 2000, 3000)]
