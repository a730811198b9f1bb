"""Everything that people read, made from records alone: tables, a page for each student, one for the instructor.

    grades.csv              one row a student: Canvas's identification columns, points, nbgrader's export columns
    canvas.csv              what Canvas's gradebook import takes, and nothing more
    feedback/STUDENT.html   what a student gets; it opens without a network and shows the student's own record alone
    summary.html            what the instructor reads, with links to the pages and the records
    written.csv             the queue of written answers, where a person fills in points and comments

A total stays empty while a submission needs a person or a written answer waits for points: nobody's half of a grade
gets into a gradebook.
"""

from pathlib import Path

from utils.grading.official.files import write_text
from utils.grading.official.report import pages, summary, tables, written
from utils.grading.official.report.text import harmless, line, original

RECORD = "records/{student}.json"  # where summary.html expects a record


def write_all(out: Path, records: list[dict], homework: dict) -> None:
    """Writes all of the above into `out`; each file appears at once and whole.

    homework: {"name", "title", "exercises": [{"name", "points", "minutes"}], "written": [{"name", "title", "points"}]}.
    Raises ValueError, before anything is written, if a student's id is no file name or is there twice, or if
    written.csv cannot be understood (`written.read`).
    """
    out, records = Path(out), sorted(records, key=lambda record: record["student"])
    _refuse([record["student"] for record in records])
    rows = written.update(out / "written.csv", records)
    write_text(out / "grades.csv", tables.grades(records, homework, rows))
    write_text(out / "canvas.csv", tables.canvas(records, homework, rows))
    for record in records:
        write_text(out / pages.place(record["student"]), pages.feedback(record, homework, rows))
    write_text(out / "summary.html", summary.page(records, homework, rows, RECORD))


def _refuse(students: list[str]) -> None:
    for student in students:
        same = student and line(student, 200) == student == original(harmless(student))  # as it returns from a table
        if not same or student.startswith(".") or set("/\\") & set(student):
            raise ValueError(f"a student's id must be usable as a file name, found {student[:60]!r}; give it another")
    twice = sorted({student for student in students if students.count(student) > 1})
    if twice:
        raise ValueError(f"expected one record a student, found several for {', '.join(twice)[:200]}; keep one of each")
