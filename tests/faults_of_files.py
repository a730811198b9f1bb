"""Damaged and strange files in the place of the small homework's notebook, and what becomes of written answers."""

import copy
import json

import nbformat
from faults import ALL, Fault
from grading_in_small import notebook, solved
from homework_in_small import SCALE, TOTAL, cells

NO_JSON = {"problem": "not a notebook: its content is not JSON"}
TEXT = solved().decode()


def whole() -> dict:
    """The whole solution as a dict, its text cells too."""
    return json.loads(nbformat.writes(nbformat.v4.new_notebook(cells=list(copy.deepcopy(cells()).values()))))


def odd(change) -> bytes:
    """The whole solution after change(notebook), which may give another object."""
    made = whole()
    return json.dumps(change(made) or made).encode()


def in_format(major: int, minor: int = 0) -> bytes:
    """The whole solution in another format of notebooks."""
    made = nbformat.reads(json.dumps(whole()), as_version=4)
    if major == 3:
        return nbformat.writes(nbformat.convert(made, 3), version=3).encode()
    for cell in made.cells if minor < 5 else ():
        cell.pop("id", None)
    return json.dumps({**made, "nbformat_minor": minor}).encode()


def each_cell(**values) -> bytes:
    """The whole solution with these values in every cell; None removes."""

    def change(made):
        for cell in made["cells"]:
            cell.update(values)
            for name in [name for name, value in values.items() if value is None]:
                del cell[name]

    return odd(change)


def with_source(make) -> bytes:
    """The solution's code cells with make(source) as their source."""
    made = json.loads(solved())
    for cell in made["cells"]:
        cell["source"] = make(cell["source"])
    return json.dumps(made).encode()


def answer(pattern: str, change=lambda found, k: None, **says) -> Fault:
    """The whole solution after change(cells, k), k the place of the written answer; the pattern is for the answer."""
    made = whole()
    names = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in made["cells"]]
    change(made["cells"], names.index("why"))
    return Fault(json.dumps(made).encode(), ALL, {"why": pattern, **says})


def with_answer(pattern: str, says: dict | None = None, **values) -> Fault:
    """The whole solution with these values in the cell of the written answer."""
    return answer(pattern, lambda found, k: found[k].update(values), **(says or {}))


def without_metadata(found: list, k: int):
    """The answer is known by the heading above it alone."""
    found[k]["metadata"] = {}
    found.insert(k, {**found[0], "id": "heading"})


def no_frame(made: dict):
    """Cells are all that the file has."""
    for name in ("metadata", "nbformat", "nbformat_minor"):
        del made[name]


def script(text: str) -> Fault:
    """A Python script with the right answers in the place of a notebook."""
    note = "^the file is a Python script, not a notebook: its definitions were taken$"
    return Fault(text.encode(), ALL, {"notes": note})


