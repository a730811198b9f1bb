"""Streams that leak nothing, and learners that read the past only."""

import pytest
import torch

from utils.learners import black_box
from utils.learners.maml import cross_entropy
from utils.learners.training import optimise
from utils.learners.transformer import transformer
from utils.tasks.streams import at_instances, class_streams, instance_number

N_WAY, DIM = 4, 6


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def numbered():
    """Images whose one pixel says which they are: 100 * class + instance."""
    return (100 * torch.arange(9.0)[:, None] + torch.arange(7.0)).view(9, 7, 1)


def learners(g):
    """{name: what it says of (x, y)} with random weights, readouts included."""
    attention = transformer(2 * DIM + N_WAY, N_WAY, 16, 2, g)
    attention["read"] = torch.randn(16, N_WAY, generator=g)
    recurrent = black_box.lstm(2 * DIM + N_WAY, 8, N_WAY, g)
    process = black_box.conditional_neural_process(DIM, N_WAY, 16, g)
    return {
        "lstm": lambda x, y: black_box.lstm_forward(recurrent, black_box.late_labels(x, y, N_WAY)),
        "attention": lambda x, y: black_box.attention_forward(attention, x, y, N_WAY),
        "set": lambda x, y: black_box.set_forward(process, x, y, N_WAY),
    }


def test_every_class_comes_equally_often_with_other_images_under_one_label(numbered):
    x, y = class_streams(numbered, 200, 5, 3, seeded())
    assert x.shape == (200, 15, 1) and y.shape == (200, 15)
    for images, labels in zip(x[..., 0].long().tolist(), y.tolist(), strict=True):
        assert len(set(images)) == 15
        assert sorted(labels) == sorted(list(range(5)) * 3)
        assert len({(image // 100, label) for image, label in zip(images, labels, strict=True)}) == 5
    with pytest.raises(ValueError, match="need 8 images of each class, found 7"):
        class_streams(numbered, 1, 2, 8, seeded())


def test_neither_position_nor_class_tells_the_label_unless_the_stream_leaks(numbered):
    x, y = class_streams(numbered, 4000, 4, 2, seeded())
    at_position = torch.stack([(y == label).float().mean(0) for label in range(4)])
    assert (at_position - 0.25).abs().max() < 0.04
    of_class = torch.stack([y[x[..., 0] // 100 == image].float().mean() for image in range(9)])
    assert (of_class - 1.5).abs().max() < 0.1
    _, y = class_streams(numbered, 3, 4, 2, seeded(), shuffled=False)
    assert y.tolist() == [[0, 1, 2, 3] * 2] * 3


def test_instances_are_counted_from_the_first_sight():
    y = torch.tensor([[2, 0, 2, 2, 0, 1]])
    assert instance_number(y).tolist() == [[0, 0, 1, 2, 1, 0]]
    hits = torch.tensor([[1.0, 0, 1, 1, 0, 0]])
    found = at_instances(hits, torch.tensor([[2, 0, 2, 1, 0, 1]]), 2)
    assert found[:, 0].tolist() == [pytest.approx(2 / 3), pytest.approx(1 / 3)]


def test_labels_come_one_step_late_beside_their_own_image():
    x, y = torch.randn(3, 5, DIM, generator=seeded()), torch.randint(N_WAY, (3, 5), generator=seeded())
    paired, offset = (black_box.late_labels(x, y, N_WAY, each) for each in (True, False))
    assert paired.shape == (3, 5, 2 * DIM + N_WAY) and offset.shape == (3, 5, DIM + N_WAY)
    assert torch.equal(paired[:, 1:, DIM : 2 * DIM], x[:, :-1]) and torch.equal(paired[..., :DIM], x)
    assert torch.equal(paired[:, 1:, 2 * DIM :].argmax(2), y[:, :-1])
    assert torch.equal(offset[..., DIM:], paired[..., 2 * DIM :])
    assert (paired[:, 0, DIM:] == 0).all()


@pytest.mark.parametrize("name", ["lstm", "attention", "set"])
def test_an_answer_depends_on_the_present_example_and_earlier_labels_only(name):
    learner = learners(seeded())[name]
    x, y = torch.randn(6, 7, DIM, generator=seeded(1)), torch.randint(N_WAY, (6, 7), generator=seeded(2))
    before = learner(x, y)
    later = x.clone()
    later[:, 4] += 1
    assert torch.allclose(before[:, :4], learner(later, y)[:, :4], atol=1e-6)
    other = y.clone()
    other[:, 3] = (y[:, 3] + 1) % N_WAY
    after = learner(x, other)
    assert torch.allclose(before[:, :4], after[:, :4], atol=1e-6)
    assert ((before[:, 4] - after[:, 4]).abs().amax(1) > 1e-5).all()


def test_only_the_recurrent_learner_cares_about_the_order_of_the_past():
    x, y = torch.randn(6, 7, DIM, generator=seeded(1)), torch.randint(N_WAY, (6, 7), generator=seeded(2))
    past = torch.tensor([2, 0, 1, 4, 3, 5, 6])
    made = learners(seeded())
    orders = torch.arange(7), past
    last = {name: [made[name](x[:, order], y[:, order])[:, 6] for order in orders] for name in ("set", "lstm")}
    assert torch.allclose(*last["set"], atol=1e-5)
    assert not torch.allclose(*last["lstm"], atol=1e-3)


def test_the_lstm_is_torchs_own():
    theta, x = black_box.lstm(3, 5, 2, seeded()), torch.randn(4, 6, 3, generator=seeded(1))
    module = torch.nn.LSTM(3, 5, batch_first=True)
    module.load_state_dict({name: p.detach() for name, p in theta.items() if name != "read"})
    assert torch.allclose(black_box.lstm_forward(theta, x), module(x)[0] @ theta["read"], atol=1e-6)
    assert (theta["bias_ih_l0"][5:10] == 1).all() and theta["bias_ih_l0"].sum() == 5


def test_a_learner_learns_to_learn_labels_that_are_drawn_anew():
    g = seeded()
    points = 3 * torch.randn(30, 1, DIM, generator=g) + 0.1 * torch.randn(30, 5, DIM, generator=g)
    theta = transformer(2 * DIM + 2, 2, 32, 2, g)

    def objective():
        x, y = class_streams(points[:20], 32, 2, 3, g)
        return cross_entropy(black_box.attention_forward(theta, x, y, 2), y).mean()

    optimise(objective, theta.values(), 300, lr=3e-3, clip=1.0)
    x, y = class_streams(points[20:], 500, 2, 3, g)
    with torch.no_grad():
        hits = (black_box.attention_forward(theta, x, y, 2).argmax(2) == y).float()
    accuracy = at_instances(hits, y, 3).mean(1)
    assert accuracy[1] > 0.9 and accuracy[0] < 0.85
