"""Broken submissions to the small homework, none of them hostile: what they hold, and what becomes of them."""

import json
from dataclasses import dataclass, field

from grading_in_small import notebook, solved
from homework_in_small import SCALE, TOTAL

ALL, ONE = 4.5, 1.5  # points for both exercises, and where scale is wrong
GOES = "    return factor * x.mean(0)"


@dataclass(frozen=True)
class Fault:
    """What was handed in, the points that it is worth, and a pattern for what must be said of each part.

    says: {'scale', 'total', 'notes', 'problem' or 'why' (the written answer): pattern}. Without a pattern there is
    nothing to say: no note, no problem. patience: seconds for the import.
    """

    content: bytes
    points: float
    says: dict = field(default_factory=dict)
    patience: float = 20


def wrong(source: str, says: str, points=ONE, **more) -> Fault:
    """`scale` does this; `total` is right."""
    return Fault(solved(scale=source), points, {"scale": says, **more})


def body(lines: str, says: str, points=ONE, **more) -> Fault:
    """`scale` begins with these lines and would go on rightly."""
    indented = "".join(f"    {line}\n" for line in lines.splitlines())
    return wrong(f"def scale(x, factor):\n{indented}{GOES}", says, points, **more)


def total(expression: str, says: str = "", points=None) -> Fault:
    """`total` returns this; `scale` is right. Without a pattern it is right too."""
    points = points if points is not None else 3 if says else ALL
    return Fault(solved(total=f"def total(x):\n    return {expression}"), points, {"total": says or "passed"})


def fine(source: str, note: str = "") -> Fault:
    """This in the place of `scale` is right, although it is odd."""
    return wrong(source, "passed", ALL, **({"notes": note} if note else {}))


def leaves(lines: str) -> Fault:
    """`scale` changes the state of its process and is right; so is `total` after it."""
    return body(lines, "passed", ALL)


def beside(*sources: str, note: str = "") -> Fault:
    """These cells stand first and last in the notebook of a right solution."""
    right = [cell["source"] for cell in json.loads(solved())["cells"]]
    return Fault(notebook(*sources, *right, *sources), ALL, {"notes": note} if note else {})


ENDED, LATE = "its process ended", "it took longer than 2 s"
DEADLY = {  # processes die or hang: on every level of isolation
    "os._exit": body("import os\nos._exit(0)", ENDED),
    "SIGKILL": body("import os, time\nos.kill(os.getpid(), 9)\ntime.sleep(60)", f"{ENDED}|{LATE}"),
    "SIGKILL for its group": body("import os, time\nos.killpg(0, 9)\ntime.sleep(60)", f"{ENDED}|{LATE}"),
    "abort": body("import os\nos.abort()", ENDED),
    "a null pointer": body("import ctypes\nctypes.string_at(0)", ENDED),
    "recursion in C": body(
        "import sys\nsys.setrecursionlimit(10**9)\nclass Self:\n    __repr__ = lambda self: repr(self)\nrepr(Self())",
        f"{ENDED}|RecursionError",  # Python 3.12 and newer notice it in time
    ),
    "closed files": body("import os\nos.closerange(3, 200)", ENDED),
    "10 GB in torch": body("y = torch.zeros(10 * 2**28)", "can't allocate memory.*line 2: y = torch.zeros"),
    "10 GB in Python": body("y = bytearray(10 * 2**30)", "MemoryError .*line 2: y = bytearray"),
    "10 GB bit by bit": body("y = []\nwhile True: y.append(bytes(2**24))", "MemoryError .*line 3"),
    "an infinite loop": body("while True: pass", LATE),
    "a sleep": body("import time\ntime.sleep(1e6)", LATE),
    "a deadlock": body("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()", LATE),
    "a fork": body("import os\nos.fork()", "PermissionError: .*line 3: os.fork"),
    "worker processes": body(
        "from torch.utils.data import DataLoader\nnext(iter(DataLoader(x.detach(), num_workers=2)))",
        "OSError|PermissionError",
    ),
    "deleted files": leaves(
        "import os, shutil, checks\nfor path in ('.', '/tmp', '/box', os.path.dirname(checks.__file__)):\n"
        "    shutil.rmtree(path, ignore_errors=True)"
    ),
    "a thread left running": leaves(
        "import threading, time\ndef work():\n    while True: time.sleep(0.01)\nthreading.Thread(target=work).start()"
    ),
    "import: os._exit": beside("import os\nGONE = os._exit(0)", note="cell 1, line 2 was skipped: it ends the process"),
    "import: an infinite loop": Fault(
        notebook("import torch", "COUNT = sum(1 for _ in iter(int, 1))", SCALE, TOTAL),
        ALL,
        {"notes": "cell 2, line 1 was skipped: it takes longer than 3 s"},
        patience=3,
    ),
    "import: a cell that takes too long to read": Fault(
        notebook("import torch", "!ls\n" * 50_000, SCALE, TOTAL),
        ALL,
        {"notes": "cell 2 was skipped: it takes longer than 3 s"},
        patience=3,
    ),
    "import: 10 GB": beside("HUGE = bytearray(10 * 2**30)", note="cell 1, line 1 was skipped: MemoryError"),
    "import: all is deadly": Fault(
        notebook(*["import os\nA = os._exit(0)"] * 7, SCALE, TOTAL), 0, {"problem": "ends or hangs the process"}
    ),
}
