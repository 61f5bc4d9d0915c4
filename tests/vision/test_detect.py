"""Detectors: cards and checksums, each layout of answers, the real model on the real clip, and no telemetry."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.model.errors import ModelError
from hub.vision.detect import store
from hub.vision.detect.box import Detection, Kind
from hub.vision.detect.card import KNOWN, Layout, checksum, read
from hub.vision.detect.decode import decode
from hub.vision.detect.openvino import OpenVinoDetector
from hub.vision.frame import Frame

MEDIA = Path(__file__).parents[3] / "shared" / "media"
NAME = "person-vehicle-bike-detection-2000"
MODEL = MEDIA / "models" / NAME / "FP16" / f"{NAME}.xml"
CLIP = MEDIA / "videos" / "car-detection.mp4"

needs_media = pytest.mark.skipif(not MODEL.exists(), reason=f"no test media at {MEDIA}")

LABELS = {0: Kind.VEHICLE, 1: Kind.PERSON}


def near(found: tuple[Detection, ...], kind: Kind, box: tuple[float, float, float, float]) -> bool:
    return len(found) == 1 and found[0].kind is kind and found[0].box == pytest.approx(box, abs=1e-3)


def test_ssd() -> None:
    rows = np.array(
        [
            [0, 0, 0.9, 0.1, 0.2, 0.3, 0.4],
            [0, 7, 0.9, 0.1, 0.2, 0.3, 0.4],  # a number that the card does not name
            [0, 1, 0.1, 0.1, 0.2, 0.3, 0.4],  # too weak
            [0, 1, np.nan, 0.1, 0.2, 0.3, 0.4],
            [0, 1, 0.9, np.nan, 0.2, 0.3, 0.4],
            [0, 1, 0.9, 0.5, 0.2, 0.3, 0.4],  # inside out
            [-1, 1, 0.9, 0.1, 0.2, 0.3, 0.4],  # the end
            [0, 1, 0.9, 0.1, 0.2, 0.3, 0.4],
        ],
        dtype=np.float32,
    )
    assert near(decode(Layout.SSD, [rows[None, None]], (256, 256), LABELS), Kind.VEHICLE, (0.1, 0.2, 0.3, 0.4))


def test_boxes_and_labels() -> None:
    boxes = np.array([[64, 32, 128, 64, 0.8]], dtype=np.float32)
    found = decode(Layout.BOXES, [boxes, np.array([1], dtype=np.float32)], (128, 256), LABELS)
    assert near(found, Kind.PERSON, (0.25, 0.25, 0.5, 0.5))


def test_yolox() -> None:
    rows = np.zeros((8 * 8 + 4 * 4 + 2 * 2, 7), dtype=np.float32)
    for cell in (9, 10):  # the second overlaps the first, and is weaker
        rows[cell] = [0.5 - (cell - 9), 0.5, np.log(2), np.log(2), 0.9 - 0.1 * (cell - 9), 0.9, 0.1]
    found = decode(Layout.YOLOX, [rows[None]], (64, 64), LABELS)
    assert near(found, Kind.VEHICLE, (4 / 64, 4 / 64, 20 / 64, 20 / 64))
    assert found[0].score == pytest.approx(0.81)


def test_nanodet() -> None:
    rows = np.full((64 + 16 + 4 + 1, 2 + 32), -20.0, dtype=np.float32)
    rows[:, :2] = 0.0
    rows[64 + 5, :2] = [0.1, 0.8]
    rows[64 + 5, 2:].reshape(4, 8)[:, 1] = 20.0  # each side one stride of 16 away from (16, 16)
    assert near(decode(Layout.NANODET, [rows[None]], (64, 64), LABELS), Kind.PERSON, (0, 0, 0.5, 0.5))


@pytest.mark.parametrize("layout", Layout)
def test_an_answer_of_another_layout_is_refused(layout: Layout) -> None:
    with pytest.raises(ModelError):
        decode(layout, [np.zeros((1, 11, 13), dtype=np.float32)], (64, 64), LABELS)


def test_every_shipped_card_can_be_read() -> None:
    cards = [read(path) for path in KNOWN.glob("*.yaml")]
    assert {card.name for card in cards} >= {NAME}
    assert all(card.licence and card.view for card in cards)


@pytest.mark.parametrize(
    "text",
    [
        "name: ../../etc\n",
        "name: a\nlicence: MIT\nsource: x\nfiles: [{file: ../x, sha256: '00'}]\ndecoder: ssd\nlabels: {0: vehicle}\n",
        "a: &a [*a]\n",
        "- " * 50_000,
    ],
)
def test_a_wrong_card_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.yaml").write_text(text)
    with pytest.raises(ModelError):
        read(tmp_path / "card.yaml")


def own_model(folder: Path) -> Path:
    """A card and a file that only look like a model."""
    (folder / "m.onnx").write_bytes(b"not a model")
    card = folder / "mine.yaml"
    card.write_text(
        "name: mine\nlicence: MIT\nsource: me\n"
        f"files: [{{file: m.onnx, sha256: {checksum(folder / 'm.onnx')}}}]\n"
        "decoder: yolox\nlabels: {2: vehicle}\n"
    )
    return card


def test_install_and_list(tmp_path: Path) -> None:
    card, data = own_model(tmp_path), tmp_path / "data"
    run = CliRunner().invoke
    assert "no model" in run(main, ["models", "list", "--data", str(data)]).output
    done = run(main, ["models", "install", str(card), "--data", str(data)])
    assert done.exit_code == 0, done.output
    assert "MIT" in done.output
    assert "mine: vehicle; MIT; me" in run(main, ["models", "list", "--data", str(data)]).output
    (data / "models" / "mine" / "m.onnx").write_bytes(b"other")
    (data / "models" / "bad").mkdir()
    done = run(main, ["models", "list", "--data", str(data)])
    assert done.exit_code == 1
    assert "✗ bad: card.yaml cannot be read" in done.output
    assert "✗ mine: m.onnx is not the file of the card" in done.output, "one does not hide the other"


def test_a_file_with_another_checksum_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    card = own_model(tmp_path)
    (tmp_path / "m.onnx").write_bytes(b"changed")
    done = CliRunner().invoke(main, ["models", "install", str(card), "--data", str(tmp_path / "data")])
    assert done.exit_code == 1
    assert "SHA-256" in done.output
    assert not list(store.installed(tmp_path / "data"))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    store.install(own_model(tmp_path), tmp_path)
    with pytest.raises(ModelError, match="cannot be loaded"):
        OpenVinoDetector(tmp_path / "models" / "mine", tmp_path)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> OpenVinoDetector:
    data = tmp_path_factory.mktemp("data")
    card = store.install(MODEL, data)
    return OpenVinoDetector(data / "models" / card.name, data, precision="f32")


@needs_media
def test_cars_of_the_real_clip_are_found(detector: OpenVinoDetector) -> None:
    with av.open(str(CLIP)) as clip:
        pictures = [np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8) for frame in clip.decode(video=0)]
    shown = (75, 80, 90, 205, 210, 215, 220, 330, 335)
    found = detector.detect([Frame(pictures[index], index / 12.5) for index in shown])
    assert all(any(thing.kind is Kind.VEHICLE and thing.score > 0.8 for thing in things) for things in found)
    assert detector.detect([]) == []
    with pytest.raises(ModelError, match="colour"):
        detector.detect([Frame(pictures[0][..., 0], 0)])


@needs_media
def test_a_part_of_a_larger_picture_is_seen_as_a_picture_of_its_own(detector: OpenVinoDetector) -> None:
    """The model reads the pixels where they lie, if they lie in one piece."""
    with av.open(str(CLIP)) as clip:
        pictures = [np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8) for frame in clip.decode(video=0)]
    whole = [Frame(pictures[index], 0.0) for index in (75, 205, 330)]
    wide = np.zeros((3, *pictures[0].shape[:1], pictures[0].shape[1] + 32, 3), dtype=np.uint8)
    wide[:, :, 16:-16] = [frame.pixels for frame in whole]
    part = [Frame(picture[:, 16:-16], 0.0) for picture in wide]
    alone = [detector.detect([frame])[0] for frame in whole]
    assert all(alone)
    assert detector.detect(part) == alone
    wide[:] = 0
    assert detector.detect(whole) == alone, "several at once are not mixed up, and nothing of the last ones is left"


@needs_media
def test_a_known_model_is_recognised_by_its_checksum(tmp_path: Path) -> None:
    shutil.copy(MODEL, tmp_path / MODEL.name)
    with pytest.raises(ModelError, match=r"\.bin"):
        store.install(tmp_path / MODEL.name, tmp_path)  # its weights are not beside it


_QUIET = """
import socket, sys
from pathlib import Path
def refuse(*_, **__):
    print("LOOKED UP", _); raise OSError("no network here")
socket.getaddrinfo = socket.gethostbyname = refuse
socket.socket.connect = refuse
from hub.vision.detect.openvino import library
library().Core()
print("loaded", library().__version__)
"""


@pytest.mark.slow
def test_openvino_looks_nothing_up_and_writes_nothing(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    clean |= {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", _QUIET], env=clean, capture_output=True, text=True, check=True)
    assert "loaded" in done.stdout
    assert "LOOKED UP" not in done.stdout
    assert list(tmp_path.iterdir()) == []
