"""What a user waits for: `import utils`, and the kernel's share of a slider's move."""

import json
import statistics
import subprocess
import sys

import numpy as np

from benchmarks.measure import Row, cpu_seconds
from utils.paths import course_root

IMPORT_PROBE = """
import json, sys, time
start = time.perf_counter()
import utils
print(json.dumps({"seconds": time.perf_counter() - start, "torch": "torch" in sys.modules}))
"""
LIVE_TARGET = 15  # ms


def run_import(quick: bool) -> list[Row]:
    """`import utils` in a fresh interpreter, median of 5; fails when that alone imports torch."""
    found = []
    for _ in range(1 if quick else 5):
        command = [sys.executable, "-c", IMPORT_PROBE]
        found.append(json.loads(subprocess.check_output(command, cwd=course_root(), text=True)))
    assert not any(run["torch"] for run in found), "`import utils` must not import torch"
    return [Row("import utils", 1e3 * statistics.median(run["seconds"] for run in found), "ms", note="without torch")]


def run_live(quick: bool) -> list[Row]:
    """One slider move on a 700 x 300 figure with a moving line: everything but the callback's own computation."""
    from utils.live import live, new_figure, slider

    figure, axes = new_figure(size=(7, 3))
    x = np.linspace(-5, 5, 200)
    (line,) = axes.plot(x, np.sin(x))
    axes.set(title="A sinusoid", xlabel="x", ylabel="y", ylim=(-5, 5))
    spent = []

    def update(a):
        spent.append(cpu_seconds(lambda: line.set_ydata(a * np.sin(x))))

    panel = live(update, figure, [line], alt="A sinusoid", a=slider(1.0, 0.1, 5.0, 0.1, "amplitude a"))
    times = []
    for value in np.linspace(0.2, 4.8, 5 if quick else 41).round(1):
        taken = cpu_seconds(lambda value=value: setattr(panel.controls["a"], "value", float(value)))
        times.append(taken - spent[-1])
    target = None if quick else LIVE_TARGET
    return [Row("live update, 700 x 300", 1e3 * statistics.median(times), "ms", target, at_most=True)]
