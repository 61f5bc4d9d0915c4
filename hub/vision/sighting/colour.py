"""Names the colours of a thing as a person would: the nearest of some named references in CIE Lab, by the most pixels.

Lightness is judged by the light of the whole picture, so that dusk makes no white thing grey; hue is not corrected: a
camera's own white balance has done so, and lamps of sodium leave little to go by.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from hub.vision.sighting.palette import Colour as Colour

Rgb = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Real = npt.NDArray[np.float64]


COLOURS = tuple(Colour)

#: Several sRGB references of each, light and dark, vivid and dull, as cloth and paint look in pictures of cameras.
_REFERENCES: dict[Colour, tuple[int, ...]] = {
    Colour.BLACK: (0x000000, 0x1C1C1E, 0x2A2A2A, 0x1A1D26, 0x241E1C),
    Colour.GREY: (0x4A4A4A, 0x6E6E6E, 0x8C8C8C, 0xA6A6A6, 0x707A84, 0x847C74),
    Colour.WHITE: (0xFFFFFF, 0xE8E8E8, 0xD4D4D4, 0xEDE8DC, 0xDCE4EC),
    Colour.RED: (0xD01818, 0xA01414, 0x701014, 0xE83838, 0xB04040, 0xC83048),
    Colour.ORANGE: (0xF08018, 0xE06A10, 0xF09848, 0xE05A20),
    Colour.YELLOW: (0xF0E020, 0xE0C010, 0xF0E878, 0xC8B030, 0xF8C820),
    Colour.GREEN: (0x18A030, 0x106020, 0x50B850, 0x80C860, 0x4A6A30, 0x20A080, 0x6A8A5A, 0x1E3A22),
    Colour.BLUE: (0x1838C8, 0x102878, 0x3070E0, 0x60A0E8, 0x20A0D8, 0x40608C, 0x182040, 0x90B8E0, 0x4858A8),
    Colour.PURPLE: (0x7020A0, 0x502070, 0x9858C0, 0xA080C0, 0x684878),
    Colour.PINK: (0xF0A0B8, 0xF070A0, 0xE8C0C8, 0xD83890, 0xD08098),
    Colour.BROWN: (0x6A4020, 0x4A2C18, 0x8A6038, 0xA07850, 0x5A4430),
}
#: Bits of each channel that the table distinguishes.
_BITS = 5
#: What is taken for full white: the share of the picture's pixels that may be brighter; the most that light is raised.
_BRIGHTEST, _WHITE, _RAISED = 0.98, 225.0, 3.5
#: Weight of a pixel: windows, tyres, folds and shade are without colour on whatever is coloured.
_VOTES = np.array([1.0 if name in {Colour.BLACK, Colour.GREY, Colour.WHITE} else 1.6 for name in COLOURS])
#: Weight of lightness against hue: shade and folds change the one more than the other.
_LIGHTNESS = 0.55


def gain(picture: Rgb) -> float:
    """Return by how much a picture must be raised for its brightest places to be white: 1 by day, more at dusk."""
    level = float(np.quantile(picture[::4, ::4].max(axis=2), _BRIGHTEST))
    return float(np.clip(_WHITE / max(level, 1.0), 1.0, _RAISED))


def dominant(pixels: Rgb, raised: float) -> Colour | None:
    """Name the colour of most of these pixels (any number, 3); None where there are none."""
    if not len(pixels):
        return None
    lit = np.minimum(pixels.astype(np.float32) * raised, 255).astype(np.uint16) >> (8 - _BITS)
    votes = np.bincount(_table()[lit[:, 0], lit[:, 1], lit[:, 2]], minlength=len(COLOURS)) * _VOTES
    return COLOURS[int(votes.argmax())]


def lab(rgb: Real) -> Real:
    """Turn sRGB (0 to 255, last axis) into CIE Lab for D65 (IEC 61966-2-1; CIE 15:2004)."""
    part = rgb / 255.0
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
    xyz = linear @ matrix.T / np.array([0.95047, 1.0, 1.08883])
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


@cache
def _table() -> npt.NDArray[np.uint8]:
    """Return for each cell of the colour cube the place of its name in the palette."""
    values = [(place, code) for place, name in enumerate(COLOURS) for code in _REFERENCES[name]]
    known = _weighed(lab(np.array([(code >> 16, code >> 8 & 255, code & 255) for _, code in values], dtype=np.float64)))
    names = np.array([place for place, _ in values], dtype=np.uint8)
    side = (np.arange(1 << _BITS) + 0.5) * (256 >> _BITS)
    cells = _weighed(lab(np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3)))
    far = ((cells[:, None, :] - known[None]) ** 2).sum(axis=2)
    return np.asarray(names[far.argmin(axis=1)].reshape((1 << _BITS,) * 3), dtype=np.uint8)


def _weighed(values: Real) -> Real:
    return np.asarray(values * np.array([_LIGHTNESS, 1.0, 1.0]))
