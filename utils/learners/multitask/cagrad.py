"""CAGrad: the best worst case in a ball around the mean gradient (Liu et al., 2021, arXiv 2110.14048).

d maximises the smallest g_t . d subject to |d - g0| <= c |g0|, where g0 is the mean gradient. Its dual has the
weights w in the simplex that minimise g_w . g0 + c |g0| |g_w|, where g_w = w G, and d = g0 + c |g0| g_w / |g_w|.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.multitask.gradients import cosines, product

MOST_STEPS = 80
TOLERANCE = 1e-9


def weights(M: Tensor, c: float = 0.5) -> Float[Tensor, "*batch task"]:
    """M [*B, T, T] -> the weights of d. With c = 0 it is the mean gradient; from c = 1 on d may come to rest at 0."""
    if not c >= 0:
        raise ValueError(f"expected a radius c >= 0, in units of the mean gradient, found {c}")
    K, length = cosines(M)
    length = length / length.amax(-1, keepdim=True).clamp(min=1e-300)
    R = K * length[..., :, None] * length[..., None, :]
    radius = c * R.mean((-1, -2))[..., None].clamp(min=0).sqrt()
    pull = of_two(R, radius) if M.shape[-1] == 2 else of_many(R, radius)
    return (1 / M.shape[-1] + torch.where(length > 0, pull, 0.0)).to(M)


def of_two(M: Float[Tensor, "*batch 2 2"], radius: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch 2"]:
    """radius w / |g_w| in closed form. Along g_w = g2 + a (g1 - g2), |g_w|^2 = A x^2 + D with x = a - the nearest a."""
    A = (M[..., 0, 0] + M[..., 1, 1] - 2 * M[..., 0, 1])[..., None]  # squared length of g1 - g2
    A = A.clamp(min=1e-300)
    nearest = (M[..., 1, 1] - M[..., 0, 1])[..., None] / A
    D = (torch.linalg.det(M)[..., None] / A).clamp(min=1e-300)
    rise = ((M[..., 0, :] - M[..., 1, :]).mean(-1))[..., None]  # of g_w . g0 with a
    inside = A * radius**2 - rise**2  # positive: the slope rise + radius A x / sqrt(A x^2 + D) has a root
    root = -rise * (D / (A * inside.clamp(min=1e-300))).sqrt()
    end = torch.copysign(torch.full_like(rise, torch.inf), -rise)  # no root: the weights end in a corner
    a = (nearest + torch.where(inside > 0, root, end)).clamp(0, 1)
    norm = (A * (a - nearest) ** 2 + D).sqrt()
    return radius * torch.cat([a, 1 - a], dim=-1) / norm


def of_many(M: Float[Tensor, "*batch task task"], radius: Float[Tensor, "*batch 1"]) -> Float[Tensor, "*batch task"]:
    """radius w / |g_w|, all problems at once: a primal-dual interior-point method for both problems together.

    In coordinates U, M = U U', d = g0 + radius x with |x| <= 1, and `worst` is the smallest g_t . d. Each constraint
    times its price, slack_t w_t for the tasks and room * price for the ball, is held at mu, and mu falls by 0.3 in
    every step (Boyd & Vandenberghe, 2004, section 11.7). At the end radius U' w = price x, so the ball's price is
    radius |g_w|, and d does not lose its direction where g_w is 0.
    """
    s, V = torch.linalg.eigh(M)
    A, mean = radius[..., None] * V * s.clamp(min=0).sqrt()[..., None, :], M.mean(-1)
    x, w = torch.zeros_like(mean), torch.full_like(mean, 1 / M.shape[-1])
    worst, price = mean.amin(-1, keepdim=True) - 1, torch.ones_like(radius)
    for _ in range(MOST_STEPS):
        distance, wrong, gap, done = conditions(A, mean, x, worst, w, price)
        if bool(done.all()):
            break
        mu = (0.3 * gap).clamp(min=0.3 * TOLERANCE)
        *moves, share = newton(A, (x, w, price), distance, wrong, mu)
        done = done | ~share.isfinite()  # float64 can tell nothing more
        x, worst, w, price = (
            torch.where(done, v, v + share * move) for v, move in zip((x, worst, w, price), moves, strict=True)
        )
    return radius**2 / price * w


def conditions(A: Tensor, mean: Tensor, x: Tensor, worst: Tensor, w: Tensor, price: Tensor) -> tuple:
    """Distances from the constraints, errors of the slopes, the mean of distance times price, who is done [*B, 1]."""
    slack, room = mean + product(A, x) - worst, (1 - dot(x, x)) / 2
    error, rest = price * x - product(A.mT, w), 1 - w.sum(-1, keepdim=True)
    gap = (dot(slack, w) + price * room) / (w.shape[-1] + 1)
    size = torch.maximum(error.abs().amax(-1, keepdim=True), rest.abs())
    return (slack, room), (error, rest), gap, torch.maximum(gap, size) <= TOLERANCE


def newton(A: Tensor, at: tuple, distance: tuple, wrong: tuple, mu: Tensor) -> tuple[Tensor, ...]:
    """Newton's moves of x, worst, w and price, and the share [*B, 1] of them that stays inside.

    The moves of w and price follow from those of x and worst, which solve a system of T + 1 equations.
    """
    (x, w, price), (slack, room), (error, rest) = at, distance, wrong
    steep, wanted, squeeze = w / slack, mu / slack - w, mu / room - price
    H = A.mT @ (steep[..., None] * A) + (price / room)[..., None] * x[..., :, None] * x[..., None, :]
    H = H + price[..., None] * torch.eye(A.shape[-1], dtype=A.dtype)
    coupling = product(A.mT, steep)
    sides = torch.stack([product(A.mT, wanted) - error - x * squeeze, coupling], dim=-1)
    alone, along = torch.cholesky_solve(sides, torch.linalg.cholesky_ex(H)[0]).unbind(-1)
    bend = steep.sum(-1, keepdim=True) - dot(coupling, along)
    worst = (rest - wanted.sum(-1, keepdim=True) + dot(coupling, alone)) / bend
    move = alone + along * worst
    slacker, outward = product(A, move) - worst, dot(x, move)
    weight, dearer = wanted - steep * slacker, squeeze + price / room * outward
    sphere = (outward + (outward**2 + 2 * room * dot(move, move)).sqrt()) / (2 * room)
    limit = torch.cat([-slacker / slack, -weight / w, -dearer / price, sphere], dim=-1).amax(-1, keepdim=True)
    return move, worst, weight, dearer, 0.9 / limit.clamp(min=0.9)


def dot(a: Float[Tensor, "*batch task"], b: Float[Tensor, "*batch task"]) -> Float[Tensor, "*batch 1"]:
    """a'b for each pair of vectors."""
    return (a * b).sum(-1, keepdim=True)
