"""GradNorm: weights that make the tasks' gradients equally long, longer for a task that lags (Chen et al., 2018, arXiv
1711.02257)."""

from jaxtyping import Float
from torch import Tensor

LEAST = 1e-3  # no weight falls below this


def step(
    w: Float[Tensor, " task"],
    norms: Float[Tensor, " task"],
    losses: Float[Tensor, " task"],
    first_losses: Float[Tensor, " task"],
    alpha: float,
    rate: float,
) -> tuple[Float[Tensor, " task"], Float[Tensor, " task"]]:
    """The next weights, with sum T, and the target that each weighted gradient's length should have.

    norms [T]: lengths n of the unweighted gradients in the last shared layer, so that G = w n. A task's inverse
    training rate is r = (L / L0) / mean(L / L0), its target mean(G) r^alpha, a constant; w moves down the gradient
    sign(G - target) n of the sum of |G - target| (algorithm 1).
    """
    w, norms, losses = w.detach(), norms.detach(), losses.detach()
    remaining = losses / first_losses.detach()
    lengths = w * norms
    target = lengths.mean() * (remaining / remaining.mean()) ** alpha
    moved = (w - rate * (lengths - target).sign() * norms).clamp(min=LEAST)
    return moved * (len(w) / moved.sum()), target
