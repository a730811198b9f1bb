"""Bernoulli bandits: each task is a row of arms with unknown chances of paying one."""

from dataclasses import dataclass

import torch
from gymnasium.spaces import Box, Discrete
from jaxtyping import Float, Int
from torch import Tensor

from utils.tasks.worlds import World


@dataclass(frozen=True)
class Bandits(World):
    """A task is p [T, arms], uniform in [0, 1]; pulling arm a pays 1 with probability p[a]. `horizon` is the pulls."""

    horizon: int = 10
    arms: int = 5

    @property
    def observation_space(self) -> Box:
        """There is nothing to see: always 0."""
        return Box(0.0, 1.0, (1,))

    @property
    def action_space(self) -> Discrete:
        """The arm."""
        return Discrete(self.arms)

    def sample(self, count: int, generator: torch.Generator) -> Float[Tensor, "task arm"]:
        """Chances of paying, uniform and independent."""
        return torch.rand(count, self.arms, generator=generator)

    def noise(self, count: int, generator: torch.Generator) -> Float[Tensor, "task 1"]:
        """One uniform number: the arm pays if it is below p[a]."""
        return torch.rand(count, 1, generator=generator)

    def start(self, task: Float[Tensor, "task arm"], episode: int = 0) -> Float[Tensor, "task 1"]:
        """A bandit has one state."""
        return torch.zeros(len(task), 1)

    def move(self, task: Tensor, state: Tensor, action: Int[Tensor, "task"], noise: Tensor) -> tuple[Tensor, Tensor]:
        """Pull: the state stays, the reward is 0 or 1."""
        return state, (noise < task.gather(1, action[:, None])).float()[:, 0]

    def observe(self, task: Tensor, state: Tensor) -> Float[Tensor, "task 1"]:
        """Nothing to see."""
        return state
