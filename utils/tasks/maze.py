"""A maze in which every cell can be the goal, and optionally a bridge that may break: who falls never gets out."""

from collections import deque
from dataclasses import dataclass
from functools import cached_property

import torch
from gymnasium.spaces import Box, Discrete
from jaxtyping import Float, Int
from torch import Tensor

from utils.tasks.bit_flips import Flips, reached
from utils.tasks.worlds import World

MOVES = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0]])  # right, down, left, up
ROOM = (".......",) * 7
ROOMS = ("...#...",
         ".#.#.#.",
         ".#...#.",
         ".#####.",
         ".......",
         "####.##",
         ".......")  # fmt: skip
TOLD = "cell", "row and column", "coordinates"
BRIDGE = (".......",
          ".#####.",
          ".#####.",
          "...~...",
          "#######",
          "###o###")  # fmt: skip


@dataclass(frozen=True)
class Maze(World):
    """`plan` holds # wall, . floor, ~ bridge, o pit. A state is a place (row, column) [T, 2]; a task starts and ends on
    floor. Reward 0 in the goal, else -1. A step onto the bridge ends in the pit with chance `risk`. `goals`: the only
    ones, unless empty. `told`: how a place is described: a one-hot cell, one-hot row and column, or two numbers.
    """

    horizon: int = 30
    plan: tuple[str, ...] = ROOMS
    risk: float = 0.0
    goals: tuple[tuple[int, int], ...] = ()
    told: str = "cell"

    def __post_init__(self) -> None:
        """Raises ValueError for a description that there is not."""
        if self.told not in TOLD:
            raise ValueError(f"places are told by {', '.join(TOLD)}; found {self.told!r}")

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.plan), len(self.plan[0])

    @property
    def observation_space(self) -> Box:
        """The place, then the goal."""
        return Box(-1.0, 1.0, (2 * self.describe(torch.zeros(1, 2)).shape[1],))

    @property
    def action_space(self) -> Discrete:
        """Right, down, left, up."""
        return Discrete(len(MOVES))

    def cells(self, kinds: str) -> Float[Tensor, "cell 2"]:
        """The places of these kinds, row by row."""
        rows = ((r, c) for r, row in enumerate(self.plan) for c, kind in enumerate(row) if kind in kinds)
        return torch.tensor(list(rows), dtype=torch.float32).reshape(-1, 2)

    @cached_property
    def floor(self) -> Float[Tensor, "cell 2"]:
        """All places that can be start or goal."""
        return self.cells(".")

    def sample(self, count: int, generator: torch.Generator) -> Flips:
        """A place of the floor, and one of the goals or another of the floor."""
        ends = torch.tensor(self.goals, dtype=torch.float32) if self.goals else self.floor
        pick = lambda n: torch.randint(n, (count,), generator=generator)  # noqa: E731
        return Flips(self.floor[pick(len(self.floor))], ends[pick(len(ends))])

    def noise(self, count: int, generator: torch.Generator) -> Float[Tensor, "task 1"]:
        """Whether the bridge holds."""
        return torch.rand(count, 1, generator=generator)

    def start(self, task: Flips, episode: int = 0) -> Float[Tensor, "task 2"]:
        """The place that this task starts from."""
        return task.start

    def move(
        self, task: Flips, state: Float[Tensor, "task 2"], action: Int[Tensor, "task"], noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """A step; against a wall or the edge, and out of the pit, there is none."""
        after = state + MOVES[action]
        low, high = torch.zeros(2), torch.tensor(self.size) - 1.0
        inside = torch.minimum(torch.maximum(after, low), high)
        stays = (inside != after).any(1) | self._is("#", inside) | self._is("o", state)
        after = torch.where(stays[:, None], state, inside)
        falls = self._is("~", after) & ~stays & (noise[:, 0] < self.risk)
        after = torch.where(falls[:, None], self.pit, after)
        return after, reached(after, task.goal) - 1

    def observe(self, task: Flips, state: Tensor) -> Float[Tensor, "task feature"]:
        """What is told of place and goal."""
        return torch.cat([self.describe(state), self.describe(task.goal)], 1)

    def describe(self, place: Float[Tensor, "task 2"]) -> Float[Tensor, "task feature"]:
        """One place, as `told` says; coordinates run from -1 to 1."""
        (rows, columns), (row, column) = self.size, place.long().unbind(1)
        if self.told == "cell":
            return torch.eye(rows * columns)[row * columns + column]
        if self.told == "row and column":
            return torch.cat([torch.eye(rows)[row], torch.eye(columns)[column]], 1)
        return 2 * place / (torch.tensor(self.size) - 1) - 1

    @cached_property
    def pit(self) -> Float[Tensor, "2"]:
        """Where one falls; without a pit the place (0, 0), to which nobody falls."""
        return self.cells("o")[0] if any("o" in row for row in self.plan) else torch.zeros(2)

    @cached_property
    def _kinds(self) -> dict[str, Tensor]:
        return {kind: torch.tensor([[c == kind for c in row] for row in self.plan]) for kind in "#.~o"}

    def _is(self, kind: str, place: Tensor) -> Tensor:
        row, column = place.long().unbind(1)
        return self._kinds[kind][row, column]

    def distances(self, goal: tuple[int, int]) -> Float[Tensor, "row column"]:
        """Steps from every cell to the goal if the bridge holds; infinite from walls and where there is no way."""
        found, todo = torch.full(self.size, torch.inf), deque([goal])
        found[goal] = 0
        while todo:
            row, column = todo.popleft()
            for down, right in MOVES.int().tolist():
                r, c = row + down, column + right
                inside = 0 <= r < self.size[0] and 0 <= c < self.size[1]
                if inside and self.plan[r][c] not in "#o" and found[r, c] == torch.inf:
                    found[r, c] = found[row, column] + 1
                    todo.append((r, c))
        return found
