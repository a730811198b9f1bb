"""Loss plots and the pure plot functions."""

import time

import numpy as np
import pytest

from utils.live import LossPlot, lossplot, new_figure
from utils.live.plots import band, episode_figure, image_grid, tile

X = np.linspace(-5, 5, 200)


def run_loss(steps=400, **more):
    with LossPlot(steps, alt="two losses fall", limit=0.1, **more) as plot:
        for i in range(steps):
            plot(maml=np.exp(-i / 90) + 0.1, joint=np.float32(0.5 + 0.3 * np.sin(i)))
    return plot


def test_loss_plot_leaves_the_same_still_whatever_the_speed(monkeypatch):
    fast = run_loss(12).picture.still()
    monkeypatch.setattr(lossplot, "REPAINT", 0)
    slow = run_loss(12)
    assert slow.repaints == 12
    assert slow.picture.still() == fast
    assert len(fast) < 30_000


@pytest.mark.parametrize("spread", [0.0, 1.0], ids=["room above the curves", "curves from edge to edge"])
def test_the_legend_of_a_finished_loss_plot_covers_no_curve(spread):
    with LossPlot(60, alt="five losses") as plot:
        for i in range(60):
            plot(**{f"learner {k}": np.exp(-i / 9) + 0.01 + spread * k for k in range(5)})
    box, frame = plot.axes.get_legend().get_window_extent(), plot.axes.get_window_extent()
    paths = [line.get_path().transformed(line.get_transform()) for line in plot.axes.lines]
    assert not any(path.intersects_bbox(box, filled=False) for path in paths)
    assert (box.x0 > frame.x1) == bool(spread), "beside the frame only where there is no room in it"


def test_loss_plot_repaints_at_most_four_times_a_second():
    start = time.monotonic()
    with LossPlot(10_000, alt="a loss") as plot:
        while time.monotonic() - start < 1.1:
            plot(1.0)
    assert 1 <= plot.repaints <= 4
    assert "left" in plot.left.value


def test_loss_plot_costs_little_per_step(monkeypatch):
    monkeypatch.setattr(lossplot, "REPAINT", 1e9)
    with LossPlot(20_000, alt="a loss") as plot:
        start = time.process_time()
        for _ in range(20_000):
            plot(0.5)
        assert (time.process_time() - start) / 20_000 < 5e-6


def test_loss_plot_bears_odd_losses():
    with LossPlot(10, alt="nothing"):
        pass
    with LossPlot(10, alt="odd") as plot:
        for value in (3.0, float("inf"), float("nan"), -1.0):
            plot(value)
    assert plot.axes.get_yscale() == "linear"
    with pytest.raises(KeyboardInterrupt), LossPlot(10, alt="stopped") as plot:
        plot(1.0)
        raise KeyboardInterrupt
    assert len(plot.axes.lines[0].get_xdata()) == 1


def test_plots():
    images = np.arange(6 * 4 * 4).reshape(6, 1, 4, 4) / 96
    board = tile(images, columns=3, gap=1)
    assert board.shape == (9, 14) and np.array_equal(board[5:, 10:], images[5, 0])
    figure, axes = new_figure()
    image_grid(axes, (images * 255).astype(np.uint8), labels=list("abcdef"), marks=[True] * 5 + [False])
    assert [t.get_text() for t in axes.texts].count("\N{MULTIPLICATION X}") == 1
    line, fill = band(new_figure()[1], X, np.sin(X), 0.1 + 0 * X, "mean")
    assert np.isclose(fill.get_paths()[0].get_extents().y1, 1.1, atol=1e-2)
    figure, (support, query) = episode_figure(images[:2], [1, 0], images, [0, 1, 0, 1, 0, 1])
    assert np.array_equal(support.images[0].get_array()[:4, :4], images[1, 0])
    assert query.images[0].get_array().shape == (10, 16)
    with pytest.raises(ValueError, match=r"found shape \(4, 4\)"):
        tile(np.ones((4, 4)), 2)
