"""In-context learning of linear functions (Garg et al., 2022), and the limit that no learner can beat.

Everything predicts y at every point of a prompt from the points before it: [T, N, D], [T, N] -> [T, N].
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.networks import Parameters
from utils.learners.training import descend
from utils.learners.transformer import one_step_late, transformer, transformer_forward
from utils.tasks.regressions import Prompts, linear_prompts

Points = Float[Tensor, "task point dim"]
Values = Float[Tensor, "task point"]


def pair_tokens(x: Points, y: Values) -> Float[Tensor, "task point feature"]:
    """Token i = (x_i, x_{i-1}, y_{i-1}, 1 if there is a point before): each answer stands beside its question."""
    pair = torch.cat([x, y[..., None], torch.ones_like(y)[..., None]], dim=2)
    return torch.cat([x, one_step_late(pair)], dim=2)


def predict(theta: Parameters, x: Points, y: Values) -> Values:
    """The transformer's prediction of every y_i from x_i and the points before it."""
    return transformer_forward(theta, pair_tokens(x, y))[..., 0]


def causal_loss(theta: Parameters, prompts: Prompts) -> Float[Tensor, ""]:
    """Mean squared error over all points of all prompts: one prompt of N points holds N learning problems."""
    return (predict(theta, prompts.x, prompts.y) - prompts.y).pow(2).mean()


def meta_train(
    steps: int,
    generator: torch.Generator,
    dim: int = 5,
    n_points: int = 11,
    noise: float = 1.0,
    n_tasks: int = 64,
    lr: float = 2e-3,
    report: Callable[[float], None] | None = None,
) -> Parameters:
    """A transformer of 3 layers and width 64, trained on `steps` batches of new linear functions."""
    theta = transformer(2 * dim + 2, 1, 64, 3, generator)
    optimiser = torch.optim.AdamW(theta.values(), lr=lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    descend(lambda: causal_loss(theta, linear_prompts(n_tasks, n_points, generator, dim, noise)), [optimiser], steps,
            warmup=100, clip=1.0, report=report)
    return theta


def ridge(x: Points, y: Values, penalty: float) -> Values:
    """Ridge regression on the points before each point; penalty = noise variance / prior variance of w is optimal.

    With Gaussian w and noise it is the posterior mean, so no predictor has a smaller expected squared error. Before
    the first point it predicts 0. Least squares is the limit of a small penalty; see `least_squares`.
    """
    products, targets = x[..., :, None] * x[..., None, :], x * y[..., None]
    gram, right = (_before(values) for values in (products, targets))
    w = torch.linalg.solve(gram + penalty * torch.eye(x.shape[-1], dtype=x.dtype), right)
    return (x * w).sum(-1)


def least_squares(x: Points, y: Values) -> Values:
    """The least-squares fit of the points before each point, the shortest one where many fit."""
    found = [torch.zeros_like(y[:, 0])]
    for i in range(1, x.shape[1]):
        w = torch.linalg.lstsq(x[:, :i], y[:, :i, None], driver="gelsd").solution[..., 0]
        found.append((x[:, i] * w).sum(-1))
    return torch.stack(found, dim=1)


def share_of_the_way(error: Tensor, prior: Tensor, optimal: Tensor) -> Tensor:
    """How far a learner has come from knowing nothing (0) to the optimum (1), in squared error."""
    return (prior - error) / (prior - optimal)


def _before(values: Tensor) -> Tensor:
    """For each point the sum over the points before it (axis 1)."""
    return values.cumsum(1) - values
