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
Tokens = Float[Tensor, "task token feature"]
Layout = Callable[[Points, Values], Tokens]


def pair_tokens(x: Points, y: Values) -> Tokens:
    """Token i = (x_i, x_{i-1}, y_{i-1}, 1 if there is a point before): each answer stands beside its question."""
    pair = torch.cat([x, y[..., None], torch.ones_like(y)[..., None]], dim=2)
    return torch.cat([x, one_step_late(pair)], dim=2)


def interleaved_tokens(x: Points, y: Values) -> Tokens:
    """x_1, y_1, x_2, y_2, ... (Garg et al., 2022) as 2 N tokens [x, 0] and [0, y]: attention must pair them first."""
    questions = torch.cat([x, torch.zeros_like(y)[..., None]], dim=2)
    answers = torch.cat([torch.zeros_like(x), y[..., None]], dim=2)
    return torch.stack([questions, answers], dim=2).flatten(1, 2)


def with_positions(layout: Layout, longest: int) -> Layout:
    """The layout with the number of each token beside it, as `longest` more features (one-hot)."""

    def numbered(x: Points, y: Values) -> Tokens:
        tokens = layout(x, y)
        if tokens.shape[1] > longest:
            raise ValueError(f"expected at most {longest} tokens, found {tokens.shape[1]}: make `longest` larger")
        number = torch.eye(longest, dtype=x.dtype)[: tokens.shape[1]]
        return torch.cat([tokens, number.expand(len(x), -1, -1)], dim=2)

    return numbered


def predict(theta: Parameters, x: Points, y: Values, layout: Layout = pair_tokens) -> Values:
    """The transformer's prediction of every y_i, read at the token of x_i, which sees the points before it."""
    read = transformer_forward(theta, layout(x, y))[..., 0]
    return read[:, :: read.shape[1] // x.shape[1]]


def causal_loss(theta: Parameters, prompts: Prompts, layout: Layout = pair_tokens) -> Float[Tensor, ""]:
    """Mean squared error over all points of all prompts: one prompt of N points holds N learning problems."""
    return (predict(theta, prompts.x, prompts.y, layout) - prompts.y).pow(2).mean()


def implicit_weights(
    predictor: Callable[[Points, Values], Values], x: Points, y: Values
) -> Float[Tensor, "task dim"]:
    """Slope of the last point's prediction in that point's x: the w that the predictor acts on, whatever it computes.

    For a linear rule such as ridge it is the fitted w itself, at every query; for a network it is local to the query.
    """
    query = x[:, -1:].detach().requires_grad_()
    with torch.enable_grad():
        said = predictor(torch.cat([x[:, :-1], query], dim=1), y)[:, -1].sum()
    return torch.autograd.grad(said, query)[0][:, 0]


def meta_train(
    steps: int,
    generator: torch.Generator,
    dim: int = 5,
    n_points: int = 11,
    noise: float = 1.0,
    n_tasks: int = 64,
    lr: float = 2e-3,
    report: Callable[[float], None] | None = None,
    width: int = 64,
    layers: int = 3,
    layout: Layout = pair_tokens,
) -> Parameters:
    """A transformer, trained on `steps` batches of new linear functions."""
    inputs = layout(torch.zeros(1, n_points, dim), torch.zeros(1, n_points)).shape[2]
    theta = transformer(inputs, 1, width, layers, generator)
    optimiser = torch.optim.AdamW(theta.values(), lr=lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)

    def objective() -> Tensor:
        return causal_loss(theta, linear_prompts(n_tasks, n_points, generator, dim, noise), layout)

    descend(objective, [optimiser], steps, warmup=max(1, min(100, steps // 8)), clip=1.0, report=report)
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
