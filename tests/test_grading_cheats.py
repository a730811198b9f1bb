"""Hostile submissions: each scores what an empty notebook does, reaches nothing, and harms nobody after it."""

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from cheats import CHEATS
from cheats_of_messages import CONNECTION
from grading_in_small import HandedIn, notebook, solved
from homework_in_small import TOTAL

from utils.grading.official import report
from utils.grading.official.grade import grade
from utils.grading.sandbox import confine, landlock

SHARED = ("/tmp", "/var/tmp", "/dev/shm")


def run(key, sandbox, content: bytes):
    """(points of scale, points of total, the record as text that a file can hold)."""
    record = grade(key, sandbox, HandedIn(content))
    earned = {row["name"]: row["earned"] for row in record["exercises"]}
    return earned["scale"], earned["total"], json.dumps(record, ensure_ascii=False).encode().decode()


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_gains_and_reaches_nothing(key, sandbox, name):
    if (name, sandbox.level) == ("reaching: solutions on disk", "container"):
        pytest.skip("without namespaces, a run refuses to start where solutions can be read (test_grading_sandbox)")
    if (name, sandbox.level) == ("reaching: other peoples folders", "container") and not landlock.version(confine.libc):
        pytest.skip("NOT TESTED HERE: the kernel has no Landlock; what is written is swept away")
    scale, total, text = run(key, sandbox, notebook("import torch", CHEATS[name]))
    assert (scale, total) == (0, 0) and "LEAK" not in text, text
    assert not name.startswith("reaching") or '"time limit"' not in text, "it looked at a part only"
    assert run(key, sandbox, solved())[:2] == (3, 1.5)


def test_there_are_many():
    assert len(CHEATS) >= 95


def test_an_honest_exercise_beside_a_cheat_keeps_its_points(key, sandbox):
    for name in ("comparison: the judge replaced", "message: a drip", "message: a huge body"):
        assert run(key, sandbox, notebook("import torch", CHEATS[name], TOTAL))[:2] == (0, 1.5), name


CARRIERS = {
    "an error": "raise ValueError(f'{x.tolist()} {factor!r}')",
    "the name of an error": "raise type(f'E{x.tolist()}', (Exception,), {})(factor)",
    "the type that comes back": "return type(f'{x.tolist()}', (), {})()",
    "a key": "return {f'{x.tolist()}': x}",
    "a warning and a print": "import warnings; warnings.warn(f'{x.tolist()}'); print(x.tolist()); return 0 * x[0]",
    "a message of one's own": "tell(x.tolist())",
    "the values themselves": "return x.detach().flatten()[:3].clone().requires_grad_()",
}

TELL = f"""{CONNECTION}
def tell(values):
    words = dict.fromkeys(("message", "unreadable", "kind", "misconception"), str(values))
    say({{"id": asked(), "notes": [str(values)], "answers": {{"why": str(values)}}}} | words)"""


@pytest.mark.parametrize("how", CARRIERS)
def test_hidden_inputs_are_not_carried_out(key, sandbox, how):
    keep = f"{TELL}\nSEEN = []\ndef scale(x, factor):\n    SEEN.append(x.tolist())\n    {CARRIERS[how]}"
    later = "def total(x):\n    raise ValueError(f'{SEEN} {x.tolist()}')"
    text = run(key, sandbox, notebook("import torch", keep, later))[2]
    fresh, public = digits(key, "fresh"), digits(key, "public")
    assert len(fresh) > 20
    assert not [value for value in fresh - public if value in text]
    assert how not in ("an error",) or [value for value in public if value in text], "public values may be shown"
    assert "seeds" in text  # the record is the instructor's; a page of the student shows none of them


def digits(key, which: str) -> set[str]:
    """The first digits of every number in the fresh or the public inputs."""
    values = [value.ravel().tolist() for case in key.cases for inputs in getattr(case, which)["inputs"].values()
              for value in inputs.values()]  # fmt: skip
    return {f"{abs(value):.5f}"[:6] for some in values for value in some}


def test_a_bottle_in_the_sea_does_not_arrive(key, sandbox):
    """What the child with fresh cases leaves behind, the one with public cases (total comes first there) would say."""
    everyones = Path(tempfile.mkdtemp(prefix="for-everyone", dir="/tmp"))
    everyones.chmod(0o777)
    places = ["/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/box"]
    places += [str(everyones)] if landlock.version(confine.libc) else []
    bottle = f"""
import glob, os, tempfile
def scale(x, factor):
    for place in {places!r}:
        for k in range(100):
            try: open(f"{{place}}/bottle{{k}}", "w").write(str(x.tolist()))
            except OSError: break
    return 0 * x[0]
def total(x):
    found = [open(path).read() for place in {places!r} for path in glob.glob(f"{{place}}/bottle*")]
    raise ValueError(f"MESSAGE {{max(found, default='none')}}")"""
    try:
        text = run(key, sandbox, notebook("import torch", bottle))[2]
        assert "MESSAGE none" in text
        assert not list(everyones.iterdir())
    finally:
        shutil.rmtree(everyones)


