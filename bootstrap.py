"""Make the course's environment in .venv if it is not there and whole, then start a command in it.

    python bootstrap.py lab | test | bench | site | notebooks      (`make lab` and the others call this)

Needs nothing but Python 3.11 or newer. The file .venv/course.json says how far an install got, and what it
left in site-packages; whatever was interrupted or damaged since is made again by the next call.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STATE = VENV / "course.json"
LOG = VENV / "install.log"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
COMMANDS = {
    "lab": [["-m", "utils.cli", "lab"]],
    "test": [["tests/all.py"]],
    "bench": [["-m", "utils.cli", "bench"]],
    "site": [["-m", "utils.cli", "site"]],
    "notebooks": [["-m", "utils.cli", "release"], ["-m", "utils.cli", "notebooks", "--execute"]],
}
FIRST_START = "import torch, matplotlib.pyplot, ipywidgets, nbclient, ipykernel.kernelapp, jupyterlab.labapp, utils"
CAUSES = {  # what pip's log says -> what to do about it
    r"No space left|not enough space": "The disk is full: about 3 GB are needed.",
    r"name resolution|Connection|timed out|Max retries|ProxyError": "The network could not be reached.",
    r"No matching distribution": "A package has no build for this Python and machine; Python 3.12 is a safe choice "
                                 "(64 bits; on a Mac: Apple silicon and macOS 14 or newer).",
    r"Long Path|WinError 206": "A path is longer than Windows allows: move the course to a short folder, as C:/course.",
    r"WinError (5|32)\b": "Another program uses files of .venv: close JupyterLab and what else runs in it.",
    r"DLL load failed|WinError 126": "A library of Windows is missing: install Microsoft's Visual C++ Redistributable.",
}


def wanted(version: str) -> dict:
    """What a complete install was made for: these requirements, this Python, this folder."""
    requirements = (ROOT / "pyproject.toml").read_bytes().replace(b"\r\n", b"\n")
    return {"requirements": hashlib.sha256(requirements).hexdigest(), "python": version, "folder": str(VENV)}


def site_packages() -> list:
    """Names of everything that is installed; empty when there is no environment."""
    folders = [VENV / "Lib/site-packages", *VENV.glob("lib/python3*/site-packages")]
    return sorted(p.name for f in folders if f.is_dir() for p in f.iterdir() if p.name != "__pycache__")


def version() -> str:
    """The version of the environment's Python, such as 3.12; empty when it does not start."""
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    try:
        return subprocess.run([PYTHON, "-c", code], capture_output=True, timeout=60).stdout.decode().strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def state() -> str:
    """'ready', 'outdated' (install into it), or 'broken' (make it anew)."""
    found = version()
    if not found:
        return "broken"
    if not STATE.exists():  # made by hand: use it
        return "outdated"
    try:
        then = json.loads(STATE.read_text(encoding="utf-8"))
        whole = then["complete"] and set(then["files"]) <= set(site_packages())
        changed = {name for name, value in wanted(found).items() if then[name] != value}
    except (ValueError, KeyError, TypeError):
        return "broken"
    if not whole or changed - {"requirements"}:
        return "broken"
    return "outdated" if changed else "ready"


def mark(complete: bool) -> None:
    """Write down whether the install is complete, in one step."""
    VENV.mkdir(exist_ok=True)
    fresh = STATE.with_suffix(".new")
    content = {"complete": complete, "files": site_packages(), **wanted(version())}
    fresh.write_text(json.dumps(content), encoding="utf-8")
    fresh.replace(STATE)


def step(text: str, command: list, hold: list) -> None:
    """Run one step of the install: its output goes to the log, and its end is shown in words when it fails."""
    start = time.monotonic()
    print(text, "...", end=" ", flush=True)
    with LOG.open("ab") as log:
        result = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, pass_fds=hold)
    if result.returncode == 0:
        print(f"done in {time.monotonic() - start:.0f} s", flush=True)
        return
    lines = LOG.read_text(encoding="utf-8", errors="replace").splitlines()
    why = [words for pattern, words in CAUSES.items() if re.search(pattern, "\n".join(lines[-40:]), re.IGNORECASE)]
    print("failed\n  " + "\n  ".join(lines[-8:]))
    sys.exit(" ".join([*why[:1], "Run the same command again to go on; what was downloaded is kept."]))


def install(how: str, hold: list) -> None:
    """Make or update .venv. torch comes first and alone, so that TORCH_INDEX can choose its build."""
    if how == "broken":
        if VENV.exists():
            print("The environment in .venv is incomplete or damaged: removing it, then making it anew.", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
    mark(complete=False)
    torch = re.search(r'"(torch==[^"]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")).group(1)
    index = ["--index-url", os.environ["TORCH_INDEX"]] if os.environ.get("TORCH_INDEX") else []
    # compiling all of torch's files takes longer than installing them; the last step compiles the few that are used
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-compile"]
    if how == "broken":
        step("[1/4] making .venv (about 5 s)", [sys.executable, "-m", "venv", VENV], hold)
    step(f"[2/4] installing {torch} (one to a few minutes)", [*pip, torch, *index], hold)
    step("[3/4] installing JupyterLab and the rest (about a minute)", [*pip, "-e", ".[test]"], hold)
    step("[4/4] starting everything once (about 15 s)", [PYTHON, "-c", FIRST_START], hold)
    mark(complete=True)


def lock() -> list:
    """Hold the folder, so that two installs never mix; pip inherits the hold in case this process is killed."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock: one at a time is up to the user
        return []
    handle = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("Another install is running in this folder; waiting for it to end.", flush=True)
        fcntl.flock(handle, fcntl.LOCK_EX)
    return [handle]


def check_python() -> None:
    """Stop with one sentence when this Python cannot make the environment."""
    if sys.version_info < (3, 11):  # noqa: UP036  (this file must speak to older Pythons)
        newer = "py -3.12 bootstrap.py lab" if os.name == "nt" else "make lab PYTHON=python3.12"
        sys.exit("The course needs Python 3.11 or newer; {} is {}.{}. Name a newer one: {}"
                 .format(sys.executable, *sys.version_info[:2], newer))
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        sys.exit("This Python cannot make environments: its venv module is missing (Debian, Ubuntu: "
                 "apt install python3-venv). Then run the same command again.")


def prepare() -> None:
    """Bring .venv to 'ready', whatever was there."""
    if state() == "ready":
        return
    check_python()
    hold = lock()
    how = state()
    if how != "ready":
        install(how, hold)
    for handle in hold:
        os.close(handle)


def call(command: list) -> int:
    """Run a command to its end. Ctrl-C is the command's own: JupyterLab asks, and stops its kernels, first."""
    process = subprocess.Popen(command, cwd=ROOT)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def main(arguments: list) -> int:
    if not arguments or arguments[0] not in COMMANDS:
        sys.exit(f"Usage: python bootstrap.py {' | '.join(COMMANDS)}")
    prepare()
    for command in COMMANDS[arguments[0]]:
        status = call([PYTHON, *command, *arguments[1:]])
        if status:
            return status
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nStopped. The next call goes on from here.")
