"""A notebook before the sandbox: visits to it, and a verdict on each exercise.

1. One child sees every exercise on fresh cases, the ones that nobody has seen. Its arrays count; its words do not.
2. Another child, which never sees a hidden value, sees what failed on public cases: from it come the words that a
   student reads. It takes the exercises from the last to the first, so that what one leaves behind meets others.
3. What is right there was sunk by an earlier exercise, or relies on the public cases: a child of its own decides.
"""

import time

from utils.grading.exercise import given
from utils.grading.feedback import printable
from utils.grading.judge import Verdict
from utils.grading.official.key import Case, Key
from utils.grading.sandbox import wire
from utils.grading.sandbox.client import Gone, Sandbox, Visit

IMPORT_SECONDS = 20  # the least that an import may take
DEADLY = 5  # statements that may end an import before a person has to look
LOST = ("time limit", "died")  # the child is gone, too
FINAL = ("passed", "missing", "not attempted", "time limit")  # verdicts that need no second look
UNTOLD = {  # a verdict on fresh cases whose public ones are right
    "shape": "the shape is wrong",
    "dtype": "the dtype is wrong",
    "names": "names of outputs are wrong",
    "type": "something else than tensors comes back",
    "raised": "it raises an error",
    "died": "its process ended",
}


class Unreadable(Exception):
    """The import gave nothing; a sentence for a person."""


class Trial:
    """One notebook's visits. `told`: what the import said; `verdicts` and `seconds` by exercise, after `run`."""

    def __init__(self, key: Key, sandbox: Sandbox, content: bytes):
        self.key, self.sandbox, self.content = key, sandbox, content
        self.told: dict = {}
        self.verdicts: dict[str, Verdict] = {}
        self.seconds = {case.name: 0.0 for case in key.cases}
        self._skip: list[list] = []  # [cell, line, why]: statements that ended an import

    def run(self):
        """All three rounds. Raises Unreadable if the notebook cannot be imported at all."""
        visit, self.told = self._imported()
        there = _listed(self.told.get("functions"))
        for case in self.key.cases:
            self.verdicts[case.name] = Verdict("missing", f"the notebook defines no function {case.name}")
        self.verdicts |= self._round([case for case in self.key.cases if case.name in there], "fresh", visit)
        failed = [case for case in self.key.cases if self.verdicts[case.name].kind not in FINAL]
        public = self._round(failed[::-1], "public")
        for case in failed:
            fresh = self.verdicts[case.name]
            if public[case.name].kind == "passed":
                fresh = self._round([case], "fresh")[case.name]
            self.verdicts[case.name] = _told(fresh, public[case.name])

    def _round(self, cases: list[Case], which: str, visit: Visit | None = None) -> dict[str, Verdict]:
        """{exercise: verdict} on the fresh or the public cases, in one child as long as it lives."""
        found = {}
        try:
            for case in cases:
                start = time.monotonic()
                visit = visit or self._again()
                found[case.name] = self._judged(visit, case, getattr(case, which))
                self.seconds[case.name] += time.monotonic() - start
                if found[case.name].kind in LOST:
                    _close(visit)
                    visit = None
        finally:
            _close(visit)
        return found

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
            return Verdict(gone.kind if gone.kind in LOST else "died", self._why(gone))
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
        except Unreadable:
            return None

    def _imported(self) -> tuple[Visit, dict]:
        """A new child that has imported the notebook; a statement that ends a child is skipped from then on."""
        seconds = max(IMPORT_SECONDS, self.sandbox.limits.seconds)
        questions = {question["name"]: question["title"] for question in self.key.written}
        while True:
            visit, place = self.sandbox.visit(), None
            try:
                request = {"do": "import", "skip": self._skip, "questions": questions}
                for header, _ in visit.tell(request, self.content, seconds):
                    if "functions" in header:
                        return visit, header
                    place = _place(header)
            except Gone as gone:
                visit.close()
                if place is None or len(self._skip) >= DEADLY or place in [skipped[:2] for skipped in self._skip]:
                    raise Unreadable("importing the notebook's definitions ends or hangs the process") from None
                hangs = f"it takes longer than {seconds:g} s"
                ends = "it ends the process, or needs too much memory"
                self._skip.append([*place, hangs if gone.kind == "time limit" else ends])
            except BaseException:
                visit.close()
                raise


def _told(fresh: Verdict, public: Verdict) -> Verdict:
    """The verdict on fresh cases in words that hold nothing of them."""
    if fresh.kind == "passed" or public.kind != "passed":
        message = "passed" if fresh.kind == "passed" else public.message
    elif fresh.misconception:
        message = f"right on the cases that you can see, not on fresh ones: {fresh.misconception}"
    else:
        what = UNTOLD.get(fresh.kind, "the values do not agree")
        message = f"right on the cases that you can see; on fresh ones {what}. Does it rely on a size or a value?"
    return Verdict(fresh.kind, message, fresh.credit, fresh.misconception)


def _close(visit: Visit | None):
    if visit is not None:
        visit.close()


def _said(header: dict) -> Verdict:
    """A child's words in the place of arrays: never a point, and only kinds that its own code could have had."""
    kind, message = header.get("kind"), header.get("message")
    if kind == "not attempted":
        return Verdict(kind, kind)
    kind = kind if kind in ("raised", "type", "shape", "dtype") else "raised"
    return Verdict(kind, message[:1000] if isinstance(message, str) else "no outputs came back")


def _listed(found) -> list[str]:
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _place(header: dict) -> list[int]:
    """The statement that is announced. Raises Unreadable for any other word of an import."""
    found = header.get("at")
    if isinstance(found, list) and len(found) == 2 and all(isinstance(number, int) for number in found):
        return found
    said = header.get("unreadable") or header.get("message")
    said = said if isinstance(said, str) else "importing the notebook's definitions gives no sense"
    raise Unreadable(printable(" ".join(said[:400].split())))  # a person reads it in a terminal, too
