"""Evolution strategies (Rechenberg, 1973; Salimans et al., 2017): a gradient from values alone.

What they estimate is the gradient of the smoothed objective E[objective(theta + sigma * noise)]. No graph is kept, so
memory does not grow with the length of whatever the objective runs, and a jagged objective has a gradient too.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def antithetic(
    objective: Callable[[Tensor], Tensor],
    theta: Float[Tensor, " parameter"],
    sigma: float,
    pairs: int,
    generator: torch.Generator,
) -> Float[Tensor, " parameter"]:
    """Gradient of the smoothed objective at theta [D], from `pairs` of mirrored samples theta +- sigma * noise.

    objective(thetas [N, D]) -> values [N], all samples in one call. A pair shares its noise, so what both sides have
    in common drops out of their difference: the variance does not grow when sigma shrinks, as long as the
    objective is smooth.
    """
    if pairs < 1 or sigma <= 0:
        raise ValueError(f"antithetic needs pairs >= 1 and sigma > 0, found pairs {pairs} and sigma {sigma}")
    noise = torch.randn(pairs, len(theta), generator=generator, dtype=theta.dtype)
    with torch.no_grad():
        up, down = objective(torch.cat([theta + sigma * noise, theta - sigma * noise])).view(2, pairs)
        return (noise * (up - down)[:, None]).mean(0) / (2 * sigma)
