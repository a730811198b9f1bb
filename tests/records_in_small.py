"""Made-up records of a whole class, as `course grade` writes them, and text that a hostile student might hand in."""

import random

HOMEWORK = {
    "name": "hw2_metric_and_maml",
    "title": "Homework 2",
    "exercises": [
        {"name": "prototypes", "points": 2, "minutes": 10},
        {"name": "inner_step", "points": 4, "minutes": 20},
        {"name": "outer_loss", "points": 4.5, "minutes": 25},
    ],
    "written": [{"name": "question_1", "title": "Question 1", "points": 3}],
}
HOSTILE = [
    "<script>document.title='owned'</script>",
    "</style></title><img src=x onerror=\"document.title='owned'\">",
    "javascript:alert(1)",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\u2066 \u200b zero width",
    "tab\tbell\x07null\x00escape\x1b[2Jbroken\ud800surrogate",
    "W" * 10_000,
    '=HYPERLINK("http://example.org")',
    "a" + "\u0301\u0327" * 200,
]
MISTAKES = {
    "prototypes": "You divide by the number of shots, not by the size of each class. Look at how `y` is drawn.",
    "inner_step": "Your meta-gradient is first-order: the inner gradient was detached. Look at create_graph.",
    "outer_loss": "You compute the loss on the support set. Look at what the outer loss is a test of.",
}


def exercise(entry: dict, kind: str = "passed", earned: float | None = None, message: str = "passed") -> dict:
    """One entry of a record's exercises."""
    full = entry["points"] if kind == "passed" else 0
    known = MISTAKES[entry["name"]] if kind == "misconception" else None
    if known:
        message = f"the values do not agree: largest difference 0.31. This matches a known misconception: {known}"
    elif kind != "passed" and message == "passed":
        message = "'phi_w' has shape (3,), expected (4,)"
    return {
        "name": entry["name"], "points": entry["points"], "earned": full if earned is None else earned,
        "kind": kind, "message": message, "misconception": known, "seconds": 0.25,
    }  # fmt: skip


def record(student: str = "jane", kinds=("passed", "passed", "passed"), homework: dict = HOMEWORK, **changes) -> dict:
    """A graded record whose exercises end in `kinds`, with `changes` to its fields."""
    written = [{**question, "answer": "(a) The second step.\n(b) Less."} for question in homework["written"]]
    made = {
        "format": 1,
        "student": student,
        "identity": {"name": f"Doe, {student.title()}", "canvas_id": "4711", "sid": None, "email": None},
        "homework": homework["name"],
        "source": f"week5.zip/{student}_hw2.ipynb",
        "sha256": "0123456789abcdef" * 4,
        "submitted": "2025-10-01T12:00:00+00:00",
        "late": False,
        "others": [],
        "status": "graded",
        "problem": None,
        "notes": [],
        "isolation": "sandbox",
        "key": "5eed",
        "exercises": [exercise(*pair) for pair in zip(homework["exercises"], kinds, strict=True)],
        "written": written,
        "seeds": {entry["name"]: [987654321, 123123123] for entry in homework["exercises"]},
        "versions": {"course": "0.1.0", "python": "3.11.2", "torch": "2.13.0", "numpy": "2.3.0"},
        "times": {"graded": "2025-10-02T08:00:00+00:00", "seconds": 3.5},
    }
    return made | changes


def stuck(student: str = "mia", problem: str = "two notebooks differ: say which one counts", **changes) -> dict:
    """A record that needs a person."""
    nothing = {"exercises": [], "written": [], "status": "needs a person", "problem": problem, "seeds": {}}
    return record(student) | nothing | changes


def many(count: int, seed: int = 0) -> list[dict]:
    """A class: most are right, some have misconceptions or raise, a few need a person or are late."""
    draw = random.Random(seed)
    kinds = ["passed"] * 6 + ["misconception"] * 2 + ["shape", "raised", "not attempted", "time limit", "died"]
    made = []
    for number in range(count):
        student = f"student{number:04}"
        if draw.random() < 0.03:
            made.append(stuck(student))
        else:
            made.append(record(student, draw.choices(kinds, k=3), late=draw.random() < 0.1))
    return made
