"""`course notebooks`: execute notebooks, bring them to their normal form, check what is committed."""

import base64
import os
import time
from pathlib import Path

import nbformat

from utils.normal_form import dumps, normalise
from utils.paths import course_root

FOLDERS = ("lectures", "solutions", "homework")
CELL_SECONDS = 300
IMAGE_BYTES = 40_000
CODE_LINES = 30


def notebooks(paths: list[Path], execute: bool, check: bool) -> int:
    """Bring notebooks to normal form, after executing them if asked; with `check`, write nothing, list faults.

    paths: notebooks or folders; empty for all of lectures, solutions and homework. Homework is never executed:
    `course release` writes it. Returns 0 when all is well, 1 for faults, 2 for a path that does not exist.
    """
    try:
        files = find(paths or [course_root() / folder for folder in FOLDERS if (course_root() / folder).is_dir()])
    except FileNotFoundError as error:
        print(f"course notebooks: {error}")
        return 2
    faulty = 0
    for path in files:
        try:
            faults = _one(path, execute, check)
        except ValueError as error:
            faults = [str(error)]
        for fault in faults:
            print(f"{_shown(path)}: {fault}")
        faulty += bool(faults)
    if check or faulty:
        print(f"{len(files) - faulty} of {len(files)} notebooks are as they should be.")
    return 1 if faulty else 0


def find(paths: list[Path]) -> list[Path]:
    """All notebooks at or below the paths, sorted. Raises FileNotFoundError for a path without a notebook's name."""
    found = set()
    for path in map(Path, paths):
        if path.is_dir():
            found.update(p for p in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
        elif path.suffix == ".ipynb" and path.is_file():
            found.add(path)
        else:
            raise FileNotFoundError(f"{path} is no folder and no notebook.")
    return sorted(found)


def is_homework(path: Path) -> bool:
    """Does the notebook lie in homework/NAME/?"""
    return "homework" in path.resolve().parts[-3:-1]


def read(path: Path):
    """Read a notebook. Raises ValueError with one sentence when the file is none."""
    try:
        return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except Exception as error:  # nbformat raises many kinds
        raise ValueError(f"is no readable notebook ({type(error).__name__}: {error})") from error


def write(path: Path, text: str) -> None:
    """Write the file in one step, so that an interruption never leaves half of it."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8", newline="\n")
    fresh.replace(path)


def _one(path: Path, execute: bool, check: bool) -> list[str]:
    """Execute, check or write one notebook; returns its faults."""
    homework = is_homework(path)
    execute = execute and not homework
    committed = path.read_text(encoding="utf-8")
    notebook = read(path)
    if execute:
        start = time.monotonic()
        print(f"{_shown(path)} ...", end=" ", flush=True)
        failure = run(notebook, path.parent)
        print("failed" if failure else f"{len(notebook.cells)} cells in {time.monotonic() - start:.0f} s", flush=True)
        if failure:
            return [failure]
    normal = normalise(notebook, homework)
    if check:
        changed = differences(read(path), normal) if execute else []
        return changed + faults(read(path), committed, homework)
    if dumps(normal) != committed:
        write(path, dumps(normal))
        if not execute:
            print(f"{_shown(path)}: now in normal form")
    return []


def run(notebook, folder: Path) -> str | None:
    """Execute all cells in place, in `folder`; returns what failed in one sentence, or None.

    Widgets are strict (COURSE_STRICT=1). Only cells with the tag raises-exception may raise.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    at = []
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", store_widget_state=False, record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # no warning that a kernel listens at this machine's address
        resources={"metadata": {"path": str(folder)}}, on_cell_start=lambda cell, cell_index: at.append(cell_index + 1),
    )
    try:
        client.execute(env={**os.environ, "COURSE_STRICT": "1"})
    except CellExecutionError as error:
        return f"cell {at[-1]} raised {error.ename}: {error.evalue}"
    except CellTimeoutError:
        return f"cell {at[-1]} took longer than {CELL_SECONDS} s"
    except DeadKernelError:
        return f"the kernel died in cell {at[-1]}"
    return None


def faults(notebook, committed: str, homework: bool) -> list[str]:
    """What is wrong with a committed notebook, a sentence each; cells are counted from 1."""
    found, waiting = [], []
    if dumps(normalise(notebook, homework)) != committed:
        found.append("is not in normal form (course notebooks writes it)")
    for index, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        lines = len(cell.source.splitlines())
        if lines > CODE_LINES:
            found.append(f"cell {index} has {lines} lines; at most {CODE_LINES}")
        if homework and (cell.outputs or cell.execution_count is not None):
            found.append(f"cell {index} has outputs; homework has none (course release writes it)")
        if not homework and cell.execution_count is None:
            waiting.append(str(index))
        found += [f"cell {index} shows an image of {size / 1000:.0f} kB; at most {IMAGE_BYTES / 1000:.0f}"
                  for size in image_sizes(cell) if size > IMAGE_BYTES]
        if any("image/png" in output.get("data", {}) and not output.metadata.get("image/png", {}).get("alt")
               for output in cell.outputs):
            found.append(f"cell {index} shows a picture without alt text (`live`, `still` and LossPlot ask for one)")
    if waiting:
        found.append(f"cells not executed: {', '.join(waiting)} (course notebooks --execute)")
    return found


def image_sizes(cell) -> list[int]:
    """Bytes of every image in the cell's outputs."""
    images = [(mime, value) for output in cell.outputs for mime, value in output.get("data", {}).items()
              if mime.startswith("image/")]
    return [len(value) if mime.endswith("xml") else len(base64.b64decode(value)) for mime, value in images]


def differences(committed, fresh) -> list[str]:
    """Code cells whose outputs changed between two executions, but for those tagged `measured`."""
    return [f"cell {index} gave other outputs than those committed"
            for index, (old, new) in enumerate(zip(committed.cells, fresh.cells, strict=True), start=1)
            if "measured" not in old.metadata.get("tags", []) and old.get("outputs") != new.get("outputs")]


def _shown(path: Path) -> str:
    """The path as one would type it from the checkout."""
    path = path.resolve()
    return str(path.relative_to(course_root())) if course_root() in path.parents else str(path)
