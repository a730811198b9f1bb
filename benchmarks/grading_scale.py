"""A whole class: 500 submissions of homework 2, graded, killed and resumed, regraded, and on a small cluster."""

import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from benchmarks import grading_work as work
from benchmarks.measure import Row
from utils.grading.official.key import make_key
from utils.grading.official.run import Options, graded
from utils.grading.official.submissions import collect
from utils.grading.sandbox import isolation
from utils.paths import course_root

STUDENTS, KILLS = 500, 20
COURSE = [sys.executable, "-m", "utils.cli"]


def run(quick: bool) -> list[Row]:
    """Minutes and memory of a class, what is left after kills, what regrading changes, the gain of a second worker."""
    if isolation.lacks("sandbox"):
        return [Row("skipped: no sandbox on this machine (`course doctor`)", None, "s")]
    students, kills = (6, 1) if quick else (STUDENTS, KILLS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work.hand_in(folder / "submitted", students, True)
        rows = [*_class(folder, students, quick), _killed(folder, students, kills), _regraded(folder)]
        return [*rows, _cluster(folder, quick)]


def _grade(folder: Path, out: str) -> list[str]:
    return [*COURSE, "grade", work.HOMEWORK, str(folder / "submitted"), "--out", str(folder / out), "--workers", "2"]


def _class(folder: Path, students: int, quick: bool) -> list[Row]:
    """Wall clock and the largest memory of all processes together, each shared page counted once (PSS)."""
    start, most = time.monotonic(), 0
    process = subprocess.Popen(_grade(folder, "grades"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, _memory(process.pid))
        time.sleep(0.5)
    seconds = time.monotonic() - start
    assert process.returncode == 0 and _records(folder / "grades") == students
    targets = (None, None) if quick else (240, 2)
    note = f"2 workers, {students / seconds:.0f} a second, all of the start included"
    return [
        Row(f"{students} submissions of homework 2", seconds, "s", targets[0], at_most=True, note=note),
        Row("memory of all processes at its largest", most / 2**30, "GB", targets[1], at_most=True),
    ]


def _memory(pid: int) -> int:
    total = 0
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            total += process.memory_full_info().pss
    except psutil.Error:  # it ended while it was measured
        pass
    return total


def _killed(folder: Path, students: int, kills: int) -> Row:
    """Records after the grader was killed at random moments and resumed; none may be missing or graded twice."""
    dice, done = random.Random(0), 0
    while done < kills:
        process = subprocess.Popen(_grade(folder, "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(dice.uniform(0, 7))
            break  # all is graded already
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            done += 1
    subprocess.run(_grade(folder, "killed"), capture_output=True, check=True)
    lines = (folder / "killed" / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    often = Counter(json.loads(line)["student"] for line in lines)
    right = _records(folder / "killed") if set(often.values()) == {1} and len(often) == students else 0
    return Row(f"records after kill -9 at {done} moments", right, "", students, note="each graded once, by the journal")


def _regraded(folder: Path) -> Row:
    """How many students have the same points when the class is graded again with the stored seeds."""
    result = subprocess.run([*COURSE, "regrade", str(folder / "grades")], capture_output=True, text=True)
    again, of, changed = map(int, re.findall(r"\d+", result.stdout.splitlines()[-1]))
    assert again == of and (result.returncode == 0) == (changed == 0)
    return Row("students with the same points when regraded", again - changed, "", again)


def _records(out: Path) -> int:
    return len(list((out / "records").glob("*.json")))


def _cluster(folder: Path, quick: bool) -> Row:
    """Submissions a second with two Dask workers against one, once all have started."""
    what = "Dask, 2 local workers against 1"
    if quick:
        return Row(what, None, "x", note="left out by --quick")
    key = make_key(course_root() / "solutions" / work.HOMEWORK)
    found, _ = collect([folder / "submitted"], work.HOMEWORK)
    rates = {}
    for workers in (1, 2):
        times = []
        for _ in graded(key, found, "sandbox", Options(workers=1, dask=f"local:{workers}")):
            times.append(time.monotonic())
        first = len(times) // 5  # by then every worker has started its sandbox
        rates[workers] = (len(times) - 1 - first) / (times[-1] - times[first])
    note = f"{rates[1]:.1f} and {rates[2]:.1f} a second"
    return Row(what, rates[2] / rates[1], "x", 1.7, note=note)
