"""Draws the file of a report in a process of its own (``python -m hub.web.drawing``).

A font with Chinese alone is tens of thousands of glyphs to read, and the hub must not wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from hub.model.errors import JournalError
from hub.model.text import Language, Text
from hub.web.apart import apart, work_for_parent
from hub.web.errors import Refusal
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


class Drawn(msgspec.Struct, frozen=True):
    """The file; or why there is none, as a Refusal says it."""

    content: bytes = b""
    status: int = 0
    error: str = ""
    message: str = ""


class DrawnLine(msgspec.Struct, frozen=True):
    """What the process writes: one line, with one of the last two."""

    progress: float
    result: Drawn | None = None
    problem: str | None = None


async def drawn(sheets: Sheets) -> bytes:
    """Return the file. Raises Refusal where a library or font is missing, JournalError where the process ended."""
    async with apart(__name__, sheets) as lines:
        text = await lines.readline()
    found = msgspec.json.decode(text, type=DrawnLine).result if text else None
    if found is None:
        raise JournalError("the file ended without a result")
    if found.error:
        raise Refusal(found.status, found.error, found.message)
    return found.content


def _work(sheets: Sheets, progress: Callable[[float], None]) -> Drawn:
    del progress  # a file is a second or two
    try:
        form = pdf if sheets.form == "pdf" else xlsx
        return Drawn(form(sheets.title, sheets.subtitle, sheets.tables, sheets.language))
    except Refusal as refusal:
        return Drawn(status=refusal.status, error=refusal.error, message=refusal.message)


if __name__ == "__main__":
    work_for_parent(DrawnLine, _work)
