"""iMAML against the closed form, against a long unrolled loop, and in memory; Reptile against its limits."""

import pytest
import torch

from utils.learners import imaml, maml, reptile
from utils.learners.memory import bytes_kept
from utils.learners.networks import mlp, mlp_forward, repeat, trainable
from utils.tasks.episodes import Episodes
from utils.tasks.sinusoids import sinusoid_episodes


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def sine_loss(phi, x, y):
    return maml.mean_squared_error(mlp_forward(phi, x), y)


def smooth_loss(phi, x, y):
    """The same with tanh: at a kink of a ReLU no derivative of the minimum exists."""
    return maml.mean_squared_error(torch.tanh(x @ phi["w1"] + phi["b1"]) @ phi["w2"] + phi["b2"], y)


def quadratic(phi, H, c):
    """Each task's loss (v - c)' H (v - c) / 2; H [T, D, D], c [T, D, D] with the centre in its first row."""
    d = phi["v"] - c[:, 0]
    return (d[:, None] @ H @ d[..., None])[:, 0, 0] / 2


@pytest.fixture
def valleys():
    """Four quadratic tasks in three dimensions: support and query differ."""
    def spd():
        a = torch.randn(4, 3, 3, generator=seeded(int(torch.randint(99, (1,), generator=g))), dtype=torch.float64)
        return a @ a.mT / 3 + 0.1 * torch.eye(3, dtype=torch.float64)

    g = seeded(3)
    c = [torch.randn(4, 1, 3, generator=g, dtype=torch.float64).expand(-1, 3, -1) for _ in range(2)]
    return Episodes(spd(), c[0], spd(), c[1])


def test_the_implicit_gradient_is_the_closed_form_on_quadratics(valleys):
    theta = {"v": torch.randn(3, generator=seeded(1), dtype=torch.float64)}
    strength = 0.7
    loss, gradient = imaml.implicit_gradient(quadratic, theta, valleys, 0.2, 2000, strength, cg_steps=3)
    eye, (H, c), (Q, m) = torch.eye(3, dtype=torch.float64), valleys.support, valleys.query
    phi = torch.linalg.solve(H + strength * eye, (H @ c[:, 0, :, None]) + strength * theta["v"][:, None])
    slope = Q @ (phi - m[:, 0, :, None])
    by_hand = strength * torch.linalg.solve(H + strength * eye, slope)[..., 0]
    assert torch.allclose(gradient["v"], by_hand.mean(0))
    assert torch.allclose(loss, quadratic({"v": phi[..., 0]}, Q, m).mean())


