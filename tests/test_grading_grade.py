"""One submission, graded: right ones get everything, wrong ones a reason, and each exercise stands for itself."""

import json

import pytest
from grading_in_small import HandedIn, notebook, solved

from utils.grading.official.grade import grade


@pytest.fixture
def graded(key, sandbox):
    """graded(bytes) -> (points, {exercise: row}, record)."""

    def run(content: bytes):
        record = grade(key, sandbox, HandedIn(content))
        rows = {row["name"]: row for row in record["exercises"]}
        return sum(row["earned"] for row in rows.values()), rows, record

    return run


def test_a_right_solution_earns_everything(graded):
    points, rows, record = graded(solved())
    assert points == 4.5 and {row["kind"] for row in rows.values()} == {"passed"}
    assert (record["status"], record["problem"], record["notes"]) == ("graded", None, [])
    assert json.loads(json.dumps(record)) == record


def test_stubs_and_missing_functions_earn_nothing(graded):
    points, rows, _ = graded(solved(scale="def scale(x, factor):\n    raise NotImplementedError()", total=None))
    assert points == 0
    assert (rows["scale"]["kind"], rows["total"]["kind"]) == ("not attempted", "missing")


def test_a_misconception_is_named_and_earns_its_credit(graded):
    points, rows, _ = graded(solved(scale="def scale(x, factor): return factor * x.mean(0).detach()"))
    assert points == 3
    assert rows["scale"]["misconception"] == "The graph is cut before the mean."
    assert "This matches a known misconception" in rows["scale"]["message"]


def test_an_error_names_the_students_line(graded):
    _, rows, _ = graded(solved(total="def total(x):\n    y = x + 1\n    return y.no_such_thing()"))
    assert rows["total"]["kind"] == "raised"
    assert "line 3: return y.no_such_thing()" in rows["total"]["message"]


def test_a_function_for_the_public_cases_alone_is_found_out(graded, key):
    sizes = {values["x"].shape for values in key.cases[1].public["inputs"].values()}
    sums = {float(values["x"].sum()) for values in key.cases[1].public["inputs"].values()}
    source = f"PUBLIC = {sums}\ndef total(x):\n    found = x.sum()\n    near = [abs(p - found.item()) for p in PUBLIC]"
    _, rows, _ = graded(solved(total=f"{source}\n    return found if min(near) < 1e-4 else 0 * found", scale=None))
    assert sizes and rows["total"]["earned"] == 0
    assert rows["total"]["message"].startswith("right on the cases that you can see; on fresh ones the values do not")


def test_a_dead_or_hanging_exercise_costs_itself_alone(graded):
    points, rows, record = graded(solved(scale="import os\ndef scale(x, factor): os._exit(0)"))
    assert (points, rows["scale"]["kind"], record["status"]) == (1.5, "died", "graded")
    points, rows, _ = graded(solved(scale="def scale(x, factor):\n    while True: pass"))
    assert (points, rows["scale"]["kind"]) == (1.5, "time limit")
    assert "longer than 2 s" in rows["scale"]["message"]


def test_a_statement_that_ends_the_import_is_skipped(graded):
    points, _, record = graded(notebook("import os", "GONE = os._exit(0)", *_cells(solved())))
    assert points == 4.5
    assert record["notes"] == ["cell 2, line 1 was skipped: it ends the process, or needs too much memory"]


def test_another_homework_needs_a_person(graded):
    points, _, record = graded(notebook("def prototypes(z, y, way): return z"))
    assert points == 0 and record["status"] == "needs a person"
    assert "another homework" in record["problem"]


def test_what_an_exercise_leaves_behind_does_not_sink_the_next(graded):
    spoiler = "import torch\ndef scale(x, factor):\n    torch.Tensor.sum = None\n    return x"
    points, rows, _ = graded(solved(scale=spoiler))
    assert (points, rows["total"]["kind"]) == (1.5, "passed")


def _cells(content: bytes) -> list[str]:
    return [cell["source"] for cell in json.loads(content)["cells"]]
