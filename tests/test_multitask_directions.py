"""Multi-task directions: what each promises, closed forms, symmetries, and gradients that depend on each other."""

import math

import pytest
import torch
from gradients_in_small import difference, plane, random_gradients, seeded, update

from utils.learners.multitask import aligned, cagrad, imtl_g, mgda, nash, pcgrad, uniform
from utils.learners.multitask.gradients import gramian

G_OF = {
    "few": lambda: random_gradients(40, 3, 20),
    "many": lambda: random_gradients(40, 10, 50, shared=0.3),
    "far apart": lambda: random_gradients(40, 7, 12, spread=2.0),
}
everywhere = pytest.mark.parametrize("kind", G_OF)


@everywhere
def test_mgda_is_the_shortest_vector_of_the_hull(kind):
    """Its conditions: every inner product with d is |d|^2 or more, and equal to it where the weight is positive."""
    G = G_OF[kind]()
    w = mgda.weights(gramian(G))
    d = (w[..., None, :] @ G)[..., 0, :]
    squared = (d * d).sum(-1, keepdim=True)
    products = (G @ d[..., None])[..., 0]
    scale = squared.sqrt() * G.norm(dim=-1)
    assert (w >= 0).all() and torch.allclose(w.sum(-1), torch.ones(()).double())
    assert ((products - squared) / scale).min() > -1e-6
    assert (w * (products - squared) / squared).abs().max() < 1e-6


def test_mgda_of_two_tasks_has_the_closed_form_of_many():
    G = torch.cat([random_gradients(50, 2, 3), random_gradients(50, 2, 3, spread=1.5, seed=1)])
    w = mgda.weights(gramian(G))
    third = torch.cat([G, 100 * G.sum(-2, keepdim=True)], dim=-2)  # a task that the hull's nearest point never needs
    torch.testing.assert_close(mgda.weights(gramian(third))[..., :2], w, rtol=0, atol=1e-6)
    assert ((w == 0) | (w == 1)).any() and ((w > 0) & (w < 1)).any()


@everywhere
@pytest.mark.parametrize("c", [0.0, 0.3, 0.9, 1.0, 1.8])
def test_no_update_in_cagrads_ball_has_a_better_worst_case(kind, c):
    """d lies in the ball; neither random points nor steps along the gradients, back in the ball, do better."""
    G = G_OF[kind]()
    mean, d = G.mean(-2), update(lambda M: cagrad.weights(M, c), G)
    radius = c * mean.norm(dim=-1, keepdim=True)
    assert ((d - mean).norm(dim=-1, keepdim=True) <= radius + 1e-6 * mean.norm(dim=-1, keepdim=True)).all()

    def worst(update):
        return (G @ update[..., None])[..., 0].amin(-1)

    best = worst(d) + 1e-6 * G.norm(dim=-1).amax(-1) * mean.norm(dim=-1)
    g = seeded(1)
    for size in [1, 0.1, 0.01, 1e-3] * 50:
        step = torch.randn(d.shape, generator=g, dtype=d.dtype)
        along = torch.randn(*d.shape[:-1], 1, G.shape[-2], generator=g, dtype=d.dtype) @ G
        for move in (step, along[..., 0, :]):
            other = d + size * radius * move / move.norm(dim=-1, keepdim=True) - mean
            other = mean + other * (radius / other.norm(dim=-1, keepdim=True).clamp(min=1e-12)).clamp(max=1)
            assert (worst(other) <= best).all()


