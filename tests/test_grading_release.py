"""`course release` on a small homework: what is written, what is refused, what is stale."""

import nbformat
import numpy as np
import pytest
from homework_in_small import ANSWER, CHECKS, MISTAKES, SCALE, TOTAL, cell, cells, write
from nbformat.v4 import new_markdown_cell

from utils.grading.expected import load, save
from utils.grading.release import release

NAME = "hw9_small"
FILES = ["checks.py", "expected.safetensors", f"{NAME}.ipynb"]


def released(root, name=NAME):
    return {path.name: path.read_bytes() for path in sorted((root / "homework" / name).iterdir())}


def test_what_is_released(tmp_path, capsys):
    folder = write(tmp_path)
    assert release([], root=tmp_path) == 0
    assert capsys.readouterr().out == f"homework/{NAME} is written\n"
    files = released(tmp_path)
    assert sorted(files) == FILES
    assert files["checks.py"] == (folder / "checks.py").read_bytes()
    notebook = nbformat.reads(files[f"{NAME}.ipynb"].decode(), 4)
    nbformat.validate(notebook)
    assert [made.get("outputs", []) for made in notebook.cells] == [[]] * 9
    assert {made.get("execution_count") for made in notebook.cells} == {None}
    sources = dict(zip(cells(), (made.source for made in notebook.cells), strict=True))
    stub = "    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert sources["scale"] == f'def scale(x, factor):\n    """x [N, D] -> factor times the mean row [D]."""\n{stub}'
    assert sources["why"] == "Why does the gradient matter?\n\nYOUR ANSWER HERE"
    assert notebook.cells[6].metadata.tags == ["experiment", "raises-exception"]
    assert notebook.cells[2].metadata.nbgrader.grade_id == "scale"
    original = nbformat.read(folder / f"{NAME}.ipynb", 4)
    assert "tags" not in original.cells[5].metadata
    everything = b"".join(files.values())
    for secret in (b"mean_row", b"x.sum", b"earlier layers", b"_detached"):
        assert secret not in everything
    answers = load(tmp_path / "homework" / NAME / "expected.safetensors")
    assert {name: len(answer["mistakes"]) for name, answer in answers.items()} == {"scale": 3, "total": 3}
    assert answers["scale"]["mistakes"][0][:2] == ("The graph is cut before the mean.", 0.5)


def test_released_twice_gives_the_same_bytes_and_is_up_to_date(tmp_path, capsys):
    write(tmp_path)
    assert release([NAME], root=tmp_path) == 0
    first = released(tmp_path)
    (tmp_path / "homework" / NAME / "old_file.txt").write_text("left over", encoding="utf-8")
    assert release(["hw9"], check=True, root=tmp_path) == 1
    assert f"homework/{NAME}/old_file.txt does not belong there: run course release {NAME}" in capsys.readouterr().out
    assert release(["hw9"], root=tmp_path) == 0
    assert released(tmp_path) == first
    assert release([f"solutions/{NAME}/"], check=True, root=tmp_path) == 0
    assert [path.name for path in (tmp_path / "homework").iterdir()] == [NAME]


@pytest.mark.parametrize("name", FILES)
def test_each_stale_file_is_named(tmp_path, capsys, name):
    write(tmp_path)
    release([], root=tmp_path)
    path = tmp_path / "homework" / NAME / name
    path.write_bytes(path.read_bytes()[:-1])
    capsys.readouterr()
    assert release([], check=True, root=tmp_path) == 1
    assert capsys.readouterr().out == f"homework/{NAME}/{name} is stale: run course release {NAME}\n"
    path.unlink()
    assert release([], check=True, root=tmp_path) == 1
    assert capsys.readouterr().out == f"homework/{NAME}/{name} is missing: run course release {NAME}\n"


def test_answers_are_compared_as_numbers(tmp_path):
    write(tmp_path)
    release([], root=tmp_path)
    path = tmp_path / "homework" / NAME / "expected.safetensors"
    for change, status in ((1e-6, 0), (1e-2, 1)):
        answers = load(path)
        first = next(iter(answers["scale"]["reference"]))
        answers["scale"]["reference"][first]["means"] += np.float32(change)
        save(path, answers)
        assert release([], check=True, root=tmp_path) == status
    answers = load(path)
    release([], root=tmp_path)
    answers["scale"]["mistakes"][0] = ("Another sentence.", *answers["scale"]["mistakes"][0][1:])
    save(path, answers)
    assert release([], check=True, root=tmp_path) == 1


def without(text, *parts):
    for part in parts:
        text = text.replace(part, "")
    return text


REFUSED = {
    "an end without a beginning": (
        {"scale": cell(without(SCALE, "    ### BEGIN SOLUTION\n"), "scale")},
        "cell 3: a ### BEGIN SOLUTION or ### END SOLUTION has no partner",
    ),
    "a beginning without an end": (
        {"scale": cell(without(SCALE, "\n    ### END SOLUTION"), "scale")},
        "cell 3: a ### BEGIN SOLUTION or ### END SOLUTION has no partner",
    ),
    "no region": (
        {"scale": cell(without(SCALE, "    ### BEGIN SOLUTION\n", "\n    ### END SOLUTION"), "scale")},
        "cell 3 is a solution cell without a ### BEGIN SOLUTION region to take out",
    ),
    "a region outside": (
        {"title": new_markdown_cell(ANSWER)},
        "cell 1 has a solution region, but its nbgrader metadata say solution: false",
    ),
    "no function": (
        {"total": cell(TOTAL.replace("def total", "def totals"), "total")},
        "the notebook defines no function total, which checks.py asks for",
    ),
    "no grade_id": ({"total": cell(TOTAL, "totals")}, "no solution cell has the grade_id total"),
    "other points": (
        {"check_scale": cell("check(scale)", "check_scale", 4)},
        "the cell check_scale says 4 points, checks.py 3",
    ),
    "a cell that fails": (
        {"imports": cell("import torch, not_there_at_all")},
        "cell 1, line 1 was skipped: ModuleNotFoundError: No module named 'not_there_at_all'",
    ),
    "a solution line elsewhere": (
        {"title": new_markdown_cell("Hint: write `mean_row = x.sum(0) / len(x)`.")},
        f"students would read a line of the solution in {NAME}.ipynb: mean_row = x.sum(0) / len(x)",
    ),
    "a solution line in a message": (
        {"mistakes": MISTAKES.replace("A mean is asked for, not a sum.", "Write mean_row = x.sum(0) / len(x)")},
        "a line of the solution in a message in mistakes.py: mean_row = x.sum(0) / len(x)",
    ),
    "a mistake that is right": (
        {"mistakes": MISTAKES.replace("x.mean(0).detach()", "x.mean(0)")},
        "scale: misconception 1 (The graph is cut before the mean.) passes the check",
    ),
    "two mistakes alike": (
        {"mistakes": MISTAKES.replace("factor * x.mean(1)", "factor * x.sum(0)")},
        "scale: misconception 3 (Examples are rows: average over axis 0.) cannot be told from: A mean is asked for",
    ),
    "a mistake that raises": (
        {"mistakes": MISTAKES.replace("factor * x.mean(1)", "factor / []")},
        "gives no outputs: TypeError: unsupported operand type(s) for /: 'float' and 'list'",
    ),
    "a mistake for nobody": (
        {"mistakes": MISTAKES.replace('"total": [', '"totals": [')},
        "mistakes.py speaks of totals, which checks.py does not ask for",
    ),
    "a credit of all points": (
        {"mistakes": MISTAKES.replace("credit=0.5", "credit=1")},
        "mistakes.py cannot be imported: ValueError: credit is a share of the points from 0 to below 1, found 1",
    ),
    "chance in the reference": (
        {"total": cell(TOTAL.replace("return x.sum()", "return x.sum() + torch.rand(())"), "total")},
        "total: the reference gives other values when it is called again",
    ),
    "no list of mistakes": (
        {"mistakes": "WRONG = {}"},
        "mistakes.py does not define MISTAKES = {exercise: [Mistake, ...]}",
    ),
    "two exercises of one name": (
        {"checks": CHECKS.replace('Exercise("total"', 'Exercise("scale"')},
        "every exercise needs a name of its own, found ['scale', 'scale']",
    ),
}


@pytest.mark.parametrize("change, sentence", REFUSED.values(), ids=REFUSED)
def test_refused_with_a_sentence_and_nothing_written(tmp_path, capsys, change, sentence):
    write(tmp_path)
    release([], root=tmp_path)
    before = released(tmp_path)
    write(tmp_path, **change)
    capsys.readouterr()
    for check in (False, True):
        assert release([], check=check, root=tmp_path) == 1
        said = capsys.readouterr().out
        assert said.startswith(f"{NAME} cannot be released: ")
        assert sentence in said
    assert released(tmp_path) == before
    assert [path.name for path in (tmp_path / "homework").iterdir()] == [NAME]


def test_an_unknown_homework_and_none_at_all(tmp_path, capsys):
    assert release([], root=tmp_path) == 0
    assert capsys.readouterr().out == "there is nothing to release: solutions/ is empty\n"
    write(tmp_path)
    assert release(["hw7"], root=tmp_path) == 2
    assert capsys.readouterr().out == f"no homework is called 'hw7'; solutions/ holds {NAME}\n"


def test_a_killed_release_is_tidied_up(tmp_path):
    write(tmp_path)
    release([], root=tmp_path)
    target = tmp_path / "homework" / NAME
    before = released(tmp_path)
    target.rename(target.with_name(f".{NAME}.old"))
    target.with_name(f".{NAME}.new").mkdir()
    write(tmp_path, mistakes="MISTAKES = 1 / 0")
    assert release([], root=tmp_path) == 1
    assert released(tmp_path) == before
    assert [path.name for path in (tmp_path / "homework").iterdir()] == [NAME]
