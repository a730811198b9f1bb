"""Loss weightings against autograd, finite differences and closed forms."""

import math

import pytest
import torch
from gradients_in_small import seeded

from utils.learners.multitask import dwa, famo, gradnorm, random, uncertainty


def test_uncertainty_is_the_negative_log_likelihood():
    """Regression: a Gaussian of variance exp(s), less its constant. Classification: the softmax at temperature exp(s)
    to the paper's approximation, L exp(-s) + s / 2."""
    x, mean, s = torch.randn(1000, generator=seeded()).double(), 0.3, torch.tensor([0.4, -0.2]).double()
    losses = torch.stack([(x - mean).pow(2).mean(), torch.tensor(0.7).double()])
    normal = torch.distributions.Normal(torch.tensor(mean).double(), (s[0] / 2).exp())
    likelihood = -normal.log_prob(x).mean() - 0.5 * math.log(2 * math.pi)
    expected = likelihood + 0.7 * math.exp(0.2) - 0.1
    torch.testing.assert_close(uncertainty.loss(losses, s, torch.tensor([True, False])), expected)


def test_learned_uncertainties_end_at_the_logarithm_of_the_loss():
    losses, regression = torch.tensor([0.01, 3.0, 0.5]), torch.tensor([True, True, False])
    s = torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.Adam([s], lr=0.05)
    for _ in range(2000):
        optimiser.zero_grad()
        uncertainty.loss(losses, s, regression).backward()
        optimiser.step()
    torch.testing.assert_close(s.detach(), torch.tensor([0.01, 3.0, 1.0]).log(), rtol=0, atol=1e-3)


def test_uncertainty_weights_the_gradients_of_the_losses():
    losses = torch.tensor([1.0, 2.0], requires_grad=True)
    uncertainty.loss(losses, torch.tensor([1.0, -1.0]), torch.tensor([True, False])).backward()
    torch.testing.assert_close(losses.grad, torch.tensor([0.5 * math.exp(-1), math.exp(1)]))


def test_gradnorm_moves_down_the_gradient_of_its_loss():
    """Against autograd through sum |w n - target|, the target a constant."""
    g = seeded()
    norms, losses, first = (0.5 + torch.rand(4, generator=g).double() for _ in range(3))
    w = (torch.rand(4, generator=g).double() + 0.5).requires_grad_()
    moved, target = gradnorm.step(w, norms, losses, first, alpha=1.5, rate=0.01)
    ratio = losses / first
    expected_target = (w * norms).mean().detach() * (ratio / ratio.mean()).pow(1.5)
    torch.testing.assert_close(target, expected_target)
    (w * norms - expected_target).abs().sum().backward()
    expected = w.detach() - 0.01 * w.grad
    torch.testing.assert_close(moved, 4 * expected / expected.sum())
    assert not moved.requires_grad


def test_gradnorm_equalises_gradients_and_favours_a_task_that_lags():
    w, norms, ones = torch.ones(3), torch.tensor([10.0, 1.0, 0.1]), torch.ones(3)
    for _ in range(20000):
        w, _ = gradnorm.step(w, norms, ones, ones, alpha=1.0, rate=1e-4)
    lengths = w * norms
    assert (lengths / lengths.mean() - 1).abs().max() < 0.05 and abs(w.sum() - 3) < 1e-5
    lagging = torch.tensor([1.0, 0.2, 0.2])
    _, target = gradnorm.step(ones, ones, lagging, ones, alpha=1.0, rate=0.1)
    assert target[0] > 2 * target[1] and target[1] == target[2]
    least, _ = gradnorm.step(ones, torch.tensor([100.0, 1.0, 1.0]), ones, ones, alpha=1.0, rate=1.0)
    assert least.min() > 0 and abs(least.sum() - 3) < 1e-5


def test_dwa_favours_what_falls_slowly():
    before, last = torch.tensor([2.0, 2.0, 2.0]), torch.tensor([2.0, 1.0, 0.5])
    w = dwa.weights(before, last)
    torch.testing.assert_close(w[0] / w[1], torch.tensor(math.exp(0.25)))
    torch.testing.assert_close(w.sum(), torch.tensor(3.0))
    torch.testing.assert_close(dwa.weights(before, before), torch.ones(3))
    torch.testing.assert_close(dwa.weights(before, last, temperature=1e6), torch.ones(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(dwa.weights(10 * before, 10 * last), w)
    with pytest.raises(ValueError, match="a temperature above 0, found 0"):
        dwa.weights(before, last, 0.0)


def test_random_weights_depend_on_the_generator_alone():
    first, again, other = (random.weights(5, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    torch.testing.assert_close(first.sum(), torch.tensor(1.0))


def test_famo_descends_the_weighted_log_losses():
    """sum w L has the gradient of c sum z log L, c = 1 / sum(z / L): the paper's update, against autograd."""
    logits = torch.tensor([0.3, -0.5, 1.0])
    losses = torch.tensor([0.2, 5.0, 1.0], requires_grad=True)
    w = famo.weights(logits, losses)
    z = logits.softmax(0)
    c = 1 / (z / losses.detach()).sum()
    (c * z * losses.log()).sum().backward()
    torch.testing.assert_close(w, losses.grad)
    torch.testing.assert_close(w.sum(), torch.tensor(1.0))
    with pytest.raises(ValueError, match="expected positive losses"):
        famo.weights(logits, torch.tensor([1.0, 0.0, 1.0]))


def test_famo_moves_the_logits_down_the_gradient():
    """Against autograd through sum z (log before - log after), and the decay."""
    logits = torch.tensor([0.3, -0.5, 1.0], requires_grad=True)
    before, after = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 1.9, 3.1])
    (logits.softmax(0) * (before.log() - after.log())).sum().backward()
    torch.testing.assert_close(famo.slope(logits, before, after), logits.grad)
    moved = famo.step(logits, before, after, rate=0.1, decay=0.01)
    torch.testing.assert_close(moved, logits.detach() - 0.1 * (logits.grad + 0.01 * logits.detach()))
    z, before_z = moved.softmax(0), logits.detach().softmax(0)
    assert z[0] < before_z[0] and z[2] > before_z[2]  # what fell most loses weight


def test_famo_is_content_when_all_fall_alike():
    logits, before = torch.tensor([0.3, -0.5, 1.0]), torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(famo.step(logits, before, 0.9 * before, decay=0.0), logits)
