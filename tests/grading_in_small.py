"""A small homework's key and sandboxes of both levels, for tests of official grading."""

import json
import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from homework_in_small import cells

from utils.grading.official.grade import grade
from utils.grading.sandbox import isolation
from utils.grading.sandbox.client import Limits, Sandbox

READABLE = """set -e
rest=$1; hidden=$2; shift 2
mount -t tmpfs -o mode=755 tmpfs "$rest"
mkdir -p "$rest/${PYTHON_BASE#"$hidden"/}"
mount --rbind "$PYTHON_BASE" "$rest/${PYTHON_BASE#"$hidden"/}"
mount --rbind "$rest" "$hidden"
exec "$@"
"""


@dataclass(frozen=True)
class HandedIn:
    """What `grade` takes, made from bytes."""

    content: bytes
    student: str = "ada"
    source: str = "ada.ipynb"
    submitted: str | None = None
    late: bool = False
    others: tuple = ()

    @property
    def identity(self):
        return {"name": self.student}

    def read(self) -> bytes:
        return self.content


def notebook(*sources: str, **more) -> bytes:
    """A notebook of code cells as bytes."""
    made = [{"cell_type": "code", "source": s, "metadata": {}, "outputs": [], "execution_count": None} for s in sources]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}).encode()


def solved(**changed: str | None) -> bytes:
    """The small homework, solved; `changed` replaces (or with None removes) code cells by name."""
    found = {name: cell.source for name, cell in cells().items() if cell.cell_type == "code"} | changed
    return notebook(*[source for source in found.values() if source is not None])


def hidden_python() -> Path | None:
    """The topmost folder above this Python that other users may not enter, as a root's home; None if all is open."""
    base = Path(sys.base_prefix).resolve()
    return next((path for path in [*reversed(base.parents), base] if not path.stat().st_mode & 0o001), None)


def open_python(command: list[str], rest: Path) -> list[str]:
    """The command in a mount namespace where other users can read this Python, as they can on other machines."""
    hidden = hidden_python()
    if hidden is None:
        return command
    base = f"PYTHON_BASE={Path(sys.base_prefix).resolve()}"
    start = ["env", base, "unshare", "--mount", "--propagation", "private", "sh", "-c", READABLE, "sh"]
    return [*start, str(rest), str(hidden), *command]


@contextmanager
def one_exercise_graded(key, folder: Path):
    """graded(*cells) -> the record's row on the only exercise, for a notebook of these code cells; in the sandbox."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        need("sandbox", monkeypatch, folder)
        with Sandbox("sandbox", key.checks, limits=Limits(seconds=5)) as sandbox:
            head = "import torch\nimport numpy as np"
            yield lambda *cells: grade(key, sandbox, HandedIn(notebook(head, *cells)))["exercises"][0]


def need(level: str, monkeypatch, folder: Path):
    """Skips the test, loudly, where this machine does not offer the level."""
    if os.environ.get("CI") != "true" and isolation.lacks(level):
        pytest.skip(f"NOT TESTED HERE: isolation level {level}: {isolation.lacks(level)}")
    assert not isolation.lacks(level), isolation.lacks(level)
    if level == "container" and hidden_python():
        rest = folder / "rest"
        rest.mkdir(exist_ok=True)
        real = isolation.command
        clean = isolation.environment
        monkeypatch.setattr(isolation, "environment", lambda *home: clean(*home) | {"PATH": os.environ["PATH"]})
        monkeypatch.setattr(isolation, "command", lambda *a: open_python(real(*a), rest))
        assert shutil.which("unshare")
