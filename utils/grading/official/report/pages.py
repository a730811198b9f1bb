"""A student's page, and what both kinds of page share: templates that escape everything, and a strict policy.

The policy allows the page's own style sheet, known by its digest, and nothing else: no script, no picture, no request.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from utils.grading import feedback as words
from utils.grading.judge import Verdict
from utils.grading.official.report.standing import maximum, standing
from utils.grading.official.report.text import line, lines, moment, number
from utils.grading.official.report.written import CHANGED

STATES = {
    **words.STATES,
    "passed": "right",
    "missing": "not in the notebook",
    "time limit": "takes too long",
    "died": "ended its process",
}
LEVELS = {
    "sandbox": "in a sandbox without network",
    "container": "in a container as a user of its own",
    "none": "without isolation (these points are not official)",
}
COLOURS = {words.GREEN: "green", words.ORANGE: "orange", words.RED: "red", words.GREY: "grey"}


def place(student: str) -> str:
    """Where a student's page lies."""
    return f"feedback/{student}.html"


def feedback(record: dict, homework: dict, rows: dict) -> str:
    """The page of one record. It shows neither seeds nor what a person has to decide, which may speak of others."""
    exercises = [_exercise(entry) for entry in record["exercises"]]
    questions = [_question(entry, rows[record["student"], entry["name"]]) for entry in record["written"]]
    worth = maximum(homework, "exercises"), maximum(homework)
    return render(
        "feedback.html", homework=homework, record=record, now=standing(record, rows), exercises=exercises,
        questions=questions, worth=worth, level=LEVELS.get(record["isolation"], record["isolation"]),
    )  # fmt: skip


def state(kind: str) -> str:
    """A verdict's kind in words."""
    return STATES.get(kind, kind)


def render(template: str, **values) -> str:
    """A page from a template; every value is escaped."""
    style, policy = _style()
    return _templates().get_template(template).render(style=style, policy=policy, **values)


def link(path: str) -> str:
    """A path as a link within the folder, whatever its letters."""
    return "./" + quote(path)


def identifier(name: str) -> Markup:
    """A function's name as code that may break after an underscore, so that a table fits a phone."""
    return Markup("<code>{}</code>").format(Markup("_<wbr>").join(line(name, 80).split("_")))


def prose(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    parts = line(text, 1000).split("`")
    if len(parts) % 2 == 0:
        return escape("`".join(parts))
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def _exercise(entry: dict) -> dict:
    """An exercise as the page shows it: `complaint` without the misconception that its message ends with."""
    credit = entry["earned"] / entry["points"] if entry["points"] else 0
    sign, colour = words.sign(Verdict(entry["kind"], "", credit))
    complaint = entry["message"] or ""
    if entry["misconception"]:
        complaint = complaint.removesuffix(f" This matches a known misconception: {entry['misconception']}")
    return {**entry, "sign": sign, "colour": COLOURS[colour], "state": state(entry["kind"]), "complaint": complaint}


def _question(entry: dict, row: dict) -> dict:
    return {**entry, "given": row["points"], "comment": row["comment"].removeprefix(CHANGED).strip()}


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    filters = identifier, line, lines, link, moment, number, prose
    made.filters |= {function.__name__: function for function in filters}
    return made


@cache
def _style() -> tuple[Markup, str]:
    """The style sheet and the policy that allows it."""
    colours = {name: colour for colour, name in COLOURS.items()}
    style = _templates().get_template("page.css").render(colours)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Markup(style), f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
