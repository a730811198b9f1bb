"""Letters with several labels each: one set of images, many tasks (which letter, script, case, slant, weight, ...).

Every letter stands in every one of the 16 font faces and in both cases, so that no label can be read off another
one by accident; only the letter determines its script. The hand is calmer than in Glyphs, where an unsteady one
hides the slant. Letters are those whose two cases differ by more than their size.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from utils.tasks.letterforms import FACES, faces_that_are, fonts, shapes
from utils.tasks.pen import Pen, bend, place

LETTERS = {"Latin": "ABDEFGHKLNQRT", "Greek": "ΓΘΛΞΠΣΦΨΩ", "Cyrillic": "БЂЋЪЫѢ"}
FAMILIES = ("DejaVu Sans", "DejaVu Sans Mono", "DejaVu Serif", "STIX")
NAMES = {
    "letter": tuple(letter for letters in LETTERS.values() for letter in letters),
    "script": tuple(LETTERS),
    "case": ("lower", "upper"),
    "slant": ("upright", "slanted"),
    "weight": ("regular", "bold"),
    "family": FAMILIES,
}
CALM = 0.03  # standard deviation of the hand's turn (radians) and shear


@dataclass(frozen=True)
class Attributes:
    """N images in random order: pixels uint8 [N, 28, 28], 0 paper, 255 ink; labels {task: [N]} int64;
    names {task: what its values mean}; angle [N], degrees by which the image was turned, anticlockwise."""

    pixels: UInt8[Tensor, "image height width"]
    labels: dict[str, Int[Tensor, " image"]]
    angle: Float[Tensor, " image"]
    names: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index) -> "Attributes":
        """Some of the images: a slice, a list or an index tensor."""
        labels = {task: values[index] for task, values in self.labels.items()}
        return Attributes(self.pixels[index], labels, self.angle[index], self.names)


def attribute_images(seed: int = 0, drawings: int = 4, turned: float = 0.0) -> Attributes:
    """Every letter in both cases and all faces, `drawings` times: 3,584 images in about half a second.

    turned: each image is turned by an angle drawn from [-turned, turned] degrees.
    The labels are those of NAMES, class numbers from 0; each can be a task of its own.
    """
    rng = np.random.default_rng(seed)
    table = np.indices((len(NAMES["letter"]), 2, len(FACES))).reshape(3, -1).T
    codes = [ord(NAMES["letter"][i]) if upper else ord(NAMES["letter"][i].lower()) for i, upper, _ in table]
    outlines = shapes(fonts(), list(zip(codes, table[:, 2].tolist(), strict=True)))
    order = rng.permutation(np.arange(len(table)).repeat(drawings))
    angle = rng.uniform(-turned, turned, len(order))
    pixels = _draw(outlines, order, np.radians(angle), rng)
    labels = {task: torch.from_numpy(values[order]) for task, values in _labels(table).items()}
    return Attributes(torch.from_numpy(pixels), labels, torch.from_numpy(angle).float(), NAMES)


def _draw(outlines, order: np.ndarray, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """uint8 [N, 28, 28]: the outlines `order` [N], bent a little, turned by `angle` [N] radians and filled."""
    pen, strips = Pen(64), []
    for begin in range(0, len(order), 64):
        these = order[begin : begin + 64]
        letter = outlines.take(these)
        points = bend(letter.points, letter.owner, len(these), rng, turn=CALM, shear=CALM)
        cos, sin = (f(angle[begin : begin + 64])[letter.owner] for f in (np.cos, np.sin))
        x, y = points.T
        points = np.stack([cos * x - sin * y, sin * x + cos * y], 1)
        points = place(points, letter.owner, rng.normal(0, 0.8, (len(these), 2)))
        strips.append(pen.fill(points, letter.ends, letter.owner)[: len(these)])
    return np.concatenate(strips)


def _labels(table: np.ndarray) -> dict[str, np.ndarray]:
    """The labels of each (letter, case, face) in `table`."""
    letter, case, face = table.T
    scripts = np.repeat(np.arange(len(LETTERS)), [len(letters) for letters in LETTERS.values()])
    return {
        "letter": letter,
        "script": scripts[letter],
        "case": case,
        "slant": faces_that_are("slanted")[face],
        "weight": faces_that_are("bold")[face],
        "family": face // 4,
    }
