"""Sinusoid regression: the smallest task distribution that needs meta-learning (Finn, Abbeel & Levine, 2017, 5.1)."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from utils.tasks.episodes import Episodes

AMPLITUDES = (0.1, 5.0)
PHASES = (0.0, math.pi)
INPUTS = (-5.0, 5.0)


@dataclass(frozen=True)
class Sinusoids:
    """T tasks y = A sin(x - P): amplitude A [T], phase P [T] in radians."""

    amplitude: Float[Tensor, " task"]
    phase: Float[Tensor, " task"]

    def __call__(self, x: Float[Tensor, "task point 1"]) -> Float[Tensor, "task point 1"]:
        return self.amplitude[:, None, None] * torch.sin(x - self.phase[:, None, None])


def uniform(low: float, high: float, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(*shape, generator=generator)


def sample_sinusoids(n_tasks: int, generator: torch.Generator) -> Sinusoids:
    """T tasks: amplitude uniform in [0.1, 5], phase uniform in [0, pi]."""
    return Sinusoids(uniform(*AMPLITUDES, (n_tasks,), generator), uniform(*PHASES, (n_tasks,), generator))


def sinusoid_episodes(n_tasks: int, k_shot: int, n_query: int, generator: torch.Generator) -> Episodes:
    """T regression episodes: x [T, K, 1] uniform in [-5, 5], y = A sin(x - P), the same shape, no noise."""
    tasks = sample_sinusoids(n_tasks, generator)
    x = uniform(*INPUTS, (n_tasks, k_shot + n_query, 1), generator)
    y = tasks(x)
    return Episodes(x[:, :k_shot], y[:, :k_shot], x[:, k_shot:], y[:, k_shot:])
