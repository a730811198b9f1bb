"""Episodes within one alphabet: whose classes they take, how evenly, and what reaches the learners."""

import pytest
import torch

from utils.learners.protonet import few_shot_accuracy
from utils.tasks.episodes import image_episodes, same_alphabet_classes

ALPHABET = torch.tensor([0, 1, 2, 1, 0, 1, 2, 1, 1, 0, 2])  # sizes 3, 5, 3


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_classes_of_a_task_are_different_and_share_an_alphabet():
    classes = same_alphabet_classes(ALPHABET, 300, 3, seeded())
    assert (ALPHABET[classes] == ALPHABET[classes[:, :1]]).all()
    assert all(len(set(row)) == 3 for row in classes.tolist())
    assert set(classes.flatten().tolist()) == set(range(len(ALPHABET)))


def test_alphabets_are_equally_likely_and_so_is_every_order():
    classes = same_alphabet_classes(ALPHABET, 6000, 3, seeded())
    shares = ALPHABET[classes[:, 0]].bincount() / 6000
    assert (shares - 1 / 3).abs().max() < 0.03
    first = classes[ALPHABET[classes[:, 0]] == 0, 0].bincount()[[0, 4, 9]]
    assert (first / first.sum() - 1 / 3).abs().max() < 0.05


def test_alphabets_that_are_too_small_are_left_out():
    classes = same_alphabet_classes(ALPHABET, 50, 5, seeded())
    assert all(sorted(row) == [1, 3, 5, 7, 8] for row in classes.tolist())
    with pytest.raises(ValueError, match="6-way.*found at most 5"):
        same_alphabet_classes(ALPHABET, 1, 6, seeded())


def test_image_episodes_take_the_images_of_one_alphabet():
    pixels = torch.arange(11, dtype=torch.uint8)[:, None, None, None].expand(11, 4, 2, 2)  # ink tells the class
    episodes = image_episodes(pixels, 40, 3, 1, 2, seeded(), alphabet=ALPHABET)
    ranks = ((episodes.support_x[:, :, 0, 0] * 0.27 + 0.08) * 255).round().long()
    assert (ALPHABET[ranks] == ALPHABET[ranks[:, :1]]).all()
    own = ranks.gather(1, episodes.query_y)
    assert torch.equal(((episodes.query_x[:, :, 0, 0] * 0.27 + 0.08) * 255).round().long(), own)


def test_few_shot_accuracy_within_alphabets_meets_only_relatives():
    g = seeded()
    place = torch.tensor([0, 0, 0, 9, 1, 18, 1, 27, 36, 2, 2.0])  # alphabets 0 and 2 lie on top of each other
    embedded = place[:, None, None] + 0.01 * torch.randn(11, 6, 1, generator=g)
    assert few_shot_accuracy(embedded, 3, 1, 150, g, alphabet=ALPHABET).min() == 1
    assert few_shot_accuracy(embedded, 3, 1, 150, g).min() < 1
