"""Aligned-MTL: the gradients are replaced by the nearest ones that are orthogonal and equally long (Senushkin et al.,
2023, arXiv 2305.19000)."""

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.multitask.gradients import precise, product


def weights(M: Tensor) -> Float[Tensor, "*batch task"]:
    """M [*B, T, T] -> the weights of the mean of the aligned gradients B G, w = B 1/T.

    With M = V diag(s) V', B = sqrt(min s) V diag(1 / sqrt(s)) V'; then B M B' is a multiple of the identity, its
    condition number 1. Directions in which the gradients do not extend, s = 0, are left out.
    """
    s, V = torch.linalg.eigh(precise(M))
    n_tasks = M.shape[-1]
    present = s > s[..., -1:].clamp(min=0) * n_tasks * torch.finfo(M.dtype).eps
    least = torch.where(present, s, torch.inf).amin(-1, keepdim=True)
    shrink = torch.where(present, (least / s).sqrt(), 0.0)
    w = product(V, shrink * V.mean(-2))
    return torch.where(present.any(-1, keepdim=True), w, 1 / n_tasks).to(M)
