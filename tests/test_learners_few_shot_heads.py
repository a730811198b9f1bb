"""ANIL and the transformer over support sets, on embeddings: what they may see, and that they learn."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from utils.learners import few_shot
from utils.learners.networks import trainable


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def embedded(n_tasks=3, k_shot=2):
    return few_shot.embedded_episodes(torch.randn(9, 6, 8, generator=seeded()), n_tasks, 4, k_shot, 3, seeded(1))


def heads():
    reader = few_shot.set_transformer(8, 4, seeded(2))
    reader["read"].data = torch.randn(reader["read"].shape, generator=seeded(3))
    return {"ANIL": (few_shot.anil_logits, few_shot.anil_head(8, 4)), "transformer": (few_shot.set_logits, reader)}


def test_embedded_episodes_keep_support_and_query_apart():
    z = (torch.arange(9)[:, None] * 10 + torch.arange(6))[..., None] + torch.tensor([0.0, 1000.0, 3.0])
    episodes = few_shot.embedded_episodes(z, 5, 4, 2, 3, seeded())
    assert episodes.support_x.shape == (5, 8, 3) and episodes.query_x.shape == (5, 12, 3)
    torch.testing.assert_close(episodes.support_x.mean(2), torch.zeros(5, 8), atol=1e-4, rtol=0)
    episodes = few_shot.embedded_episodes(torch.randn(9, 6, 50, generator=seeded()), 5, 4, 2, 3, seeded())
    same = (episodes.support_x[:, :, None] == episodes.query_x[:, None]).all(3)
    assert not same.any()
    with pytest.raises(ValueError, match="need 7 images of each class, found 6"):
        few_shot.embedded_episodes(z, 5, 4, 4, 3, seeded())


@pytest.mark.parametrize("name", heads())
def test_neither_the_order_of_the_support_set_nor_other_queries_change_an_answer(name):
    logits, head = heads()[name]
    episodes = embedded()
    said = logits(head, episodes)
    order = torch.randperm(8, generator=seeded(4))
    mixed = replace(episodes, support_x=episodes.support_x[:, order], support_y=episodes.support_y[:, order])
    torch.testing.assert_close(logits(head, mixed), said)
    alone = replace(episodes, query_x=episodes.query_x[:, 5:6], query_y=episodes.query_y[:, 5:6] * 0)
    torch.testing.assert_close(logits(head, alone), said[:, 5:6])
    wrong = replace(episodes, support_y=episodes.support_y.flip(1))
    assert (logits(head, wrong) - said).abs().max() > 1e-3


def test_anil_is_gradient_descent_on_the_linear_layer_of_each_task():
    head, episodes = few_shot.anil_head(8, 4), embedded()
    for t in range(3):
        w, b = torch.zeros(8, 4, requires_grad=True), torch.zeros(4, requires_grad=True)
        optimiser = torch.optim.SGD([w, b], lr=0.5)
        for _ in range(3):
            optimiser.zero_grad()
            F.cross_entropy(episodes.support_x[t] @ w + b, episodes.support_y[t]).backward()
            optimiser.step()
        torch.testing.assert_close(few_shot.anil_logits(head, episodes)[t], episodes.query_x[t] @ w + b)


def test_anil_learns_its_rates_and_its_start():
    head = few_shot.anil_head(8, 4)
    few_shot.anil_logits(head, embedded())[..., 0].sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in head.values())


@pytest.mark.parametrize("name", heads())
def test_meta_train_learns_and_repeats_itself(name):
    shapes = (torch.rand(30, 1, 12, 12, generator=seeded()) < 0.4).float()
    noisy = (200 * shapes + 50 * torch.rand(30, 8, 12, 12, generator=seeded())).to(torch.uint8)

    def run():
        losses, logits, steps = [], heads()[name][0], 60 if name == "ANIL" else 200  # attention first has a plateau
        head = few_shot.anil_head(72, 4) if name == "ANIL" else few_shot.set_transformer(72, 4, seeded())
        body = few_shot.meta_train(logits, head, noisy, steps, seeded(), (4, 8), 4, 1, 16, (15, 3), losses.append)
        return losses, body, trainable(head)

    losses, body, head = run()
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    _, body_again, head_again = run()
    assert all(torch.equal(body[n], body_again[n]) for n in body)
    assert all(torch.equal(head[n], head_again[n]) for n in head)


def test_accuracy_counts_episodes_and_hits():
    far_apart = 9 * F.one_hot(torch.arange(6), 6).float()[:, None].expand(6, 4, 6)
    scores = few_shot.accuracy(few_shot.anil_logits, few_shot.anil_head(6, 4), far_apart, 4, 1, 130, seeded())
    assert scores.shape == (130,) and (scores == 1).all()
