"""What an nbgrader gradebook holds of a homework and of each submission."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from utils.grading.homework import HomeworkError
from utils.grading.notebook_file import read
from utils.grading.official.graded_notebook import answers, shown
from utils.grading.official.report.text import line
from utils.normal_form import dumps

MARKUP = str.maketrans("", "", "<>&\"'`{}\\")


def enter_homework(lib, book, place: SimpleNamespace, released) -> None:
    """The assignment, its notebook and the notebook's cells, as nbgrader's generate_assignment enters them."""
    cells = _cells(lib, released)
    book.update_or_create_assignment(place.homework)
    try:
        there = book.find_notebook(place.notebook, place.homework)
        names = {kind: {cell.name for cell in getattr(there, f"{kind}_cells")} for kind in cells}
        if there.task_cells or names != {kind: set(entries) for kind, entries in cells.items()}:
            if there.submissions:
                raise HomeworkError(
                    f"the gradebook holds submissions to {place.homework} with other cells: use another gradebook"
                )
            book.remove_notebook(place.notebook, place.homework)
    except lib.api.MissingEntry:
        pass
    kernel = json.dumps(released.metadata.get("kernelspec", {}))
    book.update_or_create_notebook(place.notebook, place.homework, kernelspec=kernel)
    for kind, entries in cells.items():
        enter = getattr(book, f"update_or_create_{kind}_cell")
        for name, fields in entries.items():
            enter(name, place.notebook, place.homework, **fields)


def _cells(lib, released) -> dict[str, dict]:
    """{"grade" | "solution" | "source": {grade_id: fields}}."""
    found = {"grade": {}, "solution": {}, "source": {}}
    for cell in released.cells:
        about = cell.metadata.get("nbgrader")
        if not about:
            continue
        if about.grade:
            found["grade"][about.grade_id] = {"max_score": float(about.points), "cell_type": cell.cell_type}
        if about.solution:
            found["solution"][about.grade_id] = {}
        if about.grade or about.solution or about.locked:
            found["source"][about.grade_id] = {
                "cell_type": cell.cell_type, "source": cell.source, "locked": lib.utils.is_locked(cell),
                "checksum": lib.utils.compute_checksum(cell),
            }  # fmt: skip
    return found


def enter(lib, book, place: SimpleNamespace, record: dict, released) -> tuple[Path, str]:
    """One record: the student, the submission and its grades. Returns the page to write, and its text."""
    student = record["student"]
    when = {"timestamp": _utc(record["submitted"])} if _utc(record["submitted"]) else {}
    _enter_student(lib, book, student, record["identity"])
    with book.db.no_autoflush:  # or SQLAlchemy warns of nbgrader's half-made submission
        book.update_or_create_submission(place.homework, student, **when)
    submission = book.find_submission_notebook(place.notebook, place.homework, student)
    page = place.folder / "autograded" / student / place.homework / f"{place.notebook}.ipynb"
    notebook = shown(released, record)
    before, now = _answers(page), answers(notebook)
    _enter_points(submission, record, {name for name in before if before[name] != now.get(name)})
    return page, dumps(notebook)


def _enter_points(submission, record: dict, changed: set[str]) -> None:
    """Automatic points, and which cells wait for a person: those without points, and points given for what changed."""
    graded = record["status"] == "graded"
    points = {f"check_{entry['name']}": entry["earned"] for entry in record["exercises"]} if graded else {}
    for grade in submission.grades:
        new = grade.name in changed or grade.auto_score != points.get(grade.name)
        grade.auto_score = points.get(grade.name)
        if grade.manual_score is None:
            grade.needs_manual_grade = grade.auto_score is None
        elif new:
            grade.needs_manual_grade = True
    silent = {question["name"] for question in record["written"] if graded and not question["answer"]}
    for comment in submission.comments:
        comment.auto_comment = "No response." if comment.name in silent else None


def _enter_student(lib, book, student: str, identity: dict) -> None:
    """What a person has entered stays; formgrader puts names into its pages as they are, so markup is taken out."""
    try:
        there = book.find_student(student)
    except lib.api.MissingEntry:
        there = None
    last, _, first = line(identity.get("name"), 120).translate(MARKUP).partition(",")
    if not first:
        first, _, last = last.rpartition(" ")
    email = line(identity.get("email"), 120).translate(MARKUP)
    known = {"first_name": first.strip(), "last_name": last.strip(), "email": email}
    known = {name: value for name, value in known.items() if value and not getattr(there, name, None)}
    book.update_or_create_student(student, **known)


def _answers(page: Path) -> dict[str, str]:
    """The answers on the page that an earlier run wrote; {} without one."""
    try:
        return answers(read(page))
    except (ValueError, KeyError, TypeError):
        return {}


def _utc(moment: str | None) -> datetime | None:
    """An ISO time as nbgrader keeps it: UTC, without saying so. UTC is meant where the text names no zone."""
    try:
        time = datetime.fromisoformat(moment)
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC).replace(tzinfo=None)
    except (TypeError, ValueError, OverflowError):
        return None
