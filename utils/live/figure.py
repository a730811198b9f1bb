"""Pictures of matplotlib figures, fast enough to follow a slider and the same bytes on every run."""

import base64
import html
import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

STYLE_SHEET = Path(__file__).with_name("course.mplstyle")


def new_figure(rows: int = 1, columns: int = 1, size: tuple[float, float] = (7, 3), **subplots):
    """A figure outside pyplot in the course's look: (figure, axes), or (figure, array of axes).

    size is in inches of 100 pixels, times COURSE_FIGURE_SCALE if set (a talk sets it); other keywords go to
    `Figure.subplots` (sharey=True, width_ratios=...). The style sheet is switched on for everything drawn from here on.
    """
    style.use(STYLE_SHEET)
    figure = Figure(figsize=size, layout="constrained", dpi=100 * float(os.environ.get("COURSE_FIGURE_SCALE") or 1))
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **subplots)


def flatten(artists) -> Iterator[Artist]:
    """The single artists in an artist, a container of bars or error bars, or nested lists of them."""
    if artists is None:
        return
    if isinstance(artists, Artist):
        yield artists
    else:
        for inner in artists:
            yield from flatten(inner)


class Picture:
    """Paints a figure: what moves is drawn anew, over a stored background.

    Moving are the `artists`, the titles, and whatever lies above an artist in its axes (the frame, other
    lines), so that the result equals a full redraw. Only a legend goes below moving lines and points,
    because it takes 2 to 6 ms to draw. The background is drawn again (about 30 ms) when limits or scales
    change or matplotlib marks any other part of the figure as stale (labels, an artist added).
    Without `artists` everything is drawn each time.
    """

    def __init__(self, figure: Figure, artists=None):
        self.figure = figure
        self.artists = None if artists is None else list(flatten(artists))
        self._background, self._key, self._moving = None, None, []
        self.lay_out()

    def lay_out(self):
        """Give ticks, labels and titles their places; frames drawn later keep these."""
        self.figure.set_layout_engine("constrained")
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")

    def pixels(self) -> np.ndarray:
        """The figure as it is now: uint8 [height, width, 3]."""
        canvas = self.figure.canvas
        key = [(*ax.get_xlim(), *ax.get_ylim(), ax.get_xscale(), ax.get_yscale()) for ax in self.figure.axes]
        if self.artists is None or self.figure.stale or key != self._key:
            self._moving = [] if self.artists is None else _above(self.figure, self.artists)
            for artist in self._moving:
                artist.set_animated(True)
            canvas.draw()
            self._background, self._key = canvas.copy_from_bbox(self.figure.bbox), key
        else:
            canvas.restore_region(self._background)
        for artist in self._moving:
            artist.draw(canvas.get_renderer())
        self.figure.stale = False  # a legend marks the figure when it is drawn
        image = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
        return np.asarray(image.convert("RGB"))

    def png(self) -> bytes:
        """The figure as PNG bytes, packed quickly."""
        return pack(self.pixels())

    def still(self) -> bytes:
        """The figure as PNG bytes, packed small: at most 256 colours."""
        return pack_small(self.pixels())


def _above(figure: Figure, artists: list[Artist]) -> list[Artist]:
    """The artists, all titles, and what is drawn after the lowest artist in each axes; in drawing order."""
    moving = []
    for axes in sorted(figure.axes, key=Axes.get_zorder):
        _lower_legend(axes, artists)
        both = [axes.xaxis, axes.yaxis]
        hidden = [axes.patch, *(axis for axis in both if _outside(axis))]
        hidden += [] if axes.axison else [*axes.spines.values(), *both]
        titles = [axes.title, axes._left_title, axes._right_title]
        children = sorted((c for c in axes.get_children() if c not in hidden), key=Artist.get_zorder)
        first = next((i for i, child in enumerate(children) if child in artists), len(children))
        moving += [child for i, child in enumerate(children) if i >= first or child in titles]
    return moving + [a for a in [*figure.texts, *figure.legends] if a not in moving]


def _outside(axis) -> bool:
    """Whether an axis is drawn beside the frame alone, where nothing moves: no grid, labels outside."""
    return not any(line.get_visible() for line in axis.get_gridlines())


def _lower_legend(axes: Axes, artists: list[Artist]):
    """Put a legend just below the lowest moving line or point; over moving pictures and bars it stays on top."""
    legend = axes.get_legend()
    lowest = min((a.get_zorder() for a in artists if a.axes is axes), default=0)
    if legend is not None and legend not in artists and lowest >= 2:
        legend.set_zorder(lowest - 0.01)


def pack(pixels: np.ndarray) -> bytes:
    """uint8 [height, width, 3] -> PNG bytes, three times faster than a library that tries row filters."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # the leading 0 of each row: no filter
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def pack_small(pixels: np.ndarray) -> bytes:
    """uint8 [height, width, 3] -> PNG bytes with at most 256 colours, for outputs kept in git."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).quantize(256, dither=Image.Dither.NONE).save(buffer, "png", compress_level=9)
    return buffer.getvalue()


def still(figure: Figure, alt: str) -> "Still":
    """A figure that does not move, with alt text: the last expression of a cell."""
    return Still(Picture(figure).still(), alt)


class Still:
    """PNG bytes and their alt text, shown as one output."""

    def __init__(self, png: bytes, alt: str):
        self.png, self.alt = png, alt

    def _repr_mimebundle_(self, **kwargs):
        return bundle(self.png, self.alt)


def bundle(png: bytes, alt: str) -> tuple[dict, dict]:
    """Data and metadata of one notebook output: the picture for the eye, the text for everyone else."""
    encoded = base64.b64encode(png).decode()
    return {"image/png": encoded, "text/plain": alt}, {"image/png": {"alt": alt}}


def img(png: bytes, alt: str) -> str:
    """An <img> with true alt text; ipywidgets' own Image has none, and shows empty frames when it changes."""
    encoded = base64.b64encode(png).decode()
    return f'<img alt="{html.escape(alt)}" decoding="sync" src="data:image/png;base64,{encoded}">'
