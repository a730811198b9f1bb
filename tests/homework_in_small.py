"""A small homework, made in a temporary folder, for the tests of grading."""

import textwrap
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from utils.grading.importer import import_notebook
from utils.grading.release import release

CHECKS = '''
import numpy as np

from utils.grading import Exercise, checker, gradients, tensors


def _inputs(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(int(rng.integers(2, 5)), 3)).astype(np.float32)
    return {"x": x, "factor": np.array(rng.uniform(2, 3), np.float32)}


def _scale_drive(scale, inputs):
    given = tensors(inputs)
    x = given["x"].requires_grad_()
    means = scale(x, given["factor"])
    return {"means": means, "grad_x": gradients((means * means).sum(), [x])[0]}


def _total_drive(total, inputs):
    return {"total": total(tensors(inputs)["x"])}


EXERCISES = [
    Exercise("scale", points=3, minutes=5, inputs=_inputs, drive=_scale_drive),
    Exercise("total", points=1.5, minutes=2, inputs=_inputs, drive=_total_drive),
]
check = checker(__file__, EXERCISES)
'''

MISTAKES = '''
from utils.grading import Mistake


def _detached(x, factor):
    return factor * x.mean(0).detach()


def _summed(x, factor):
    return factor * x.sum(0)


def _columns(x, factor):
    return factor * x.mean(1)


MISTAKES = {
    "scale": [
        Mistake(_detached, "The graph is cut before the mean.", credit=0.5),
        Mistake(_summed, "A mean is asked for, not a sum."),
        Mistake(_columns, "Examples are rows: average over axis 0."),
    ],
    "total": [
        Mistake(lambda x: x.mean(), "A sum is asked for, not a mean."),
        Mistake(lambda x: x.sum(0), "Add all the entries up, not only each column."),
        Mistake(lambda x: x.abs().sum(), "Signs matter: nothing is made positive."),
    ],
}
'''

SCALE = '''def scale(x, factor):
    """x [N, D] -> factor times the mean row [D]."""
    ### BEGIN SOLUTION
    mean_row = x.sum(0) / len(x)
    return factor * mean_row
    ### END SOLUTION'''

TOTAL = '''def total(x):
    """x [N, D] -> the sum of all entries."""
    ### BEGIN SOLUTION
    return x.sum()
    ### END SOLUTION'''

ANSWER = '''Why does the gradient matter?

### BEGIN SOLUTION
Because the earlier layers learn from it.
### END SOLUTION'''

EXPERIMENT = 'check.needs("scale", "total")\nprint(float(total(scale(torch.ones(2, 3), 2.0))))'


def cell(source, name=None, points=None, tags=(), kind=new_code_cell):
    """A notebook cell with nbgrader's metadata: a solution cell, a check cell (points), or neither."""
    made = kind(source)
    if name:
        about = {"grade_id": name, "schema_version": 3, "task": False, "locked": points is not None}
        about |= {"solution": points is None, "grade": points is not None}
        made.metadata["nbgrader"] = about | ({} if points is None else {"points": points})
    if tags:
        made.metadata["tags"] = list(tags)
    return made


def cells() -> dict:
    """The cells of the solution, by name."""
    written = cell(ANSWER, "why", 2, kind=new_markdown_cell)
    written.metadata["nbgrader"] |= {"solution": True, "locked": False}
    return {
        "title": new_markdown_cell("# A small homework"),
        "imports": cell("%matplotlib inline\nimport torch\nfrom checks import check"),
        "scale": cell(SCALE, "scale"),
        "check_scale": cell("check(scale)", "check_scale", 3),
        "total": cell(TOTAL, "total"),
        "check_total": cell("check(total)", "check_total", 1.5),
        "experiment": cell(EXPERIMENT, tags=["experiment"]),
        "why": written,
        "summary": cell("check.summary()"),
    }


def write(root: Path, name="hw9_small", checks=CHECKS, mistakes=MISTAKES, **changed) -> Path:
    """solutions/NAME under `root`, executed-looking; `changed` replaces (or with None removes) cells by name."""
    folder = root / "solutions" / name
    folder.mkdir(parents=True, exist_ok=True)
    kept = [made for made in (cells() | changed).values() if made is not None]
    for made in kept:
        if made.cell_type == "code":
            made.execution_count, made.outputs = 7, [new_output("stream", text="mean_row is here\n")]
    nbformat.write(new_notebook(cells=kept), folder / f"{name}.ipynb")
    (folder / "checks.py").write_text(checks, encoding="utf-8")
    (folder / "mistakes.py").write_text(mistakes, encoding="utf-8")
    return folder


def release_one(root: Path, name: str, right: str, checks: str, mistakes: str) -> Path:
    """A homework of one exercise with this solution, released; the course's folder."""
    changed = {"scale": cell(right, name), "check_scale": cell(f"check({name})", f"check_{name}", 4)}
    left_out = dict.fromkeys(("total", "check_total", "experiment", "why"))
    write(root, checks=checks, mistakes=mistakes, **changed, **left_out)
    assert release(["hw9_small"], root=root) == 0
    return root


GOOD = "def scale(x, factor): return factor * x.mean(0)"

HEAD = """
import torch

def helper(x):
    raise NotImplementedError()

class Odd(Exception):
    def __str__(self):
        raise ValueError
"""


def student(source, name="scale"):
    """A function as an imported notebook cell would define it."""
    cells = [{"cell_type": "code", "source": text} for text in (HEAD, textwrap.dedent(source))]
    return import_notebook({"cells": cells}).namespace[name]
