"""The kernel's time for one move of a slider, for every live figure of the lectures, callback included."""

import json
import statistics
import tempfile
from pathlib import Path

import nbformat

from benchmarks.measure import Row, cpu_seconds
from utils.notebooks import read, run
from utils.paths import course_root

TARGET = 40  # ms
MEASURED: dict[int, list[float]] = {}  # in the notebook's kernel: the seconds of each figure's moves


def start() -> None:
    """In a notebook's kernel: time each repaint of each live figure from here on."""
    from utils.live.panel import Panel

    refresh = Panel.refresh

    def timed(panel):
        MEASURED.setdefault(id(panel), []).append(cpu_seconds(lambda: refresh(panel)))

    Panel.refresh = timed


def save(path: str) -> None:
    """In a notebook's kernel: leave what was measured."""
    Path(path).write_text(json.dumps(list(MEASURED.values())), encoding="utf-8")


def figure_times(path: Path) -> list[float]:
    """The median ms of a move of each live figure of a notebook.

    The notebook runs in strict mode, in which each figure moves all its controls to both ends and the middle.
    Raises RuntimeError when the notebook fails.
    """
    notebook = read(path)
    with tempfile.TemporaryDirectory() as folder:
        output = f"{folder}/times.json"
        find = f"import sys\nsys.path.append({str(course_root())!r})\nfrom benchmarks import live_figures\n"
        notebook.cells.insert(0, nbformat.v4.new_code_cell(f"{find}live_figures.start()"))
        notebook.cells.append(nbformat.v4.new_code_cell(f"{find}live_figures.save({output!r})"))
        failure = run(notebook, path.parent)
        if failure:
            raise RuntimeError(f"{path.name}: {failure}")
        found = json.loads(Path(output).read_text(encoding="utf-8"))
    return [1e3 * statistics.median(times) for times in found]


def run_lectures(quick: bool) -> list[Row]:
    """For each lecture: how many live figures, and the slowest one's median time for a move."""
    lectures = sorted((course_root() / "lectures").glob("*.ipynb"))
    rows = []
    for path in lectures[: 1 if quick else None]:
        times = figure_times(path)
        if times:
            note = f"{len(times)} live figures, " + ", ".join(f"{value:.0f}" for value in times) + " ms"
            target = None if quick else TARGET
            rows.append(Row(f"{path.stem}: slowest figure", max(times), "ms", target, at_most=True, note=note))
    return rows
