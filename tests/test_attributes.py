"""Attributes: labels that are right, unconfounded, and visible in the pixels."""

import itertools

import numpy as np
import pytest
import torch

from utils.tasks import glyphs
from utils.tasks.attributes import NAMES, attribute_images
from utils.tasks.episodes import coarse, scale
from utils.tasks.letterforms import FACES, fonts, letters, shapes


@pytest.fixture(scope="module")
def images():
    return attribute_images()


def test_every_letter_case_and_face_comes_equally_often(images):
    assert images.pixels.shape == (3584, 28, 28) and images.pixels.dtype == torch.uint8
    together = torch.stack([images.labels[task] for task in ("letter", "case", "slant", "weight", "family")], 1)
    _, counts = together.unique(dim=0, return_counts=True)
    assert len(counts) == 28 * 2 * 16 and set(counts.tolist()) == {4}
    for task, values in images.labels.items():
        assert values.unique().tolist() == list(range(len(NAMES[task])))


def test_only_the_letter_determines_another_label(images):
    for one, other in itertools.permutations(images.labels, 2):
        pairs = torch.stack([images.labels[one], images.labels[other]], 1).unique(dim=0)
        determined = len(pairs) == len(NAMES[one])
        assert determined == ((one, other) == ("letter", "script"))


def test_labels_say_what_the_pixels_show(images):
    ink = images.pixels.double().mean((1, 2))
    bold = images.labels["weight"] == 1
    assert ink[bold].mean() > 1.2 * ink[~bold].mean()
    y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    mass = images.pixels.float() / images.pixels.float().sum((1, 2), keepdim=True)
    middle = [(mass * axis).sum((1, 2)) for axis in (x, y)]
    lean = -(mass * (x - middle[0][:, None, None]) * (y - middle[1][:, None, None])).sum((1, 2))
    slanted = images.labels["slant"] == 1
    assert lean[slanted].mean() - lean[~slanted].mean() > lean.std() / 4


def test_all_56_shapes_exist_in_all_faces_and_differ():
    opened = fonts()
    faces = letters(opened)
    codes = [ord(c) for letter in NAMES["letter"] for c in (letter, letter.lower())]
    assert all(len(faces[code]) == len(FACES) for code in codes)
    assert len(glyphs.distinct(codes, shapes(opened, [(code, 0) for code in codes]))) == 56


def test_the_angle_is_the_turn_of_the_image_anticlockwise():
    turned, straight = attribute_images(turned=45.0), attribute_images()
    assert straight.angle.abs().max() == 0
    assert turned.angle.min() < -44 and turned.angle.max() > 44 and turned.angle.mean().abs() < 2
    assert torch.equal(turned.labels["case"].bincount(), straight.labels["case"].bincount())
    upright = (turned.labels["letter"] == NAMES["letter"].index("T")) & (turned.labels["case"] == 1)
    upright &= (turned.labels["slant"] == 0) & (turned.angle.abs() > 30)
    x = np.arange(28) - 13.5
    for image, angle in zip(turned.pixels[upright], turned.angle[upright], strict=True):
        mass = image.numpy() / image.double().sum().item()
        foot = (mass * x)[18:].sum() / mass[18:].sum()  # turned left, a T swings its foot to the right
        assert np.sign(foot) == np.sign(angle.item())


def test_the_same_seed_gives_the_same_images_and_some_can_be_taken(images):
    again = attribute_images()
    assert torch.equal(images.pixels, again.pixels) and torch.equal(images.labels["letter"], again.labels["letter"])
    assert not torch.equal(images.pixels, attribute_images(seed=1).pixels)
    some = images[[3, 5]]
    assert len(some) == 2 and torch.equal(some.pixels[1], images.pixels[5])
    assert some.labels["case"][1] == images.labels["case"][5]


def test_coarse_is_the_mean_of_four_scaled_pixels(images):
    pixels = images.pixels[:6].view(2, 3, 28, 28)
    small = coarse(pixels)
    assert small.shape == (2, 3, 196)
    square = scale(pixels[1, 2, 4:6, 10:12]).mean()
    assert torch.isclose(small[1, 2].view(14, 14)[2, 5], square, atol=1e-5)
    assert coarse(images.pixels[0]).shape == (196,)
