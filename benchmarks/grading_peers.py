"""nbgrader and otter-grader at the same work, each as its manual says, and the CPU time of all their processes."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import grading_work as work
from benchmarks import peers
from utils.paths import course_root

LONGEST = 1800  # seconds that one command may take
OTTER_TEST = """from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points}


@test_case(hidden=True)
def test_hidden(check, {name}):
    {test}
"""

Graded = tuple[float, dict[str, str], dict[str, float]]  # CPU seconds, {student: kind}, {student: points}


def cpu_of(command: list[str], folder: Path, group: str | None = None) -> float:
    """CPU seconds of a command, its kernels, forked children and sandboxes; raises RuntimeError if it fails."""
    with tempfile.TemporaryDirectory() as name:
        result = Path(name) / "seconds"
        counted = [sys.executable, "-m", "benchmarks.cpu_time", str(result), *command]
        run = subprocess.run(counted, cwd=folder, env=environment(folder, group), stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, errors="replace", timeout=LONGEST)  # fmt: skip
        if run.returncode:
            said = " ".join((run.stdout + run.stderr).split())
            raise RuntimeError(f"{' '.join(command[1:4])} ended with status {run.returncode}: ... {said[-600:]}")
        return float(result.read_text(encoding="utf-8"))


def environment(folder: Path, group: str | None) -> dict[str, str]:
    """One thread, nobody's own Jupyter settings, the course and one group of peers.

    Python may keep its bytecode, as on any desk: without it, every kernel would compile torch again.
    """
    found = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    found |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
    found |= {"JUPYTER_CONFIG_DIR": str(folder / ".jupyter"), "IPYTHONDIR": str(folder / ".ipython")}
    added = [peers.folder(group)] if group else []
    found["PYTHONPATH"] = os.pathsep.join(map(str, [*added, course_root()]))
    programs = [*(path / "bin" for path in added), Path(sys.executable).parent]
    found["PATH"] = os.pathsep.join([*map(str, programs), os.environ.get("PATH", "")])
    return found


def program(name: str, *arguments: str) -> list[str]:
    """The command line of `nbgrader` or `otter`: the script that pip installs, as `python -m otter` takes longer."""
    return [sys.executable, str(peers.folder(name) / "bin" / name), *arguments]


def nbgrader_course(folder: Path):
    """An nbgrader course: the source with hidden tests, and the gradebook that generate_assignment makes of it."""
    source = folder / "source" / work.HOMEWORK
    work.write_beside(source)
    work.write_notebook(source / f"{work.HOMEWORK}.ipynb", work.with_hidden_tests())
    cpu_of(program("nbgrader", "generate_assignment", work.HOMEWORK), folder, "nbgrader")


def with_nbgrader(course: Path, count: int) -> Graded:
    """`nbgrader autograde`, all students in one call; the points are those of its own export."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "course"
        shutil.copytree(course, folder)
        kinds = work.hand_in(folder / "submitted", count)
        seconds = cpu_of(program("nbgrader", "autograde", work.HOMEWORK), folder, "nbgrader")
        cpu_of(program("nbgrader", "export", "--to=grades.csv"), folder, "nbgrader")
        with (folder / "grades.csv").open(encoding="utf-8", newline="") as file:
            points = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    return seconds, kinds, points


def otter_course(folder: Path):
    """otter's autograder.zip: one test file for each exercise, and the files that lie beside a submission."""
    work.write_beside(folder)
    with zipfile.ZipFile(folder / "autograder.zip", "w") as archive:
        for file in work.BESIDE:
            archive.write(folder / file, f"files/{file}")
        for name, points in work.exercises().items():
            test = work.TEST.format(name=name).replace("\n\n", "\n    ")
            archive.writestr(f"tests/{name}.py", OTTER_TEST.format(name=name, points=points, test=test))


def with_otter(course: Path, count: int) -> Graded:
    """`otter run`, one call a student; the points are those of its results.json."""
    seconds, points = 0.0, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = work.hand_in(folder, count)
        for student in kinds:
            autograder, notebook = course / "autograder.zip", work.handed_in(folder, student)
            command = program("otter", "run", "-a", str(autograder), "-o", str(folder / student), str(notebook))
            seconds += cpu_of(command, folder, "otter")
            results = json.loads((folder / student / "results.json").read_text(encoding="utf-8"))
            points[student] = sum(test.get("score", 0) for test in results["tests"])
    return seconds, kinds, points


PEERS: dict[str, tuple[Callable[[Path], None], Callable[[Path, int], Graded]]] = {
    "nbgrader": (nbgrader_course, with_nbgrader),
    "otter": (otter_course, with_otter),
}
