"""The words in a PDF of ours, read back through its own tables, as a person would copy them (ISO 32000-1, 9.10)."""

from __future__ import annotations

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_RANGE = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4,8})>")
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\) ?Tj|<([0-9A-Fa-f]+)> ?Tj|\[(.*?)\] ?TJ", re.DOTALL)
_ESCAPE = re.compile(rb"\\([nrtbf()\\])")
_CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def words(document: bytes) -> str:
    """Return the text of all pages, one line for each string that is shown. For documents with one font."""
    streams = [_unpacked(found[1]) for found in _STREAM.finditer(document)]
    glyphs: dict[int, str] = {}
    for stream in streams:
        if b"beginbfchar" in stream:
            for glyph, letters in _RANGE.findall(stream):
                glyphs[int(glyph, 16)] = bytes.fromhex(letters.decode()).decode("utf-16-be")
    shown = [_string(found) for stream in streams if b" Tf" in stream for found in _SHOWN.finditer(stream)]
    return "\n".join("".join(glyphs.get(code, "\N{REPLACEMENT CHARACTER}") for code in _codes(part)) for part in shown)


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def _string(found: re.Match[bytes]) -> bytes:
    if found[2] is not None:
        return bytes.fromhex(found[2].decode())
    return _ESCAPE.sub(lambda escape: _CONTROL.get(escape[1], escape[1]), found[1] or b"")


def _codes(text: bytes) -> list[int]:
    return [int.from_bytes(text[place : place + 2], "big") for place in range(0, len(text), 2)]
