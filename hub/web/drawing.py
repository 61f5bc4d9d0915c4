"""Draws the file of a report in a process of its own (``python -m hub.web.drawing``).

A font with Chinese alone is tens of thousands of glyphs to read, and the hub must not wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from hub.model.text import Language, Text
from hub.web.apart import Told, result_of, work_for_parent
from hub.web.report_files import pdf, xlsx
from hub.web.report_tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable

Form = Literal["pdf", "xlsx"]


class Sheets(msgspec.Struct, frozen=True):
    """What to draw, and as what."""

    form: Form
    title: Text
    subtitle: Text
    tables: tuple[Table, ...]
    language: Language


class DrawnLine(Told, frozen=True):
    """What the process writes."""

    result: bytes | None = None


async def drawn(sheets: Sheets) -> bytes:
    """Return the file. Raises Refusal where a library or font is missing, JournalError where the process ended."""
    found: bytes = await result_of(__name__, sheets, DrawnLine)
    return found


def _work(sheets: Sheets, progress: Callable[[float], None]) -> bytes:
    del progress  # a file is a second or two
    form = pdf if sheets.form == "pdf" else xlsx
    return form(sheets.title, sheets.subtitle, sheets.tables, sheets.language)


if __name__ == "__main__":
    work_for_parent(DrawnLine, _work)
