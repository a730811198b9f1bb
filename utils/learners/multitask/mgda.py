"""MGDA: the shortest vector in the gradients' convex hull (Desideri, 2012; Sener & Koltun, 2018, arXiv 1810.04650).

Against it no loss rises, and each whose weight is positive falls by the same; it is 0 where all cannot fall at once.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.multitask.gradients import cosines, precise, product

MOST_STEPS = 80
TOLERANCE = 1e-11


def weights(M: Tensor) -> Float[Tensor, "*batch task"]:
    """M [*B, T, T] -> the w in the simplex that minimises w'M w, of several the most even."""
    if M.shape[-1] == 2:
        return of_two(precise(M)).to(M)
    K, length = cosines(M)
    still = (length == 0).to(K)
    relative = length / torch.where(length > 0, length, torch.inf).amin(-1, keepdim=True)
    w = shortest(K, 1 / relative.clamp(min=1)) / relative.clamp(min=1)
    w = torch.where(still.any(-1, keepdim=True), still, w)
    return (w / w.sum(-1, keepdim=True)).to(M)


def of_two(M: Float[Tensor, "*batch 2 2"]) -> Float[Tensor, "*batch 2"]:
    """The closed form for two tasks: where the line through both gradients is nearest to 0, clipped to the segment."""
    first, second, inner = M[..., 0, 0], M[..., 1, 1], M[..., 0, 1]
    squared = first + second - 2 * inner  # of g1 - g2
    a = torch.where(squared > 0, (second - inner) / squared, 0.5).clamp(0, 1)
    return torch.stack([a, 1 - a], dim=-1)


def shortest(K: Float[Tensor, "*batch task task"], a: Float[Tensor, "*batch task"]) -> Float[Tensor, "*batch task"]:
    """Minimise v'K v / 2 over v >= 0 with a'v = 1: a primal-dual interior-point method, all problems at once.

    At the solution K v = z + level * a with z >= 0 and v z = 0. Newton's method solves that with v z = mu instead,
    and mu falls by 0.1 in every step, while v and z stay positive (Nocedal & Wright, 2006, section 16.6).
    """
    v = (1 / a.sum(-1, keepdim=True)).expand_as(a)
    z = torch.ones_like(v)
    for _ in range(MOST_STEPS):
        slope = product(K, v)
        level = (v * (slope - z)).sum(-1, keepdim=True)
        error = slope - z - level * a
        gap = (v * z).mean(-1, keepdim=True)
        if bool(torch.maximum(gap, error.abs().amax(-1, keepdim=True)).le(TOLERANCE).all()):
            break
        wanted = (0.1 * gap).clamp(min=0.1 * TOLERANCE) / v - z
        factor = torch.linalg.cholesky(K + torch.diag_embed(z / v))
        move, along = torch.cholesky_solve(torch.stack([wanted - error, a], dim=-1), factor).unbind(-1)
        move = move - along * ((a * move).sum(-1, keepdim=True) / (a * along).sum(-1, keepdim=True))
        price = wanted - z / v * move
        limit = torch.maximum(-move / v, -price / z).amax(-1, keepdim=True)  # 1 / the step that ends at 0
        step = 0.99 / limit.clamp(min=0.99)
        v, z = v + step * move, z + step * price
    return v
