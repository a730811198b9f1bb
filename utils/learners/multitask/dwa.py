"""Dynamic weight average: a loss that falls slowly gets more weight (Liu, Johns & Davison, 2019, arXiv 1803.10704)."""

from jaxtyping import Float
from torch import Tensor


def weights(
    before: Float[Tensor, "*batch task"], last: Float[Tensor, "*batch task"], temperature: float = 2.0
) -> Float[Tensor, "*batch task"]:
    """T softmax(r / temperature), r = last / before: the ratios of each task's mean losses in two epochs.

    The paper takes r = 1 for the first two epochs: all weights 1. A high temperature makes the weights even.
    """
    if not temperature > 0:
        raise ValueError(f"expected a temperature above 0, found {temperature}")
    ratio = last.detach() / before.detach()
    return ratio.shape[-1] * (ratio / temperature).softmax(dim=-1)
