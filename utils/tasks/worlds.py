"""Worlds: distributions of reinforcement-learning tasks as batched tensor programs.

A task lasts one *trial*: `episodes` episodes of `horizon` steps each, all in the same hidden task. T trials run in
parallel, and one step of all of them is a few tensor operations. Functions of a world are pure: chance enters as
`noise`, which `World.noise` draws, so the same noise gives the same trial in any implementation
(`plain.py` holds one in plain Python; `gymnasium_worlds.py` puts both behind Gymnasium's interfaces).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium.spaces import Space
from jaxtyping import Float
from torch import Tensor

Task = Any  # a tensor or a tuple of tensors, each with a leading task axis
State = Any


@dataclass(frozen=True)
class World:
    """What every environment of the course offers; see the subclasses for the tasks themselves."""

    horizon: int
    episodes: int = 1

    @property
    def steps(self) -> int:
        """Steps of one trial."""
        return self.horizon * self.episodes

    @property
    def observation_space(self) -> Space:
        """Gymnasium's space of one task's observation."""
        raise NotImplementedError

    @property
    def action_space(self) -> Space:
        """Gymnasium's space of one task's action."""
        raise NotImplementedError

    def sample(self, count: int, generator: torch.Generator) -> Task:
        """`count` tasks from the distribution."""
        raise NotImplementedError

    def noise(self, count: int, generator: torch.Generator) -> Float[Tensor, "task draw"]:
        """All the chance of one step."""
        return torch.empty(count, 0)

    def start(self, task: Task, episode: int = 0) -> State:
        """The state in which this episode of the trial begins."""
        raise NotImplementedError

    def move(self, task: Task, state: State, action: Tensor, noise: Tensor) -> tuple[State, Float[Tensor, "task"]]:
        """One step: the next state and the reward [T]."""
        raise NotImplementedError

    def observe(self, task: Task, state: State) -> Float[Tensor, "task feature"]:
        """What the agent is shown."""
        raise NotImplementedError


@dataclass(frozen=True)
class Trials:
    """What happened in T trials of H steps: observation [T, H, D] before each action [T, H, ...], reward [T, H]."""

    observation: Tensor
    action: Tensor
    reward: Tensor


Act = Callable[[int, Tensor, Tensor | None, Tensor | None], Tensor]


@torch.no_grad()
def play(world: World, task: Task, act: Act, generator: torch.Generator) -> Trials:
    """One whole trial in each task, by a policy act(step, observation [T, D], last action, last reward) -> action.

    At the first step there is no last action and no last reward: both are None.
    """
    action = reward = None
    seen = []
    for step in range(world.steps):
        if step % world.horizon == 0:
            state = world.start(task, step // world.horizon)
        observation = world.observe(task, state)
        action = act(step, observation, action, reward)
        state, reward = world.move(task, state, action, world.noise(len(observation), generator))
        seen.append((observation, action, reward))
    return Trials(*(torch.stack(parts, 1) for parts in zip(*seen, strict=True)))
