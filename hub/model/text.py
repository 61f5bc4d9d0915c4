"""Text from devices and people is hostile until it passed through here."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

import msgspec

Language = Literal["zh", "en"]

#: Categories that steer a terminal or reorder a line: control, format (bidi overrides), surrogate, private, unassigned,
#: line and paragraph separators.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str, limit: int = 80) -> str:
    """Return ``text`` without characters that forge log lines or hide meaning, cut to ``limit`` characters."""
    kept = text[: limit * 4]
    if not (kept.isascii() and kept.isprintable()):  # most are, and then there is nothing to look for
        kept = "".join(" " if unicodedata.category(char) in _UNSAFE else char for char in kept)
    kept = " ".join(kept.split())
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


#: A number plate (GA 36-2018): province, office, five or six more; spaces and the dot between do not hide it.
_PLATE = re.compile(
    "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-HJ-NP-Z0-9]{5,6}", re.IGNORECASE
)
_BETWEEN = re.compile(r"[\s·.\-]+")


def names_plate(text: str) -> bool:
    """Tell whether a full number plate stands in ``text``: no loudspeaker reads one out (DESIGN.md 6.9)."""
    return _PLATE.search(_BETWEEN.sub("", unicodedata.normalize("NFKC", text))) is not None


class Text(msgspec.Struct, frozen=True):
    """One sentence in the languages of the site. Chinese is always there, English may be empty."""

    zh: str
    en: str = ""

    def in_language(self, language: Language) -> str:
        """Return the sentence in ``language``, or in Chinese where it was not translated."""
        return (self.en if language == "en" else self.zh) or self.zh
