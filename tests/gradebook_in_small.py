"""Records of the small homework for an nbgrader gradebook, and what the gradebook holds of them."""

import nbformat
import records_in_small

from utils.grading.official.gradebook import ready

NAME = "hw9_small"
SMALL = {
    "name": NAME,
    "exercises": [{"name": "scale", "points": 3}, {"name": "total", "points": 1.5}],
    "written": [{"name": "why", "title": "Why", "points": 2}],
}
NASTY = "\n\n".join([
    *records_in_small.HOSTILE, "</pre><script>document.title='owned'</script>", "[here](javascript:alert(1))",
    "![](/formgrader/?path=/tmp)", "$$\\href{javascript:alert(1)}{x}$$", "```\n</pre><img src=x onerror=alert(1)>\n```",
])  # fmt: skip


def made(student, kinds=("passed", "passed"), answer="Because $e^x$ grows, & fast.", **changes):
    record = records_in_small.record(student, kinds, SMALL, **changes)
    record["written"][0]["answer"] = answer
    return record


def hostile():
    record = made("eve", ("raised", "passed"), NASTY, notes=[NASTY], source=NASTY, submitted="yesterday <b>")
    record["identity"] |= {"name": "<script>document.title='owned'</script>, Eve", "email": '"><img src=x>'}
    record["exercises"][0]["message"] = NASTY
    return record


def class_of_four():
    partly = made("bob", ("shape", "passed"), None)
    partly["exercises"][0] |= {"earned": 1.25}
    return [made("ada", notes=["cell 3 was skipped"]), partly, hostile(), records_in_small.stuck("mia", homework=NAME)]


def book(url):
    from nbgrader.api import Gradebook

    return Gradebook(url)


def grades(url, student):
    """{cell: (automatic points, a person's points, waits for a person)} in the gradebook."""
    with book(url) as found:
        rows = found.find_submission_notebook(NAME, NAME, student).grades
        return {row.name: (row.auto_score, row.manual_score, row.needs_manual_grade) for row in rows}


def give(url, student, cell, points):
    """What formgrader does when a person types points."""
    with book(url) as found:
        grade = found.find_grade(cell, NAME, NAME, student)
        grade.manual_score, grade.needs_manual_grade = points, False
        found.find_comment("why", NAME, NAME, student).manual_comment = "Well said."
        found.db.commit()


def page(url, student):
    return nbformat.read(ready(url).parent / "autograded" / student / NAME / f"{NAME}.ipynb", as_version=4)
