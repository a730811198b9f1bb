"""The multi-task directions against TorchJD, an independent implementation of the same papers."""

import pytest
import torch
from gradients_in_small import difference, random_gradients, seeded
from torchjd import aggregation

from utils.learners.multitask import aligned, cagrad, imtl_g, mgda, nash, pcgrad, random, uniform
from utils.learners.multitask.gradients import gramian

SIZES = [(2, 3), (2, 50), (3, 10), (5, 60), (8, 12), (10, 50)]  # tasks, parameters
SPREADS = (0.0, 0.5)  # lengths from 10^-spread to 10^spread
sizes = pytest.mark.parametrize(("n_tasks", "n_parameters"), SIZES)


def cases(n_tasks, n_parameters, spreads=SPREADS):
    """Several gradients [T, P]: without and with a part in common, of like and unlike lengths, in two units."""
    for seed, spread in enumerate(spreads):
        for shared, unit in ((0.0, 1.0), (0.5, 100.0), (1.0, 0.01)):
            yield unit * random_gradients(n_tasks, n_parameters, seed=seed, spread=spread, shared=shared)


def largest_difference(weights, aggregator, n_tasks, n_parameters, spreads=SPREADS):
    """Of the updates, over all cases. aggregator(): a fresh one for each, since some keep a state."""
    return max(difference(weights(gramian(G)) @ G, aggregator()(G)) for G in cases(n_tasks, n_parameters, spreads))


@sizes
@pytest.mark.parametrize(
    ("weights", "aggregator"),
    [(uniform.weights, aggregation.Mean), (imtl_g.weights, aggregation.IMTLG),
     (aligned.weights, aggregation.AlignedMTL)],
    ids=["uniform", "imtl_g", "aligned"],
)
def test_closed_forms(weights, aggregator, n_tasks, n_parameters):
    assert largest_difference(weights, aggregator, n_tasks, n_parameters, (0.0, 0.5, 1.5)) < 1e-8


@sizes
def test_pcgrad_in_the_order_that_torchjd_draws(n_tasks, n_parameters):
    for seed, G in enumerate(cases(n_tasks, n_parameters)):
        torch.manual_seed(seed)
        expected = aggregation.PCGrad()(G)
        torch.manual_seed(seed)
        drawn = [torch.randperm(n_tasks) for _ in range(n_tasks)]
        order = torch.stack([row[row != i] for i, row in enumerate(drawn)])
        assert difference(pcgrad.weights(gramian(G), order) @ G, expected) < 1e-10


@sizes
def test_mgda(n_tasks, n_parameters):
    """TorchJD's Frank-Wolfe steps come near the solution only; more of them come nearer, and never below ours."""
    for G in cases(n_tasks, n_parameters, spreads=(0.0,)):
        ours = mgda.weights(gramian(G)) @ G
        theirs = aggregation.MGDA(epsilon=1e-7, max_iters=3000)(G)
        assert ours.norm() <= theirs.norm() * (1 + 1e-9)
        assert difference(ours, theirs) < 1e-3
    if n_tasks == 2:
        assert largest_difference(mgda.weights, aggregation.MGDA, n_tasks, n_parameters) < 1e-8


@sizes
@pytest.mark.parametrize("c", [0.3, 0.9])
def test_cagrad(c, n_tasks, n_parameters):
    found = largest_difference(lambda M: cagrad.weights(M, c), lambda: aggregation.CAGrad(c), n_tasks, n_parameters)
    assert found < 1e-4


@sizes
def test_nash(n_tasks, n_parameters):
    """TorchJD starts from equal weights and stops early where lengths differ much; unlimited, the scale agrees too."""
    def aggregator():
        return aggregation.NashMTL(n_tasks, max_norm=0.0, optim_niter=100)

    assert largest_difference(nash.weights, aggregator, n_tasks, n_parameters, (0.0,)) < 1e-4


def test_random_weights_are_distributed_alike():
    """Softmax of normals: sorted weights have the same mean."""
    g, n = seeded(), 4000
    ours = torch.stack([random.weights(3, g) for _ in range(n)])
    torch.manual_seed(0)
    theirs = torch.stack([aggregation.Random()(torch.eye(3)) for _ in range(n)])
    assert (ours > 0).all() and torch.allclose(ours.sum(1), torch.ones(n))
    torch.testing.assert_close(ours.sort(1).values.mean(0), theirs.sort(1).values.mean(0), rtol=0, atol=0.01)
