"""A grid with a hidden goal (Zintgraf et al. 2020, section 5.1): find it once, then go there in every episode."""

from dataclasses import dataclass
from functools import cached_property

import torch
from gymnasium.spaces import Box, Discrete
from jaxtyping import Float, Int
from torch import Tensor

from utils.tasks.worlds import World

MOVES = torch.tensor([[0, 0], [0, 1], [1, 0], [0, -1], [-1, 0]])  # stay, and the four neighbours
ON_GOAL, ELSEWHERE = 1.0, -0.1  # rewards


@dataclass(frozen=True)
class GoalGrid(World):
    """A task is a goal [T] among the cells row * size + column, never in the 2 x 2 corner of the start, cell 0."""

    horizon: int = 15
    episodes: int = 4
    size: int = 5

    @property
    def observation_space(self) -> Box:
        """The cell as a one-hot vector."""
        return Box(0.0, 1.0, (self.size**2,))

    @property
    def action_space(self) -> Discrete:
        """Stay, or one of the four neighbours."""
        return Discrete(len(MOVES))

    @cached_property
    def goals(self) -> Int[Tensor, "goal"]:
        """All cells that may hold the goal."""
        cells = torch.arange(self.size**2)
        return cells[(cells // self.size > 1) | (cells % self.size > 1)]

    def sample(self, count: int, generator: torch.Generator) -> Int[Tensor, "task"]:
        """Goals, all equally likely."""
        return self.goals[torch.randint(len(self.goals), (count,), generator=generator)]

    def start(self, task: Int[Tensor, "task"], episode: int = 0) -> Int[Tensor, "task"]:
        """The corner."""
        return torch.zeros_like(task)

    def move(
        self, task: Int[Tensor, "task"], state: Int[Tensor, "task"], action: Int[Tensor, "task"], noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """A step against the wall stays where it is; the reward is that of the cell it leads to."""
        cell = self.neighbours[state, action]
        return cell, torch.where(cell == task, ON_GOAL, ELSEWHERE)

    @cached_property
    def neighbours(self) -> Int[Tensor, "cell action"]:
        """Where each action leads from each cell."""
        cells = torch.arange(self.size**2)
        place = torch.stack([cells // self.size, cells % self.size], 1)
        reached = (place[:, None] + MOVES).clamp(0, self.size - 1)
        return reached[..., 0] * self.size + reached[..., 1]

    def observe(self, task: Tensor, state: Int[Tensor, "task"]) -> Float[Tensor, "task cell"]:
        """The cell, one-hot; never the goal."""
        return torch.eye(self.size**2).index_select(0, state)
