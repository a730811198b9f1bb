"""Text of students and platforms made harmless: for a page, for a table's cell; and numbers as text."""

import csv
import io
from datetime import UTC, datetime

from utils.grading.feedback import printable

STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # what a spreadsheet may take for a formula, wide letters too
LONGEST_CELL = 30_000  # a spreadsheet's cell ends at 32,767 characters


def line(value, longest: int = 1500) -> str:
    """One printable line of at most `longest` characters; '' for None."""
    text = "" if value is None else " ".join(str(value)[: 4 * longest].split())
    return _cut(printable(text), longest)


def lines(value, longest: int = 6000) -> str:
    """Printable text that keeps its line breaks; '' for None."""
    text = "" if value is None else str(value)[: longest + 1].replace("\r\n", "\n").replace("\r", "\n")
    return _cut("\n".join(printable(part.expandtabs(4)) for part in text.split("\n")), longest)


def number(value: float | None) -> str:
    """'3.5' in every locale, at most four decimals; '' for None."""
    return "" if value is None else f"{round(value, 4) + 0:.4f}".rstrip("0").rstrip(".")


def moment(value) -> str:
    """'2025-10-01 12:00 UTC' for an ISO time, which is UTC where it names no zone; anything else as a line."""
    try:
        time = datetime.fromisoformat(value)
        time = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return line(value, 40)
    return f"{time:%Y-%m-%d %H:%M} UTC"


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: an apostrophe goes before what looks like one.

    Blanks and double quotes before the formula do not hide it. What begins with an apostrophe is text already.
    """
    return f"'{text}" if text.lstrip(' \t\r\n"').startswith(STARTS) else text


def original(cell: str) -> str:
    """What was made `harmless` into this cell."""
    return cell[1:] if cell.startswith("'") and harmless(cell[1:]) == cell else cell


def table(rows: list[list]) -> str:
    """Rows as CSV: commas, line feeds; numbers as numbers, None as an empty cell, all else as harmless text."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value) -> str:
    if value is None or isinstance(value, (int, float)):
        return number(value)
    return harmless(lines(value, LONGEST_CELL))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + " ... (cut)"
