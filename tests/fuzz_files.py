"""Cells as notebook files of many shapes and encodings; none of them changes what the cells say."""

import json

SHAPES = ("as it is", "lines", "letters", "format 3", "no metadata", "odd metadata", "CRLF", "indented", "keys missing",
          "odd keys", "odd cells")  # fmt: skip
CODES = ("ascii", "ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1")
ODD = {"nbgrader": {"grade_id": 3, "points": 1000}, "tags": "none", "collapsed": []}
FORMS = {  # how a shape keeps a source
    "lines": lambda source: source.splitlines(keepends=True),
    "letters": list,
    "CRLF": lambda source: source.replace("\n", "\r\n"),
}


def file(cells: list[tuple[str, str]], shape: str, code: str) -> bytes:
    """A notebook file of the cells (kind, source); a kind is a type of cell, or what stands in the source's place."""
    made = [_cell(kind, source, shape) for kind, source in cells]
    if shape == "odd cells":
        made = [odd for cell in made for odd in (None, cell, 3, [], {}, {"cell_type": "code"})]
    whole = {"cells": made, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    if shape == "format 3":
        whole = {"worksheets": [{"cells": made}, None, {"cells": None}], "nbformat": 3}
    elif shape == "keys missing":
        whole = {"cells": made}
    elif shape == "odd keys":
        whole |= {"nbformat": None, "metadata": [], "worksheets": 3, "": {}}
    text = json.dumps(whole, indent=2 if shape == "indented" else None, ensure_ascii=code == "ascii")
    return text.encode(code, "replace")


def _cell(kind: str, source: str, shape: str) -> dict:
    source = FORMS.get(shape, str)(source)
    source = {"null": None, "number": 3}.get(kind, source)
    cell = {"cell_type": kind if kind in ("markdown", "raw") else "code", "source": source}
    if kind == "no kind":
        del cell["cell_type"]
    if kind == "nothing":
        del cell["source"]
    if shape == "format 3" and "source" in cell:
        cell["input"] = cell.pop("source")
    if shape == "odd metadata":
        return cell | {"metadata": ODD, "id": None, "outputs": "none"}
    return cell if shape == "no metadata" else cell | {"metadata": {}, "outputs": [], "execution_count": None}
