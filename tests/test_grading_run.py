"""`course grade` from end to end: it can be stopped anywhere, never grades twice, and says what it will not do."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import psutil
import pytest
from grading_in_small import need, solved
from homework_in_small import MISTAKES, write

from utils.cli import main
from utils.grading.official import run as running
from utils.grading.official.store import Store, StoreError
from utils.grading.sandbox import isolation

WRONG = "def total(x): return x.mean()"
AS_A_COMMAND = """
import sys
from pathlib import Path
import utils.grading.official.run as running
root = Path(sys.argv.pop(1))
running.course_root = lambda: root
from utils.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of its own with the small homework; commands that are called here work on it."""
    need("sandbox", monkeypatch, tmp_path)
    write(tmp_path)
    monkeypatch.setattr(running, "course_root", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def handed_in(course):
    """Six submissions: three right, two with a misconception, one that needs a person."""
    folder = course / "handed in"
    folder.mkdir()
    for name in ("ada", "ben", "cleo"):
        (folder / f"{name}.ipynb").write_bytes(solved())
    for name in ("dan", "eve"):
        (folder / f"{name}.ipynb").write_bytes(solved(total=WRONG))
    (folder / "fay.ipynb").write_bytes(b"not a notebook")
    return folder


def grade(*arguments) -> int:
    return main(["grade", "hw9", *map(str, arguments)])


def journal(out) -> Counter:
    """How often each student stands in the journal; a line that is being written does not count."""
    text = (out / "journal.jsonl").read_text(encoding="utf-8") if (out / "journal.jsonl").exists() else ""
    return Counter(json.loads(line)["student"] for line in text.split("\n")[:-1])


def earned(out) -> dict:
    records = [json.loads(path.read_text(encoding="utf-8")) for path in (out / "records").iterdir()]
    return {record["student"]: [row["earned"] for row in record["exercises"]] for record in records}


EARNED = {"ada": [3, 1.5], "ben": [3, 1.5], "cleo": [3, 1.5], "dan": [3, 0], "eve": [3, 0], "fay": [0, 0]}


def test_a_class_is_graded_and_goes_on_where_it_was(course, handed_in, capsys, monkeypatch):
    out = course / "grades"
    assert grade(handed_in, "--out", out) == 1
    said = capsys.readouterr().out
    assert "5 of 6 are graded; automatic points: median 4.5, from 3 to 4.5 of 4.5" in said
    assert "needs a person: fay: the file is not a notebook" in said
    assert earned(out) == EARNED
    names = {path.name for path in out.iterdir()}
    assert names == {"records", "feedback", "journal.jsonl", "seeds.json", "grades.csv", "canvas.csv", "written.csv",
                     "summary.html"}  # fmt: skip
    assert out.stat().st_mode & 0o077 == 0
    counted = []
    real = running.grade
    monkeypatch.setattr(running, "grade", lambda *a: counted.append(a[2].student) or real(*a))
    assert grade(handed_in, "--out", out) == 1 and counted == []
    (handed_in / "gil.ipynb").write_bytes(solved())
    (handed_in / "fay.ipynb").write_bytes(solved())
    assert grade(handed_in, "--out", out, "--json") == 0 and sorted(counted) == ["fay", "gil"]
    assert earned(out) == EARNED | {"fay": [3, 1.5], "gil": [3, 1.5]}
    assert journal(out) == dict.fromkeys(EARNED, 1) | {"fay": 2, "gil": 1}
    said = capsys.readouterr().out
    assert len(json.loads(said[said.index("[\n") :])) == 7


def test_killed_at_any_moment_nothing_is_lost_or_done_twice(course, handed_in):
    for k in range(30):
        (handed_in / f"more{k}.ipynb").write_bytes(solved())
    out, dice = course / "grades", random.Random(5)
    command = [sys.executable, "-c", AS_A_COMMAND, str(course), "grade", "hw9", str(handed_in), "--out", str(out)]
    kills, partly = 0, set()
    while kills < 12:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started = journal(out).total()
        while process.poll() is None and journal(out).total() <= started:
            time.sleep(0.01)
        time.sleep(dice.random() * 0.1)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL if kills % 3 else signal.SIGINT)
        assert process.wait() in (-signal.SIGKILL, 130)
        kills += 1
        partly.add(len(list((out / "records").glob("*.json"))))
    assert kills >= 4 and len(partly) >= 3
    assert subprocess.run(command, capture_output=True).returncode == 1
    assert journal(out) == dict.fromkeys([*EARNED, *(f"more{k}" for k in range(30))], 1)
    assert set(earned(out)) == set(journal(out)) and not list(out.rglob("*.part"))
    left = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [arguments for arguments in left if str(course) in " ".join(arguments)]


def test_a_journal_that_was_cut_short_is_mended(course, handed_in):
    out = course / "grades"
    grade(handed_in, "--out", out)
    lines = (out / "journal.jsonl").read_text(encoding="utf-8")
    (out / "journal.jsonl").write_text(lines[:-20], encoding="utf-8")
    (out / "records" / "ada.json").write_text('{"student": "ada", ', encoding="utf-8")
    (out / "records" / ".ben.json.x.part").write_text("{", encoding="utf-8")
    assert grade(handed_in, "--out", out) == 1
    assert earned(out) == EARNED
    found = journal(out)
    assert found.pop("ada") == 2 and set(found.values()) == {1}


def test_regrading_gives_the_same_points(course, handed_in, capsys):
    out = course / "grades"
    grade(handed_in, "--out", out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main(["regrade", str(out)]) == 0
    assert capsys.readouterr().out == "6 of 6 were graded again: 0 have other points\n"
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    (handed_in / "ben.ipynb").write_bytes(solved(total=WRONG))
    assert main(["regrade", str(out), str(handed_in)]) == 0
    said = capsys.readouterr()
    assert "ben: the file is another one than was graded; not compared" in said.out + said.err
    assert grade(handed_in, "--out", course / "second", "--seeds", out / "seeds.json") == 1
    first, second = (json.loads((f / "seeds.json").read_text(encoding="utf-8")) for f in (out, course / "second"))
    assert first["seeds"] == second["seeds"]


def test_a_corrected_homework_regrades_the_class(course, handed_in, capsys):
    out = course / "grades"
    grade(handed_in, "--out", out)
    milder = MISTAKES.replace("not a mean.\"", "not a mean.\", credit=0.5")
    write(course, mistakes=milder)
    capsys.readouterr()
    assert grade(handed_in, "--out", out) == 2
    assert "another version: use another --out, or bring these up to date with: course regr" in capsys.readouterr().err
    assert main(["regrade", str(out)]) == 1
    assert "2 have other points" in capsys.readouterr().out and earned(out) == EARNED
    assert main(["regrade", str(out), "--update"]) == 1
    assert "dan: total 0 -> 0.75" in "".join(capsys.readouterr())
    assert earned(out) == EARNED | {"dan": [3, 0.75], "eve": [3, 0.75]}
    assert main(["regrade", str(out)]) == 0


def test_one_run_at_a_time(course, handed_in, capsys):
    out = course / "grades"
    with Store(out), pytest.raises(StoreError, match="another run is writing to .*: wait for it"):
        Store(out)
    with Store(out):
        assert grade(handed_in, "--out", out) == 2
    assert "another run is writing" in capsys.readouterr().err


def test_without_isolation_nothing_is_written(course, handed_in, capsys, monkeypatch):
    out = course / "grades"
    assert grade(handed_in, "--out", out, "--isolation", "none") == 1
    said = capsys.readouterr().out
    assert "nothing is written" in said and "ada  4.5" in said and not out.exists()
    monkeypatch.setattr(isolation, "lacks", lambda level: "" if level == "none" else f"no {level}; do this")
    assert grade(handed_in, "--out", out) == 2
    assert capsys.readouterr().err == "course grade: no sandbox; do this; no container; do this\n" and not out.exists()


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["hw9", "nowhere"], "nowhere"),
        (["hw8", "."], "no homework is called 'hw8'; solutions/ holds hw9_small"),
        (["hw9", "empty"], "no submission can be graded: "),
        (["hw9", "handed in"], "expected a folder for the grades: --out FOLDER"),
        (["hw9", "handed in", "--out", "a file"], "cannot be used for grades"),
        (["hw9", "handed in", "--out", "grades", "--seeds", "a file"], "is not a seeds.json"),
        (["hw9", "handed in", "--out", "g", "--dask", "x:1", "--isolation", "container"], "needs the isolation level"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(course, handed_in, capsys, monkeypatch, arguments, sentence):
    monkeypatch.chdir(course)
    (course / "empty").mkdir()
    (course / "a file").write_text("{}", encoding="utf-8")
    assert main(["grade", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.startswith("course grade: ") and said.count("\n") == 1


@pytest.mark.parametrize("option", [["--workers", "0"], ["--time-limit", "no"], ["--memory", "-3"]])
def test_wrong_options_are_explained(option, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["grade", "hw9", ".", *option])
    assert ended.value.code == 2 and "expected" in capsys.readouterr().err


def test_a_cluster_gives_the_same_points_though_workers_are_lost(course, handed_in, monkeypatch):
    distributed = pytest.importorskip("distributed")
    for k in range(20):
        (handed_in / f"more{k}.ipynb").write_bytes(solved())
    real, killed = distributed.as_completed, []

    class Losing:
        def __init__(self, futures):
            self.found = real(futures)

        def __iter__(self):
            for future in self.found:
                if not killed:
                    killed.append(next(iter(future.client.run(os.getpid).values())))
                    os.kill(killed[0], signal.SIGKILL)
                yield future

        def add(self, future):
            self.found.add(future)

    monkeypatch.setattr(distributed, "as_completed", Losing)
    out = course / "grades"
    assert grade(handed_in, "--out", out, "--dask", "local:2") == 1
    assert killed and earned(out) == EARNED | {f"more{k}": [3, 1.5] for k in range(20)}
    assert set(journal(out).values()) == {1}
    assert main(["regrade", str(out)]) == 0
    assert grade(handed_in, "--out", course / "other", "--dask", "tcp://127.0.0.1:9") == 2
