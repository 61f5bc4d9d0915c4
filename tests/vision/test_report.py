"""The report of the cameras without its long tables: pictures, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.bench.vision_lane import Run
from tests.vision import report
from tests.vision.lane_score import Score
from tests.vision.report_lane import LARGER, kinds

LIGHTS = ("day", "dusk", "night")
PICTURES = {
    "falling-day.png",
    "falling-dusk.png",
    "falling-night.png",
    "lane-day.jpg",
    "lane-dusk.jpg",
    "lane-night.jpg",
}


def test_pictures_of_falls_and_of_warned_lanes(tmp_path: Path) -> None:
    report.write(tmp_path / "report", part=None)
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert {file.name for file in (tmp_path / "report").iterdir()} == PICTURES | {"report.md"}
    assert all(f"({name})" in text for name in PICTURES)
    assert "not found" not in text, "each fall is found"
    assert text.count("the watch says since 3") == 3, "each vehicle stands since about 30 s"
    with Image.open(tmp_path / "report" / "lane-day.jpg") as picture:
        assert picture.size == (320 * LARGER, 180 * LARGER)
        red, green, blue = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)
    assert ((red > 150) & (green < 100) & (blue < 100)).sum() > 500, "a box is drawn"


def test_a_row_for_each_kind() -> None:
    runs = [
        Run("person", 5, Score(false_warnings=1, false_present=1)),
        Run("parked", 6, Score(stays=1, found=1, late=[3.0], lingered=[4.0])),
        Run("parked", 8, Score(stays=1, missed=["late"])),
    ]
    assert kinds(runs)[2:] == [
        "| person | 5 to 5 | 1 | 1 | 1 |  |  |  |",
        "| parked | 6 to 8 | 2 | 0 | 0 | 1 of 2 | 3.00, 3.00 | 4.00, 4.00 |",
    ]
    assert [run.wrong for run in runs] == [True, False, True]
