"""Everything that `make test` checks, one step after the other; the exit status says whether all passed.

The notebooks run in the same pytest call as the unit tests, so that both cores are busy to the end. One worker
takes a whole module or notebook at a time (`loadscope`), in the order of their names: the browser tests, the longest
module, begin early. Each computes with one thread.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COURSE = [sys.executable, "-m", "utils.cli"]
FOLDERS = ["tests", "lectures", "solutions", "homework"]
STEPS = {
    "style": [sys.executable, "-m", "ruff", "check", "--quiet", "."],
    "notebooks": [*COURSE, "notebooks", "--check"],
    "homework": [*COURSE, "release", "--check"],
    "tests": [
        *[sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"],
        *["--durations", "10"],
        *["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "180"],
        *[folder for folder in FOLDERS if (ROOT / folder).is_dir()],
    ],
}


def main(arguments: list[str]) -> int:
    """Run all steps, also after one that failed; arguments go to pytest."""
    environment = {**os.environ, "COURSE_STRICT": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    failed = []
    for name, command in STEPS.items():
        start = time.monotonic()
        extra = arguments if name == "tests" else []
        process = subprocess.Popen([*command, *extra], cwd=ROOT, env=environment)
        try:
            status = process.wait()
        except KeyboardInterrupt:  # the step stops its kernels and workers first
            process.wait()
            raise
        if status:
            failed.append(name)
        print(f"-- {name}: {'FAILED' if name in failed else 'passed'}, {time.monotonic() - start:.0f} s", flush=True)
    if failed:
        print(f"Not passed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
