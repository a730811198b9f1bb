"""The work that every grader gets: the same submissions, and for the others the course's own tests to run."""

import copy
import functools
import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.grading_hidden import ANSWERS
from utils.grading.answers import answers_on
from utils.grading.expected import fingerprint, save
from utils.grading.homework import opened
from utils.grading.notebook_file import read, source
from utils.grading.student_copy import BEGIN, END
from utils.paths import course_root

HOMEWORK = "hw2_metric_and_maml"
WRONG = ("proto_loss", "outer_loss")  # no other exercise calls these, so that the rest stays right
KINDS = ("two wrong", "all right", "all stubs")
SEEDS = (1009, 2003)  # the hidden cases of each exercise
BESIDE = ("checks.py", ANSWERS)  # the files that a test finds beside the notebook
TEST = "from benchmarks.grading_hidden import assert_right\n\nassert_right(check, {name!r}, {name})"


@functools.cache
def notebook(whose: str) -> dict:
    """The notebook under homework/ or solutions/; not to be changed."""
    return read(course_root() / whose / HOMEWORK / f"{HOMEWORK}.ipynb")


def grade_id(cell: dict) -> str:
    """The cell's nbgrader name, or an empty text."""
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


@functools.cache
def exercises() -> dict[str, float]:
    """{exercise: points}, as the check cells say."""
    cells = {grade_id(cell): cell["metadata"] for cell in notebook("homework")["cells"]}
    checks = {name: about["nbgrader"] for name, about in cells.items() if name.startswith("check_")}
    return {name.removeprefix("check_"): about["points"] for name, about in checks.items()}


def points() -> dict[str, float]:
    """{kind of submission: points}: what every grader has to give."""
    full = exercises()
    right = sum(full.values())
    return {"two wrong": right - sum(full[name] for name in WRONG), "all right": right, "all stubs": 0}


def submission(kind: str, number: int, whole: bool) -> dict:
    """Student `number`'s notebook, no two of them alike; unless `whole`, without what only the experiments need."""
    made = copy.deepcopy(notebook("homework"))
    wrong = WRONG if kind == "two wrong" else ()
    answers = {grade_id(cell): source(cell) for cell in notebook("solutions")["cells"]}
    for cell in made["cells"]:
        name = grade_id(cell)
        if name in exercises():
            written = source(cell) if kind == "all stubs" else _answer(answers[name], name in wrong)
            cell["source"] = f"{written}\n\n\n# handed in by student {number}"
    return made if whole else without_experiments(made, lambda name: "# a hidden test goes here")


def _answer(solution: str, wrong: bool) -> str:
    """A student's answer: the reference, or one that gives twice the value."""
    lines = [line for line in solution.splitlines() if BEGIN not in line and END not in line]
    before, word, value = "\n".join(lines).rpartition("return ")
    return before + word + ("2 * " if wrong else "") + value


def without_experiments(whole: dict, check: Callable[[str], str]) -> dict:
    """Text, imports, functions and exercises alone; check(name) becomes the source of an exercise's check cell."""
    kept = []
    for cell in copy.deepcopy(whole)["cells"]:
        name = grade_id(cell)
        if name.startswith("check_"):
            cell["source"] = check(name.removeprefix("check_"))
        defines = any(line.startswith(("def ", "import ", "from ")) for line in source(cell).splitlines())
        experiment = "experiment" in cell["metadata"].get("tags", [])
        if cell["cell_type"] == "markdown" or name or (defines and not experiment):
            kept.append(cell)
    return whole | {"cells": kept}


def with_hidden_tests() -> dict:
    """The instructor's notebook as nbgrader wants it: tests in the check cells, between marks for taking them out."""
    return without_experiments(
        notebook("solutions"),
        lambda name: f"### BEGIN HIDDEN TESTS\n{TEST.format(name=name)}\n### END HIDDEN TESTS",
    )


@functools.cache
def hidden_answers() -> dict:
    """What the reference and each misconception give on the hidden seeds, as `expected.save` takes it."""
    with opened(course_root() / "solutions" / HOMEWORK) as homework:
        found = {name: answers_on(homework, exercise, SEEDS) for name, exercise in homework.check.exercises.items()}
    for answer in found.values():
        answer["inputs"] = {seed: fingerprint(values) for seed, values in answer["inputs"].items()}
    return found


def write_notebook(path: Path, content: dict):
    """A notebook as a file; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def write_beside(folder: Path):
    """The files that a test needs, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checks.py").write_bytes((course_root() / "homework" / HOMEWORK / "checks.py").read_bytes())
    save(folder / ANSWERS, hidden_answers())


def hand_in(folder: Path, count: int, whole: bool = False) -> dict[str, str]:
    """folder/STUDENT/HOMEWORK/HOMEWORK.ipynb of `count` students, the kinds in turn: {student: kind}."""
    found = {f"student{number:03d}": KINDS[number % len(KINDS)] for number in range(count)}
    for number, (student, kind) in enumerate(found.items()):
        write_notebook(handed_in(folder, student), submission(kind, number, whole))
    return found


def handed_in(folder: Path, student: str) -> Path:
    """Where a student's notebook lies, as in nbgrader's `submitted` folder."""
    return folder / student / HOMEWORK / f"{HOMEWORK}.ipynb"
