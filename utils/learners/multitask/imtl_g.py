"""IMTL-G: an update with the same projection onto every task's unit gradient (Liu et al., 2021, ICLR: Towards
Impartial Multi-task Learning)."""

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.multitask.gradients import cosines, per_length


def weights(M: Tensor) -> Float[Tensor, "*batch task"]:
    """M [*B, T, T] -> w with sum 1 and equal (M w)_t / |g_t|, in closed form. Weights may be negative.

    With unit gradients the condition reads K v = the same for all. Where the weights would sum to 0, all are 0.
    """
    K, length = cosines(M)
    v = torch.linalg.solve(K, torch.ones_like(length))
    w = per_length(v, length)
    total, size = w.sum(-1, keepdim=True), w.abs().sum(-1, keepdim=True)
    return torch.where(total.abs() > 1e-12 * size, w / total, 0.0).to(M)
