"""Gradescope: the autograder's zip, and what runs for each submission in Gradescope's container.

    course gradescope HW -o autograder.zip                      writes the zip, on the instructor's machine
    python -m utils.grading.official.gradescope HW ROOT         in the container: ROOT/submission -> ROOT/results
"""

import json
import os
import re
import shlex
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from utils.grading.homework import HomeworkError
from utils.grading.official.files import write_text
from utils.grading.official.grade import blank, grade
from utils.grading.official.key import Key, make_key
from utils.grading.official.submissions import collect
from utils.grading.release import find
from utils.grading.sandbox import isolation
from utils.grading.sandbox.client import Sandbox
from utils.grading.student_copy import ReleaseError
from utils.paths import course_root

MADE = (1980, 1, 1, 0, 0, 0)  # the date of every file in the zip: the same course gives the same zip
NEEDED = ("pyproject.toml", "README.md", "LICENSE")
SETUP = """#!/usr/bin/env bash
# Gradescope runs this once, when it builds the container.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
python=""
for name in python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    python=python3.11
    apt-get install -y -qq python3.11
fi
apt-get install -y -qq "$(basename "$(readlink -f "$(command -v "$python")")")-venv" bubblewrap
venv=/opt/course
"$python" -m venv $venv
$venv/bin/pip install --quiet {torch}
$venv/bin/pip install --quiet -e /autograder/source/course
chmod -R go-rwx /autograder/source/course/solutions
"""
RUN = """#!/usr/bin/env bash
# Gradescope runs this for each submission. The two variables are for trying it elsewhere.
set -euo pipefail
root=${{AUTOGRADER_ROOT:-/autograder}}
venv=/opt/course
cd "$root/source/course"
exec "${{COURSE_PYTHON:-$venv/bin/python}}" -m utils.grading.official.gradescope {homework} "$root"
"""


def write_zip(homework: str, output: Path, torch_index: str = "") -> int:
    """Writes the zip that is uploaded as Gradescope's autograder. 0: written; 2: not possible."""
    root = course_root()
    try:
        solution = find(root, homework)
        key = make_key(solution)  # a homework that cannot be graded is found out here, not in the container
        torch = re.search(r'"(torch==[^"]+)"', (root / "pyproject.toml").read_text(encoding="utf-8")).group(1)
        torch += f" --index-url {shlex.quote(torch_index)}" if torch_index else ""
        texts = {"setup.sh": SETUP.format(torch=torch), "run_autograder": RUN.format(homework=key.homework)}
        files = {f"course/{name}": (root / name).read_bytes() for name in NEEDED}
        for folder in (root / "utils", solution):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts:
                    files[f"course/{path.relative_to(root).as_posix()}"] = path.read_bytes()
        _write(output, {name: text.encode() for name, text in texts.items()} | files)
    except (HomeworkError, ReleaseError, OSError) as error:
        print(f"course gradescope: {error}", file=sys.stderr)
        return 2
    points = sum(case.points for case in key.cases)
    print(f"{output} is written: {len(key.cases)} exercises, {points:g} points. Upload it as the autograder")
    return 0


def _write(output: Path, files: dict[str, bytes]):
    """The zip, at once and whole; scripts can be executed."""
    beside = output.with_name(f".{output.name}.part")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                entry = zipfile.ZipInfo(name, MADE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (0o644 if "/" in name else 0o755) << 16
                archive.writestr(entry, content)
        os.replace(beside, output)
    finally:
        beside.unlink(missing_ok=True)


def results(record: dict) -> dict:
    """Gradescope's results.json from a record: nothing in it that its student must not read."""
    tests = [
        {
            "name": row["name"], "number": str(number), "score": row["earned"], "max_score": row["points"],
            "status": "passed" if row["earned"] == row["points"] else "failed", "output": row["message"],
            "output_format": "text", "visibility": "visible",
        }
        for number, row in enumerate(record["exercises"], start=1)
    ]  # fmt: skip
    notes = [record["problem"]] if record["problem"] else record["notes"]
    return {
        "score": sum(row["earned"] for row in record["exercises"]),
        "output": "\n".join(notes), "output_format": "text", "visibility": "visible", "stdout_visibility": "hidden",
        "tests": [] if record["problem"] else tests,
        "extra_data": {name: record[name] for name in ("sha256", "key", "seeds", "isolation", "versions")},
    }  # fmt: skip


def run(homework: str, root: Path) -> int:
    """Grades ROOT/submission into ROOT/results/results.json. Without isolation there is no result, but an error."""
    solution = course_root() / "solutions" / homework
    solution.parent.chmod(0o700)
    try:
        key = make_key(solution)
        write_text(root / "results" / "results.json", json.dumps(results(_graded(key, root)), indent=1))
    except (HomeworkError, isolation.IsolationError, OSError) as error:
        print(f"The autograder could not run: {error}", file=sys.stderr)
        return 2
    return 0


def _graded(key: Key, root: Path) -> dict:
    """The record of the one student whose files lie in ROOT/submission."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(root / "submission", Path(folder, "student"), symlinks=True)
        found, problems = collect([Path(folder)], key.homework)
        if not found:
            return blank(key, problems[0])
        secrets = [course_root() / "solutions"]
        with Sandbox(isolation.choose("auto"), key.checks, key.preload, secrets=secrets) as sandbox:
            return grade(key, sandbox, found[0])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], Path(sys.argv[2])))
