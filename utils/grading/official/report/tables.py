"""grades.csv and canvas.csv."""

from utils.grading.official.report.standing import maximum, standing
from utils.grading.official.report.text import line, number, table

WHO = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]  # Canvas finds a student by these
NBGRADER = [
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "lms_user_id"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
]


def grades(records: list[dict], homework: dict, rows: dict) -> str:
    """One row a student. Points are empty where a person is needed, totals also while written points are missing.

    A submission that is late is marked and loses nothing: what lateness costs is for the instructor to say.
    """
    parts = homework["exercises"] + homework["written"]
    points = [f"{part['name']} ({number(part['points'])})" for part in parts]
    head = [*WHO, *points, "Automatic points", "Total", "Maximum", "Status", "Late", *NBGRADER]
    return table([head, *(_grades(record, homework, rows) for record in records)])


def canvas(records: list[dict], homework: dict, rows: dict) -> str:
    """The five columns that Canvas knows a student by and the assignment's own, which bears the homework's title."""
    head = [[*WHO, line(homework["title"])], ["Points Possible", "", "", "", "", maximum(homework)]]
    return table(head + [[*_who(record), standing(record, rows).total] for record in records])


def _grades(record: dict, homework: dict, rows: dict) -> list:
    now = standing(record, rows)
    earned = {entry["name"]: entry["earned"] for entry in record["exercises"]} if now.automatic is not None else {}
    points = [earned.get(entry["name"]) for entry in homework["exercises"]]
    points += [now.written.get(entry["name"]) for entry in homework["written"]]
    most = maximum(homework)
    late = "late" if record["late"] else ""
    nbgrader = [homework["name"], "", line(record["submitted"]), record["student"], *_names(record)]
    nbgrader += [_identity(record, "email"), _canvas_id(record), now.total, 0, now.total, most]
    return [*_who(record), *points, now.automatic, now.total, most, now.status, late, *nbgrader]


def _who(record: dict) -> list[str]:
    """Canvas's columns. The login is the student's id where the platform knew no better one; sections are Canvas's.

    A name must not look like the row of possible points.
    """
    known = _canvas_id(record), _identity(record, "sid")
    name = (_identity(record, "name") or record["student"]).replace("Points Possible", "Points possible")
    return [name, *known, "" if any(known) else record["student"], ""]


def _names(record: dict) -> tuple[str, str]:
    """Last and first name where a comma tells them apart; else the whole name as the last, for guesses offend."""
    last, _, first = _identity(record, "name").partition(",")
    return last.strip(), first.strip()


def _canvas_id(record: dict) -> str:
    """Empty unless it is a whole number: Canvas takes the digits that a text begins with for an id."""
    found = _identity(record, "canvas_id")
    return found if found.isascii() and found.isdigit() else ""


def _identity(record: dict, what: str) -> str:
    return line(record["identity"].get(what), 200)