def test_cagrad_without_a_ball_is_the_mean_and_rests_where_a_large_ball_holds_zero():
    G = random_gradients(30, 4, 6)
    torch.testing.assert_close(cagrad.weights(gramian(G), 0.0), uniform.weights(gramian(G)))
    opposed = torch.stack([G[:, 0], -2 * G[:, 0]], dim=1)
    assert update(lambda M: cagrad.weights(M, 1.5), opposed).norm(dim=-1).max() < 1e-4
    shrunk = update(lambda M: cagrad.weights(M, 0.4), opposed)
    torch.testing.assert_close(shrunk, 0.6 * opposed.mean(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("c", [0.2, 0.9, 1.0, 1.7])
def test_cagrads_closed_form_for_two_tasks_is_what_the_solver_finds(c):
    M = gramian(random_gradients(200, 2, 3, spread=0.3))
    radius = c * M.mean((-1, -2))[..., None].sqrt()
    of_two, of_many = cagrad.of_two(M, radius), cagrad.of_many(M, radius)
    assert difference(of_many, of_two) < 1e-5


@everywhere
def test_nash_weights_solve_the_bargain(kind):
    M = gramian(G_OF[kind]())
    w = nash.weights(M)
    assert (w > 0).all()
    torch.testing.assert_close(w * (M @ w[..., None])[..., 0], torch.ones_like(w), rtol=0, atol=1e-6)


@everywhere
def test_imtl_g_projects_equally_on_every_task(kind):
    G = G_OF[kind]()
    w = imtl_g.weights(gramian(G))
    d = (w[..., None, :] @ G)[..., 0, :]
    projections = (G @ d[..., None])[..., 0] / G.norm(dim=-1)
    same = projections.mean(-1, keepdim=True).expand_as(projections)
    torch.testing.assert_close(projections, same, rtol=1e-6, atol=0)
    torch.testing.assert_close(w.sum(-1), torch.ones_like(w[..., 0]))


@everywhere
def test_aligned_gradients_are_orthogonal_and_as_long_as_the_least_direction(kind):
    """The weights are linear in the preference: e_t instead of 1/T gives row t of the balanced gradients."""
    G = G_OF[kind]()
    U, s, V = torch.linalg.svd(G, full_matrices=False)
    balanced = s[..., -1:, None] * (U @ V)  # the orthogonal matrix next to G, at the smallest singular value
    torch.testing.assert_close(update(aligned.weights, G), balanced.mean(-2))


def test_pcgrad_follows_the_papers_loop():
    """Algorithm 1 on the vectors themselves, in a random order."""
    for seed in range(5):
        G = random_gradients(6, 9, seed=seed)
        order = pcgrad.random_order(6, seeded(seed))
        total = torch.zeros(9).double()
        for i in range(6):
            g = G[i].clone()
            for j in order[i].tolist():
                if g @ G[j] < 0:
                    g = g - (g @ G[j]) / (G[j] @ G[j]) * G[j]
            total += g
        torch.testing.assert_close(pcgrad.weights(gramian(G), order) @ G, total)


def test_pcgrad_changes_conflicts_alone():
    agreeing = random_gradients(5, 9).abs()
    assert torch.equal(pcgrad.weights(gramian(agreeing)), torch.ones(5).double())
    G = plane(150.0, 3.0)
    first = pcgrad.weights(gramian(G)) @ G - (G[1] - (G[1] @ G[0]) * G[0])  # without what the second task adds
    assert abs(first @ G[1]) < 1e-12 and first @ G[0] > 0


def test_random_orders_hold_every_partner_once_and_depend_on_the_seed():
    orders = [pcgrad.random_order(5, seeded(seed)) for seed in (1, 1, 2)]
    assert torch.equal(orders[0], orders[1]) and not torch.equal(orders[0], orders[2])
    for i, row in enumerate(orders[0].tolist()):
        assert sorted(row) == [j for j in range(5) if j != i]
    with pytest.raises(ValueError, match=r"expected an order \[3, 2\] with all other.*random_order\(3, generator\)"):
        pcgrad.weights(torch.eye(3), torch.tensor([[1, 2], [0, 1], [0, 1]]))


@pytest.mark.parametrize(("angle", "ratio"), [(30.0, 1.0), (90.0, 4.0), (150.0, 5.0)])
def test_two_gradients_in_the_plane_have_known_updates(angle, ratio):
    """Closed forms for two tasks: IMTL-G and Nash bisect the angle, Nash with length sqrt(2)."""
    G = plane(angle, ratio)
    bisector = plane(angle / 2)[1]
    torch.testing.assert_close(update(nash.weights, G), math.sqrt(2) * bisector)
    w = imtl_g.weights(gramian(G))
    torch.testing.assert_close(w, torch.tensor([ratio, 1.0]).double() / (1 + ratio))
