"""Learners that compare: closed forms, limits, and what may not matter (order, other tasks)."""

import math

import pytest
import torch
import torch.nn.functional as F

from utils.learners import maml, metric
from utils.learners.networks import linear, mlp, repeat
from utils.learners.protonet import proto_logits, prototypes
from utils.tasks.episodes import Episodes

WAY, Y = 3, torch.tensor([[0, 1, 2, 0, 2, 2], [2, 1, 0, 1, 1, 0]])  # shots differ, labels in no order


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def embedded():
    g = seeded()
    x = torch.randn(2, 10, 4, generator=g, dtype=torch.float64)
    return Episodes(x[:, :6], Y, x[:, 6:], torch.randint(WAY, (2, 4), generator=g))


def siamese_head(dim, n_tasks, g):
    return {"w": torch.randn(n_tasks, dim, 1, generator=g, dtype=torch.float64),
            "b": torch.randn(n_tasks, 1, 1, generator=g, dtype=torch.float64)}


def relation_head(dim, g):
    return repeat({name: p.double() for name, p in mlp((2 * dim, 5, 1), g).items()}, 2)


def log_probabilities(embedded, temperature):
    return metric.matching_logits(metric.cosine(embedded.query_x, embedded.support_x) / temperature, Y, WAY)


def scores_of_every_rule(support, y, query, g):
    """Class scores [T, Q, W] of each rule; the siamese one takes the best pair of a class."""
    centres = prototypes(support, y, WAY)
    pairs = metric.siamese_logits(siamese_head(4, 2, g), query, support)
    member = F.one_hot(y, WAY).bool()[:, None]
    return {
        "prototypes": proto_logits(query, centres),
        "matching": metric.matching_logits(metric.cosine(query, support) / 0.3, y, WAY),
        "siamese": pairs[..., None].masked_fill(~member, -math.inf).amax(2),
        "relation": metric.relation_scores(relation_head(4, g), query, centres),
    }


def test_the_order_of_the_support_set_does_not_matter(embedded):
    order = torch.randperm(6, generator=seeded(1))
    before = scores_of_every_rule(*embedded.support, embedded.query_x, seeded(2))
    after = scores_of_every_rule(embedded.support_x[:, order], Y[:, order], embedded.query_x, seeded(2))
    for name in before:
        torch.testing.assert_close(before[name], after[name], msg=name)


def test_renaming_the_classes_renames_the_scores(embedded):
    names = torch.tensor([2, 0, 1])
    before = scores_of_every_rule(*embedded.support, embedded.query_x, seeded(2))
    after = scores_of_every_rule(embedded.support_x, names[Y], embedded.query_x, seeded(2))
    for name in before:
        torch.testing.assert_close(before[name], after[name][..., names], msg=name)


def test_proto_head_is_the_nearest_prototype_up_to_a_constant_of_the_query(embedded):
    centres = prototypes(*embedded.support, WAY)
    head = metric.proto_head(centres)
    logits = linear(embedded.query_x, head["w"], head["b"])
    gap = logits - proto_logits(embedded.query_x, centres)
    torch.testing.assert_close(gap, embedded.query_x.pow(2).sum(2)[..., None].expand_as(gap))
    torch.testing.assert_close(logits.softmax(2), proto_logits(embedded.query_x, centres).softmax(2))


def test_inner_steps_from_the_proto_head_lower_the_support_loss_and_reach_the_embedding(embedded):
    z = embedded.support_x.clone().requires_grad_()
    loss = lambda phi, x, y: maml.cross_entropy(linear(x, phi["w"], phi["b"]), y)  # noqa: E731
    start = metric.proto_head(prototypes(z, Y, WAY))
    phi = maml.adapt(loss, start, (z, Y), 0.05, 3)
    assert (loss(phi, z, Y) < loss(start, z, Y)).all()
    (gradient,) = torch.autograd.grad(loss(phi, *embedded.query).sum(), z)
    assert (gradient.abs().sum(2) > 0).all()


def test_matching_gives_probabilities_and_is_bounded_by_the_cosine(embedded):
    shares = log_probabilities(embedded, 1.0).exp()
    torch.testing.assert_close(shares.sum(2), torch.ones(2, 4, dtype=torch.float64))
    assert shares.max() < 3 * math.e / (3 * math.e + 3 / math.e)  # at most 3 shots at cosine 1, the others at -1


