"""Grading: CPU time of one submission, `course grade` against nbgrader and otter-grader on the same notebooks.

A notebook is run from top to bottom by the others, so all get homework 2 without its experiments: 8 exercises, each
tested on two hidden seeds with the same inputs, drive and judge. Before anything is timed, all give the same points.
"""

import json
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks import grading_work as work
from benchmarks import peers
from benchmarks.grading_peers import PEERS, Graded, cpu_of
from benchmarks.measure import Row
from utils.grading.sandbox import isolation

COUNTS = {"course grade": 300, "whole notebooks": 300, "nbgrader": 21, "otter": 3}  # students in one round
HOW = {"nbgrader": "`nbgrader autograde`, {} in one call", "otter": "`otter run`, one call for each of {}"}
ROUNDS = 2
MOST = 0.15  # CPU seconds of a submission
TARGETS = {"nbgrader": 20, "otter": 60}


def with_course(count: int, whole: bool = False) -> Graded:
    """`course grade` with one worker, all students in one call; the points are those of its records."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = work.hand_in(folder / "submitted", count, whole)
        command = [sys.executable, "-m", "utils.cli", "grade", work.HOMEWORK, str(folder / "submitted")]
        seconds = cpu_of([*command, "--out", str(folder / "out"), "--workers", "1"], folder)
        records = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "out/records").glob("*.json")]
    points = {record["student"]: sum(row["earned"] for row in record["exercises"]) for record in records}
    return seconds, kinds, points


def agreed(who: str, graded: Graded) -> float:
    """CPU seconds a submission; raises AssertionError unless every student got what the notebook is worth."""
    seconds, kinds, points = graded
    worth = work.points()
    assert points.keys() == kinds.keys(), f"{who} graded {sorted(points)}, handed in were {sorted(kinds)}"
    for student, kind in kinds.items():
        assert points[student] == worth[kind], f"{who} gives {points[student]} points for {kind}, not {worth[kind]}"
    return seconds / len(kinds)


def race(contenders: dict, counts: dict[str, int], rounds: int) -> dict[str, float]:
    """Median CPU seconds a submission of each contender, all in turn; in every round all must agree.

    Several rounds start with a small one that is not timed: it warms every cache.
    """
    times = {who: [] for who in contenders}
    for who, grade in contenders.items() if rounds > 1 else ():
        agreed(who, grade(len(work.KINDS)))
    for _ in range(rounds):
        for who, grade in contenders.items():
            times[who].append(agreed(who, grade(counts[who])))
    return {who: statistics.median(found) for who, found in times.items()}


def missing(group: str, quick: bool) -> str:
    """Why this peer is not measured, or an empty text."""
    if quick and not peers.folder(group).is_dir():
        return "not installed, and --quick installs nothing"
    return peers.prepare(group)


def run(quick: bool) -> list[Row]:
    """CPU seconds a submission, and how many times more the others take."""
    if isolation.lacks("sandbox") and isolation.lacks("container"):
        return [Row("skipped: nothing here isolates a submission (`course doctor`)", None, "s")]
    why = {group: missing(group, quick) for group in PEERS}
    contenders = {"course grade": with_course}
    if not quick:
        contenders["whole notebooks"] = partial(with_course, whole=True)
    with tempfile.TemporaryDirectory() as name:
        for group, (prepare, grade) in PEERS.items():
            if not why[group]:
                course = Path(name) / group
                course.mkdir()
                prepare(course)
                contenders[group] = partial(grade, course)
        counts = dict.fromkeys(contenders, 1) if quick else COUNTS
        seconds = race(contenders, counts, 1 if quick else ROUNDS)
    return rows(seconds, counts, why, {} if quick else TARGETS)


def rows(seconds: dict[str, float], counts: dict[str, int], why: dict[str, str], targets: dict) -> list[Row]:
    """The figures of the table; without `targets` nothing is promised."""
    ours, most = seconds["course grade"], MOST if targets else None
    note = f"{counts['course grade']} students in one call, one worker, the start included"
    found = [Row("course grade, a submission", ours, "s", most, at_most=True, note=note)]
    whole, left_out = seconds.get("whole notebooks"), "" if targets else "left out by --quick"
    found.append(Row("the same, notebooks with experiments", whole, "s", most, at_most=True, note=left_out))
    for group in PEERS:
        value = seconds[group] / ours if group in seconds else None
        note = why[group] or f"{seconds[group]:.3g} CPU-s: {HOW[group].format(counts[group])}"
        found.append(Row(f"against {group}", value, "x", targets.get(group), note=note))
    return found
