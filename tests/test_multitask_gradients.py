"""What all directions share: order, batches, scale, dependent gradients, precision; and the gradients themselves."""

import pytest
import torch
from gradients_in_small import DIRECTIONS, difference, random_gradients, seeded, update

from utils.learners.multitask import cagrad, uniform
from utils.learners.multitask.gradients import assign, gramian, jacobian
from utils.learners.networks import mlp, mlp_forward, repeat

every_direction = pytest.mark.parametrize("name", DIRECTIONS)


@every_direction
def test_the_order_of_the_tasks_does_not_matter(name):
    """PCGrad depends on the order of its partners by design; for two tasks there is but one."""
    method, n_tasks = DIRECTIONS[name], 2 if name == "pcgrad" else 6
    G = random_gradients(20, n_tasks, 15)
    order = torch.randperm(n_tasks, generator=seeded(3)).roll(1)
    expected = method(gramian(G))[..., order]
    assert difference(method(gramian(G[..., order, :])), expected) < 1e-6


@every_direction
@pytest.mark.parametrize("n_tasks", [1, 2, 5])
def test_many_points_at_once_equal_each_alone(name, n_tasks):
    M = gramian(random_gradients(3, 4, n_tasks, 8))
    together = DIRECTIONS[name](M)
    assert together.shape == (3, 4, n_tasks)
    for i in range(3):
        for j in range(4):
            assert difference(DIRECTIONS[name](M[i, j]), together[i, j]) < 1e-7


@pytest.mark.parametrize(("name", "power"), [("nash", -1), ("imtl_g", 0)])
def test_some_directions_do_not_see_the_units_of_the_losses(name, power):
    """A loss in millimetres instead of metres: the same direction, and for Nash the same update."""
    G, units = random_gradients(20, 4, 15), torch.tensor([1e-3, 1.0, 30.0, 1e3]).double()
    before, after = update(DIRECTIONS[name], G), update(DIRECTIONS[name], G * units[:, None])
    if power == 0:
        before, after = (v / v.norm(dim=-1, keepdim=True) for v in (before, after))
    assert difference(after, before) < 1e-6


@every_direction
@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_a_common_unit_scales_the_update_or_leaves_it(name, scale):
    G = random_gradients(20, 5, 15)
    expected = update(DIRECTIONS[name], G) * (1 if name == "nash" else scale)
    assert difference(update(DIRECTIONS[name], scale * G), expected) < 1e-6


def dependent_gradients(n_tasks):
    """Gradients [10, T, 8] that are zero, equal, opposed, confined to few directions, or of extreme lengths."""
    G = random_gradients(10, n_tasks, 8)
    G[0] = 0
    G[1, 1] = G[1, 0]
    G[2, 1] = -G[2, 0]
    G[3] = G[3, :1]
    G[4] = G[4, :1] * torch.linspace(-1, 2, n_tasks)[:, None]
    G[5, 0] = 0
    G[6, :, 2:] = 0
    G[7] *= 1e-9
    G[8] *= 1e9
    G[9, 0] *= 1e-6
    return G


@every_direction
@pytest.mark.parametrize("n_tasks", [2, 3, 10])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_that_depend_on_each_other_have_finite_weights(name, n_tasks, dtype):
    G = dependent_gradients(n_tasks).to(dtype)
    w = DIRECTIONS[name](gramian(G))
    assert w.isfinite().all() and w.dtype == dtype
    largest = G.norm(dim=-1).amax(-1)
    limit = n_tasks**0.5 if name == "nash" else (4.0 * n_tasks if name == "pcgrad" else 3.0) * largest
    assert (update(DIRECTIONS[name], G).norm(dim=-1) <= 1.01 * limit + 1e-12).all()


@pytest.mark.parametrize("name", ["uniform", "mgda", "cagrad", "nash", "imtl_g", "aligned"])
def test_equal_gradients_have_equal_weights(name):
    """IMTL-G to three digits: it solves with K, whose smallest eigenvalue is 1e-12 (`cosines`), in 16 digits."""
    rtol = 1e-3 if name == "imtl_g" else 1e-4
    for n_tasks in (2, 5):
        G = random_gradients(1, 6).expand(n_tasks, 6)
        w = DIRECTIONS[name](gramian(G))
        torch.testing.assert_close(w, w.mean().expand(n_tasks), rtol=rtol, atol=0)
        assert w.mean() > 0


@every_direction
def test_float32_gives_the_update_of_float64(name):
    G = random_gradients(20, 5, 200)
    assert difference(update(DIRECTIONS[name], G.float()).double(), update(DIRECTIONS[name], G)) < 1e-4


@pytest.fixture
def network():
    """(losses [3], parameters): a shared layer, and a head for each task that the other tasks do not use."""
    g = seeded()
    trunk, heads = mlp((5, 7), g), [mlp((7, 1), g) for _ in range(3)]
    z = mlp_forward(repeat(trunk, 1), torch.randn(1, 20, 5, generator=g)).tanh()
    losses = torch.stack([mlp_forward(repeat(head, 1), z).pow(2 + t).mean() for t, head in enumerate(heads)])
    return losses, [*trunk.values(), *(p for head in heads for p in head.values())]


def test_rows_of_the_jacobian_are_the_gradients_of_each_loss(network):
    losses, parameters = network
    G = jacobian(losses, parameters)
    assert G.shape == (3, sum(p.numel() for p in parameters)) and not G.requires_grad
    for t, loss in enumerate(losses):
        found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        expected = [torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters, strict=True)]
        torch.testing.assert_close(G[t], torch.cat([g.flatten() for g in expected]))
    assert (G[0, -8:] == 0).all() and (G[2, -8:] != 0).any()  # the last head serves the last task


def test_the_uniform_update_is_a_plain_backward_pass(network):
    losses, parameters = network
    G = jacobian(losses, parameters)
    assign(parameters, uniform.weights(gramian(G)) @ G)
    found = [p.grad for p in parameters]
    for p in parameters:
        p.grad = None
    losses.mean().backward()
    for g, p in zip(found, parameters, strict=True):
        torch.testing.assert_close(g, p.grad)
        assert g.data_ptr() != p.data_ptr() and g.shape == p.shape


def test_an_optimiser_descends_along_the_assigned_update():
    x = torch.tensor([3.0, -2.0], requires_grad=True)
    optimiser = torch.optim.SGD([x], lr=0.1)
    for _ in range(100):
        losses = torch.stack([(x - 1).pow(2).sum(), (x + 1).pow(2).sum()])
        G = jacobian(losses, [x])
        assign([x], cagrad.weights(gramian(G), 0.4) @ G)
        optimiser.step()
    assert x.norm() < 0.05


def test_bad_shapes_are_explained(network):
    losses, parameters = network
    with pytest.raises(ValueError, match=r"expected losses \[T\].*torch.stack"):
        jacobian(losses.sum(), parameters)
    with pytest.raises(ValueError, match="depend on no parameter"):
        jacobian(losses.detach(), parameters)
    with pytest.raises(ValueError, match="one gradient a row"):
        gramian(torch.ones(5))
    with pytest.raises(ValueError, match=r"an update of 66 entries.*found \[3\]"):
        assign(parameters, torch.ones(3))
    for method in DIRECTIONS.values():
        with pytest.raises(ValueError, match=r"a Gramian M \[T, T\], found \[3, 20\]; gramian\(G\)"):
            method(torch.ones(3, 20))
        with pytest.raises(ValueError, match="has overflowed"):
            method(torch.full((3, 3), torch.inf))
    with pytest.raises(ValueError, match="a radius c >= 0"):
        cagrad.weights(torch.eye(3), -1.0)