def test_the_implicit_gradient_is_that_of_a_long_unrolled_loop():
    g = seeded()
    theta = trainable({name: p.double() for name, p in mlp((1, 6, 1), g).items()})
    e = sinusoid_episodes(3, 8, 8, g)
    e = Episodes(*(part.double() for part in (*e.support, *e.query)))
    phi = start = repeat(theta, 3)
    for _ in range(400):
        gradients = torch.autograd.grad(smooth_loss(phi, *e.support).sum(), list(phi.values()), create_graph=True)
        phi = {n: p - 0.03 * (s + 5.0 * (p - start[n])) for (n, p), s in zip(phi.items(), gradients, strict=True)}
    unrolled = torch.autograd.grad(smooth_loss(phi, *e.query).mean(), list(theta.values()))
    _, implicit = imaml.implicit_gradient(smooth_loss, theta, e, 0.03, 400, 5.0, cg_steps=40)
    for a, b in zip(unrolled, implicit.values(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_each_task_has_the_implicit_gradient_of_its_own_start(valleys):
    starts = {"v": torch.randn(4, 3, generator=seeded(2), dtype=torch.float64)}
    losses, gradients = imaml.implicit_gradients(quadratic, starts, valleys, 0.2, 50, 0.7, cg_steps=2)
    for t in range(4):
        alone = imaml.implicit_gradient(quadratic, {"v": starts["v"][t]}, valleys[t : t + 1], 0.2, 50, 0.7, cg_steps=2)
        assert torch.allclose(alone[0], losses[t]) and torch.allclose(alone[1]["v"], gradients["v"][t])


def test_conjugate_gradient_solves_every_task_on_its_own():
    a = torch.randn(5, 4, 4, generator=seeded(), dtype=torch.float64)
    a = a @ a.mT + torch.eye(4, dtype=torch.float64)
    b = torch.randn(5, 4, generator=seeded(1), dtype=torch.float64)
    b[2] = 0
    (x,) = imaml.conjugate_gradient(lambda v: [(a @ v[0][..., None])[..., 0]], [b], 4)
    assert torch.allclose((a @ x[..., None])[..., 0], b) and (x[2] == 0).all()


def test_a_direction_without_positive_curvature_ends_the_solve_of_its_own_task_only():
    a = torch.diag_embed(torch.tensor([[2.0, 1.0], [2.0, -1.0], [-1.0, -1.0]], dtype=torch.float64))
    b = torch.tensor([[1.0, 1.0]] * 3, dtype=torch.float64)
    b[1] = torch.tensor([1.0, 0.5])
    for steps in (2, 9):
        (x,) = imaml.conjugate_gradient(lambda v: [(a @ v[0][..., None])[..., 0]], [b], steps)
        assert torch.allclose(x[0], torch.tensor([0.5, 1.0], dtype=torch.float64))  # solved
        assert torch.allclose(x[1], b[1] * 1.25 / 1.75)  # its second direction has none: stays at the first step's end
        assert torch.equal(x[2], b[2])  # its first direction has none: the target, uncorrected


def test_the_implicit_gradient_of_a_random_network_on_a_long_leash_is_finite():
    theta, episodes = mlp((1, 40, 40, 1), seeded()), sinusoid_episodes(25, 10, 10, seeded())
    _, gradient = imaml.implicit_gradient(sine_loss, theta, episodes, 0.01, 10, 0.5, cg_steps=20)
    assert all(g.isfinite().all() and g.abs().max() < 1e3 for g in gradient.values())


def test_memory_does_not_grow_with_inner_steps():
    theta, episodes = mlp((1, 20, 20, 1), seeded()), sinusoid_episodes(10, 10, 10, seeded())
    def grows(work):
        return bytes_kept(lambda: work(30)) / bytes_kept(lambda: work(1))

    assert grows(lambda k: imaml.implicit_gradient(sine_loss, theta, episodes, 0.01, k, 1.0)) <= 1.2
    assert grows(lambda k: maml.meta_loss(sine_loss, theta, episodes, 0.01, k)) > 10


def test_reptile_with_one_step_is_joint_training_and_with_more_it_is_not():
    theta, e = mlp((1, 8, 1), seeded()), sinusoid_episodes(6, 5, 5, seeded())
    both = [torch.cat(pair, 1) for pair in zip(e.support, e.query, strict=True)]
    joint = torch.autograd.grad(sine_loss(repeat(theta, 6), *both).mean(), list(theta.values()))
    for steps, same in ((1, True), (4, False)):
        found = reptile.direction(sine_loss, theta, e, 0.05, steps)
        agree = [torch.allclose(d, 0.05 * steps * g, atol=1e-6) for d, g in zip(found.values(), joint, strict=True)]
        assert all(agree) == same


def test_reptile_moves_towards_where_a_plain_loop_ends():
    theta, e = mlp((1, 8, 1), seeded()), sinusoid_episodes(3, 5, 5, seeded())
    ends = []
    for t in range(3):
        x, y = (torch.cat([a[t], b[t]]) for a, b in zip(e.support, e.query, strict=True))
        phi = {name: p.detach().clone().requires_grad_() for name, p in theta.items()}
        for _ in range(3):
            prediction = torch.relu(x @ phi["w1"] + phi["b1"]) @ phi["w2"] + phi["b2"]
            gradients = torch.autograd.grad((prediction - y).pow(2).mean(), list(phi.values()))
            phi = {n: (p - 0.1 * g).detach().requires_grad_() for (n, p), g in zip(phi.items(), gradients, strict=True)}
        ends.append(phi)
    found = reptile.direction(sine_loss, theta, e, 0.1, 3)
    for name, p in theta.items():
        assert torch.allclose(found[name], p - torch.stack([phi[name] for phi in ends]).mean(0), atol=1e-6)
