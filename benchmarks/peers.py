"""Other libraries, in a folder of their own beside the cache: nothing of theirs enters the course's environment."""

import subprocess
import sys
from pathlib import Path

from utils.paths import cache_dir

# Pinned here and nowhere else. torch, numpy and typing-extensions come from the course's own environment.
PINS = {"higher": "0.2.1", "torchopt": "0.7.3", "optree": "0.20.0", "graphviz": "0.21"}


def folder() -> Path:
    """Where the peers are installed: one folder for one Python version and one set of pins."""
    pins = "-".join(PINS.values())
    return cache_dir() / "bench-env" / f"py{sys.version_info.major}{sys.version_info.minor}-{pins}"


def prepare() -> str:
    """Install the peers on the first call and make them importable; returns why not, or an empty text."""
    target = folder()
    complete = target / "complete"
    if not complete.is_file():
        print("  installing the peers (about 10 s, once) ...", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", "--upgrade", "--target", str(target)]
        result = subprocess.run([*command, *(f"{name}=={pin}" for name, pin in PINS.items())], capture_output=True)
        if result.returncode:
            return "could not be installed: " + " ".join(result.stderr.decode(errors="replace").split()[-12:])
        complete.touch()
    if str(target) not in sys.path:
        sys.path.append(str(target))
    try:
        import higher  # noqa: F401
        import torchopt  # noqa: F401
    except Exception as error:
        return f"could not be imported: {error}"
    return ""
