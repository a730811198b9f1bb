"""One submission, graded: a record from the key, a sandbox and the bytes that were handed in."""

import hashlib
import importlib.metadata
import platform
import time
from datetime import UTC, datetime

from utils.grading.exercise import given
from utils.grading.judge import Verdict
from utils.grading.official.key import Case, Key
from utils.grading.sandbox import wire
from utils.grading.sandbox.client import Gone, Sandbox, Visit
from utils.grading.student_copy import TEXT_STUB

IMPORT_SECONDS = 20  # the least that an import may take
DEADLY = 5  # statements that may end an import before a person has to look
SILENT = ("passed", "missing", "not attempted", "time limit")  # verdicts that need no second look
UNTOLD = {  # a verdict on fresh cases whose public ones are right
    "shape": "the shape is wrong",
    "dtype": "the dtype is wrong",
    "names": "names of outputs are wrong",
    "type": "something else than tensors comes back",
    "raised": "it raises an error",
    "died": "its process ended",
}
WRITTEN_MOST = 20_000


class _Unreadable(Exception):
    """The import gave nothing; a sentence for a person."""


def grade(key: Key, sandbox: Sandbox, submission) -> dict:
    """The record of one submission (`official.submissions.Submission`). Raises nothing that a submission does."""
    start = time.monotonic()
    record = blank(key, submission) | {"isolation": sandbox.level, "versions": versions()}
    try:
        content = submission.read()
        record["sha256"] = hashlib.sha256(content).hexdigest()
        record |= _Grading(key, sandbox, content).result()
        if all(row["kind"] == "missing" for row in record["exercises"]):
            raise _Unreadable("no function of this homework is in the notebook: is it another homework's?")
    except (_Unreadable, ValueError) as error:
        record |= {"status": "needs a person", "problem": str(error)}
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


def versions() -> dict:
    """What this was graded with."""
    found = {name: importlib.metadata.version(name) for name in ("torch", "numpy")}
    return {"course": importlib.metadata.version("metalearning-course"), "python": platform.python_version()} | found


