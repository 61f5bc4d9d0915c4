"""The colours that things are found by."""

from __future__ import annotations

from enum import StrEnum


class Colour(StrEnum):
    """The palette: those of the eleven basic colour words (Berlin and Kay, 1969) that cameras can tell."""

    BLACK = "black"
    GREY = "grey"
    WHITE = "white"
    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"
    BROWN = "brown"
