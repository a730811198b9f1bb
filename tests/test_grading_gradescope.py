"""The zip for Gradescope, run as there: as root in a tree like theirs, without user namespaces."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
from grading_in_small import hidden_python, notebook, open_python

from utils.cli import main
from utils.grading.notebook_file import code_cells, read
from utils.paths import course_root

HW = "hw2_metric_and_maml"
NO_NAMESPACES = """
import ctypes, os, sys
from utils.grading.sandbox import seccomp
code = seccomp.program(denied=("unshare", "setns"), clone_bit=0x10000000, must=False)  # CLONE_NEWUSER
assert seccomp.install(ctypes.CDLL(None, use_errno=True), code)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="module")
def zipped(tmp_path_factory):
    path = tmp_path_factory.mktemp("zip") / "autograder.zip"
    assert main(["gradescope", "hw2", "-o", str(path)]) == 0
    return path


@pytest.fixture
def autograder(zipped, tmp_path):
    """autograder({name: bytes}) -> (exit status, results.json or None, what was printed) for one submission."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED HERE: Gradescope's container runs as root")
    for folder in [tmp_path, *tmp_path.parents]:  # pytest's folders are closed to others; those of a container are not
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(0o711)
    root = tmp_path / "autograder"
    for folder in ("source", "submission", "results", "rest"):
        (root / folder).mkdir(parents=True)
    with zipfile.ZipFile(zipped) as archive:
        for entry in archive.infolist():
            archive.extract(entry, root / "source")
            (root / "source" / entry.filename).chmod(entry.external_attr >> 16)

    def run(files: dict[str, bytes]):
        for name, content in files.items():
            (root / "submission" / name).write_bytes(content)
        command = [sys.executable, "-c", NO_NAMESPACES, str(root / "source" / "run_autograder")]
        command = open_python(command, root / "rest") if hidden_python() else command
        environment = {**os.environ, "AUTOGRADER_ROOT": str(root), "COURSE_PYTHON": sys.executable}
        how = {"cwd": course_root(), "capture_output": True, "text": True, "timeout": 120}
        result = subprocess.run(command, env=environment, **how)
        path = root / "results" / "results.json"
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        return result.returncode, found, result.stdout + result.stderr

    return run


def cells() -> list[str]:
    return list(code_cells(read(course_root() / "solutions" / HW / f"{HW}.ipynb")))


def test_the_zip_holds_what_is_needed_and_nothing_else(zipped, tmp_path, capsys):
    with zipfile.ZipFile(zipped) as archive:
        names = archive.namelist()
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        setup = archive.read("setup.sh").decode()
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    solution = {name for name in names if "solutions/" in name}
    assert solution == {f"course/solutions/{HW}/{name}" for name in (f"{HW}.ipynb", "checks.py", "mistakes.py")}
    assert not [name for name in names if "tests/" in name or "__pycache__" in name or "homework/" in name]
    assert "torch==" in setup and "http" not in setup
    assert subprocess.run(["bash", "-n"], input=setup, text=True).returncode == 0
    again = tmp_path / "again.zip"
    main(["gradescope", "hw2", "-o", str(again), "--torch-index", "https://torch.example/cpu"])
    with zipfile.ZipFile(again) as archive:
        assert "--index-url https://torch.example/cpu" in archive.read("setup.sh").decode()
    assert main(["gradescope", "hw77", "-o", str(tmp_path / "none.zip")]) == 2
    assert "no homework is called 'hw77'" in capsys.readouterr().err and not (tmp_path / "none.zip").exists()


def test_results_are_as_gradescope_specifies(autograder):
    wrong = notebook(*[cell.replace("p - lr * g", "p + lr * g") for cell in cells()])
    status, found, said = autograder({f"{HW}.ipynb": wrong, "figure.png": b"\x89PNG"})
    assert status == 0, said
    assert said == "" and found["stdout_visibility"] == "hidden" and found["visibility"] == "visible"
    tests = {test["name"]: test for test in found["tests"]}
    assert len(tests) == 8 and sum(test["max_score"] for test in tests.values()) == 24
    assert found["score"] == sum(test["score"] for test in tests.values())
    for test in tests.values():
        assert set(test) == {"name", "number", "score", "max_score", "status", "output", "output_format", "visibility"}
        assert test["status"] == ("passed" if test["score"] == test["max_score"] else "failed")
    assert tests["prototypes"]["score"] == 2 and tests["inner_step"]["score"] == 0
    assert "known misconception" in tests["inner_step"]["output"]
    assert found["extra_data"]["isolation"] == "container"
    assert all(len(seeds) == 2 for seeds in found["extra_data"]["seeds"].values())


SPY = """
import os
FOUND = [os.path.join(folder, name) for folder, _, names in os.walk(ROOT) for name in names if name == "mistakes.py"]
def prototypes(z, y, way):
    assert "utils" in os.listdir(os.path.join(ROOT, "source/course"))
    try:
        os.listdir(os.path.join(ROOT, "source/course/solutions/hw2_metric_and_maml"))
    except PermissionError:
        raise ValueError(f"kept out, as user {os.getuid()}, {FOUND}")
"""


def test_a_submission_cannot_reach_the_solution(autograder, tmp_path):
    status, found, said = autograder({"x.ipynb": notebook(f"ROOT = {str(tmp_path / 'autograder')!r}", SPY)})
    assert status == 0, said
    output = next(test["output"] for test in found["tests"] if test["name"] == "prototypes")
    assert "kept out, as user 61" in output and "[]" in output


@pytest.mark.parametrize(
    "files, sentence",
    [
        ({"notes.txt": b"late"}, "notebook"),
        ({"one.ipynb": notebook("A = 1"), "two.ipynb": notebook("B = 2")}, "found 2 that differ"),
        ({"x.ipynb": b"{"}, "is not a notebook"),
        ({"x.ipynb": notebook("def nothing(): pass")}, "no function of this homework"),
    ],
)
def test_what_a_student_must_put_right_is_said(autograder, files, sentence):
    status, found, said = autograder(files)
    assert status == 0, said
    assert found["score"] == 0 and found["tests"] == [] and sentence in found["output"]
