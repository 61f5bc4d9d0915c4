"""The card of a model: which files it is, under which licence, how its answers are read. A model is nothing else."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from hub.model.errors import ModelError
from hub.model.text import clean
from hub.vision.detect.box import Kind

#: Name of the card in a model's folder, and where cards of known models lie.
CARD = "card.yaml"
KNOWN = Path(__file__).parent / "cards"
#: Largest card in bytes.
MAX_CARD = 64 * 1024


class Layout(StrEnum):
    """How a model's answer is laid out; decode.py says more."""

    SSD = "ssd"
    BOXES = "boxes+labels"
    YOLOX = "yolox"
    NANODET = "nanodet"


_FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")]
_Sum = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file beside the card, and its SHA-256."""

    file: _FileName
    sha256: _Sum


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``files``: first what OpenVINO opens (IR or ONNX), then what belongs to it. Pictures go in as BGR, 0 to 255."""

    name: _FileName
    licence: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    source: Annotated[str, msgspec.Meta(max_length=200)]
    files: Annotated[tuple[ModelFile, ...], msgspec.Meta(min_length=1, max_length=8)]
    decoder: Layout
    labels: Annotated[dict[int, Kind], msgspec.Meta(min_length=1, max_length=1000)]
    """What the model's numbers mean; numbers that are not here are not told."""
    view: Annotated[str, msgspec.Meta(max_length=300)] = ""
    """From where it sees well."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it can find."""
        return frozenset(self.labels.values())


def read(path: Path) -> Card:
    """Read a card. Raises ModelError."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_CARD + 1)
        if len(text) > MAX_CARD:
            raise ModelError(f"{path.name}: a card has at most {MAX_CARD} bytes")
        return msgspec.yaml.decode(text, type=Card)
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read ({error.strerror})") from None
    except msgspec.MsgspecError as error:
        raise ModelError(f"{path.name} is no card of a model: {clean(str(error), 160)}") from None


def check(card: Card, folder: Path) -> None:
    """Compare the files with their checksums. Raises ModelError."""
    for item in card.files:
        try:
            found = checksum(folder / item.file)
        except OSError as error:
            raise ModelError(f"{item.file} cannot be read ({error.strerror})") from None
        if found != item.sha256:
            raise ModelError(f"{item.file} is not the file of the card: its SHA-256 is {found}")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
