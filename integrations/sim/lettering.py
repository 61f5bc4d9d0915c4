"""Fonts: Chinese where the machine has a font for it, English otherwise."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

#: File name and index of the simplified Chinese face, as Linux distributions, macOS and Windows ship them.
CANDIDATES = (
    ("NotoSansCJK-Bold.ttc", 2),
    ("NotoSansCJKsc-Bold.otf", 0),
    ("SourceHanSansSC-Bold.otf", 0),
    ("wqy-zenhei.ttc", 0),
    ("wqy-microhei.ttc", 0),
    ("DroidSansFallbackFull.ttf", 0),
    ("PingFang.ttc", 0),
    ("STHeiti Medium.ttc", 0),
    ("msyhbd.ttc", 0),
    ("simhei.ttf", 0),
)


@lru_cache(maxsize=1)
def _face() -> tuple[str, int] | None:
    """Return the first Chinese font of this machine, searched by Pillow in the system's font folders."""
    for name, index in CANDIDATES:
        try:
            ImageFont.truetype(name, 12, index=index)
        except OSError:
            continue
        return name, index
    return None


def has_chinese() -> bool:
    """Tell whether Chinese can be drawn here."""
    return _face() is not None


def words(zh: str, en: str) -> str:
    """Choose the text that can be drawn."""
    return zh if has_chinese() else en


@lru_cache(maxsize=16)
def font(size: int) -> Font:
    """Return a bold font of ``size`` pixels."""
    face = _face()
    if face is None:
        return ImageFont.load_default(size)
    return ImageFont.truetype(face[0], size, index=face[1])


def stencil(text: str, size: int = 160) -> Image.Image:
    """Return ``text`` as a tight mask (mode L)."""
    left, top, right, bottom = (round(edge) for edge in font(size).getbbox(text))
    mask = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=font(size))
    return mask
