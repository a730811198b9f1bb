"""Intervals cover what they promise; stacked networks are the single ones side by side."""

import pytest
import torch

from utils.learners.intervals import mean_interval
from utils.learners.networks import mlp, mlp_forward, repeat, stack


@pytest.mark.parametrize("count", [2, 3, 6, 30, 200])
def test_19_of_20_intervals_hold_the_true_mean(count):
    values = 3 + 2 * torch.randn(count, 20000, generator=torch.Generator().manual_seed(count))
    mean, half = mean_interval(values)
    assert abs(((mean - 3).abs() <= half).double().mean().item() - 0.95) < 0.01


def test_intervals_along_any_axis_of_lists_and_whole_numbers():
    mean, half = mean_interval([1, 2, 3])
    assert mean.item() == 2 and abs(half.item() - 4.303 / 3**0.5) < 1e-3
    values = torch.rand(4, 5, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(torch.stack(mean_interval(values, dim=1)), torch.stack(mean_interval(values.T)))
    with pytest.raises(ValueError, match="at least two independent values, found 1"):
        mean_interval([1.0])


def test_stacked_networks_are_the_single_ones_side_by_side():
    generator = torch.Generator().manual_seed(0)
    thetas = [mlp((3, 4, 2), generator) for _ in range(3)]
    x = torch.randn(3, 5, 3, generator=generator)
    together = stack(thetas)
    alone = torch.cat([mlp_forward(repeat(theta, 1), x[i : i + 1]) for i, theta in enumerate(thetas)])
    assert torch.allclose(mlp_forward(together, x), alone, atol=1e-6)
    assert all(p.is_leaf and p.requires_grad for p in together.values())
