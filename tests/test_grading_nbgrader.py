"""nbgrader itself: solutions/ is a source folder of its, and its gradebook holds what our records say."""

import shutil
import sqlite3
import sys

import homework_in_small
import nbformat
import pytest
import records_in_small
from gradebook_in_small import NAME, book, class_of_four, give, grades, made, page

from benchmarks import peers
from utils.grading.homework import HomeworkError, opened
from utils.grading.official.gradebook import fill, ready
from utils.grading.release import release
from utils.paths import course_root

HW2 = "hw2_metric_and_maml"


@pytest.fixture(scope="module", autouse=True)
def nbgrader():
    if reason := peers.prepare("nbgrader"):
        pytest.skip(f"NBGRADER TESTS DID NOT RUN: nbgrader {reason}")


@pytest.fixture(scope="module")
def solution(tmp_path_factory):
    return homework_in_small.write(tmp_path_factory.mktemp("solutions"))


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'course' / 'gradebook.db'}"


def test_nbgrader_reads_what_the_records_say(solution, url):
    fill(url, class_of_four(), solution)
    assert grades(url, "ada") == {
        "check_scale": (3, None, False), "check_total": (1.5, None, False), "why": (None, None, True)
    }  # fmt: skip
    assert grades(url, "bob")["check_scale"] == (1.25, None, False)
    assert set(grades(url, "mia").values()) == {(None, None, True)}
    with book(url) as found:
        submissions = {one.student.id: one for one in found.assignment_submissions(NAME)}
        assert {name: one.score for name, one in submissions.items()} == {"ada": 4.5, "bob": 2.75, "eve": 1.5, "mia": 0}
        assert {(one.max_score, one.max_code_score, one.max_written_score) for one in submissions.values()} == {
            (6.5, 4.5, 2)
        }
        assert all(one.needs_manual_grade for one in submissions.values())
        assert f"{submissions['ada'].timestamp}" == "2025-10-01 12:00:00" and submissions["eve"].timestamp is None
        comments = {name: found.find_comment("why", NAME, NAME, name).comment for name in submissions}
        assert comments == {"ada": None, "bob": "No response.", "eve": None, "mia": None}
        people = [(one.first_name, one.last_name) for one in found.students if one.id in ("ada", "eve")]
        assert people == [("Ada", "Doe"), ("Eve", "scriptdocument.title=owned/script")]


def test_the_page_holds_the_released_cells_the_messages_and_nothing_of_the_students_code(solution, url):
    fill(url, class_of_four(), solution)
    assert release([NAME], root=solution.parent.parent) == 0
    released = nbformat.read(solution.parent.parent / "homework" / NAME / f"{NAME}.ipynb", as_version=4)
    for student in ("ada", "bob", "eve", "mia"):
        found = page(url, student)
        nbformat.validate(found)
        cells = found.cells[-len(released.cells):]
        assert [cell.metadata for cell in cells] == [cell.metadata for cell in released.cells]
        changed = [new for new, old in zip(cells, released.cells, strict=True) if new.source != old.source]
        assert [cell.metadata.nbgrader.grade_id for cell in changed] == ["scale", "total", "why"]
    outputs = [cell.outputs[0].text for cell in page(url, "bob").cells if cell.get("outputs")]
    assert outputs == ["scale  1.25/3  'phi_w' has shape (3,), expected (4,)\n", "total  1.5/1.5  passed\n"]
    assert "bob" not in str(page(url, "bob")).lower()  # formgrader hides whose work it is
    assert "No answer" in page(url, "bob").cells[-2].source
    stuck = page(url, "mia")
    assert not any(cell.get("outputs") for cell in stuck.cells)
    assert "two notebooks differ" not in str(stuck) and "was not graded automatically" in stuck.cells[0].source


def test_filling_again_updates_and_keeps_what_a_person_gave(solution, url):
    fill(url, class_of_four(), solution)
    give(url, "ada", "why", 1.5)
    give(url, "bob", "check_scale", 2)
    give(url, "mia", "check_total", 1)
    with book(url) as found:
        found.update_or_create_student("ada", first_name="Countess")
    fill(url, class_of_four(), solution)
    assert grades(url, "ada")["why"] == (None, 1.5, False)
    assert grades(url, "bob")["check_scale"] == (1.25, 2, False)
    assert grades(url, "mia")["check_total"] == (None, 1, False)
    fill(url, [made("ada", ("passed", "shape"), "Another answer"), made("bob"), made("zoe")], solution)
    assert grades(url, "ada") == {
        "check_scale": (3, None, False), "check_total": (0, None, False), "why": (None, 1.5, True)
    }  # fmt: skip
    assert grades(url, "bob")["check_scale"] == (3, 2, True)
    assert grades(url, "mia")["check_total"] == (None, 1, False)
    fill(url, [records_in_small.stuck("ada", homework=NAME)], solution)
    assert grades(url, "ada")["check_scale"] == (None, None, True) and grades(url, "ada")["why"][1] == 1.5
    with book(url) as found:
        assert found.find_student("ada").first_name == "Countess"
        assert found.find_comment("why", NAME, NAME, "ada").comment == "Well said."
        assert [one.student.id for one in found.assignment_submissions(NAME)] == ["ada", "bob", "eve", "mia", "zoe"]
        assert len(found.find_notebook(NAME, NAME).grade_cells) == 3
        assert len(found.find_notebook(NAME, NAME).source_cells) == 5


