"""PPO's pieces against sums, autograd, torch's distributions and limits."""

import pytest
import torch

from benchmarks.measure import seeded
from utils.learners.policy_gradient import (
    advantages,
    clipped_loss,
    draw,
    entropy,
    epochs,
    log_prob,
    returns_to_go,
    standardised,
)


def test_returns_are_the_discounted_sums_that_they_say():
    """Against the double sum, with ends inside the row."""
    reward = torch.randn(6, 9, generator=seeded(0), dtype=torch.float64)
    end = torch.rand(6, 9, generator=seeded(1)) < 0.3
    found = returns_to_go(reward, end, 0.9)
    for i in range(6):
        for t in range(9):
            total, u = 0.0, t
            while True:
                total += 0.9 ** (u - t) * reward[i, u].item()
                if end[i, u] or u == 8:
                    break
                u += 1
            assert found[i, t].item() == pytest.approx(total)


def test_advantages_at_both_ends_of_lambda():
    """lam = 1: returns-to-go minus values; lam = 0: the surprise of one step."""
    reward, value = torch.randn(2, 5, 7, generator=seeded(0), dtype=torch.float64)
    never = torch.zeros(5, 7, dtype=torch.bool)
    torch.testing.assert_close(advantages(reward, value, 0.9, 1.0), returns_to_go(reward, never, 0.9) - value)
    following = torch.cat([value[:, 1:], torch.zeros(5, 1)], 1)
    torch.testing.assert_close(advantages(reward, value, 0.9, 0.0), reward + 0.9 * following - value)


def test_perfect_values_leave_no_advantage():
    """Where the values are the returns themselves nothing is better than expected."""
    reward = torch.randn(4, 8, generator=seeded(0), dtype=torch.float64)
    value = returns_to_go(reward, torch.zeros(4, 8, dtype=torch.bool), 0.95)
    assert advantages(reward, value, 0.95, 0.7).abs().max() < 1e-12


def test_clipped_loss_has_the_policy_gradient_at_the_old_policy():
    """At rho = 1 the gradient is that of -A log pi."""
    logits = torch.randn(50, 4, generator=seeded(0), dtype=torch.float64).requires_grad_()
    action, advantage = torch.randint(4, (50,), generator=seeded(1)), torch.randn(50, generator=seeded(2)).double()
    log_p = log_prob(logits, action)
    (ours,) = torch.autograd.grad(clipped_loss(log_p, log_p, advantage).sum(), logits, retain_graph=True)
    (plain,) = torch.autograd.grad(-(advantage * log_p).sum(), logits)
    torch.testing.assert_close(ours, plain)


@pytest.mark.parametrize(("ratio", "advantage", "moves"), [(1.5, 1, False), (1.5, -1, True), (0.5, 1, True),
                                                           (0.5, -1, False), (1.1, 1, True), (0.9, -1, True)])
def test_clipping_stops_what_has_gone_far_enough(ratio, advantage, moves):
    """No gradient once the ratio has left the range in the direction that the advantage asks for."""
    log_p = torch.tensor(ratio).log().requires_grad_()
    clipped_loss(log_p, torch.tensor(0.0), torch.tensor(float(advantage))).backward()
    assert (log_p.grad != 0).item() == moves


def test_draws_follow_the_softmax():
    """Frequencies against probabilities; log_prob and entropy against torch.distributions."""
    logits = torch.tensor([0.0, 1.0, -2.0, 0.5])
    action = draw(logits.expand(40_000, 4), seeded(0))
    assert torch.allclose(torch.bincount(action, minlength=4) / 40_000, logits.softmax(0), atol=0.01)
    peer = torch.distributions.Categorical(logits=logits.expand(40_000, 4))
    torch.testing.assert_close(log_prob(logits.expand(40_000, 4), action), peer.log_prob(action))
    torch.testing.assert_close(entropy(logits), peer.entropy()[0])


def test_standardised_has_mean_zero_and_deviation_one():
    """Over all entries together."""
    x = standardised(3 + 5 * torch.randn(10, 12, generator=seeded(0)))
    assert x.mean().abs() < 1e-5 and (x.std() - 1).abs() < 1e-5


def test_epochs_visit_every_trial_once_a_pass():
    """Each pass is a partition of the trials."""
    weight, seen = torch.zeros(1, requires_grad=True), []

    def loss(index):
        seen.append(index)
        return (weight - 1).pow(2).sum()

    epochs(loss, 10, [weight], torch.optim.SGD([weight], 0.1), seeded(0), passes=3, parts=4)
    assert sorted(torch.cat(seen).tolist()) == sorted(3 * list(range(10))) and weight.item() > 0.5