def test_matching_by_hand(embedded):
    q, s = embedded.query_x[1, 2], embedded.support_x[1]
    angle = torch.stack([q @ v / q.norm() / v.norm() for v in s])
    weight = (angle / 0.3).exp() / (angle / 0.3).exp().sum()
    expected = torch.stack([weight[Y[1] == c].sum() for c in range(WAY)]).log()
    torch.testing.assert_close(log_probabilities(embedded, 0.3)[1, 2], expected)


def test_cold_matching_is_the_nearest_neighbour(embedded):
    nearest = metric.cosine(embedded.query_x, embedded.support_x).argmax(2)
    assert torch.equal(log_probabilities(embedded, 1e-3).argmax(2), Y.gather(1, nearest))


def test_hot_matching_with_squared_distances_is_prototypes_plus_spread():
    g = seeded()
    x = torch.randn(1, 9, 2, generator=g, dtype=torch.float64)
    y = torch.tensor([[0, 1, 2] * 3])
    query = torch.randn(1, 200, 2, generator=g, dtype=torch.float64)
    hot = metric.matching_logits(-torch.cdist(query, x).pow(2) / 1e5, y, WAY)
    centres = prototypes(x, y, WAY)
    spread = torch.stack([(x[0, y[0] == c] - centres[0, c]).pow(2).sum(1).mean() for c in range(WAY)])
    assert torch.equal(hot.argmax(2), (proto_logits(query, centres) - spread).argmax(2))


def test_siamese_logits_by_hand(embedded):
    phi = siamese_head(4, 2, seeded(3))
    found = metric.siamese_logits(phi, embedded.query_x, embedded.support_x)
    for t, q, s in ((0, 1, 5), (1, 3, 0)):
        gap = (embedded.query_x[t, q] - embedded.support_x[t, s]).abs()
        torch.testing.assert_close(found[t, q, s], gap @ phi["w"][t, :, 0] + phi["b"][t, 0, 0])
    swapped = metric.siamese_logits(phi, embedded.support_x, embedded.query_x)
    torch.testing.assert_close(found, swapped.mT)


def test_siamese_loss_gives_equal_pairs_half_the_weight():
    x = torch.tensor([[[0.0], [4.0], [9.0]]])
    episodes = Episodes(x, torch.tensor([[0, 1, 2]]), torch.tensor([[[1.0]]]), torch.tensor([[0]]))
    phi = {"w": torch.full((1, 1, 1), -1.0), "b": torch.full((1, 1, 1), 2.0)}  # logits 1, -1, -6
    same, other = math.log1p(math.exp(-1)), (math.log1p(math.exp(-1)) + math.log1p(math.exp(-6))) / 2
    torch.testing.assert_close(metric.siamese_loss(phi, episodes), torch.tensor([(same + other) / 2]))


def test_relation_scores_read_the_query_beside_the_class(embedded):
    centres = prototypes(*embedded.support, WAY)
    phi = relation_head(4, seeded(4))
    found = metric.relation_scores(phi, embedded.query_x, centres)
    pair = torch.cat([embedded.query_x[1, 2], centres[1, 0]])
    hidden = (pair @ phi["w1"][1] + phi["b1"][1, 0]).relu()
    torch.testing.assert_close(found[1, 2, 0], (hidden @ phi["w2"][1] + phi["b2"][1, 0]).sigmoid()[0])


def test_relation_loss_is_a_squared_error_against_one_and_zero():
    scores = torch.tensor([[[0.9, 0.2], [0.5, 0.5]]])
    loss = metric.relation_loss(scores, torch.tensor([[0, 1]]))
    torch.testing.assert_close(loss, torch.tensor([(0.01 + 0.04 + 0.25 + 0.25) / 4]))


@pytest.mark.parametrize("name", ["prototypes", "matching", "siamese", "relation"])
def test_gradients_reach_the_support_of_the_own_task_alone(embedded, name):
    support = embedded.support_x.clone().requires_grad_()
    scores = scores_of_every_rule(support, Y, embedded.query_x, seeded(2))[name]
    (gradient,) = torch.autograd.grad(scores[0].square().sum(), support)
    assert (gradient[0].abs().sum(1) > 0).sum() >= (3 if name == "siamese" else 6)
    assert (gradient[1] == 0).all()
