"""Bit flipping (Andrychowicz et al. 2017, section 3.1): turn n bits into n wanted bits, one flip a step."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from gymnasium.spaces import Discrete, MultiBinary
from jaxtyping import Float, Int
from torch import Tensor

from utils.tasks.worlds import World


class Flips(NamedTuple):
    """Where each task starts and what it wants, both [T, bits] of 0 and 1."""

    start: Tensor
    goal: Tensor


@dataclass(frozen=True)
class BitFlips(World):
    """Action i flips bit i; reward 0 in the wanted state, else -1. As many steps as bits unless `horizon` is given."""

    horizon: int = 0
    bits: int = 15

    def __post_init__(self) -> None:
        """A horizon of 0 means: as many steps as bits."""
        if not self.horizon:
            object.__setattr__(self, "horizon", self.bits)

    @property
    def observation_space(self) -> MultiBinary:
        """The bits, then the wanted bits."""
        return MultiBinary(2 * self.bits)

    @property
    def action_space(self) -> Discrete:
        """The bit to flip."""
        return Discrete(self.bits)

    def sample(self, count: int, generator: torch.Generator) -> Flips:
        """Fair coins for the start and for the goal."""
        return Flips(*torch.randint(2, (2, count, self.bits), generator=generator).float())

    def start(self, task: Flips, episode: int = 0) -> Float[Tensor, "task bit"]:
        """The bits that this task starts with."""
        return task.start

    def move(self, task: Flips, state: Tensor, action: Int[Tensor, "task"], noise: Tensor) -> tuple[Tensor, Tensor]:
        """Flip one bit."""
        flipped = state.scatter(1, action[:, None], 1 - state.gather(1, action[:, None]))
        return flipped, reached(flipped, task.goal) - 1

    def observe(self, task: Flips, state: Tensor) -> Float[Tensor, "task feature"]:
        """[T, 2 * bits]: what is and what should be."""
        return torch.cat([state, task.goal], 1)


def reached(state: Float[Tensor, "*batch bit"], goal: Float[Tensor, "*batch bit"]) -> Float[Tensor, "*batch"]:
    """1 where every bit is as wanted, else 0."""
    return (state == goal).all(-1).float()
