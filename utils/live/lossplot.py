"""`LossPlot`: the curve of a training run while it runs, and the still picture it leaves."""

import time

import ipywidgets as widgets
import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from utils.live.figure import Picture, Still, img, new_figure
from utils.live.panel import CSS

REPAINT = 0.25  # seconds between two repaints
POINTS = 300  # most points drawn of one curve


class LossPlot:
    """`with LossPlot(1000, alt="...") as plot:` then `plot(loss)` or `plot(maml=a, joint=b)` in every step.

    `steps` counts calls, so that curves may also be drawn one after the other. While it runs: curves,
    steps and time left. At the end: one still picture without clock times.
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
        self.image = widgets.HTML(img(self.picture.png(), self.alt))
        self.bar = widgets.IntProgress(max=self.steps, layout={"width": "430px"})
        self.left = widgets.HTML()
        row = widgets.HBox([self.bar, self.left], layout={"flex_flow": "row wrap"})
        self.box = widgets.VBox([widgets.HTML(CSS), row, self.image]).add_class("course-live")
        if InteractiveShell.initialized():
            self._handle = display(self.box, display_id=True)
        return self

    def __call__(self, loss=None, **losses):
        """Note one step: `plot(loss)` or one value per curve; numbers or tensors of one element."""
        if loss is not None:
            self._note("loss", loss)
        for name, value in losses.items():
            self._note(name, value)
        self._done += 1
        if time.monotonic() - self._last > REPAINT:
            self._repaint()

    def _note(self, name: str, value):
        if name not in self.curves:
            self.curves[name] = []
        self.curves[name].append(value.item() if hasattr(value, "item") else float(value))

    def __exit__(self, kind, error, trace):
        self._draw()
        self.axes.set_xlim(0, max(map(len, self.curves.values()), default=self.steps))
        self._fit_height(room=0.05)
        if self.axes.get_legend():
            self._place_legend()
        self.picture = Picture(self.figure, self._lines.values())
        if self._handle is not None:
            self._handle.update(Still(self.picture.still(), self.alt))
        for widget in (self.bar, self.left, self.image, self.box):
            widget.close()

    def _place_legend(self):
        """Where it covers no curve; at the right of the frame when there is no such place."""
        box = self.axes.legend(loc="best").get_window_extent()
        paths = [line.get_path().transformed(line.get_transform()) for line in self.axes.lines]
        if any(path.intersects_bbox(box, filled=False) for path in paths):
            self.axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))

    def _repaint(self):
        curves = len(self._lines)
        self._draw()
        if len(self._lines) > curves:
            self._fit_height(room=0.3)
            self.picture = Picture(self.figure, self._lines.values())
        self.image.value = img(self.picture.png(), self.alt)
        self.repaints += 1
        left = (time.monotonic() - self._start) / self._done * max(0, self.steps - self._done)
        self.bar.value = self._done
        self.left.value = f"step {self._done} of {self.steps}, about {left:.0f} s left"
        self._last = time.monotonic()

    def _draw(self):
        """Move the lines; change the limits, which costs ten times as much, only when a loss leaves them."""
        for name, losses in self.curves.items():
            raw, mean = self._lines.get(name) or self._add(name)
            steps, values = _bins(np.array(losses))
            raw.set_data(steps, values)
            mean.set_data(steps, _smooth(values))
        low, high = self._extent()
        bottom, top = self.axes.get_ylim()
        if low < bottom or high > top:
            self._fit_height(room=0.3)

    def _extent(self) -> tuple[float, float]:
        drawn = [line.get_ydata() for line in self.axes.lines]
        values = np.concatenate([np.asarray(y, float) for y in drawn]) if drawn else np.ones(1)
        values = values[np.isfinite(values)]
        return (values.min(), values.max()) if len(values) else (1.0, 1.0)

    def _fit_height(self, room: float):
        """Limits that leave `room`, a share of the height, above and below."""
        low, high = self._extent()
        log = self.log and low > 0
        if log != (self.axes.get_yscale() == "log"):
            self.axes.set_yscale("log" if log else "linear")
        low, high = (np.log10(low), np.log10(high)) if log else (low, high)
        margin = room * ((high - low) or 1.0)
        limits = low - margin, high + margin
        self.axes.set_ylim(*(np.power(10.0, limits) if log else limits))

    def _add(self, name: str):
        (mean,) = self.axes.plot([], [], label=name, zorder=3)
        (raw,) = self.axes.plot([], [], color=mean.get_color(), alpha=0.3, linewidth=1, linestyle="-")
        self._lines[name] = raw, mean
        if len(self.axes.get_legend_handles_labels()[1]) > 1:
            self.axes.legend()
        return raw, mean


def _bins(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Last step and mean of each of at most POINTS groups of neighbours; what is not finite leaves a gap."""
    values = np.where(np.isfinite(values), values, np.nan)
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
