"""The graders' benchmark: equal work, equal points, and no process that is not counted."""

import json
import sys
import zipfile

import pytest

from benchmarks import grading, grading_work, peers
from benchmarks.grading_hidden import assert_right
from benchmarks.grading_peers import PEERS, cpu_of, otter_course
from utils.grading.homework import opened
from utils.grading.importer import import_notebook

BUSY = "import time\nwhile time.process_time() < 0.6: pass"
ORPHAN = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BUSY!r}], start_new_session=True)"


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """A folder with checks.py and the hidden answers."""
    folder = tmp_path_factory.mktemp("beside")
    grading_work.write_beside(folder)
    return folder


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("kind", grading_work.KINDS)
def test_the_hidden_tests_give_each_kind_its_points(beside, monkeypatch, kind, whole):
    monkeypatch.chdir(beside)
    with opened(grading_work.course_root() / "homework" / grading_work.HOMEWORK) as homework:
        imported = import_notebook(grading_work.submission(kind, 1, whole))
        assert not imported.skipped
        earned = 0
        for name, points in grading_work.exercises().items():
            try:
                assert_right(homework.check, name, imported.namespace[name])
                earned += points
            except AssertionError as error:
                assert str(error)
    assert earned == grading_work.points()[kind]


def test_points_are_those_of_checks_py():
    with opened(grading_work.course_root() / "homework" / grading_work.HOMEWORK) as homework:
        assert grading_work.exercises() == {name: e.points for name, e in homework.check.exercises.items()}
    assert sorted(grading_work.points()) == sorted(grading_work.KINDS)
    assert len(set(grading_work.points().values())) == 3


def test_what_is_left_without_experiments_runs_from_top_to_bottom(beside, monkeypatch):
    monkeypatch.chdir(beside)
    cells = grading_work.submission("all right", 1, False)["cells"]
    sources = [grading_work.source(cell) for cell in cells if cell["cell_type"] == "code"]
    assert not any("experiment" in cell["metadata"].get("tags", []) for cell in cells)
    with opened(grading_work.course_root() / "homework" / grading_work.HOMEWORK):
        namespace = {}
        for source in sources:
            exec(source, namespace)
    assert namespace.keys() >= grading_work.exercises().keys()


def test_no_two_students_hand_in_the_same(tmp_path):
    kinds = grading_work.hand_in(tmp_path, 6)
    assert list(kinds.values()) == 2 * list(grading_work.KINDS)
    assert len({grading_work.handed_in(tmp_path, student).read_bytes() for student in kinds}) == 6


def test_a_grader_that_gives_other_points_is_not_timed():
    kinds = {"ann": "two wrong", "bob": "all right"}
    right = {student: grading_work.points()[kind] for student, kind in kinds.items()}
    assert grading.agreed("it", (3.0, kinds, right)) == 1.5
    with pytest.raises(AssertionError, match="it gives 24 points for two wrong, not 17"):
        grading.agreed("it", (3.0, kinds, right | {"ann": 24}))
    with pytest.raises(AssertionError, match="it graded"):
        grading.agreed("it", (3.0, kinds, {"ann": 17}))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="orphans are counted on Linux")
def test_the_time_of_children_and_of_orphans_counts(tmp_path):
    assert cpu_of([sys.executable, "-c", ORPHAN], tmp_path) > 0.6
    with pytest.raises(RuntimeError, match="status 3"):
        cpu_of([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)


def test_ratios_are_of_ours_and_a_missing_peer_says_why():
    seconds = {"course grade": 0.1, "whole notebooks": 0.2, "otter": 6.5}
    why = {"nbgrader": "not installed", "otter": ""}
    ours, whole, nbgrader, otter = grading.rows(seconds, grading.COUNTS, why, grading.TARGETS)
    assert ours.met and not whole.met
    assert nbgrader.value is None and nbgrader.note == "not installed" and nbgrader.met is None
    assert otter.value == pytest.approx(65) and otter.met


def test_quick_installs_nothing(monkeypatch, course_cache):
    monkeypatch.setattr(peers, "prepare", lambda group: pytest.fail("it installs"))
    assert all("not installed" in grading.missing(group, quick=True) for group in PEERS)


def test_nbgrader_source_keeps_the_tests_from_students():
    cells = {grading_work.grade_id(cell): cell for cell in grading_work.with_hidden_tests()["cells"]}
    for name in grading_work.exercises():
        text = cells[f"check_{name}"]["source"]
        assert text.startswith("### BEGIN HIDDEN TESTS") and text.endswith("### END HIDDEN TESTS")
    assert "assert_right" not in json.dumps(grading_work.submission("all right", 1, False))


def test_otter_gets_one_test_file_for_each_exercise(tmp_path):
    otter_course(tmp_path)
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        names = set(archive.namelist())
        for name in grading_work.exercises():
            compile(archive.read(f"tests/{name}.py"), name, "exec")
    assert names == {f"tests/{n}.py" for n in grading_work.exercises()} | {f"files/{f}" for f in grading_work.BESIDE}
