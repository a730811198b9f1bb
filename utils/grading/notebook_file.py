"""Reading a notebook file of any format and in any state, without trusting a word of it."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

SCRIPT_CELL = re.compile(r"^# (?:%%|In\[)", re.MULTILINE)  # jupytext's and nbconvert's marks in a notebook saved as .py


def read(notebook) -> dict:
    """A notebook's JSON: from a path, from bytes, or a dict as it is. A Python script is read as cells of code.

    What a person should know about the file is its "note". Raises ValueError if there is no notebook in it.
    """
    if isinstance(notebook, dict):
        return notebook
    name = "the file" if isinstance(notebook, bytes) else Path(notebook).name
    try:
        content = notebook if isinstance(notebook, bytes) else Path(notebook).read_bytes()
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}") from error
    text = _decoded(content)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        script = _script(text)
        if script:
            return script
        raise ValueError(f"{name} is not a notebook: its content is not JSON ({error})") from error
    if not isinstance(found, dict) or not any(isinstance(found.get(key), list) for key in ("cells", "worksheets")):
        raise ValueError(f"{name} is not a notebook: it has no cells")
    return found


def _decoded(content: bytes) -> str:
    """UTF-8, 16 or 32, with or without a byte order mark; whatever else it may be, as Latin-1."""
    try:
        return content.decode("utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else json.detect_encoding(content))
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _script(text: str) -> dict | None:
    """The cells of a Python script that was saved as .ipynb, if it is one and defines something."""
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not any(isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) for statement in statements):
        return None
    starts = [0, *(mark.start() for mark in SCRIPT_CELL.finditer(text) if mark.start()), len(text)]
    cells = [text[a:b] for a, b in zip(starts, starts[1:], strict=False)]
    note = "the file is a Python script, not a notebook: its definitions were taken"
    return {"cells": [{"cell_type": "code", "source": cell} for cell in cells], "note": note}


def all_cells(notebook: dict) -> list[dict]:
    """Every cell, in order (notebook format 3 keeps them in worksheets)."""
    sheets = [notebook] if isinstance(notebook.get("cells"), list) else notebook.get("worksheets")
    sheets = [sheet for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
    found = [cell for sheet in sheets if isinstance(sheet.get("cells"), list) for cell in sheet["cells"]]
    return [cell for cell in found if isinstance(cell, dict)]


def source(cell: dict) -> str:
    """A cell's text, which files keep as one string or as lines (format 3 calls code `input`)."""
    text = cell.get("source", cell.get("input", ""))
    if isinstance(text, str):
        return text
    return "".join(map(str, text)) if isinstance(text, list) else ""


def code_cells(notebook: dict) -> Iterator[str]:
    """The source of every code cell, in order."""
    return (source(cell) for cell in all_cells(notebook) if cell.get("cell_type") == "code")


def written_answers(notebook: dict, questions: dict[str, str]) -> dict[str, str]:
    """{question: answer}: the text cells that carry the question's grade_id, or else those below its heading.

    questions: {grade_id: heading}, as 'Question 1'. A question without any text is left out.
    """
    found, below, heading = {}, {}, None
    for cell in all_cells(notebook):
        if cell.get("cell_type") == "code":
            continue
        text = source(cell)
        about = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
        about = about.get("nbgrader") if isinstance(about.get("nbgrader"), dict) else {}
        name = about.get("grade_id")
        if isinstance(name, str) and name in questions:
            found.setdefault(name, []).append(text)
            heading = None
        elif text.lstrip().startswith("#"):
            first = text.lstrip().partition("\n")[0].lstrip("# ")
            heading = next((name for name, title in questions.items() if first.startswith(title)), None)
        elif heading:
            below.setdefault(heading, []).append(text)
    return {name: "\n\n".join(texts) for name, texts in (below | found).items()}
