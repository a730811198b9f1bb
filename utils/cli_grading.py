"""The command lines of official grading: `course grade`, `course regrade` and `course gradescope`."""

import argparse
import os
from pathlib import Path


def grade(arguments) -> int:
    from utils.grading.official.run import run

    return run(arguments.homework, arguments.path, arguments.out, arguments.seeds, _options(arguments))


def regrade(arguments) -> int:
    from utils.grading.official.run import regrade

    return regrade(arguments.out, arguments.path, arguments.update, _options(arguments))


def gradescope(arguments) -> int:
    from utils.grading.official.gradescope import write_zip

    return write_zip(arguments.homework, arguments.output, arguments.torch_index)


def _options(arguments):
    from utils.grading.official.run import Options
    from utils.grading.sandbox.client import Limits

    limits = Limits(arguments.time_limit, arguments.memory)
    return Options(
        arguments.workers, arguments.isolation, limits, getattr(arguments, "dask", None),
        getattr(arguments, "gradebook", None), getattr(arguments, "json", False),
    )  # fmt: skip


def add(command) -> None:
    """Adds the three; `command(function, help)` gives each its own parser."""
    sub = command(grade, "grade what students handed in, each in a sandbox of its own")
    sub.add_argument("homework", metavar="HW", help="a folder of solutions/, or the beginning of its name")
    sub.add_argument("path", nargs="+", type=Path, metavar="PATH",
                     help="notebooks, folders, or the zip files of Canvas, Moodle and Gradescope")  # fmt: skip
    sub.add_argument("--out", type=Path, metavar="FOLDER", help="where grades go; the same folder again: it goes on")
    sub.add_argument("--seeds", type=Path, metavar="FILE", help="the seeds.json of another run, not new seeds")
    sub.add_argument("--dask", metavar="ADDRESS", help="a Dask cluster's scheduler ('local:N': N workers here)")
    sub.add_argument("--gradebook", metavar="URL", help="fill nbgrader's database, such as sqlite:///gradebook.db")
    sub.add_argument("--json", action="store_true", help="print all records as JSON")
    _machine(sub)
    sub = command(regrade, "grade again with the stored seeds and compare")
    sub.add_argument("out", type=Path, metavar="FOLDER", help="the --out of course grade")
    sub.add_argument("path", nargs="*", type=Path, metavar="PATH", help="where submissions lie now, if elsewhere")
    sub.add_argument("--update", action="store_true", help="keep the new records, after a change of the homework")
    _machine(sub)
    sub = command(gradescope, "write the autograder's zip for Gradescope")
    sub.add_argument("homework", metavar="HW", help="a folder of solutions/, or the beginning of its name")
    sub.add_argument("-o", "--output", type=Path, default=Path("autograder.zip"), metavar="ZIP")
    sub.add_argument("--torch-index", metavar="ADDRESS", default="", help="the index of torch's small CPU build")


def _machine(sub) -> None:
    """What both ways of grading have in common."""
    sub.add_argument("--workers", type=_count, default=os.cpu_count() or 1, metavar="N", help="submissions at a time")
    sub.add_argument("--isolation", choices=["auto", "sandbox", "container", "none"], default="auto",
                     help="auto takes the best that there is, and never none")  # fmt: skip
    sub.add_argument("--time-limit", type=_seconds, default=10.0, metavar="SECONDS", help="for one exercise (10)")
    sub.add_argument("--memory", type=_count, default=1024, metavar="MB", help="for one submission (1024)")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        if 0.1 <= float(text) <= 3600:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"expected seconds from 0.1 to 3600, found {text!r}")
