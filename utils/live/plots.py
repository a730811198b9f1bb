"""Pure plot functions: arrays or tensors in, artists or a figure out."""

import numpy as np

from utils.live.figure import new_figure


def band(axes, x, mean, halfwidth, label: str = "", **line):
    """A curve with its confidence interval, mean +- halfwidth; all arrays [N]. Returns (line, fill)."""
    x, mean, halfwidth = (np.asarray(values, dtype=float) for values in (x, mean, halfwidth))
    (curve,) = axes.plot(x, mean, label=label or None, **line)
    fill = axes.fill_between(x, mean - halfwidth, mean + halfwidth, color=curve.get_color(), alpha=0.2, linewidth=0)
    return curve, fill


def tile(images, columns: int, gap: int = 2) -> np.ndarray:
    """[N, H, W] or [N, 1, H, W] -> one picture of `columns` images a row, `gap` pixels apart, unfilled places 0."""
    images = _images(images)
    count, height, width = images.shape
    rows = -(-count // columns)
    board = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap), images.dtype)
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        board[top : top + height, left : left + width] = image
    return board


def image_grid(axes, images, columns: int = 5, labels=None, marks=None, gap: int = 2):
    """Draw images [N, H, W] (0 paper; ink is 1, or 255 in uint8) in rows of `columns`; returns the AxesImage.

    labels: N short texts, one under each image. marks: N booleans, False puts a red cross on the image.
    """
    images = _images(images)
    gap = gap if labels is None else gap + 9
    board = tile(images, columns, gap)
    picture = axes.imshow(board, cmap="gray_r", vmin=0, vmax=1)
    axes.axis("off")
    for i in range(len(images)):
        top, left = np.array([i // columns, i % columns]) * (np.array(images.shape[1:]) + gap)
        middle = left + images.shape[2] / 2
        if labels is not None:
            axes.text(middle, top + images.shape[1] + 1, str(labels[i]), ha="center", va="top", clip_on=False)
        if marks is not None and not marks[i]:
            axes.text(left + images.shape[2], top, "\N{MULTIPLICATION X}", color="#D55E00", ha="right", va="top")
    return picture


def episode_figure(support_x, support_y, query_x, query_y, size=(9, 3.6)):
    """One episode: the support set, a row per class, beside the query set; returns (figure, axes [2]).

    support_x [S, H, W] or [S, 1, H, W], support_y [S] class numbers from 0; the same for the query set.
    """
    shots = [np.bincount(np.asarray(y)).max() for y in (support_y, query_y)]
    figure, axes = new_figure(1, 2, size=size, width_ratios=[max(3, shot) for shot in shots])
    for panel, name, x, y in ((axes[0], "Support", support_x, support_y), (axes[1], "Query", query_x, query_y)):
        x, y = _images(x), np.asarray(y)
        order = np.argsort(y, kind="stable")
        per_class = np.bincount(y)
        panel.imshow(_rows(x[order], per_class), cmap="gray_r", vmin=0, vmax=1)
        panel.set_title(f"{name} set, {len(x)} images")
        panel.set_anchor("W")
        panel.set_yticks((np.arange(len(per_class)) + 0.5) * (x.shape[1] + 2) - 1, range(len(per_class)))
        panel.set_xticks([])
        panel.set_ylabel("class")
        panel.grid(False)
        panel.spines[:].set_visible(False)
    return figure, axes


def _rows(images: np.ndarray, per_class: np.ndarray) -> np.ndarray:
    """Images sorted by class -> one row of tiles per class."""
    columns = int(per_class.max())
    ends = np.cumsum(per_class)
    blank = np.zeros((len(per_class), columns, *images.shape[1:]), images.dtype)
    for row, (end, count) in enumerate(zip(ends, per_class, strict=True)):
        blank[row, :count] = images[end - count : end]
    return tile(blank.reshape(-1, *images.shape[1:]), columns)


def _images(images) -> np.ndarray:
    """float [N, H, W] from [N, H, W] or [N, 1, H, W]; uint8 is divided by 255."""
    array = np.asarray(images)
    array = array / 255 if array.dtype == np.uint8 else array.astype(float)
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 3:
        raise ValueError(f"expected images [N, H, W] or [N, 1, H, W], found shape {array.shape}")
    return array
