"""What a picture is and how large, by its first bytes: nothing is decoded, and nothing is believed of its name."""

from __future__ import annotations

from dataclasses import dataclass

#: Largest file, in bytes, and longest side, in pixels, of a picture of the site.
LARGEST, LONGEST = 8 * 1024 * 1024, 8_000
#: Media types by the ending of the file.
MEDIA = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}

#: JPEG markers that begin a frame (ITU-T T.81, table B.1): C0 to CF without DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: JPEG markers that stand alone, with no length after them: TEM, RST0 to SOI.
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's ending (a key of MEDIA) and its sides in pixels."""

    ending: str
    width: int
    height: int


def look_at(data: bytes) -> Picture:
    """Tell what ``data`` is. Raises ValueError with a sentence for the user when it cannot be a picture of the site."""
    if len(data) > LARGEST:
        raise ValueError(f"a picture has at most {LARGEST // 2**20} MiB")
    picture = _png(data) or _webp(data) or _jpeg(data)
    if picture is None:
        raise ValueError("this is no PNG, JPEG or WebP picture")
    if not (1 <= picture.width <= LONGEST and 1 <= picture.height <= LONGEST):
        raise ValueError(f"a picture has at most {LONGEST} pixels a side, this has {picture.width} x {picture.height}")
    return picture


def _png(data: bytes) -> Picture | None:
    """PNG (W3C, 5.2 and 11.2.1): the signature, then the chunk IHDR, which begins with width and height."""
    if len(data) < 24 or data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return None
    return Picture("png", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))


def _webp(data: bytes) -> Picture | None:
    """WebP (RFC 9649, 2): RIFF, then one of three chunks, each of which says the size in its own way."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    if data[12:16] == b"VP8X":
        return Picture("webp", _little(data[24:27]) + 1, _little(data[27:30]) + 1)
    if data[12:16] == b"VP8L" and data[20] == 0x2F:
        bits = _little(data[21:25])
        return Picture("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if data[12:16] == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        return Picture("webp", _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF)
    return None


def _jpeg(data: bytes) -> Picture | None:
    """JPEG (ITU-T T.81, B.2.2): segments with a length each, until the one that begins the frame."""
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            return Picture(
                "jpg", int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
            )
        if marker == 0xFF:
            at += 1  # a fill byte
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
