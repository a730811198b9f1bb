"""Implicit MAML (Rajeswaran, Finn, Kakade & Levine, 2019): a meta-gradient that needs the end of the inner loop only.

The inner loop minimises L_S(phi) + strength/2 |phi - theta|^2. At its minimum the gradient vanishes, and
differentiating that equation gives d phi / d theta = (I + H/strength)^-1, with H the Hessian of L_S at phi (Lemma 1).
So nothing of the path is kept: memory does not grow with the number of inner steps.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.maml import Loss
from utils.learners.networks import Parameters, leaves, repeat
from utils.tasks.episodes import Episodes


def proximal_adapt(
    loss: Loss, theta: Parameters, support, lr: float, steps: int, strength: float
) -> Parameters:
    """`steps` of gradient descent on each task's support loss plus strength/2 |phi - theta|^2; keeps no graph.

    theta: {name: [T, ...]}. Returns phi, detached, as leaves that ask for gradients.
    """
    phi = leaves(theta)
    for _ in range(steps):
        gradients = torch.autograd.grad(loss(phi, *support).sum(), list(phi.values()))
        phi = leaves({name: p - lr * (g + strength * (p - theta[name]))
                       for (name, p), g in zip(phi.items(), gradients, strict=True)})
    return phi


def implicit_gradient(
    loss: Loss, theta: Parameters, episodes: Episodes, lr: float, steps: int, strength: float, cg_steps: int = 5
) -> tuple[Float[Tensor, ""], Parameters]:
    """Mean query loss after the inner loop, and its gradient by theta {name: [...]} (eq. 6), all tasks at once."""
    start = repeat({name: p.detach() for name, p in theta.items()}, len(episodes))
    query, gradients = implicit_gradients(loss, start, episodes, lr, steps, strength, cg_steps)
    return query.mean(), {name: g.mean(0) for name, g in gradients.items()}


def implicit_gradients(
    loss: Loss, start: Parameters, episodes: Episodes, lr: float, steps: int, strength: float, cg_steps: int = 5
) -> tuple[Float[Tensor, " task"], Parameters]:
    """Each task's query loss after the inner loop, and its gradient by that task's own start {name: [T, ...]}.

    (I + H/strength)^-1 times the query gradient is solved by `cg_steps` of conjugate gradient, which needs products
    with H only. Exact when the inner loop has converged and cg_steps reaches the number of parameters.
    """
    phi = proximal_adapt(loss, start, episodes.support, lr, steps, strength)
    query = loss(phi, *episodes.query)
    target = list(torch.autograd.grad(query.sum(), list(phi.values())))
    slope = torch.autograd.grad(loss(phi, *episodes.support).sum(), list(phi.values()), create_graph=True)

    def product(v: list[Tensor]) -> list[Tensor]:
        curved = torch.autograd.grad(slope, list(phi.values()), grad_outputs=v, retain_graph=True)
        return [a + b / strength for a, b in zip(v, curved, strict=True)]

    return query.detach(), dict(zip(phi, conjugate_gradient(product, target, cg_steps), strict=True))


def conjugate_gradient(product, target: list[Tensor], steps: int) -> list[Tensor]:
    """x with product(x) = target, for each task on its own (the leading axis of every tensor); from x = 0.

    The matrix must be positive definite. A task that meets a direction without positive curvature keeps the x that it
    has, or takes the target itself if that is its first direction: no curvature means no correction.
    """
    x = [torch.zeros_like(b) for b in target]
    residual, direction = [b.clone() for b in target], [b.clone() for b in target]
    squared, going = _dot(residual, residual), torch.ones(len(target[0]), dtype=torch.bool, device=target[0].device)
    for step in range(steps):
        moved = product(direction)
        curvature = _dot(direction, moved)
        going = going & (curvature > 0)
        length = torch.where(going, squared / curvature, 0.0 if step else 1.0 * (squared > 0))
        x = _add(x, direction, length)
        residual = _add(residual, moved, -length)
        before, squared = squared, _dot(residual, residual)
        direction = _add(residual, direction, torch.where(before > 0, squared / before, 0.0))
    return x


def _dot(a: list[Tensor], b: list[Tensor]) -> Float[Tensor, " task"]:
    return sum((p * q).flatten(1).sum(1) for p, q in zip(a, b, strict=True))


def _add(a: list[Tensor], b: list[Tensor], factor: Float[Tensor, " task"]) -> list[Tensor]:
    """a + factor * b, one factor for each task."""
    return [p + factor.view(-1, *[1] * (q.dim() - 1)) * q for p, q in zip(a, b, strict=True)]