FORMATS = {f"notebook format 4.{minor}": Fault(in_format(4, minor), ALL) for minor in range(6)}
BYTES = {
    "notebook format 3": Fault(in_format(3), ALL),
    "a format from the future": Fault(odd(lambda n: n.update(nbformat=9, nbformat_minor="x")), ALL),
    "empty": Fault(b"", 0, NO_JSON),
    "blanks": Fault(b" \n\n ", 0, NO_JSON),
    "no cells": Fault(notebook(), 0, {"problem": "no function of this homework"}),
    "cells that are none": Fault(odd(lambda n: n["cells"].extend([None, 3, "cell", [], {}])), ALL),
    "a number for a source": Fault(odd(lambda n: n["cells"].append({"cell_type": "code", "source": 3})), ALL),
    "worksheets beside cells": Fault(odd(lambda n: n.update(worksheets=None)), ALL),
    "worksheets of another kind": Fault(b'{"worksheets": [{"cells": 3}, 4]}', 0, {"problem": "no function of this"}),
    "null": Fault(b"null", 0, {"problem": "it has no cells"}),
    "an array": Fault(b"[1, 2]", 0, {"problem": "it has no cells"}),
    "cut off": Fault(solved()[:-40], 0, NO_JSON),
    "cut in a character": Fault(notebook(SCALE, TOTAL + "  # ü")[:-200], 0, NO_JSON),
    "one byte wrong": Fault(solved().replace(b'"cells":', b'"cells";', 1), 0, NO_JSON),
    "null bytes": Fault(bytes(4096), 0, NO_JSON),
    "two in one": Fault(solved() * 2, 0, NO_JSON),
    "conflict marks": Fault(b"<<<<<<< HEAD\n" + solved() + b"\n=======\n>>>>>>> main\n", 0, NO_JSON),
    "an error page": Fault(b"<!DOCTYPE html><html><body>Log in</body></html>", 0, NO_JSON),
    "a zip": Fault(b"PK\x03\x04" + bytes(range(256)), 0, NO_JSON),
    "nested deeply": Fault(b"[" * 100_000, 0, NO_JSON),
    "nested deeply within": Fault(solved()[:-1] + b', "x": ' + b"[" * 10**5 + b"]" * 10**5 + b"}", 0, NO_JSON),
    "50 MB of output": Fault(each_cell(outputs=[{"output_type": "stream", "text": "x" * 8_000_000}]), ALL),
    "100,000 cells": Fault(odd(lambda n: n["cells"].extend([{"cell_type": "markdown", "source": "x"}] * 10**5)), ALL),
    "Latin-1": Fault(notebook(SCALE, TOTAL, "# GREETING").replace(b"GREETING", "Schüler".encode("latin-1")), ALL),
    "a byte order mark": Fault(b"\xef\xbb\xbf" + solved(), ALL),
    **{code: Fault(TEXT.encode(code), ALL) for code in ("UTF-16", "UTF-16-LE", "UTF-16-BE", "UTF-32", "UTF-32-LE")},
    "CRLF in the file": Fault(json.dumps(json.loads(TEXT), indent=1).replace("\n", "\r\n").encode(), ALL),
    "CR in the file": Fault(json.dumps(json.loads(TEXT), indent=1).replace("\n", "\r").encode(), ALL),
    "CRLF in cells": Fault(with_source(lambda source: source.replace("\n", "\r\n")), ALL),
    "CR in cells": Fault(with_source(lambda source: source.replace("\n", "\r")), ALL),
    "CRLF in lines": Fault(with_source(lambda source: source.replace("\n", "\r\n").splitlines(True)), ALL),
    "lines": Fault(with_source(lambda source: source.splitlines(True)), ALL),
    "a plain script": script(f"import torch\n{SCALE}\n\n{TOTAL}\n"),
    "a percent script": script(f"# %%\nimport torch\n# %% [markdown]\n# Text\n# %%\n{SCALE}\n# %%\n{TOTAL}"),
    "nbconvert's script": script(f"# coding: utf-8\n# In[1]:\n\n{SCALE}\n\n\n# In[ ]:\n\n{TOTAL}\nprint(1 / 0)"),
    "a script in CRLF": script(f"import torch\n{SCALE}\n\n{TOTAL}\n".replace("\n", "\r\n")),
    "a script that is half broken": Fault(f"{SCALE}\n\ndef total(x:\n    pass".encode(), 0, NO_JSON),
    "a script without functions": Fault(b"x = 1\nprint(x)", 0, NO_JSON),
}

METADATA = {
    "metadata lost": Fault(each_cell(metadata={}), ALL),
    "metadata missing": Fault(each_cell(metadata=None), ALL),
    "metadata of another kind": Fault(each_cell(metadata="lost"), ALL),
    "nbgrader metadata of another kind": Fault(each_cell(metadata={"nbgrader": ["x"]}), ALL),
    "nbgrader metadata doubled": Fault(each_cell(metadata={"nbgrader": {"grade_id": "scale", "grade": True}}), ALL),
    "a grade_id of another kind": Fault(each_cell(metadata={"nbgrader": {"grade_id": ["why"]}}), ALL),
    "names of cells all the same": Fault(each_cell(id="same"), ALL),
    "outputs of another kind": Fault(each_cell(outputs="none", execution_count="x"), ALL),
    "no metadata of the notebook": Fault(odd(no_frame), ALL),
    "all cells are text": Fault(each_cell(cell_type="markdown"), 0, {"problem": "no function of this homework"}),
    "all cells are code": Fault(each_cell(cell_type="code"), ALL, {"notes": "cell 8 is not valid Python"}),
    "a type of cell that does not exist": Fault(
        each_cell(cell_type="python"), 0, {"problem": "no function of this home"}
    ),
}

BECAUSE = "Because the earlier layers learn from it"
WRITTEN = {
    "an answer": answer(BECAUSE),
    "an answer without metadata": answer(BECAUSE, without_metadata),
    "an answer twice": answer(f"(?s){BECAUSE}.*{BECAUSE}", lambda found, k: found.append(found[k])),
    "a missing answer": answer("^None$", lambda found, k: found.pop(k) and None),
    "an empty answer": with_answer("^None$", source=" \n"),
    "an unwritten answer": with_answer("^None$", source="YOUR ANSWER HERE"),
    "an answer in a code cell": with_answer("^None$", {"notes": "cell 7 is not valid Python"}, cell_type="code"),
    "an answer in a raw cell": with_answer(BECAUSE, cell_type="raw"),
    "a number for an answer": with_answer("1None", source=[1, None]),
    "a long answer": with_answer("^(long ){4000}$", source="long " * 10**6),
    "half a character in an answer": with_answer(r"^x \?$", source="x \ud83d"),
}