@pytest.mark.parametrize("wrong", ["gradebook.db", "sqlite://", "sqlite:///:memory:", "postgresql://host/x", "", "a b"])
def test_an_address_that_is_no_file_is_refused(wrong, solution):
    with pytest.raises(HomeworkError, match="expected a gradebook as sqlite:///gradebook.db"):
        fill(wrong, [], solution)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"student": "../eve"}, "cannot use the student id '../eve'"),
        ({"student": "<b>"}, "cannot use the student id"),
        ({"homework": "hw1"}, "expected records of hw9_small, found one of hw1"),
        ({"exercises": [{"name": "scale", "points": 4}]}, "check_scale was worth 4 points.*run course regrade"),
        ({"written": [{"name": "when", "points": 1}]}, "when was worth 1 points"),
    ],
)
def test_records_that_do_not_fit_are_refused_before_anything_is_entered(change, sentence, solution, url):
    with pytest.raises(HomeworkError, match=sentence):
        fill(url, [made("ada"), made("ada") | change], solution)
    assert not ready(url).exists()


def test_a_gradebook_that_does_not_fit_is_left_alone_with_a_sentence(solution, url, tmp_path):
    fill(url, [made("ada")], solution)
    before = ready(url).read_bytes()
    extra = homework_in_small.cell("check(total)", "check_again", 1)
    other = homework_in_small.write(tmp_path, more=extra)
    with pytest.raises(HomeworkError, match="holds submissions to hw9_small with other cells: use another gradebook"):
        fill(url, [made("ada")], other)
    assert ready(url).read_bytes() == before
    with sqlite3.connect(ready(url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'old'")
    with pytest.raises(HomeworkError, match="run nbgrader db upgrade"):
        fill(url, [made("ada")], solution)
    ready(url).write_bytes(b"no database at all" * 100)
    with pytest.raises(HomeworkError, match="gradebook.db cannot be filled: file is not a database"):
        fill(url, [made("ada")], solution)
    with pytest.raises(HomeworkError, match="found the folder"):
        ready(f"sqlite:///{tmp_path}")


def test_cells_without_submissions_are_replaced(solution, url, tmp_path):
    fill(url, [], homework_in_small.write(tmp_path, more=homework_in_small.cell("check(total)", "check_again", 1)))
    fill(url, [made("ada")], solution)
    assert set(grades(url, "ada")) == {"check_scale", "check_total", "why"}


def test_without_nbgrader_one_sentence_says_what_to_install(solution, url, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbgrader.api", None)
    with pytest.raises(HomeworkError, match=r"needs the package nbgrader: pip install -e '.\[nbgrader\]'"):
        ready(url)


def test_the_database_is_of_the_version_that_nbgrader_itself_makes(solution, url, monkeypatch):
    from nbgrader.api import get_alembic_version

    fill(url, [], solution)
    for name in ("PATH", "PYTHONPATH"):
        monkeypatch.setenv(name, peers.environment("nbgrader")[name])
    with sqlite3.connect(ready(url)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(get_alembic_version(),)]


def test_nbgrader_makes_of_solutions_what_course_release_makes(tmp_path):
    """Also after records were entered: both know the same cells."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader

    url, folder = f"sqlite:///{tmp_path / 'gradebook.db'}", course_root() / "solutions" / HW2
    shutil.copytree(folder, tmp_path / "solutions" / HW2, ignore=shutil.ignore_patterns("__pycache__"))
    fill(url, [records_in_small.stuck("mia")], folder)
    config = PyFileConfigLoader("nbgrader_config.py", str(course_root())).load_config()
    config.CourseDirectory |= {"root": str(tmp_path), "db_url": url}
    made_by = NbGraderAPI(config=config)
    outcome = made_by.generate_assignment(HW2)
    assert outcome["success"], outcome
    assert {path.name for path in (tmp_path / "release" / HW2).iterdir()} == {f"{HW2}.ipynb", "checks.py"}
    ours = nbformat.read(course_root() / "homework" / HW2 / f"{HW2}.ipynb", as_version=4)
    theirs = nbformat.read(tmp_path / "release" / HW2 / f"{HW2}.ipynb", as_version=4)
    assert [comparable(cell) for cell in theirs.cells] == [comparable(cell) for cell in ours.cells]
    with book(url) as found, opened(folder) as homework:
        automatic = sum(exercise.points for exercise in homework.check.exercises.values())
        assert found.find_assignment(HW2).max_code_score == automatic
        written = [cell.points for cell in (c.metadata.get("nbgrader", {}) for c in ours.cells)
                   if cell.get("grade") and cell.get("solution")]  # fmt: skip
        assert found.find_assignment(HW2).max_written_score == sum(written) > 0


def comparable(cell):
    """A released cell without what only one of the two adds: checksums, and the tag that lets Run All go on."""
    about = {k: v for k, v in cell.metadata.get("nbgrader", {}).items() if k not in ("checksum", "cell_type")}
    return cell.cell_type, cell.source, about, [t for t in cell.metadata.get("tags", []) if t != "raises-exception"]