def test_a_known_path_helps_nobody(key, sandbox, tmp_path):
    secret = tmp_path / "mistakes.py"
    secret.write_text("LEAK of a solution", encoding="utf-8")
    read = f"raise ValueError(open({str(secret)!r}).read())"
    text = run(key, sandbox, notebook(f"def scale(x, factor): {read}", f"{read.removeprefix('raise ')}"))[2]
    assert "LEAK" not in text and ("FileNotFoundError" in text or "PermissionError" in text)


def test_words_to_a_person_are_one_plain_line(key, sandbox):
    record = grade(key, sandbox, HandedIn(notebook("import torch", CHEATS["message: calls itself unreadable"])))
    assert (record["status"], record["problem"]) == ("needs a person", "<b>Graded. ?[2J?")


def test_a_page_shows_hostile_text_as_text_and_no_seed(key, sandbox, tmp_path):
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x1b[31m=cmd|'/c calc'!A1"
    cells = notebook("import torch", f"def scale(x, factor): raise ValueError({evil!r})", TOTAL)
    made = json.loads(cells)
    made["cells"].append({"cell_type": "markdown", "source": evil, "metadata": {"nbgrader": {"grade_id": "why"}}})
    made["metadata"] = {"points": 1000, "grade": "A"}
    made["cells"][1]["metadata"] = {"nbgrader": {"grade": True, "points": 1000, "grade_id": "check_scale"}}
    record = grade(key, sandbox, HandedIn(json.dumps(made).encode(), student="eve"))
    assert sum(row["earned"] for row in record["exercises"]) == 1.5
    report.write_all(tmp_path, [record], key.about)
    page = (tmp_path / "feedback" / "eve.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and "<img" not in page and "alert(1)" in page and "\x1b" not in page
    assert not [seed for seeds in key.seeds.values() for seed in seeds if str(seed) in page]
    table = (tmp_path / "written.csv").read_text(encoding="utf-8")
    assert "onerror" in table and "\n=cmd" not in table and ",=cmd" not in table


def test_nothing_passes_from_one_submission_to_the_next(key, sandbox):
    places = ["/tmp", "/box", "/dev/shm", "/var/tmp", ".", "/", "/checks", "/dev/mqueue", os.path.expanduser("~")]
    write = f"""
import os
PLACES = {places!r}
def scale(x, factor):
    for place in PLACES:
        try: open(os.path.join(place, "note-from-eve"), "w").write("42")
        except OSError: continue
    return 0 * x[0]
def total(x):
    found = [place for place in PLACES if os.path.exists(os.path.join(place, "note-from-eve"))]
    if found and not MINE: raise BaseException(f"LEAK {{found}}")
    return 0 * x[0, 0]
"""
    assert run(key, sandbox, notebook(write, "MINE = True"))[:2] == (0, 0)
    harmless = write.replace("PLACES:\n        try", "()[:0]:\n        try")
    scale, total, text = run(key, sandbox, notebook(harmless, "MINE = False"))
    assert (scale, total) == (0, 0) and "LEAK" not in text
    left = [p for folder in SHARED if os.path.isdir(folder) for p in Path(folder).glob("note-from-eve*")]
    assert left == []


def test_nothing_of_a_visit_is_left(key, sandbox):
    source = """
import os, threading, time
def scale(x, factor):
    for place in ("/tmp", "/var/tmp", "/dev/shm"):
        try:
            os.makedirs(f"{place}/eve/deep", exist_ok=True)
            os.symlink("/etc/passwd", f"{place}/eve-link")
        except OSError: continue
    threading.Thread(target=time.sleep, args=(1000,)).start()
    return 0 * x[0]
"""
    assert run(key, sandbox, notebook("import torch", source))[0] == 0
    assert run(key, sandbox, solved())[:2] == (3, 1.5)
    until = time.monotonic() + 10
    while (left := remains(sandbox.level)) and time.monotonic() < until:  # the last visit is swept away meanwhile
        time.sleep(0.1)
    assert left == []


def remains(level: str) -> list[str]:
    """Files that a visit to this sandbox could have left, and processes of its users."""
    ids = range(confine.FIRST_UID, confine.FIRST_UID + confine.UIDS * confine.BLOCKS) if level == "container" else ()
    entries = [entry for folder in SHARED if os.path.isdir(folder) for entry in os.scandir(folder)]
    files = [e.path for e in entries if e.name.startswith("eve") or e.stat(follow_symlinks=False).st_uid in ids]
    users = [process.info["uids"].effective for process in psutil.process_iter(["uids"]) if process.info["uids"]]
    return files + [f"a process of {uid}" for uid in users if uid in ids]
