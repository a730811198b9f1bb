"""CPU time of a command with everything that it starts: `python -m benchmarks.cpu_time FILE COMMAND ...` (Linux).

FILE receives the seconds, user and system. The command's orphans come to this process and are waited for, because
what nobody waits for is in no count: bubblewrap, for one, ends before the sandbox that it started.
"""

import ctypes
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER
PATIENCE = 20  # seconds for what is left when the command has ended


def measure(command: list[str]) -> tuple[int, float]:
    """(exit status, CPU seconds). Raises TimeoutError if a process goes on long after the command."""
    if ctypes.CDLL(None, use_errno=True).prctl(ADOPT_ORPHANS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "orphans cannot be counted")
    status = subprocess.run(command).returncode
    until = time.monotonic() + PATIENCE
    while _some_are_left():
        if time.monotonic() > until:
            raise TimeoutError(f"a process of {' '.join(command[:4])} is still running {PATIENCE} s after its end")
        time.sleep(0.02)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return status, usage.ru_utime + usage.ru_stime


def _some_are_left() -> bool:
    """Waits for all that have ended; is any child still running?"""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def main(file: str, *command: str) -> int:
    status, seconds = measure(list(command))
    Path(file).write_text(repr(seconds), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
