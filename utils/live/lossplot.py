"""`LossPlot`: the curve of a training run while it runs, and the still picture it leaves."""

import time

import ipywidgets as widgets
import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from utils.live.figure import Picture, Still, new_figure
from utils.live.panel import CSS

REPAINT = 0.25  # seconds between two repaints
POINTS = 300  # most points drawn of one curve


class LossPlot:
    """`with LossPlot(1000, alt="...") as plot:` then `plot(loss)` or `plot(maml=a, joint=b)` in every step.

    While it runs: curves, steps and time left. At the end: one still picture without clock times.
    `limit` draws the value that cannot be beaten as a thin grey line.
    """

    def __init__(
        self, steps: int, *, alt: str, title: str = "", xlabel: str = "step", ylabel: str = "loss",
        log: bool = True, limit: float | None = None, limit_label: str = "optimum", size=(7, 3),
    ):  # fmt: skip
        self.steps, self.alt, self.log = steps, alt, log
        self.curves: dict[str, list[float]] = {}
        self.figure, self.axes = new_figure(size=size)
        self.axes.set(title=title, xlabel=xlabel, ylabel=ylabel, xlim=(0, steps))
        if limit is not None:
            self.axes.axhline(limit, color="0.55", linewidth=1.2, linestyle="-", label=limit_label)
        self._lines, self._done, self._handle = {}, 0, None
        self.repaints = 0

    def __enter__(self):
        self._start = self._last = time.monotonic()
        self.picture = Picture(self.figure)
        height, width, _ = self.picture.pixels().shape
        self.image = widgets.Image(value=self.picture.png(), width=width, height=height)
        self.bar = widgets.IntProgress(max=self.steps, layout={"width": "430px"})
        self.left = widgets.HTML()
        row = widgets.HBox([self.bar, self.left], layout={"flex_flow": "row wrap"})
        self.box = widgets.VBox([widgets.HTML(CSS), row, self.image]).add_class("course-live")
        if InteractiveShell.initialized():
            self._handle = display(self.box, display_id=True)
        return self

    def __call__(self, loss=None, **losses):
        """Note one step; numbers or tensors of one element."""
        if loss is not None:
            losses["loss"] = loss
        for name, value in losses.items():
            number = value.item() if hasattr(value, "item") else float(value)
            self.curves.setdefault(name, []).append(number)
        self._done += 1
        if time.monotonic() - self._last > REPAINT:
            self._repaint()

    def __exit__(self, kind, error, trace):
        self._draw()
        if self._handle is not None:
            self._handle.update(Still(self.picture.still(), self.alt))
        for widget in (self.bar, self.left, self.image, self.box):
            widget.close()

    def _repaint(self):
        self._draw()
        self.repaints += 1
        now = time.monotonic()
        left = (now - self._start) / self._done * max(0, self.steps - self._done)
        self.bar.value = self._done
        self.left.value = f"step {self._done} of {self.steps}, {left:.0f} s left"
        self.image.value = self.picture.png()
        self._last = time.monotonic()

    def _draw(self):
        for name, values in self.curves.items():
            if name not in self._lines:
                self._add(name)
            raw, mean = self._lines[name]
            steps, values = _bins(np.array(values))
            raw.set_data(steps, values)
            mean.set_data(steps, _smooth(values))
        positive = all(v > 0 for line in self._lines.values() for v in line[0].get_ydata() if np.isfinite(v))
        self.axes.set_yscale("log" if self.log and positive and self._lines else "linear")
        self.axes.set_xlim(0, max(self.steps, self._done))
        self.axes.relim()
        self.axes.autoscale_view(scalex=False)

    def _add(self, name: str):
        (mean,) = self.axes.plot([], [], label=name, zorder=3)
        (raw,) = self.axes.plot([], [], color=mean.get_color(), alpha=0.3, linewidth=1, linestyle="-")
        self._lines[name] = raw, mean
        if len(self._lines) > 1 or name != "loss" or self.axes.get_legend_handles_labels()[1][1:]:
            self.axes.legend()


def _bins(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most POINTS averages of neighbouring values, and the step at the end of each."""
    width = max(1, -(-len(values) // POINTS))
    starts = np.arange(0, len(values), width)
    ends = np.minimum(starts + width, len(values))
    return ends, np.add.reduceat(values, starts) / (ends - starts)


def _smooth(values: np.ndarray) -> np.ndarray:
    """Mean over the last twentieth of the values so far (at least 5)."""
    window = max(5, len(values) // 20)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)
