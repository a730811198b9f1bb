"""The multi-task directions against TorchJD, an independent implementation of the same papers."""

import cvxpy
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
    """TorchJD's Frank-Wolfe steps come near, by 1 / steps: never shorter than ours, and no further than that allows.

    For any point d of the hull, |d - shortest|^2 <= |d|^2 - |shortest|^2. Clarabel solves the same problem exactly.
    """
    for G in cases(n_tasks, n_parameters):
        ours = mgda.weights(gramian(G)) @ G
        theirs = aggregation.MGDA(epsilon=1e-7, max_iters=1000)(G)
        excess = theirs @ theirs - ours @ ours
        assert -1e-9 * (ours @ ours) <= excess <= 0.05 * (ours @ ours)
        assert (theirs - ours) @ (theirs - ours) <= excess + 1e-9 * (ours @ ours)
        assert difference(ours, shortest(G)) < 1e-4


def shortest(G):
    """The nearest point to 0 in the hull of the rows, by cvxpy."""
    w = cvxpy.Variable(len(G), nonneg=True)
    unit = G.norm(dim=1).min()
    problem = cvxpy.Problem(cvxpy.Minimize(cvxpy.sum_squares((G / unit).numpy().T @ w)), [cvxpy.sum(w) == 1])
    problem.solve(cvxpy.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    return torch.from_numpy(w.value) @ G


@sizes
@pytest.mark.parametrize("c", [0.3, 0.9])
def test_cagrad(c, n_tasks, n_parameters):
    """The general solver inside TorchJD stops at 1e-4; where we differ, our worst case is the better one."""
    for G in cases(n_tasks, n_parameters):
        ours, theirs = cagrad.weights(gramian(G), c) @ G, aggregation.CAGrad(c)(G)
        assert difference(ours, theirs) < 3e-4
        scale = G.norm(dim=1).max() * G.mean(0).norm()
        assert (G @ ours).min() >= (G @ theirs).min() - 1e-8 * scale


@sizes
@pytest.mark.filterwarnings("ignore:You are solving a parameterized problem")
def test_nash(n_tasks, n_parameters):
    """The same scale too, without TorchJD's limit of the length. Its rounds do not always end at the solution."""
    pytest.importorskip("ecos", reason="TorchJD's Nash-MTL needs ecos, which this Python or machine has no build of")
    solved = []
    for G in cases(n_tasks, n_parameters):
        M = gramian(G)
        ours = nash.weights(M)
        theirs = aggregation.NashMTL(n_tasks, max_norm=0.0, optim_niter=100).weighting(G)
        assert (M @ ours * ours - 1).abs().max() < 1e-9
        if (M @ theirs * theirs - 1).abs().max() < 1e-4:
            solved.append(difference(ours @ G, theirs @ G))
    assert len(solved) >= 3 and max(solved) < 1e-4


def test_random_weights_are_distributed_alike():
    """Softmax of normals: sorted weights have the same mean."""
    g, n = seeded(), 4000
    ours = torch.stack([random.weights(3, g) for _ in range(n)])
    torch.manual_seed(0)
    theirs = torch.stack([aggregation.Random()(torch.eye(3)) for _ in range(n)])
    assert (ours > 0).all() and torch.allclose(ours.sum(1), torch.ones(n))
    torch.testing.assert_close(ours.sort(1).values.mean(0), theirs.sort(1).values.mean(0), rtol=0, atol=0.01)
