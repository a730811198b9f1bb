"""Sinusoid MAML: the meta-gradient of 25 tasks, ours against a plain loop, `higher` and `torchopt`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import peers
from benchmarks.measure import Row, compare, seeded
from utils.learners import maml
from utils.learners.networks import mlp, mlp_forward
from utils.tasks.episodes import Episodes
from utils.tasks.sinusoids import sinusoid_episodes

SIZES = (1, 40, 40, 1)
LR = 0.01
TARGETS = {1: {"plain loop": 10, "higher": 30, "torchopt": 18}, 5: {}}

Answer = tuple[Tensor, list[Tensor]]  # the meta-loss, and its gradients in the order w1, b1, w2, b2, w3, b3


def loss(phi, x, y):
    """Each task's squared error; the inner and the outer loss."""
    return maml.mean_squared_error(mlp_forward(phi, x), y)


def ours(theta, episodes: Episodes, steps: int) -> Answer:
    """utils.learners: all tasks in one batch."""
    value = maml.meta_loss(loss, theta, episodes, LR, steps)
    return value, list(torch.autograd.grad(value, list(theta.values())))


def forward(p: list[Tensor], x: Tensor) -> Tensor:
    """One task's network, as in the usual single-file implementations."""
    x = F.relu(F.linear(x, p[0], p[1]))
    x = F.relu(F.linear(x, p[2], p[3]))
    return F.linear(x, p[4], p[5])


def plain_loop(theta: list[Tensor], episodes: Episodes, steps: int) -> Answer:
    """One task after the other, written as most people write it; theta holds weights [out, in] and biases."""
    total = 0
    for t in range(len(episodes)):
        p = theta
        for _ in range(steps):
            inner = F.mse_loss(forward(p, episodes.support_x[t]), episodes.support_y[t])
            gradients = torch.autograd.grad(inner, p, create_graph=True)
            p = [w - LR * g for w, g in zip(p, gradients, strict=True)]
        total = total + F.mse_loss(forward(p, episodes.query_x[t]), episodes.query_y[t])
    value = total / len(episodes)
    return value, transposed(torch.autograd.grad(value, theta))


def transposed(gradients) -> list[Tensor]:
    """Weights [out, in] as [in, out] and biases [out] as [1, out], the layout of ours; views, which take no time."""
    return [g.mT if g.ndim == 2 else g[None] for g in gradients]


def with_higher(model: nn.Module, episodes: Episodes, steps: int) -> Answer:
    """facebookresearch/higher, as in its README."""
    import higher

    optimiser = torch.optim.SGD(model.parameters(), lr=LR)
    model.zero_grad()
    total = torch.zeros(())
    for t in range(len(episodes)):
        with higher.innerloop_ctx(model, optimiser, copy_initial_weights=False) as (fast, inner):
            for _ in range(steps):
                inner.step(F.mse_loss(fast(episodes.support_x[t]), episodes.support_y[t]))
            query = F.mse_loss(fast(episodes.query_x[t]), episodes.query_y[t]) / len(episodes)
            query.backward()
        total += query.detach()
    return total, transposed(p.grad for p in model.parameters())


def with_torchopt(model: nn.Module, episodes: Episodes, steps: int) -> Answer:
    """metaopt/torchopt's differentiable SGD, as in its MAML example."""
    import torchopt

    inner = torchopt.MetaSGD(model, lr=LR)
    start = list(model.parameters())
    state = torchopt.extract_state_dict(model, by="reference")
    inner_state = torchopt.extract_state_dict(inner, by="reference")
    model.zero_grad()
    total = torch.zeros(())
    for t in range(len(episodes)):
        for _ in range(steps):
            inner.step(F.mse_loss(model(episodes.support_x[t]), episodes.support_y[t]))
        query = F.mse_loss(model(episodes.query_x[t]), episodes.query_y[t]) / len(episodes)
        query.backward()
        total += query.detach()
        torchopt.recover_state_dict(model, state)
        torchopt.recover_state_dict(inner, inner_state)
    return total, transposed(p.grad for p in start)


def module(theta) -> nn.Sequential:
    """The same network with the same parameters as a torch module, which the libraries want."""
    model = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
    with torch.no_grad():
        for p, value in zip(model.parameters(), theta.values(), strict=True):
            p.copy_(value.mT if p.ndim == 2 else value[0])
    return model


def contenders(n_tasks: int, steps: int, libraries: bool) -> dict:
    """Name -> a function that computes the same meta-gradient, on the same tasks from the same start."""
    g = seeded()
    theta = mlp(SIZES, g)
    episodes = sinusoid_episodes(n_tasks, 10, 10, g)
    weights = [p.detach().clone().requires_grad_() for p in module(theta).parameters()]
    found = {
        "ours": lambda: ours(theta, episodes, steps),
        "plain loop": lambda: plain_loop(weights, episodes, steps),
    }
    if libraries:
        first, second = module(theta), module(theta)
        found["higher"] = lambda: with_higher(first, episodes, steps)
        found["torchopt"] = lambda: with_torchopt(second, episodes, steps)
    return found


def run(quick: bool) -> list[Row]:
    """25 tasks, 10 shots, second order, 1 and 5 inner steps."""
    reason = "left out by --quick" if quick else peers.prepare("meta-gradients")
    rows = []
    for steps, targets in TARGETS.items():
        label = f"{steps} inner step{'s' * (steps > 1)}"
        entries = contenders(5 if quick else 25, steps, libraries=not reason)
        rows += compare("ours", entries, 3 if quick else 25, label, {} if quick else targets)
        if reason:
            rows += [Row(f"{label}: against {name}", None, "x", note=reason) for name in ("higher", "torchopt")]
    return rows
