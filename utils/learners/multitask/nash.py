"""Nash-MTL: the tasks bargain over the update, and the Nash solution is theirs (Navon et al., 2022, arXiv 2202.01017).

Each task's utility is g_t . d; the product of utilities is largest, on a ball of directions, where M w = 1 / w.
No task's unit matters: a loss ten times as large gets a tenth of the weight. The update w G always has the length
sqrt(T); the authors' code shortens it to 1.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.multitask.gradients import cosines, per_length, product

MOST_STEPS = 100
TOLERANCE = 1e-9


def weights(M: Tensor) -> Float[Tensor, "*batch task"]:
    """M [*B, T, T] -> w > 0 with M w = 1 / w."""
    K, length = cosines(M)
    return per_length(bargain(K), length).to(M)


def bargain(K: Float[Tensor, "*batch task task"]) -> Float[Tensor, "*batch task"]:
    """v > 0 with K v = 1 / v, the minimiser of v'K v / 2 - sum log v, by Newton's method with damped steps.

    At the solution v'K v = T, so every step starts with the multiple of v for which this holds.
    """
    v = torch.ones_like(K[..., 0])
    for _ in range(MOST_STEPS):
        Kv = product(K, v)
        scale = (v.shape[-1] / (v * Kv).sum(-1, keepdim=True)).sqrt()
        v, slope = scale * v, scale * Kv - 1 / (scale * v)
        hessian = K + torch.diag_embed(v**-2)
        move = -torch.cholesky_solve(slope[..., None], torch.linalg.cholesky(hessian))[..., 0]
        decrement = -(slope * move).sum(-1, keepdim=True).clamp(max=0)
        v = v + move / torch.where(decrement > 1 / 16, 1 + decrement.sqrt(), 1.0)
        if bool((decrement <= TOLERANCE**2).all()):
            break
    return v
