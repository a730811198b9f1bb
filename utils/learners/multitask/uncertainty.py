"""Uncertainty weighting: each task learns its own noise, s = log sigma^2 (Kendall, Gal & Cipolla, 2018, arXiv
1705.07115)."""

from jaxtyping import Bool, Float
from torch import Tensor


def loss(
    losses: Float[Tensor, " task"], log_var: Float[Tensor, " task"], regression: Bool[Tensor, " task"]
) -> Float[Tensor, ""]:
    """The sum of exp(-s) L + s / 2, with L halved for regression: a Gaussian's and a softmax's likelihood.

    log_var [T] is trained with the network. At its best, s = log L for regression and log 2 L for classification:
    the weight of a task is about 1 / L, so a loss that can get very small gets all the attention.
    """
    share = 1 - 0.5 * regression.to(losses)
    return (share * (-log_var).exp() * losses + log_var / 2).sum()
