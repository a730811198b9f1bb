"""The key to one homework: all that the trusted side alone knows while it grades."""

import ast
import functools
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from utils.grading.answers import answers_on
from utils.grading.exercise import PUBLIC_SEEDS, Exercise
from utils.grading.homework import Homework, HomeworkError, opened
from utils.grading.judge import Verdict
from utils.grading.notebook_file import all_cells, code_cells, read, source
from utils.grading.student_copy import ReleaseError

N_SEEDS = 2  # fresh cases of each exercise
TRIES = 50  # drawings of seeds until every known misconception can be told from the reference and the others


@dataclass(frozen=True)
class Case:
    """One exercise; `public` and `fresh` are answers as `answers_on` gives them."""

    name: str
    points: float
    minutes: int
    public: dict = field(repr=False)
    fresh: dict = field(repr=False)


@dataclass(frozen=True)
class Key:
    """Plain data, so that it can be sent to another trusted machine: no function of the solution is in it.

    version: changes with the solution's notebook, checks.py or mistakes.py; digest: with these or with the seeds.
    """

    homework: str
    version: str
    title: str
    checks: str = field(repr=False)
    cases: tuple[Case, ...] = field(repr=False)  # hidden values are not for logs
    written: tuple[dict, ...]
    preload: tuple[str, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps([self.version, self.seeds]).encode()).hexdigest()[:16]

    @property
    def seeds(self) -> dict[str, list[int]]:
        """The fresh seeds of every exercise."""
        return {case.name: list(case.fresh["inputs"]) for case in self.cases}

    @property
    def about(self) -> dict:
        """What reports say of the homework."""
        exercises = [{"name": c.name, "points": c.points, "minutes": c.minutes} for c in self.cases]
        return {"name": self.homework, "title": self.title, "exercises": exercises, "written": list(self.written)}

    def verdict(self, case: Case, answers: dict, got: dict) -> Verdict:
        """The verdict on what a function gave: got {seed: outputs}, answers the case's public or fresh ones."""
        exercise = _exercises(self.checks)[case.name]
        try:
            return exercise.verdict(got, answers, answers["inputs"])
        except Exception:  # arrays that no comparison was made for
            return Verdict("value", "the values cannot be compared with what is expected")


@functools.cache
def _exercises(checks: str) -> dict[str, Exercise]:
    """From the course's own checks.py: only `quality` and `findings` are called here."""
    module = ModuleType("checks")
    module.__file__ = "checks.py"
    exec(compile(checks, "checks.py", "exec"), module.__dict__)
    return module.check.exercises


def make_key(solution: Path, seeds: dict[str, list[int]] | None = None) -> Key:
    """The key to the homework in solutions/NAME; fresh seeds are drawn unless given.

    Raises HomeworkError, with a sentence, if the homework cannot be graded with.
    """
    with opened(solution) as homework:
        notebook = read(homework.notebook)
        try:
            cases = tuple(_case(homework, exercise, seeds) for exercise in homework.check.exercises.values())
        except ReleaseError as error:
            raise HomeworkError(f"{solution.name} cannot be graded: {error}") from error
        return Key(
            homework=solution.resolve().name,
            version=_version(homework.notebook, solution / "checks.py", solution / "mistakes.py"),
            title=_title(notebook),
            checks=(solution / "checks.py").read_text(encoding="utf-8"),
            cases=cases,
            written=tuple(_questions(notebook)),
            preload=tuple(sorted(_imports(notebook))),
        )


def _case(homework: Homework, exercise: Exercise, seeds: dict | None) -> Case:
    public = answers_on(homework, exercise, PUBLIC_SEEDS)
    fresh = _drawn(homework, exercise) if seeds is None else answers_on(homework, exercise, seeds[exercise.name])
    return Case(exercise.name, exercise.points, exercise.minutes, public, fresh)


def _drawn(homework: Homework, exercise: Exercise) -> dict:
    """Answers on seeds that nobody has seen and on which every misconception shows."""
    for attempt in range(1, TRIES + 1):
        try:
            return answers_on(homework, exercise, [secrets.randbits(62) for _ in range(N_SEEDS)])
        except ReleaseError:
            if attempt == TRIES:
                raise
    raise AssertionError("unreachable")


def _version(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files if file.is_file())).hexdigest()[:16]


def _title(notebook: dict) -> str:
    for cell in all_cells(notebook):
        first = source(cell).lstrip().partition("\n")[0]
        if cell.get("cell_type") == "markdown" and first.startswith("# "):
            return first[2:]
    return "Homework"


def _questions(notebook: dict):
    """The written questions: text cells that are graded by a person, titled by the heading above them."""
    heading = ""
    for cell in all_cells(notebook):
        about = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "markdown" and about.get("grade") and about.get("solution"):
            yield {"name": about["grade_id"], "title": heading or about["grade_id"], "points": about["points"]}
        elif cell["cell_type"] == "markdown":
            titles = [line.lstrip("# ") for line in source(cell).splitlines() if line.startswith("#")]
            heading = titles[-1].partition(" · ")[0] if titles else heading


def _imports(notebook: dict) -> set[str]:
    """The modules that the notebook imports, for loading them ahead."""
    found = set()
    for cell in code_cells(notebook):
        try:
            nodes = list(ast.walk(ast.parse(cell)))
        except SyntaxError:  # magics
            continue
        found |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        found |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return found - {"checks"}
