"""From outlines to images: the hand that writes Glyphs."""

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

SIZE = 28  # pixels of an image's side
LETTER = 20  # pixels of a plain letter's longer side
MARGIN = 1  # pixels that stay empty on every side


def bend(
    points: np.ndarray, owner: np.ndarray, count: int, rng: np.random.Generator, turn: float = 0.10, shear: float = 0.12
) -> np.ndarray:
    """A hand's unsteadiness: slant, stretch, turn, and two slow waves, drawn anew for each of `count` letters.

    points: [P, 2], each letter centred on 0, its longest side 1; owner: [P]; turn (radians) and shear are standard
    deviations. Returns the moved corners.
    """
    x, y = points.T
    turn, shear = rng.normal(0, turn, count), rng.normal(0, shear, count)
    wide, high = rng.uniform(0.8, 1.05, (2, count))
    cos, sin = np.cos(turn), np.sin(turn)
    a, b = wide * cos - shear * sin, wide * sin + shear * cos
    a, b, c, d = np.stack([a, b, -high * sin, high * cos])[:, owner]
    x, y = a * x + b * y, c * x + d * y
    for wave in (1, 2):
        a, b, c, d = rng.normal(0, 2.2 * wave, (4, count))[:, owner]
        phase_x, phase_y = rng.uniform(0, 2 * np.pi, (2, count))[:, owner]
        far_x, far_y = rng.normal(0, 0.035 / wave, (2, count))[:, owner]
        x, y = x + far_x * np.sin(a * x + b * y + phase_x), y + far_y * np.sin(c * x + d * y + phase_y)
    return np.stack([x, y], 1)


def place(points: np.ndarray, owner: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Pixel coordinates: LETTER pixels a side, moved by `shift` [letters, 2], kept inside the margin."""
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    points = points * LETTER
    low, high = np.minimum.reduceat(points, first), np.maximum.reduceat(points, first)
    scale = np.minimum(1, (SIZE - 2 * MARGIN) / (high - low).max(1))[:, None]
    low, high = low * scale, high * scale
    origin = np.clip(SIZE / 2 + shift - (low + high) / 2, MARGIN - low, SIZE - MARGIN - high)
    return points * scale[owner] + origin[owner]


class Pen:
    """Fills polygons with exact coverage (matplotlib's Agg), up to `count` images side by side."""

    def __init__(self, count: int):
        self.renderer = RendererAgg(SIZE * count, SIZE, 72)
        self.context = self.renderer.new_gc()
        self.context.set_linewidth(0)
        self.context.set_snap(False)

    def fill(self, points: np.ndarray, ends: np.ndarray, owner: np.ndarray) -> np.ndarray:
        """points: [P, 2] in pixels, y upwards; returns uint8 [count, SIZE, SIZE], 255 ink."""
        codes = np.where(np.append(True, ends[:-1]), Path.MOVETO, Path.LINETO).astype(np.uint8)
        path = Path(points + owner[:, None] * (SIZE, 0), codes)
        path.should_simplify = False
        self.renderer.clear()
        self.renderer.draw_path(self.context, path, IdentityTransform(), (0, 0, 0, 1))
        ink = np.asarray(self.renderer.buffer_rgba())[..., 3]
        return np.ascontiguousarray(ink.reshape(SIZE, -1, SIZE).transpose(1, 0, 2))
