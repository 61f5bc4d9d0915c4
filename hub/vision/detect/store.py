"""The models of a hub: a folder for each in the data folder, with its card; installed by a person, never downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from hub.model.errors import ModelError
from hub.vision.detect.card import CARD, KNOWN, Card, check, checksum, read

#: Where models lie in the data folder.
FOLDER = "models"


def installed(data: Path) -> Iterator[Path]:
    """Give the folder of each installed model, by name; whether its card can be read is another matter."""
    for folder in sorted((data / FOLDER).glob("*/")):
        if not folder.name.startswith("."):
            yield folder


def recognise(path: Path) -> tuple[Card, Path]:
    """Return the card for a file and the card's own path: a card itself, or a model that a shipped card knows.

    Raises ModelError.
    """
    if path.suffix in {".yaml", ".yml"}:
        return read(path), path
    try:
        found = checksum(path)
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read ({error.strerror})") from None
    for known in sorted(KNOWN.glob("*.yaml")):
        card = read(known)
        if card.files[0].sha256 == found:
            return card, known
    raise ModelError(f"no card is known for {path.name}; write one beside it and install that")


def install(path: Path, data: Path) -> Card:
    """Copy a model and its card into the data folder, whole or not at all. Raises ModelError."""
    card, written = recognise(path)
    check(card, path.parent)
    target, half = data / FOLDER / card.name, data / FOLDER / f".{card.name}"
    try:
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        for item in card.files:
            shutil.copyfile(path.parent / item.file, half / item.file)
        shutil.copyfile(written, half / CARD)
        check(card, half)
        shutil.rmtree(target, ignore_errors=True)
        half.rename(target)
    except OSError as error:
        raise ModelError(f"{card.name} cannot be stored ({error.strerror})") from None
    return card
