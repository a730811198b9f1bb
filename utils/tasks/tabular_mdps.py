"""Random tabular Markov decision processes (Duan et al. 2016, section 3.2; Osband et al. 2013)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from gymnasium.spaces import Box, Discrete
from jaxtyping import Float, Int
from torch import Tensor

from utils.tasks.worlds import World


class MDPs(NamedTuple):
    """transition [T, S, A, S]: chances of the next state; reward [T, S, A]: mean rewards."""

    transition: Tensor
    reward: Tensor


@dataclass(frozen=True)
class TabularMDPs(World):
    """Flat Dirichlet transitions, mean rewards N(1, 1), rewards with noise N(0, 1); episodes start in state 0."""

    horizon: int = 10
    episodes: int = 10
    states: int = 10
    actions: int = 5

    @property
    def observation_space(self) -> Box:
        """The state as a one-hot vector."""
        return Box(0.0, 1.0, (self.states,))

    @property
    def action_space(self) -> Discrete:
        """One of the actions."""
        return Discrete(self.actions)

    def sample(self, count: int, generator: torch.Generator) -> MDPs:
        """A flat Dirichlet is a vector of exponential numbers, divided by their sum."""
        shape = count, self.states, self.actions
        transition = torch.empty(*shape, self.states).exponential_(generator=generator)
        return MDPs(transition / transition.sum(-1, keepdim=True), 1 + torch.randn(shape, generator=generator))

    def noise(self, count: int, generator: torch.Generator) -> Float[Tensor, "task 2"]:
        """A uniform number that picks the next state, and the reward's normal noise."""
        return torch.stack([torch.rand(count, generator=generator), torch.randn(count, generator=generator)], 1)

    def start(self, task: MDPs, episode: int = 0) -> Int[Tensor, "task"]:
        """State 0."""
        return torch.zeros(len(task.reward), dtype=torch.long)

    def move(
        self, task: MDPs, state: Int[Tensor, "task"], action: Int[Tensor, "task"], noise: Float[Tensor, "task 2"]
    ) -> tuple[Tensor, Tensor]:
        """The next state is the first whose cumulative chance exceeds the uniform number."""
        entry = (torch.arange(len(state)) * self.states + state) * self.actions + action
        chances = task.transition.reshape(-1, self.states).index_select(0, entry)  # faster than three indices
        reached = torch.searchsorted(chances.cumsum(1), noise[:, :1].contiguous(), right=True)[:, 0]
        return reached.clamp(max=self.states - 1), task.reward.reshape(-1).index_select(0, entry) + noise[:, 1]

    def observe(self, task: MDPs, state: Int[Tensor, "task"]) -> Float[Tensor, "task state"]:
        """One-hot."""
        return torch.eye(self.states).index_select(0, state)
