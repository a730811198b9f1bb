"""Noisy linear functions, as prompts: the tasks on which in-context learning is studied (Garg et al., 2022)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Prompts:
    """T linear functions seen at N points each: y = x w + noise. x [T, N, D], y [T, N], w [T, D]."""

    x: Float[Tensor, "task point dim"]
    y: Float[Tensor, "task point"]
    w: Float[Tensor, "task dim"]

    @property
    def clean(self) -> Float[Tensor, "task point"]:
        """The targets without noise, on which predictions are judged."""
        return (self.x @ self.w[..., None])[..., 0]


def linear_prompts(
    n_tasks: int,
    n_points: int,
    generator: torch.Generator,
    dim: int = 5,
    noise: float = 1.0,
    x_scale: float = 1.0,
    w_scale: float = 1.0,
) -> Prompts:
    """x ~ N(0, x_scale^2 I), w ~ N(0, w_scale^2 I) for each task, y = x w + N(0, noise^2)."""
    w = w_scale * torch.randn(n_tasks, dim, generator=generator)
    x = x_scale * torch.randn(n_tasks, n_points, dim, generator=generator)
    y = (x @ w[..., None])[..., 0] + noise * torch.randn(n_tasks, n_points, generator=generator)
    return Prompts(x, y, w)
