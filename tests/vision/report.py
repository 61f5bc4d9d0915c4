"""``python -m tests.vision.report DIR``: what the cameras see, falls and lanes, as tables and pictures.

Writes ``report.md`` and its pictures into a folder. All scenes are drawn from seeds, which the tables name.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.bench import vision_core, vision_falling, vision_lane
from tests.bench.figure import Figure
from tests.vision import report_falling, report_lane


def main() -> None:
    """Write the report."""
    options = argparse.ArgumentParser(prog="python -m tests.vision.report", description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--pictures-only", action="store_true", help="leave the tables out (about an hour)")
    options.add_argument("--part", type=_part, default=1.0, help="part of the scenes that are run, 0 to 1 (default: 1)")
    options.add_argument("--seed", type=int, default=None, help="first seed of the lanes (default: that of the bench)")
    arguments = options.parse_args()
    write(arguments.folder, None if arguments.pictures_only else arguments.part, arguments.seed)


def write(folder: Path, part: float | None, seed: int | None = None) -> None:
    """Write the report; ``part`` of the scenes, None for the pictures alone."""
    folder.mkdir(parents=True, exist_ok=True)
    text = ["# What the cameras see, on drawn scenes"]
    text += ["## Falling objects", *report_falling.pictures(folder)]
    if part is not None:
        text += _table(_falls(part))
    text += ["## Fire lanes", *report_lane.pictures(folder)]
    if part is not None:
        text += _lanes(folder, part, seed)
    (folder / "report.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")


def _falls(part: float) -> Iterator[Figure]:
    yield from vision_falling.figures(part)
    if part == 1:
        yield from vision_core.figures()


def _lanes(folder: Path, part: float, seed: int | None) -> list[str]:
    first = int(os.environ.get("LANE_SEED", vision_lane.SEED)) if seed is None else seed
    harmless, parked = vision_lane.watched(first, part)
    runs = harmless + parked
    table = _table(vision_lane.told(harmless, parked, first))
    return [*table, "\n".join(report_lane.kinds(runs)), *report_lane.wrong(folder, runs)]


def _table(figures: Iterable[Figure]) -> list[str]:
    """Return a table, and write each figure when it is there."""
    rows = ["| figure | value | n | how |", "|---|---|---|---|"]
    for figure in figures:
        rows.append(f"| {figure.name} | {figure.value:g} {figure.unit} | {figure.n} | {figure.note} |")
        sys.stdout.write(figure.line() + "\n")
        sys.stdout.flush()
    return ["\n".join(rows)]


def _part(text: str) -> float:
    part = float(text)
    if not 0 < part <= 1:
        raise argparse.ArgumentTypeError("more than 0, at most 1")
    return part


if __name__ == "__main__":
    main()
