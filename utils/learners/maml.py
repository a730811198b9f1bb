"""Model-agnostic meta-learning (Finn, Abbeel & Levine, 2017), on all tasks at once.

A `loss(phi, x, y) -> [T]` takes parameters with a task axis {name: [T, ...]}. Tasks do not touch each other, so
the gradient of the summed loss is every task's own gradient: one autograd call serves T tasks.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from utils.learners.networks import Parameters, leaves, repeat
from utils.tasks.episodes import Episodes

Loss = Callable[[Parameters, Tensor, Tensor], Tensor]
Rates = float | dict[str, Tensor | float]


def inner_step(loss: Loss, phi: Parameters, support, lr: Rates, second_order: bool = True) -> Parameters:
    """phi - lr * gradient of each task's support loss (eq. 1).

    lr is one rate for everything, or {name: rate}: numbers or tensors that broadcast against theta's (Meta-SGD,
    Li et al., 2017); parameters without a rate stay as they are. With second_order the graph is kept, so that
    the meta-gradient flows through the step; without it the gradient is a constant (first-order MAML).
    """
    rates = lr if isinstance(lr, dict) else dict.fromkeys(phi, lr)
    chosen = {name: phi[name] for name in rates}
    total = loss(phi, *support).sum()
    gradients = torch.autograd.grad(total, list(chosen.values()), create_graph=second_order)
    return phi | {n: _moved(chosen[n], g, rates[n]) for n, g in zip(chosen, gradients, strict=True)}


def _moved(p: Tensor, gradient: Tensor, rate: Tensor | float) -> Tensor:
    """p - rate * gradient; for a plain number in one operation, forwards and backwards."""
    return p - rate * gradient if isinstance(rate, Tensor) else torch.add(p, gradient, alpha=-rate)


def adapt(
    loss: Loss, phi: Parameters, support, lr: Rates, steps: int, second_order: bool = True
) -> Parameters:
    """theta -> phi: `steps` inner steps on each task's own support set. phi: {name: [T, ...]}."""
    for _ in range(steps):
        phi = inner_step(loss, phi, support, lr, second_order)
    return phi


def meta_loss(
    loss: Loss, theta: Parameters, episodes: Episodes, lr: Rates, steps: int, second_order: bool = True
) -> Float[Tensor, ""]:
    """Mean query loss after adaptation (eq. 4). theta: {name: [...]}, without a task axis."""
    phi = adapt(loss, repeat(theta, len(episodes)), episodes.support, lr, steps, second_order)
    return loss(phi, *episodes.query).mean()


def joint_loss(loss: Loss, theta: Parameters, episodes: Episodes) -> Float[Tensor, ""]:
    """Mean query loss of one model for all tasks, without any adaptation: the rival that MAML must beat."""
    return loss(repeat(theta, len(episodes)), *episodes.query).mean()


def adaptation_curve(
    score: Loss, loss: Loss, theta: Parameters, episodes: Episodes, lr: Rates, steps: int
) -> Float[Tensor, "step task"]:
    """`score` on each task's query set after 0, 1, ..., `steps` inner steps on its support set."""
    phi = repeat(leaves(theta), len(episodes))
    scores = [score(phi, *episodes.query).detach()]
    for _ in range(steps):
        phi = inner_step(loss, phi, episodes.support, lr, second_order=False)
        phi = leaves(phi)
        scores.append(score(phi, *episodes.query).detach())
    return torch.stack(scores)


def anil_loss(
    features: Callable[[Parameters, Tensor], Tensor],
    loss: Loss,
    body: Parameters,
    head: Parameters,
    episodes: Episodes,
    lr: Rates,
    steps: int,
) -> Float[Tensor, ""]:
    """ANIL (Raghu et al., 2020): MAML on the head alone, over a body that all tasks share.

    Since the body never adapts, all images of all tasks go through it in one pass:
    features(body [1, ...], x [1, N, ...]) -> [1, N, D]; loss(head [T, ...], z [T, N, D], y [T, N]) -> [T].
    """
    return meta_loss(loss, head, embed_episodes(features, body, episodes), lr, steps)


def embed_episodes(features, body: Parameters, episodes: Episodes) -> Episodes:
    """The same episodes with x [T, N, ...] replaced by its features [T, N, D] under one shared body."""
    x = torch.cat([episodes.support_x, episodes.query_x], dim=1)
    z = features(repeat(body, 1), x.flatten(0, 1)[None]).view(*x.shape[:2], -1)
    n_support = episodes.support_x.shape[1]
    return Episodes(z[:, :n_support], episodes.support_y, z[:, n_support:], episodes.query_y)


def mean_squared_error(
    prediction: Float[Tensor, "task point out"], y: Float[Tensor, "task point out"]
) -> Float[Tensor, " task"]:
    """Each task's own mean squared error."""
    error = prediction - y
    return (error * error).mean(dim=(1, 2))


def cross_entropy(logits: Float[Tensor, "task point way"], y: Tensor) -> Float[Tensor, " task"]:
    """Each task's own mean cross-entropy; y [T, N] holds class numbers."""
    return F.cross_entropy(logits.transpose(1, 2), y, reduction="none").mean(dim=1)


def accuracy(logits: Float[Tensor, "task point way"], y: Tensor) -> Float[Tensor, " task"]:
    """Each task's own share of right answers."""
    return (logits.argmax(dim=2) == y).float().mean(dim=1)
