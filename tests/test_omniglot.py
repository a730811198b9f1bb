"""Omniglot as published: its size, its split, its speed. Needs the archives."""

import os
import time

import pytest
import torch

from utils.paths import course_root
from utils.tasks import omniglot
from utils.tasks.images import few_shot_images, split

FOLDERS = [os.environ.get("COURSE_DATA"), course_root().parent / "shared" / "data" / "omniglot"]
FOLDER = next((str(f) for f in FOLDERS if f and os.path.isfile(os.path.join(f, "images_evaluation.zip"))), None)
pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="no Omniglot archives (set COURSE_DATA to a folder that has them)"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA", FOLDER)
        patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("omniglot")))
        yield


@pytest.fixture(scope="module")
def images(place):
    start = time.process_time()
    images = omniglot.load()
    assert time.process_time() - start < 30
    return images


def test_size_and_split(images):
    assert images.name == "Omniglot"
    assert images.pixels.shape == (1623, 20, 28, 28)
    assert images.pixels.dtype == torch.uint8
    assert len(images.alphabets) == 50
    assert len(set(images.characters)) == 1623
    train, test = split(images, "alphabets")
    assert (len(train), len(test)) == (964, 659)
    assert len(set(train.alphabet.tolist())) == 30
    assert not set(train.alphabet.tolist()) & set(test.alphabet.tolist())
    assert len(split(images, "random")[0]) == 1200


def test_names(images):
    assert images.characters[0] == "Alphabet of the Magi 01"
    assert images.alphabets[images.alphabet[0]] == "Alphabet of the Magi"
    for name, alphabet in zip(images.characters, images.alphabet.tolist(), strict=True):
        assert name.startswith(images.alphabets[alphabet] + " ")


def test_ink(images):
    """Ink is light on average (8% of the area), no image is blank, no two are the same class."""
    share = images.pixels.float() / 255
    assert 0.075 < share.mean() < 0.085
    assert share.sum((2, 3)).min() > 1
    mean = share.mean(1).flatten(1)
    assert torch.pdist(mean).min() > 0


def test_second_load_is_fast(images, monkeypatch):
    monkeypatch.setattr(omniglot, "convert", None)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        again = few_shot_images()
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.3
    assert again.pixels.equal(images.pixels)
    assert again.held_out.equal(images.held_out)
