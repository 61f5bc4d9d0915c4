"""Cameras that see: joins the benches of falling, a core's share, lanes and finding again, if they are there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

from tests.bench.figure import Figure

PARTS = ("vision_falling", "vision_core", "vision_lane", "vision_find", "vision_clip", "vision_alarm")


def figures() -> Iterator[Figure]:
    """Run each part."""
    for part in PARTS:
        if find_spec(f"tests.bench.{part}") is not None:
            yield from import_module(f"tests.bench.{part}").figures()
