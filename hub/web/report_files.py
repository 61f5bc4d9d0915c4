"""A report as a file to print (PDF) or to work on (XLSX). Both compute for seconds: hub.web.drawing does it."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hub.model.text import Language, Text, clean
from hub.web.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fpdf import FPDF

    from hub.web.report_tables import Cell, Column, Table, Unit

#: The pattern of fontconfig for a font with Chinese; what it finds may still be another.
_PATTERN = "Noto Sans CJK SC:lang=zh-cn"
#: How long fc-match may take, in seconds; it reads a cache.
_PATIENCE = 20
_NAME, _HEAD, _BODY = "report", 15, 9
#: Number formats of Excel (ECMA-376, 18.8.30).
_FORMATS: dict[Unit, str] = {"text": "@", "count": "0", "share": "0.0%", "minutes": "0.0"}


class Font(NamedTuple):
    """A font file, and which one of a collection."""

    path: Path
    number: int


def chinese_font() -> Font:
    """Find a font for Chinese. Raises Refusal where there is none."""
    missing = Refusal(
        409, "no_font", "no font with Chinese characters is installed; install the package fonts-noto-cjk (Debian)"
    )
    command = ["fc-match", "--format=%{file}\n%{index}\n%{lang}", _PATTERN]
    try:
        found = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=True, text=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError) as error:
        raise missing from error
    path, index, languages = (*found.stdout.split("\n"), "", "", "")[:3]
    if "zh-cn" not in languages.split("|"):
        raise missing
    return Font(Path(path), int(index) & 0xFFFF)  # the upper half tells a variable font's instance


def pdf(title: Text, subtitle: Text, tables: Sequence[Table], language: Language) -> bytes:
    """Draw the tables on A4. Raises Refusal where the library or a font for Chinese is missing."""
    try:
        from fpdf import FPDF
    except ImportError as error:
        raise _no_extra() from error
    font = chinese_font()
    paper = FPDF(format="A4")
    paper.set_auto_page_break(auto=True, margin=15)
    paper.add_font(_NAME, fname=font.path, collection_font_number=font.number)
    paper.set_title(title.in_language(language))
    paper.set_lang("zh-CN" if language == "zh" else "en")
    paper.add_page()
    _line(paper, title.in_language(language), _HEAD)
    _line(paper, subtitle.in_language(language), _BODY)
    for table in tables:
        _draw(paper, table, language)
    return bytes(paper.output())


def _draw(paper: FPDF, table: Table, language: Language) -> None:
    paper.ln(4)
    if paper.will_page_break(30):
        paper.add_page()
    _line(paper, table.title.in_language(language), 12)
    paper.set_font(_NAME, size=_BODY)
    if table.rows:
        widths = tuple(3 if column.unit == "text" else 1 for column in table.columns)
        align = tuple("LEFT" if column.unit == "text" else "RIGHT" for column in table.columns)
        with paper.table(
            col_widths=widths, text_align=align, borders_layout="HORIZONTAL_LINES", line_height=6, markdown=False,
            headings_style=_plain(),
        ) as grid:  # fmt: skip
            grid.row([column.title.in_language(language) for column in table.columns])
            for row in table.rows:
                grid.row([_words(column, cell, language) for column, cell in zip(table.columns, row, strict=True)])
    else:
        _line(paper, Text("无", "None").in_language(language), _BODY)
    _line(paper, table.note.in_language(language), 8)


def _plain() -> object:
    """Return the style of a heading: the font has no bold cut here."""
    from fpdf.fonts import FontFace

    return FontFace(emphasis="", fill_color=(232, 240, 246))


def _line(paper: FPDF, words: str, size: int) -> None:
    paper.set_font(_NAME, size=size)
    paper.multi_cell(0, size * 0.55, clean(words, 400), new_x="LMARGIN", new_y="NEXT", align="L")


def xlsx(title: Text, subtitle: Text, tables: Sequence[Table], language: Language) -> bytes:
    """Write one sheet per table. What people named is written as text, never as a formula or a link."""
    try:
        from xlsxwriter import Workbook  # type: ignore[import-untyped]
    except ImportError as error:
        raise _no_extra() from error
    kept = io.BytesIO()
    with Workbook(kept, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold = book.add_format({"bold": True})
        formats = {unit: book.add_format({"num_format": shape}) for unit, shape in _FORMATS.items()}
        for table in tables:
            sheet = book.add_worksheet(table.title.in_language(language)[:31].replace(":", " "))
            sheet.set_column(0, 0, 36)
            sheet.set_column(1, len(table.columns), 18)
            sheet.write_string(0, 0, f"{title.in_language(language)} {subtitle.in_language(language)}", bold)
            sheet.write_string(1, 0, table.note.in_language(language))
            for x, column in enumerate(table.columns):
                sheet.write_string(3, x, column.title.in_language(language), bold)
            for y, row in enumerate(table.rows, 4):
                for x, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
                    if isinstance(cell, Text):
                        sheet.write_string(y, x, clean(cell.in_language(language), 200), formats["text"])
                    elif cell is not None:
                        sheet.write_number(y, x, cell, formats[column.unit])
    return kept.getvalue()


def _words(column: Column, cell: Cell, language: Language) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, Text):
        return clean(cell.in_language(language))
    return {"share": f"{cell:.1%}", "minutes": f"{cell:.1f}"}.get(column.unit, str(cell))


def _no_extra() -> Refusal:
    return Refusal(409, "no_report_extra", "reports as files need the extra `report`: pip install 'menshen[report]'")
