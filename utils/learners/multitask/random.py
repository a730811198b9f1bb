"""Random loss weighting: new weights in every step, a baseline that is hard to beat (Lin et al., 2022, arXiv
2111.10603)."""

import torch
from jaxtyping import Float
from torch import Tensor


def weights(n_tasks: int, generator: torch.Generator) -> Float[Tensor, " task"]:
    """The softmax of T standard normal numbers: positive, with sum 1."""
    return torch.randn(n_tasks, generator=generator).softmax(dim=0)
