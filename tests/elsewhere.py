"""For test_portability.py: the course in a Python that lacks what only POSIX has, as on Windows. `elsewhere.py OUT`

Packages of others are loaded first: they know Windows themselves. OUT receives, as JSON, the modules of `utils` that
cannot be imported and the exit status and words of each command in COMMANDS.
"""

import contextlib
import importlib
import io
import json
import os
import pkgutil
import signal
import socket
import sys
from pathlib import Path

OTHERS = ("IPython.display", "distributed", "gymnasium", "ipywidgets", "jinja2", "jupyter_client", "matplotlib.pyplot",
          "nbclient", "nbformat", "platformdirs", "psutil", "safetensors.torch", "torch", "tqdm", "yaml")  # fmt: skip
MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
NAMES = {
    os: ("O_PATH", "WNOHANG", "chown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg", "getpgid",
         "getuid", "killpg", "mkfifo", "nice", "pipe2", "sched_getaffinity", "setgid", "setsid", "setuid", "wait",
         "wait3", "wait4"),
    signal: ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGUSR1", "alarm"),
    socket: ("AF_UNIX", "SCM_RIGHTS", "SOCK_SEQPACKET"),
}  # fmt: skip
COMMANDS = {
    "help": ["--help"],
    "doctor": ["doctor"],
    "check": ["check", "homework/hw0_multitask"],
    "release": ["release", "hw0", "--check"],
    "notebooks": ["notebooks", "--check", "homework/hw0_multitask"],
    "data": ["data", "glyphs"],
    "lab": ["lab", "no_such_notebook.ipynb"],
    "grade": ["grade", "hw0", "homework/hw0_multitask"],
    "grade on a cluster": ["grade", "hw0", "homework/hw0_multitask", "--dask", "local:1", "--out", "no_such_folder"],
    "regrade": ["regrade", "no_such_folder"],
}


def take_away() -> None:
    """From here on this process has nothing that only POSIX has."""
    for name in OTHERS:
        importlib.import_module(name)
    for name in MODULES:
        sys.modules[name] = None
    for module, names in NAMES.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)


def unimportable() -> dict[str, str]:
    """{module of utils: why it cannot be imported}."""
    import utils

    found = {}
    for module in pkgutil.walk_packages(utils.__path__, "utils.", onerror=lambda name: None):
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            found[module.name] = str(error)
    return found


def said(command: list[str]) -> list:
    """[exit status, everything that was printed] of one `course` command in this process."""
    from utils import cli

    with contextlib.redirect_stdout(io.StringIO()) as words, contextlib.redirect_stderr(words):
        try:
            status = cli.main(command)
        except SystemExit as stopped:
            status = stopped.code
    return [status, words.getvalue()]


def main(out: str) -> None:
    take_away()
    found = {"unimportable": unimportable()}
    sys.platform = "win32"  # now, as others choose their modules by it
    found |= {name: said(command) for name, command in COMMANDS.items()}
    Path(out).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
