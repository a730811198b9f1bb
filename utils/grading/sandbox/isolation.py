"""Which isolation this machine offers, and how a sandbox is started with it.

`sandbox`: bubblewrap and user namespaces. `container`: root without namespaces, as in Gradescope's containers; a
fresh user id for each visit. `none`: no isolation, for one's own code.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from utils.grading.sandbox import BOX, seccomp
from utils.paths import course_root

LEVELS = ("sandbox", "container", "none")
FOLDER = "/checks"  # where bubblewrap shows the folder with checks.py
TRY = "from utils.grading.sandbox import isolation; isolation.rehearse()"
LINUX = "grading in isolation needs Linux: use a Linux machine, container or WSL"
GET = "install bubblewrap (Debian, Ubuntu: apt install bubblewrap) and allow unprivileged user namespaces"


class IsolationError(Exception):
    """This machine cannot isolate student code as asked; one sentence that says what to do."""


def command(level: str, arguments: list[str], folder: Path) -> list[str]:
    """The command line that starts this Python at `level`; `folder` is all of the homework that it will see."""
    python = [sys.executable, "-s", "-P", *arguments]  # no user's packages, no working folder on the path
    if level != "sandbox":
        return python
    shown = [arg for path in _shown() for arg in ("--ro-bind", str(path), str(path))]
    return [
        "bwrap", *[f"--unshare-{kind}" for kind in ("user", "pid", "net", "ipc", "uts", "cgroup-try")],
        *["--uid", "65534", "--gid", "65534", "--die-with-parent", "--new-session"],
        *["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", BOX, "--chdir", BOX],
        *["--ro-bind", "/usr", "/usr"], *_system_links(), *shown, *["--ro-bind", str(folder), FOLDER],
        *["--remount-ro", "/dev", "--remount-ro", "/tmp", "--remount-ro", "/"], *python,
    ]  # fmt: skip


def environment(home: str = BOX) -> dict[str, str]:
    """All that the sandboxed Python gets of an environment; large pages of memory make its forks cheaper."""
    found = {"PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
    return found | threads | {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def _shown() -> list[Path]:
    """This Python, its packages and `utils`: nothing else of the machine is seen beside /usr."""
    wanted = {Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_path("stdlib")).parent,
              Path(sysconfig.get_path("purelib")), course_root() / "utils"}  # fmt: skip
    found = sorted({path.resolve() for path in wanted} | wanted)
    return [path for path in found if path.exists() and not path.is_relative_to("/usr")]


def _system_links() -> list[str]:
    """/lib and its kind, as the links into /usr or the folders that they are here; the list of shared libraries."""
    found = []
    for name in ("/lib", "/lib64", "/bin", "/sbin"):
        if os.path.islink(name):
            found += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            found += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"):
        found += ["--ro-bind-try", name, name]
    return found


def rehearse():
    """Inside a started Python: go through a child's confinement once, and end with 0 if it works."""
    from utils.grading.sandbox import confine  # Linux alone has what it needs

    confine.enter_namespaces()
    process = os.fork()
    if process == 0:
        confine.private_folders()
        confine.drop_capabilities()
        os._exit(0 if confine.filter_calls() else 1)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def lacks(level: str) -> str:
    """Why this machine does not offer `level`; '' if it does."""
    if not sys.platform.startswith("linux"):
        return LINUX
    if level == "container":
        if os.geteuid() != 0:
            return "the level 'container' needs root"
        return "" if seccomp.program() else "seccomp filters are known for x86-64 and arm64 only"
    if level == "none":
        return ""
    if not shutil.which("bwrap"):
        return f"bubblewrap is missing: {GET}"
    try:
        start = command("sandbox", ["-c", TRY], Path(__file__).parent)
        result = subprocess.run(start, env=environment(), capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start ({error}): {GET}"
    said = result.stderr.decode(errors="replace").strip().splitlines()
    return "" if result.returncode == 0 else f"namespaces are not to be had ({' '.join(said[-1:])}): {GET}"


def choose(wanted: str) -> str:
    """The level to use: the one that is asked for, or the best for 'auto', which is never 'none'.

    Raises IsolationError, with what to do, if the machine does not offer it.
    """
    levels = ("sandbox", "container") if wanted == "auto" else (wanted,)
    why = {level: lacks(level) for level in levels}
    for level, reason in why.items():
        if not reason:
            return level
    raise IsolationError("; ".join(dict.fromkeys(why.values())))