class _Grading:
    """The state of one submission's grading: what killed an import, and whether the visit has died."""

    def __init__(self, key: Key, sandbox: Sandbox, content: bytes):
        self.key, self.sandbox, self.content = key, sandbox, content
        self.skip: list[list] = []

    def result(self) -> dict:
        """The parts of the record that depend on the content."""
        told, verdicts, seconds = self._all_on_fresh_cases()
        rows = []
        for case in self.key.cases:
            verdict, spent = verdicts[case.name], seconds.get(case.name, 0.0)
            if verdict.kind not in SILENT:
                start = time.monotonic()
                verdict = self._second_look(case, verdict)
                spent += time.monotonic() - start
            rows.append(_row(case, verdict, spent))
        answers = _texts(told.get("answers"))
        written = [dict(q, answer=_answer(answers.get(q["name"], ""))) for q in self.key.written]
        notes = [note[:400] for note in told.get("notes", []) if isinstance(note, str)][:50]
        return {"exercises": rows, "written": written, "notes": notes}

    def _all_on_fresh_cases(self) -> tuple[dict, dict, dict]:
        """Every exercise on cases that nobody has seen, in one child as long as it lives; its words are ignored."""
        visit, told = self._imported()
        verdicts, seconds = {}, {}
        try:
            for case in self.key.cases:
                if case.name not in _listed(told.get("functions")):
                    verdicts[case.name] = Verdict("missing", f"the notebook defines no function {case.name}")
                    continue
                start = time.monotonic()
                visit = visit or self._again()
                verdicts[case.name] = self._judged(visit, case, case.fresh)
                seconds[case.name] = time.monotonic() - start
                if verdicts[case.name].kind in ("time limit", "died"):
                    _close(visit)
                    visit = None
        finally:
            _close(visit)
        return told, verdicts, seconds

    def _second_look(self, case: Case, first: Verdict) -> Verdict:
        """The same in a child of its own, which no other exercise has touched, and why it fails.

        The public cases come first: what a student reads is from a process that has not seen a hidden value.
        """
        visit = self._again()
        try:
            public = self._judged(visit, case, case.public)
            fresh = first if public.kind in ("time limit", "died") else self._judged(visit, case, case.fresh)
        finally:
            _close(visit)
        if fresh.kind == "passed" or public.kind != "passed":
            message = "passed" if fresh.kind == "passed" else public.message
        elif fresh.misconception:
            message = f"right on the cases that you can see, not on fresh ones: {fresh.misconception}"
        else:
            what = UNTOLD.get(fresh.kind, "the values do not agree")
            message = f"right on the cases that you can see; on fresh ones {what}. Does it rely on a size or a value?"
        return Verdict(fresh.kind, message, fresh.credit, fresh.misconception)

    def _judged(self, visit: Visit | None, case: Case, answers: dict) -> Verdict:
        """The verdict on one exercise in this child, over all seeds of `answers`."""
        if visit is None:
            return Verdict("died", "the notebook could be imported once, but not a second time")
        got, until = {}, time.monotonic() + self.sandbox.limits.seconds
        try:
            for seed, inputs in answers["inputs"].items():
                shown = given(inputs)
                request = {"do": "drive", "exercise": case.name, "order": list(shown)}
                left = max(0.01, until - time.monotonic())
                header, body = next(visit.tell(request, wire.pack(shown), left))
                if header.get("kind") != "arrays":
                    return _said(header)
                got[seed] = wire.unpack(body, _listed(header.get("order")))
        except Gone as gone:
            return Verdict(gone.kind if gone.kind == "time limit" else "died", self._why(gone))
        except wire.WireError:
            return Verdict("type", "what comes back cannot be read as arrays")
        return self.key.verdict(case, answers, got)

    def _why(self, gone: Gone) -> str:
        if gone.kind == "time limit":
            return f"it took longer than {self.sandbox.limits.seconds:g} s"
        limit = f"asked for more than {self.sandbox.limits.memory} MB"
        return f"its process ended: it called exit, crashed, closed its files or {limit}"

    def _again(self) -> Visit | None:
        """Another child with the notebook; None where the import fails this time."""
        try:
            return self._imported()[0]
        except _Unreadable:
            return None

    def _imported(self) -> tuple[Visit, dict]:
        """A new child that has imported the notebook; a statement that ends a child is skipped from then on."""
        while True:
            visit, place = self.sandbox.visit(), None
            try:
                seconds = max(IMPORT_SECONDS, self.sandbox.limits.seconds)
                questions = {q["name"]: q["title"] for q in self.key.written}
                request = {"do": "import", "skip": self.skip, "questions": questions}
                for header, _ in visit.tell(request, self.content, seconds):
                    if "functions" in header:
                        return visit, header
                    if "at" not in header:
                        visit.close()
                        raise _Unreadable(f"{str(header.get('unreadable') or header.get('message'))[:400]}")
                    place = _place(header["at"])
            except Gone as gone:
                visit.close()
                if place is None or len(self.skip) >= DEADLY or place in [skipped[:2] for skipped in self.skip]:
                    raise _Unreadable("importing the notebook's definitions ends or hangs the process") from None
                self.skip.append([*place, f"it takes longer than {seconds:g} s" if gone.kind == "time limit"
                                  else "it ends the process, or needs too much memory"])  # fmt: skip


def _close(visit: Visit | None):
    if visit is not None:
        visit.close()


def _row(case: Case, verdict: Verdict, seconds: float) -> dict:
    return {
        "name": case.name, "points": case.points, "earned": round(case.points * verdict.credit, 4),
        "kind": verdict.kind, "message": verdict.message, "misconception": verdict.misconception,
        "seconds": round(seconds, 3),
    }  # fmt: skip


def _said(header: dict) -> Verdict:
    """A child's words in the place of arrays: never a point, and only kinds that its own code could have had."""
    kind, message = header.get("kind"), header.get("message")
    if kind == "not attempted":
        return Verdict(kind, kind)
    kind = kind if kind in ("raised", "type", "shape", "dtype") else "raised"
    return Verdict(kind, message[:1000] if isinstance(message, str) else "no outputs came back")


def _listed(found) -> list[str]:
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _texts(found) -> dict[str, str]:
    return {name: text for name, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}


def _answer(text: str) -> str | None:
    return None if text.strip() in ("", *TEXT_STUB) else text[:WRITTEN_MOST]


def _place(found) -> list[int]:
    if isinstance(found, list) and len(found) == 2 and all(isinstance(number, int) for number in found):
        return found
    raise _Unreadable("importing the notebook's definitions gives no sense")
