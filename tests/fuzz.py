"""Notebooks built from the cells of homework 2's solution, damaged, and what each is worth.

A definition may be spoiled (a stub, another name, half of it, another result, a syntax error: it surely fails), and
cells may be dropped, doubled, moved, merged, cut in two, changed in kind, or lose their source. The last definition
that Python gets to see decides, so it is known which exercises earn their points: these, and no others.
"""

import ast
import functools
import json

from fuzz_files import CODES, SHAPES, file
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
    "inner_step = inner_step(loss, theta)", "x = 3 +", "reptile_update = 5", "del prototypes", "import sys; sys.exit()",
)  # fmt: skip
SPOILS = ("def (", "%%bash\nexit 1", "x = 3 +")  # junk that makes no sense, nor does the cell that it is merged into
BREAKS = ("stub", "another name", "half", "another result", "no result", "raises", "syntax error")
NO_CODE = ("markdown", "raw", "no kind", "null", "number", "nothing")  # kinds of cells and sources that hold no code


@functools.cache
def solution() -> tuple[str, dict[str, str]]:
    """The imports of the solution and {exercise: its definition}."""
    cells = list(code_cells(read(HW / f"{HW.name}.ipynb")))
    found = {cell.partition("def ")[2].partition("(")[0]: cell for cell in cells if cell.startswith("def ")}
    return cells[0], {name: source for name, source in found.items() if "BEGIN SOLUTION" in source}


def broken(name: str, how: str) -> tuple[str, dict]:
    """(source, what it defines) for a definition that cannot be right."""
    source = solution()[1][name]
    head, _, body = source.partition("### BEGIN SOLUTION")
    return {
        "stub": (f"{head}raise NotImplementedError()", {name: False}),
        "another name": (source.replace(f"def {name}(", f"def old_{name}("), {}),
        "half": (source[: len(head) + len(body) // 2].rstrip() + " (", None),
        "another result": (head + body.replace("return ", "return None and "), {name: False}),
        "no result": (head + body.replace("return ", "result = "), {name: False}),
        "raises": (f"{head}raise ValueError('fuzz')\n{body}", {name: False}),
        "syntax error": (f"{head}) = (\n{body}", None),
    }[how]


def halves(name: str, share: float) -> list[tuple[str, dict | None]]:
    """A definition cut in two between lines of its body: the first half lacks its result, the second its beginning."""
    lines = solution()[1][name].splitlines()
    first = next(k for k, line in enumerate(lines) if "BEGIN SOLUTION" in line) + 1
    last = max(k for k, line in enumerate(lines) if "return " in line)
    cut = first + round(share * (last - first))
    return [("\n".join(lines[:cut]), _defines(name, lines[:cut])), ("\n".join(lines[cut:]), {})]


def _defines(name: str, lines: list[str]) -> dict | None:
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:  # cut below a `for`
        return None
    return {name: False}


@st.composite
def cells(draw, name: str) -> list[tuple[str, dict | None]]:
    """The cells of one exercise: (source, {exercise: is it right?}), None in the place of a dict for a syntax error."""
    right = (solution()[1][name], {name: True})
    wrong = broken(name, draw(st.sampled_from(BREAKS)))
    fate = draw(st.sampled_from(["right"] * 6 + ["dropped", "doubled", "mended", "spoiled", "wrong", "wrong", "cut"]))
    if fate == "cut":
        return draw(st.sampled_from([[], [right]])) + halves(name, draw(st.floats(0, 1)))
    return {
        "right": [right], "dropped": [], "doubled": [right, right], "mended": [wrong, right],
        "spoiled": [right, wrong], "wrong": [wrong],
    }[fate]  # fmt: skip


@st.composite
def notebooks(draw, codes=CODES) -> tuple[bytes, set[str]]:
    """(the file, the exercises that are worth their points)."""
    imports, definitions = solution()
    found = [cell for name in draw(st.permutations(sorted(definitions))) for cell in draw(cells(name))]
    for junk in draw(st.lists(st.sampled_from(JUNK), max_size=5)):
        found.insert(draw(st.integers(0, len(found))), (junk, None if junk in SPOILS else {}))
    for _ in range(draw(st.integers(0, 3)) if found else 0):  # moved
        found.insert(draw(st.integers(0, len(found) - 1)), found.pop(draw(st.integers(0, len(found) - 1))))
    for _ in range(draw(st.integers(0, 3)) if len(found) > 1 else 0):
        k = draw(st.integers(0, max(0, len(found) - 2)))
        found[k : k + 2] = merged(found[k : k + 2])
    kinds = draw(st.lists(st.sampled_from(["code"] * 12 + list(NO_CODE)), min_size=len(found), max_size=len(found)))
    sources = [("code", imports), *zip(kinds, (source for source, _ in found), strict=True)]
    seen = [defined for kind, (_, defined) in zip(kinds, found, strict=True) if kind == "code" and defined]
    return file(sources, draw(st.sampled_from(SHAPES)), draw(st.sampled_from(codes))), worth(seen)


def merged(pair: list[tuple]) -> list[tuple]:
    """Two cells in one; the second half of a cut definition, which would go on with any other, stays alone."""
    if len(pair) < 2 or any(source.startswith("    ") for source, _ in pair):
        return pair
    (one, defined), (two, others) = pair
    return [(f"{one}\n\n{two}", None if defined is None or others is None else defined | others)]


def worth(seen: list[dict]) -> set[str]:
    """The exercises whose last definition is right, and so are the last ones of all that it calls."""
    last = functools.reduce(dict.__or__, seen, {})
    return {name for name in last if all(last.get(other) for other in (name, *NEEDS.get(name, ())))}


@st.composite
def torn(draw) -> tuple[bytes, set[str]]:
    """A file with bytes changed or cut off: what it is worth is not known, but never more than before."""
    content, earned = draw(notebooks())
    content = bytearray(content)
    for _ in range(draw(st.integers(0, 3))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.one_of(st.none(), st.none(), st.none(), st.integers(0, len(content))))]), earned


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
    assert json.loads(json.dumps(record, ensure_ascii=False).encode()) == record
    assert record["status"] == ("needs a person" if record["problem"] else "graded")
    return {row["name"]: row["earned"] for row in record["exercises"]}
