"""written.csv, the queue of written answers: a person fills in points and comment, and every run keeps them.

A row belongs to a student and a question. Points may stand as 2.5 or 2,5, and the file may come back from a
spreadsheet with semicolons. A file that cannot be understood is never overwritten: ValueError says which line is to be
put right, and nothing is written by that run.
"""

import csv
import io
from pathlib import Path

from utils.grading.official.files import write_text
from utils.grading.official.report.text import lines, number, original, table

COLUMNS = ["student", "question", "title", "max", "answer", "points", "comment"]
CHANGED = "[The answer has changed since these points were given.]"
REPAIR = "The file was left as it is; put it right and run again"


def points(path: Path) -> dict[tuple[str, str], float]:
    """{(student, question): points} as far as they are given; {} without a file. ValueError as in `read`."""
    return {key: row["points"] for key, row in read(path).items() if row["points"] is not None}


def read(path: Path) -> dict[tuple[str, str], dict]:
    """{(student, question): row}, in the file's order; a row's max and points are numbers, points None where empty.

    Raises ValueError if the file is no such table, names a row twice, or gives points that are not 0 to max.
    """
    found = {}
    for place, cells in _cells(Path(path)):
        row = {name: original(cell) for name, cell in zip(COLUMNS, cells, strict=True)}
        key = row["student"].strip(), row["question"].strip()
        if key in found:
            raise ValueError(f"{place}: there is a second row for {key[0]!r}, {key[1]!r}; expected one. {REPAIR}.")
        row["max"] = _number(row["max"], f"{place}: max")
        row["points"] = _number(row["points"], f"{place}: points", row["max"]) if row["points"].strip() else None
        found[key] = row
    return found


def update(path: Path, records: list[dict]) -> dict[tuple[str, str], dict]:
    """Writes the queue of these records and returns its rows, points and comments of the present file kept.

    Rows that hold points or a comment stay even if no record has their answer any more. ValueError as in `read`,
    and if points given earlier exceed what a question is worth now.
    """
    before = read(path)
    rows = {}
    for record in sorted(records, key=lambda record: record["student"]):
        for question in record["written"]:
            key = record["student"], question["name"]
            rows[key] = _row(key, question, before.get(key))
    kept = {key: row for key, row in before.items() if row["points"] is not None or row["comment"].strip()}
    rows |= {key: row for key, row in kept.items() if key not in rows}
    if rows or Path(path).exists():
        body = [[row[name] for name in COLUMNS] for row in rows.values()]
        write_text(path, "\ufeff" + table([COLUMNS, *body]))  # the mark tells spreadsheets that this is UTF-8
    return rows


def changed(row: dict) -> bool:
    """Whether the answer changed after points were given, and no person has removed the remark since."""
    return row["comment"].startswith(CHANGED)


def _row(key: tuple[str, str], question: dict, old: dict | None) -> dict:
    given = old["points"] if old else None
    comment = old["comment"] if old else ""
    if given is not None and given > question["points"]:
        raise ValueError(
            f"written.csv gives {key[0]!r} {number(given)} points for {key[1]!r}, which is worth "
            f"{number(question['points'])} now. {REPAIR}."
        )
    answer = lines(question["answer"], 29_000)
    if given is not None and _words(answer) != _words(old["answer"]) and not comment.startswith(CHANGED):
        comment = f"{CHANGED} {comment}".strip()
    values = [*key, question["title"], question["points"], answer, given, comment]
    return dict(zip(COLUMNS, values, strict=True))


def _cells(path: Path) -> list[tuple[str, list[str]]]:
    """(place, cells) of each row that is not empty; [] without a file."""
    if not path.exists():
        return []
    try:
        text = path.read_bytes().decode("utf-8-sig")
        mark = ";" if text.partition("\n")[0].count(";") > 3 else ","
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
        rows = [(f"{path.name}, line {reader.line_num}", cells) for cells in reader if any(map(str.strip, cells))]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not UTF-8; save it as 'CSV UTF-8'. {REPAIR}.") from error
    except csv.Error as error:
        raise ValueError(f"{path.name} cannot be read as CSV ({error}). {REPAIR}.") from error
    if not rows or [name.strip() for name in rows[0][1]] != COLUMNS:
        found = ", ".join(rows[0][1])[:100] if rows else "nothing"
        raise ValueError(f"{path.name}: expected the columns {', '.join(COLUMNS)}, found {found}. {REPAIR}.")
    for place, cells in rows:
        if len(cells) != len(COLUMNS):
            raise ValueError(f"{place}: expected {len(COLUMNS)} cells, found {len(cells)}. {REPAIR}.")
    return rows[1:]


def _number(text: str, what: str, most: float = float("inf")) -> float:
    limit = "" if most == float("inf") else f" to {number(most)}"
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = -1.0
    if not 0 <= value <= most or value == float("inf"):
        raise ValueError(f"{what}: expected a number from 0{limit}, found {text.strip()[:40]!r}. {REPAIR}.")
    return value


def _words(text: str) -> list[str]:
    return original(text).split()
