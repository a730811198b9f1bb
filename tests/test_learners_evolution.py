"""Evolution strategies against the gradients that they must estimate."""

import pytest
import torch

from utils.learners import evolution

THETA = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_mean_estimate_is_the_gradient_of_a_quadratic():
    A = torch.tensor([[2.0, 0.3, 0.0], [0.3, 1.0, 0.1], [0.0, 0.1, 0.5]], dtype=torch.float64)
    quadratic = lambda x: ((x @ A) * x).sum(1) / 2  # noqa: E731
    estimate = evolution.antithetic(quadratic, THETA, 0.3, 200_000, seeded())
    assert torch.allclose(estimate, A @ THETA, atol=0.02)


def test_it_is_the_gradient_of_the_smoothed_objective_not_of_the_objective():
    """E[sin(f (x + sigma e))] = exp(-(f sigma)^2 / 2) sin(f x), by the characteristic function of the normal law."""
    f, sigma, x = 10.0, 0.1, torch.tensor([0.05], dtype=torch.float64)
    estimate = evolution.antithetic(lambda v: torch.sin(f * v[:, 0]), x, sigma, 200_000, seeded())
    smooth = f * torch.exp(torch.tensor(-((f * sigma) ** 2) / 2)) * torch.cos(f * x)
    assert torch.allclose(estimate, smooth, atol=0.05)
    assert not torch.allclose(estimate, f * torch.cos(f * x), atol=1.0)


def test_mirrored_noise_keeps_the_variance_as_sigma_shrinks():
    line = lambda v: 5.0 + v @ torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)  # noqa: E731
    for sigma in (1.0, 1e-6):
        spread = torch.stack([evolution.antithetic(line, THETA, sigma, 4, seeded(s)) for s in range(200)]).std(0)
        assert (spread < 5).all()


def test_a_jump_has_a_gradient_when_smoothed():
    """The step function's smoothed slope is the normal density, 1/sqrt(2 pi) at the jump; its own slope is zero."""
    step = lambda v: (v[:, 0] > 0).double()  # noqa: E731
    estimate = evolution.antithetic(step, torch.zeros(1, dtype=torch.float64), 1.0, 100_000, seeded())
    assert abs(estimate.item() - 0.3989) < 0.005


def test_samples_come_in_one_call_and_the_generator_decides():
    shapes = []
    values = lambda v: shapes.append(tuple(v.shape)) or v.sum(1)  # noqa: E731
    first, again, other = (evolution.antithetic(values, THETA, 0.1, 8, seeded(s)) for s in (0, 0, 1))
    assert shapes == [(16, 3)] * 3 and torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize(("sigma", "pairs"), [(0.0, 4), (-0.1, 4), (0.1, 0)])
def test_what_cannot_be_estimated_is_refused(sigma, pairs):
    with pytest.raises(ValueError, match="pairs >= 1 and sigma > 0, found"):
        evolution.antithetic(lambda v: v.sum(1), THETA, sigma, pairs, seeded())
