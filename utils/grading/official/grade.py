"""One submission, graded: a record from the key, a sandbox and the bytes that were handed in."""

import functools
import hashlib
import importlib.metadata
import platform
import time
from datetime import UTC, datetime

from utils.grading.judge import Verdict
from utils.grading.official.key import Case, Key
from utils.grading.official.trial import Trial, Unreadable
from utils.grading.sandbox.client import Sandbox
from utils.grading.student_copy import TEXT_STUB

ANSWER_MOST, NOTE_MOST, NOTES_MOST = 20_000, 400, 50  # characters, characters, sentences


def grade(key: Key, sandbox: Sandbox, submission) -> dict:
    """The record of one submission (`official.submissions.Submission`). Raises nothing that a submission does."""
    start = time.monotonic()
    record = blank(key, submission) | {"isolation": sandbox.level}
    try:
        content = submission.read()
        record["sha256"] = hashlib.sha256(content).hexdigest()
        trial = Trial(key, sandbox, content)
        trial.run()
        record |= _results(key, trial)
        if all(row["kind"] == "missing" for row in record["exercises"]):
            raise Unreadable("no function of this homework is in the notebook: is it another homework's?")
    except (Unreadable, ValueError) as error:
        record |= {"status": "needs a person", "problem": _text(str(error))}
    seconds = round(time.monotonic() - start, 3)
    return record | {"times": {"graded": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": seconds}}


def blank(key: Key, handed_in) -> dict:
    """The record of a submission (or of a problem with one) before anything is known of its content."""
    names = ("student", "identity", "source", "submitted", "late")
    problem = getattr(handed_in, "sentence", None)
    return {
        "format": 1, **{name: getattr(handed_in, name) for name in names}, "others": list(handed_in.others),
        "homework": key.homework, "key": key.digest, "seeds": key.seeds, "sha256": None,
        "status": "needs a person" if problem else "graded", "problem": problem, "notes": [], "isolation": None,
        "exercises": [_row(case, Verdict("missing", "not graded"), 0.0) for case in key.cases],
        "written": [dict(question, answer=None) for question in key.written],
        "versions": versions(), "times": {"graded": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": 0.0},
    }  # fmt: skip


@functools.cache
def versions() -> dict:
    """What this was graded with."""
    found = {name: importlib.metadata.version(name) for name in ("torch", "numpy")}
    return {"course": importlib.metadata.version("metalearning-course"), "python": platform.python_version()} | found


def _results(key: Key, trial: Trial) -> dict:
    """The parts of a record that depend on the content."""
    answers, notes = trial.told.get("answers"), trial.told.get("notes")
    answers, notes = answers if isinstance(answers, dict) else {}, notes if isinstance(notes, list) else []
    return {
        "exercises": [_row(case, trial.verdicts[case.name], trial.seconds[case.name]) for case in key.cases],
        "written": [dict(question, answer=_answer(answers.get(question["name"]))) for question in key.written],
        "notes": [_text(note[:NOTE_MOST]) for note in notes if isinstance(note, str)][:NOTES_MOST],
    }


def _row(case: Case, verdict: Verdict, seconds: float) -> dict:
    return {
        "name": case.name, "points": case.points, "earned": round(case.points * verdict.credit, 4),
        "kind": verdict.kind, "message": _text(verdict.message), "misconception": verdict.misconception,
        "seconds": round(seconds, 3),
    }  # fmt: skip


def _answer(text) -> str | None:
    return _text(text[:ANSWER_MOST]) if isinstance(text, str) and text.strip() not in ("", *TEXT_STUB) else None


def _text(text: str) -> str:
    """A stranger's text as text that every file can hold: half a character becomes a question mark."""
    return text.encode("utf-8", "replace").decode()
