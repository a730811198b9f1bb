"""Notebooks built from the cells of homework 2's solution, damaged, and what each is worth.

A damage is to cells (dropped, doubled, moved, merged, junk between them, other forms of the same source, lost
metadata: right answers stay right) or to a function (a stub, another name, half a definition, another result: it
surely fails). So it is known which exercises are worth their points, and nothing else may be.
"""

import functools
import json

from grading_in_small import HandedIn
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from utils.grading.notebook_file import code_cells, read
from utils.grading.official.grade import grade
from utils.paths import course_root

HW = course_root() / "solutions" / "hw2_metric_and_maml"
NEEDS = {  # an exercise -> the others that its solution calls
    "proto_loss": ("prototypes", "proto_logits"),
    "outer_loss": ("inner_step",),
    "first_order_update": ("inner_step",),
}
JUNK = (
    "x = 1 / 0", "!ls", "%matplotlib inline", "while True: pass", "def (", "", "\t", "# nothing", "print('prototypes')",
    "prototypes = prototypes", "%%bash\nexit 1", "import no_such_package", "LOST = UNKNOWN", "class Empty: pass",
    "await something()", "def helper(): return prototypes", "\u00e9 = '\u2603'", "import torch", "check(inner_step)",
)  # fmt: skip
SHAPES = ("as it is", "lines", "format 3", "no metadata", "odd metadata", "CRLF", "indented JSON", "BOM", "UTF-16")


@functools.cache
def solution() -> tuple[str, dict[str, str]]:
    """The imports of the solution and {exercise: its definition}."""
    cells = list(code_cells(read(HW / f"{HW.name}.ipynb")))
    found = {cell.partition("def ")[2].partition("(")[0]: cell for cell in cells if cell.startswith("def ")}
    return cells[0], {name: source for name, source in found.items() if "BEGIN SOLUTION" in source}


def broken(name: str, source: str, how: str) -> str:
    """A definition that cannot be right: its exercise and those that call it are worth nothing."""
    head, _, body = source.partition("### BEGIN SOLUTION")
    return {
        "stub": f"{head}raise NotImplementedError()",
        "another name": source.replace(f"def {name}(", f"def {name}_("),
        "half": source[: len(head) + len(body) // 2].rstrip() + " (",
        "another result": head + "\n".join(
            line.replace("return ", "return None and ") for line in body.splitlines()),
        "raises": f"{head}raise ValueError('fuzz')\n{body}",
    }[how]  # fmt: skip


BREAKS = ("stub", "another name", "half", "another result", "raises")


@st.composite
def notebooks(draw) -> tuple[bytes, set[str]]:
    """(the file, the exercises that are worth their points)."""
    imports, definitions = solution()
    cells, last = [], {}
    for name in draw(st.permutations(sorted(definitions))):
        fate = draw(st.sampled_from(["right"] * 6 + ["dropped", "doubled", "mended", "spoiled", *BREAKS]))
        how = draw(st.sampled_from(BREAKS))
        sources = {
            "right": [definitions[name]], "dropped": [], "doubled": [definitions[name]] * 2,
            "mended": [broken(name, definitions[name], how), definitions[name]],
            "spoiled": [definitions[name], broken(name, definitions[name], how)],
        }.get(fate) or ([] if fate == "dropped" else [broken(name, definitions[name], fate)])  # fmt: skip
        cells += sources
        last[name] = fate in ("right", "doubled", "mended") or (fate == "spoiled" and how in ("half", "another name"))
    right = {name for name, good in last.items() if good}
    earned = {name for name in right if all(other in right for other in NEEDS.get(name, ()))}
    for junk in draw(st.lists(st.sampled_from(JUNK), max_size=5)):
        cells.insert(draw(st.integers(0, len(cells))), junk)
    return file([imports, *cells], draw(st.sampled_from(SHAPES))), earned


def file(sources: list[str], shape: str) -> bytes:
    """The cells as a notebook file of this shape."""
    odd = {"metadata": {"nbgrader": {"grade_id": 3, "points": 1000}}, "id": None} if shape == "odd metadata" else {}
    plain = {} if shape in ("no metadata", "odd metadata") else {"metadata": {}, "outputs": []}
    if shape in ("lines", "CRLF"):
        sources = [s.splitlines(keepends=True) if shape == "lines" else s.replace("\n", "\r\n") for s in sources]
    key = "input" if shape == "format 3" else "source"
    cells = [{"cell_type": "code", key: source, **plain, **odd} for source in sources]
    whole = {"cells": cells, "nbformat": 4} if shape != "format 3" else {"worksheets": [{"cells": cells}]}
    text = json.dumps(whole, indent=2 if shape == "indented JSON" else None, ensure_ascii=shape != "BOM")
    return {"BOM": text.encode("utf-8-sig"), "UTF-16": text.encode("utf-16")}.get(shape, text.encode())


@st.composite
def torn(draw) -> tuple[bytes, set[str]]:
    """A file with bytes cut off or changed: what it is worth is not known, but never more than before."""
    content, earned = draw(notebooks())
    content = bytearray(content)
    for _ in range(draw(st.integers(0, 3))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(len(content) // 2, 2 * len(content)))]), earned


def fuzz(strategy, examples: int, start: int):
    """A test of `examples` notebooks, always the same ones; it takes the function that looks at each."""
    def decorate(function):
        calm = settings(max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
                        suppress_health_check=list(HealthCheck))  # fmt: skip
        return seed(start)(calm(given(strategy)(function)))

    return decorate


def points(key, sandbox, content: bytes) -> dict[str, float]:
    """{exercise: points} of a file; whatever it holds, there is a record that can be written down."""
    record = grade(key, sandbox, HandedIn(content))
    assert json.loads(json.dumps(record)) == record and record["status"] in ("graded", "needs a person")
    return {row["name"]: row["earned"] for row in record["exercises"]}
