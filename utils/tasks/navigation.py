"""A point walks to a goal in the plane: dense (Finn et al. 2017), or sparse on a semicircle (Rakelly et al. 2019)."""

import math
from dataclasses import dataclass

import torch
from gymnasium.spaces import Box
from jaxtyping import Float
from torch import Tensor

from utils.tasks.worlds import World

STEP = 0.1  # the farthest that one action moves along each axis
CLOSE = 0.01  # nearer than this on both axes: arrived


@dataclass(frozen=True)
class Navigation(World):
    """A task is a goal [T, 2], in the square of side 1 around the start, or (`sparse`) on the unit semicircle.

    Dense: the reward is minus the distance; who comes within 0.01 of the goal on both axes has arrived and stays there
    at no cost, which gives the same return as an episode that ends. Sparse: 1 - distance within `radius`, else 0.
    """

    horizon: int = 100
    sparse: bool = False
    radius: float = 0.2

    @property
    def observation_space(self) -> Box:
        """The place."""
        reach = STEP * self.horizon + 1
        return Box(-reach, reach, (2,))

    @property
    def action_space(self) -> Box:
        """The move; what is larger is cut off at 0.1."""
        return Box(-STEP, STEP, (2,))

    def sample(self, count: int, generator: torch.Generator) -> Float[Tensor, "task 2"]:
        """Goals."""
        if not self.sparse:
            return torch.rand(count, 2, generator=generator) - 0.5
        angle = math.pi * torch.rand(count, generator=generator)
        return torch.stack([angle.cos(), angle.sin()], 1)

    def start(self, task: Float[Tensor, "task 2"], episode: int = 0) -> Float[Tensor, "task 2"]:
        """The origin."""
        return torch.zeros_like(task)

    def move(
        self, task: Tensor, state: Float[Tensor, "task 2"], action: Float[Tensor, "task 2"], noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Walk."""
        if self.sparse:
            place = state + action.clamp(-STEP, STEP)
            distance = (place - task).norm(dim=-1)
            return place, torch.where(distance < self.radius, 1 - distance, 0.0)
        there = arrived(state, task)
        place = torch.where(there[..., None], state, state + action.clamp(-STEP, STEP))
        return place, torch.where(there, 0.0, -(place - task).norm(dim=-1))

    def observe(self, task: Tensor, state: Tensor) -> Float[Tensor, "task 2"]:
        """The place, never the goal."""
        return state


def arrived(place: Float[Tensor, "*batch 2"], goal: Float[Tensor, "*batch 2"]) -> Tensor:
    """Is the place within 0.01 of the goal on both axes?"""
    return ((place - goal).abs() < CLOSE).all(-1)
