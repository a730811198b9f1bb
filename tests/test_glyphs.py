"""Glyphs: what the drawn letters must be like."""

import hashlib
import os
import subprocess
import sys
import time
import unicodedata

import numpy as np
import pytest
import torch

from utils.tasks import glyphs
from utils.tasks.episodes import image_episodes
from utils.tasks.images import split


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("glyphs")


@pytest.fixture(scope="module")
def images(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(folder))
        return glyphs.load()


def position(images, name):
    return images.characters.index(name)


def pieces(mask, diagonal):
    """The number of connected regions of a bool image."""
    left = {tuple(at) for at in np.argwhere(mask).tolist()}
    steps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i or j) and (diagonal or not (i and j))]
    count = 0
    while left:
        count += 1
        edge = [left.pop()]
        while edge:
            y, x = edge.pop()
            near = {(y + i, x + j) for i, j in steps} & left
            left -= near
            edge.extend(near)
    return count


def test_size(images):
    assert images.name == "Glyphs"
    assert len(images) >= 1400
    assert len(images.alphabets) >= 15
    assert images.pixels.shape[1:] == (20, 28, 28)
    assert images.pixels.dtype == torch.uint8
    assert len(set(images.characters)) == len(images)
    assert images.alphabet.bincount(minlength=len(images.alphabets)).min() >= 5


def test_no_image_is_blank_faint_or_clipped(images):
    pixels = images.pixels
    ink = pixels.float().sum((2, 3)) / 255
    assert ink.min() > 10
    assert ink.max() < 28 * 28 / 2.2
    assert pixels.amax((2, 3)).min() > 120
    for edge in (pixels[:, :, 0], pixels[:, :, -1], pixels[..., 0], pixels[..., -1]):
        assert edge.max() == 0


def test_edges_are_crisp(images):
    """Grey lies along the edges only: no more of it than an exact outline of these strokes leaves."""
    grey = ((images.pixels > 60) & (images.pixels < 195)).float().mean()
    assert grey < 0.6 * (images.pixels >= 195).float().mean()


@pytest.mark.parametrize("letter", list("OABCMeαЮЖԱשΔ"))
def test_strokes_are_not_torn(images, letter):
    drawn = images.pixels[position(images, unicodedata.name(letter))].numpy()
    assert [pieces(image > 50, diagonal=True) for image in drawn] == [1] * 20


@pytest.mark.parametrize(("letter", "holes"), list(zip("OABCeαԱשΔ", (1, 1, 2, 0, 1, 1, 0, 0, 1), strict=True)))
def test_holes_are_open(images, letter, holes):
    """One instance of the 20 may differ: a bold, bent stroke can close a small hole."""
    drawn = images.pixels[position(images, unicodedata.name(letter))].numpy()
    found = [pieces(image < 60, diagonal=False) - 1 for image in drawn]
    assert sum(count != holes for count in found) <= 1


def test_look_alikes_are_one_class(images):
    for name in ("LATIN CAPITAL LETTER A", "LATIN CAPITAL LETTER O", "LATIN CAPITAL LETTER H"):
        assert name in images.characters
    for name in ("GREEK CAPITAL LETTER ALPHA", "CYRILLIC CAPITAL LETTER A", "CYRILLIC CAPITAL LETTER O",
                 "LATIN SMALL LETTER O", "GREEK CAPITAL LETTER ETA", "CYRILLIC CAPITAL LETTER EN",
                 "LATIN SMALL LETTER X", "CYRILLIC SMALL LETTER DE", "LISU LETTER KA"):
        assert name not in images.characters


def test_no_two_classes_look_the_same(images):
    """No two mean images coincide, and no image occurs twice."""
    mean = images.pixels.float().mean(1).flatten(1)
    mean = mean - mean.mean(1, keepdim=True)
    mean = mean / mean.norm(dim=1, keepdim=True)
    assert (mean @ mean.T).triu(1).max() < 0.985
    flat = images.pixels.flatten(0, 1).flatten(1).numpy()
    assert len({row.tobytes() for row in flat}) == len(flat)


def test_labels(images):
    C = len(images)
    assert images.alphabet.dtype == torch.int64
    assert set(images.labels) == {"case", "face", "serif", "mono", "bold", "slanted"}
    for name, values in images.labels.items():
        assert values.shape == ((C,) if name == "case" else (C, 20))
        assert values.dtype == torch.int64
        assert values.min() == 0
        assert values.max() == len(images.label_names[name]) - 1
    case = dict(zip(images.characters, images.labels["case"].tolist(), strict=True))
    assert case["LATIN SMALL LETTER A"] == 0
    assert case["LATIN CAPITAL LETTER A"] == 1
    assert case["LATIN CAPITAL LETTER O"] == case["HEBREW LETTER SHIN"] == 2
    names = images.label_names["face"]
    for face, serif, bold, slanted, mono in zip(*(images.labels[n][0].tolist() for n in
                                                  ("face", "serif", "bold", "slanted", "mono")), strict=True):
        assert serif == (not names[face].startswith("DejaVuSans"))
        assert bold == ("Bol" in names[face])
        assert slanted == ("Oblique" in names[face] or "Ita" in names[face])
        assert mono == ("Mono" in names[face])


def test_bold_faces_have_more_ink(images):
    ink = images.pixels.float().mean((2, 3))
    bold = images.labels["bold"].bool()
    assert ink[bold].mean() > 1.25 * ink[~bold].mean()


def test_every_alphabet_belongs_to_one_side(images):
    train, test = split(images, "alphabets")
    assert len(train) + len(test) == len(images)
    assert not set(train.alphabet.tolist()) & set(test.alphabet.tolist())
    assert 0.2 <= len(test) / len(images) <= 0.26
    assert len(set(test.alphabet.tolist())) >= 5


def test_random_split_is_disjoint(images):
    train, test = split(images, "random")
    assert not set(train.characters) & set(test.characters)
    assert set(train.characters) | set(test.characters) == set(images.characters)


def test_episodes(images):
    """Support and query share no image, and the place of a query says nothing about its label."""
    generator = torch.Generator().manual_seed(0)
    episodes = image_episodes(images.pixels, 400, 5, 1, 15, generator)
    support, query = episodes.support_x.flatten(2), episodes.query_x.flatten(2)
    for task in range(0, 400, 40):
        assert torch.cdist(support[task], query[task]).min() > 0.1
    share = torch.nn.functional.one_hot(episodes.query_y, 5).float().mean(0)  # [75, 5], each near 0.2
    assert (share - 0.2).abs().max() < 0.1
    assert episodes.query_y.sort(1).values.equal(torch.arange(5).repeat_interleave(15).expand(400, -1))


def test_same_bytes_on_every_run(images, folder, tmp_path):
    command = "from utils.tasks import glyphs; glyphs.load()"
    subprocess.run([sys.executable, "-c", command], check=True,
                   env=os.environ | {"COURSE_CACHE": str(tmp_path), "PYTHONHASHSEED": "7"})
    (first,), (second,) = folder.glob("glyphs*"), tmp_path.iterdir()
    assert first.name == second.name
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()


def test_second_load_is_fast(images, folder, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(folder))
    monkeypatch.setattr(glyphs, "make", None)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        again = glyphs.load()
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.2
    assert again.pixels.equal(images.pixels)
    assert again.characters == images.characters
