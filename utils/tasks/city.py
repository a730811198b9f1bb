"""A city with four bus lines whose destinations only a map shows (after Liu et al. 2021, section 6.1).

The first episode is for exploring: nothing is paid and no goal is known. In the second a goal is shown, and
only who has learned where the buses lead can ride there in time.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import NamedTuple

import torch
from gymnasium.spaces import Box, Discrete
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from utils.tasks.worlds import World

SIZE = 9
STARTS, MAP = (4, 4), (7, 3)
STOPS = ((4, 5), (5, 4), (3, 4), (4, 3))  # where the four buses stop in the centre
ENDS = ((0, 1), (0, 7), (8, 1), (8, 7))  # where they may lead
GOALS = ((0, 0), (8, 8), (0, 8), (8, 0))
MOVES = torch.tensor([[0, 1], [1, 0], [0, -1], [-1, 0], [0, 0]])
RIDE = 4  # the action that takes the bus, where one stops
N_LINES = 24  # ways in which four buses can lead to four ends


class Journeys(NamedTuple):
    """lines [T]: which of the 24 ways the buses run, the task proper; goal [T]: where the second episode leads."""

    lines: Tensor
    goal: Tensor


class Traveller(NamedTuple):
    """cell [T] = row * 9 + column; arrived [T] bool; paid: is this the second episode?"""

    cell: Tensor
    arrived: Tensor
    paid: bool


@dataclass(frozen=True)
class City(World):
    """Each step costs 0.1 in the second episode, the goal pays 1 and ends it (the rest is 0)."""

    horizon: int = 20
    episodes: int = 2

    @property
    def observation_space(self) -> Box:
        """Row 9, column 9, map symbol 25 (0: none), goal 4 (zeros while exploring): all one-hot."""
        return Box(0.0, 1.0, (2 * SIZE + N_LINES + 1 + len(GOALS),))

    @property
    def action_space(self) -> Discrete:
        """Four directions, and taking the bus."""
        return Discrete(len(MOVES))

    @cached_property
    def rides(self) -> Int[Tensor, "lines cell"]:
        """Where taking the bus leads, both ways, for each of the 24 ways the buses run."""
        to = torch.arange(SIZE**2).repeat(N_LINES, 1)
        for lines, order in enumerate(permutations(ENDS)):
            for stop, end in zip(STOPS, order, strict=True):
                to[lines, cell(stop)], to[lines, cell(end)] = cell(end), cell(stop)
        return to

    def sample(self, count: int, generator: torch.Generator) -> Journeys:
        """Lines and goal, independent and uniform."""
        draw = lambda n: torch.randint(n, (count,), generator=generator)  # noqa: E731
        return Journeys(draw(N_LINES), draw(len(GOALS)))

    def start(self, task: Journeys, episode: int = 0) -> Traveller:
        """In the centre."""
        return Traveller(torch.full_like(task.lines, cell(STARTS)), torch.zeros(len(task.lines)).bool(), episode > 0)

    def move(
        self, task: Journeys, state: Traveller, action: Int[Tensor, "task"], noise: Tensor
    ) -> tuple[Traveller, Float[Tensor, "task"]]:
        """Walk or ride; who has arrived stays."""
        place = torch.stack([state.cell // SIZE, state.cell % SIZE], 1)
        walked = (place + MOVES[action]).clamp(0, SIZE - 1)
        walked = walked[:, 0] * SIZE + walked[:, 1]
        new = torch.where(action == RIDE, self.rides[task.lines, state.cell], walked)
        new = torch.where(state.arrived, state.cell, new)
        if not state.paid:
            return Traveller(new, state.arrived, False), torch.zeros(len(new))
        there = new == GOAL_CELLS[task.goal]
        reward = torch.where(there, 1.0, -0.1) * ~state.arrived
        return Traveller(new, there, True), reward

    def observe(self, task: Journeys, state: Traveller) -> Float[Tensor, "task feature"]:
        """See `observation_space`. The map's symbol names the lines, to who stands on the map."""
        symbol = torch.where(state.cell == cell(MAP), task.lines + 1, 0)
        goal = one_hot(task.goal, len(GOALS)) * state.paid
        parts = one_hot(state.cell // SIZE, SIZE), one_hot(state.cell % SIZE, SIZE), one_hot(symbol, N_LINES + 1), goal
        return torch.cat(parts, 1).float()


def cell(place: tuple[int, int]) -> int:
    """(row, column) -> its number."""
    return place[0] * SIZE + place[1]


GOAL_CELLS = torch.tensor([cell(place) for place in GOALS])
