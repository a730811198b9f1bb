"""The gradient of the mean loss: every task has the same weight, and M decides nothing."""

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.multitask.gradients import precise


def weights(M: Tensor) -> Float[Tensor, "*batch task"]:
    """M [*B, T, T] -> 1/T for each task."""
    return torch.full_like(precise(M)[..., 0], 1 / M.shape[-1]).to(M)
