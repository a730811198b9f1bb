"""Other libraries and graders, in folders of their own in the cache, never in the course's environment.

Each environment has its own: the first line of a script there names the Python that installed it, so the commands
of an environment that is gone start nothing.
"""

import hashlib
import importlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from utils.paths import cache_dir

# Pinned here and nowhere else: what each group needs and the course's own environment does not have.
PINS = {
    "meta-gradients": {"higher": "0.2.1", "torchopt": "0.7.3", "optree": "0.20.0", "graphviz": "0.21"},
    "nbgrader": {
        "nbgrader": "0.9.6", "alembic": "1.20.1", "mako": "1.4.3", "rapidfuzz": "3.14.6", "sqlalchemy": "2.1.9",
    },
    "otter": {
        "otter-grader": "7.0.0", "dill": "0.4.1", "fica": "0.4.1", "ipylab": "1.1.0", "pandas": "3.1.1",
        "python-frontmatter": "1.3.0", "python-on-whales": "0.81.0", "wrapt": "1.17.3", "pydantic": "2.14.3",
        "pydantic-core": "2.50.4", "annotated-types": "0.8.0", "typing-inspection": "0.4.5",
    },
    "multitask": {"LibMTL": "1.1.5"},
    "reinforcement": {"sb3-contrib": "2.9.2", "stable-baselines3": "2.9.2", "pandas": "3.1.1"},
}  # fmt: skip
MODULES = {  # what has to be importable
    "meta-gradients": ("higher", "torchopt"),
    "nbgrader": ("nbgrader.api",),
    "otter": ("otter",),
    "multitask": (),  # its weightings are imported alone, by benchmarks/multitask.py
    "reinforcement": ("sb3_contrib",),
}


def folder(group: str) -> Path:
    """Where a group is installed: one folder for one environment and one set of pins."""
    owner = hashlib.sha256(f"{sys.executable} {platform.python_version()}".encode()).hexdigest()[:8]
    return cache_dir() / "bench-env" / "-".join([group, owner, *PINS[group].values()])


def prepare(group: str) -> str:
    """Install a group on the first call and make it importable; returns why not, or an empty text."""
    target = folder(group)
    if not target.is_dir():
        print(f"  installing the peers for {group} (about 10 s, once) ...", file=sys.stderr, flush=True)
        reason = _install(target, [f"{name}=={pin}" for name, pin in PINS[group].items()])
        if reason:
            return f"could not be installed: {reason}"
    if str(target) not in sys.path:
        sys.path.append(str(target))
    try:
        for module in MODULES[group]:
            importlib.import_module(module)
    except Exception as error:
        return f"could not be imported: {error}"
    return ""


def environment(group: str) -> dict[str, str]:
    """This process's environment for a command of a prepared group: its modules and its scripts are found."""
    paths = {"PYTHONPATH": str(folder(group)), "PATH": str(folder(group) / "bin")}
    return os.environ | {k: os.pathsep.join(filter(None, [v, os.environ.get(k)])) for k, v in paths.items()}


def _install(target: Path, wanted: list[str]) -> str:
    """Builds the folder beside its place and renames it, so that it is whole or not there; returns why not."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = tempfile.mkdtemp(prefix=".new-", dir=target.parent)
    except OSError as error:
        return str(error)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    result = subprocess.run([*command, "--no-deps", "--target", beside, *wanted], capture_output=True)
    if result.returncode == 0:
        try:
            os.replace(beside, target)
        except OSError:
            if not target.is_dir():  # else another process was faster
                raise
    shutil.rmtree(beside, ignore_errors=True)
    return " ".join(result.stderr.decode(errors="replace").split()[-12:]) if result.returncode else ""
