"""What the first page weighs: everything that index.html names, compressed, as a phone at the gate loads it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.kit.site import ROOT

DIST = ROOT / "ui" / "dist"
#: Bytes of the first page after gzip: ten seconds on a bad line of 200 kbit/s.
MOST = 250_000


def first_page(dist: Path) -> list[Path]:
    """Return the index and every asset that it names, fonts and icons included."""
    html = (dist / "index.html").read_text("utf-8")
    return [dist / "index.html", *(dist / name for name in re.findall(r'(?:src|href)="\./([^"]+)"', html))]


def test_the_first_page_is_light() -> None:
    if not (DIST / "index.html").is_file():
        pytest.skip("ui/dist is missing (npm --prefix ui run build)")
    files = first_page(DIST)
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 6)) for file in files}
    assert any(name.endswith(".js") for name in sizes)
    assert any(name.endswith(".css") for name in sizes)
    assert sum(sizes.values()) <= MOST, sizes


def test_the_service_worker_keeps_what_the_first_page_needs() -> None:
    if not (DIST / "sw.js").is_file():
        pytest.skip("ui/dist is missing (npm --prefix ui run build)")
    worker = (DIST / "sw.js").read_text("utf-8")
    shell = set(re.findall(r'"(assets/[^"]+)"', worker.partition("SHELL = ")[2].partition("]")[0]))
    assert shell == {f"assets/{file.name}" for file in first_page(DIST) if file.parent.name == "assets"}
    assert "__" not in worker.partition("const CACHE")[2].partition("\n")[0]
    assert "/api" not in worker, "never the API"
