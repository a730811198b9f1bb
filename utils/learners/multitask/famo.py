"""FAMO: every loss falls at the same relative rate, from loss values alone (Liu et al., 2023, arXiv 2306.03792)."""

from jaxtyping import Float
from torch import Tensor


def weights(logits: Float[Tensor, " task"], losses: Float[Tensor, " task"]) -> Float[Tensor, " task"]:
    """Weights w of the losses, with sum 1: w_t = c z_t / L_t, z = softmax(logits), c = 1 / sum(z / L).

    The gradient of sum w L is that of c sum z log L, the paper's update (algorithm 1): one backward pass for all.
    Losses must be positive; subtract a lower bound first if they are not.
    """
    losses = losses.detach()
    if not bool((losses > 0).all()):
        raise ValueError(f"expected positive losses, since FAMO takes their logarithm, found {losses.tolist()}")
    share = logits.detach().softmax(dim=-1) / losses
    return share / share.sum()


def slope(
    logits: Float[Tensor, " task"], before: Float[Tensor, " task"], after: Float[Tensor, " task"]
) -> Float[Tensor, " task"]:
    """J'(log before - log after) with J = dz / dlogits: positive for a task that fell more than the others did."""
    z = logits.detach().softmax(dim=-1)
    fall = before.detach().log() - after.detach().log()
    return z * (fall - (z * fall).sum())


def step(
    logits: Float[Tensor, " task"],
    losses_before: Float[Tensor, " task"],
    losses_after: Float[Tensor, " task"],
    rate: float = 0.025,
    decay: float = 1e-3,
) -> Float[Tensor, " task"]:
    """The next logits: logits - rate (slope + decay logits), the paper's plain update; its experiments use Adam.

    losses_before and losses_after: the same batch before and after the network's step.
    """
    return logits.detach() - rate * (slope(logits, losses_before, losses_after) + decay * logits.detach())
