"""What a record and the written points come to: one student's sums."""

from dataclasses import dataclass

WAITS = "waits for written points"


@dataclass(frozen=True)
class Standing:
    """automatic and total are None where no such number exists yet; written: {question: points or None}."""

    automatic: float | None
    written: dict
    total: float | None
    status: str


def standing(record: dict, rows: dict) -> Standing:
    """The sums of one record; rows: the queue as `written.update` returns it."""
    graded = record["status"] == "graded"
    names = [question["name"] for question in record["written"]]
    given = {name: rows[record["student"], name]["points"] for name in names}
    automatic = sum(exercise["earned"] for exercise in record["exercises"]) if graded else None
    missing = None in given.values()
    total = None if missing or not graded else automatic + sum(given.values())
    return Standing(automatic, given, total, WAITS if graded and missing else record["status"])


def maximum(homework: dict, part: str | None = None) -> float:
    """What the homework is worth, or its "exercises" or "written" questions alone."""
    return sum(entry["points"] for kind in ([part] if part else ["exercises", "written"]) for entry in homework[kind])
