"""`course lab`: JupyterLab with this environment's Python, at one notebook; or a lecture as a talk."""

import os
import subprocess
import sys
from pathlib import Path

from utils.paths import course_root

START = "00"
FOLDERS = {"hw": "homework/hw{}_*/*.ipynb", "": "lectures/{:0>2}_*.ipynb"}
TALK_SCALE = "1.5"  # pixels of a figure in a talk, against a notebook


def lab(name: str | None, present: bool, browser: bool, port: int | None) -> int:
    """Start JupyterLab; it takes the place of this process where the system can do that.

    name: a path, the number of a lecture (06) or of a homework (hw2); None for the start page.
    present: show the notebook slide by slide. Returns 2 when there is no such notebook.
    """
    root = course_root()
    notebook = find(name or START)
    if notebook is None:
        print(f"course lab: {name} is no notebook of this course ({root}). A path, or a number such as 06 or hw2, "
              "names one.", file=sys.stderr)
        return 2
    view = "doc" if present else "lab"
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}"]
    command += [f"--LabApp.default_url=/{view}/tree/{notebook.relative_to(root).as_posix()}"]
    command += [] if browser else ["--no-browser"]
    command += [f"--port={port}"] if port else []
    if getattr(os, "getuid", lambda: 1)() == 0:  # as in a container; JupyterLab refuses root otherwise
        command += ["--allow-root"]
    folders = [root / "utils/jupyter"]  # no news, no update checks
    if present:
        os.environ["COURSE_FIGURE_SCALE"] = TALK_SCALE
        folders.insert(0, root / "utils/jupyter/talk")
        command += [f"--LabApp.extra_labextensions_path={folders[0] / 'labextensions'}"]
    paths = [*map(str, folders), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    if os.name == "nt":  # Windows has no real exec: the shell would go on before JupyterLab ends
        return subprocess.call(command, cwd=root)
    os.chdir(root)
    sys.stdout.flush()
    return os.execv(command[0], command)


def find(name: str) -> Path | None:
    """The one notebook that a path, a lecture's number or a homework's number names; None when there is none."""
    root = course_root()
    path = (Path.cwd() / name).resolve()
    if path.is_file():
        return path if path.suffix == ".ipynb" and root in path.parents else None
    kind = "hw" if name.lower().startswith("hw") else ""
    number = name[len(kind):]
    found = sorted(root.glob(FOLDERS[kind].format(number))) if number.isdigit() else []
    return found[0] if found else None
