"""The best exploration of the grid with a hidden goal, exactly.

Until the goal is found, all that is learned is where it is not. So the Bayes-optimal agent follows one fixed sweep
until it hits the goal, and from then on walks straight to it: the optimum is the best sweep.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from utils.tasks.goal_grid import ELSEWHERE, ON_GOAL, GoalGrid


def distances(grid: GoalGrid) -> Int[Tensor, "cell cell"]:
    """Steps from each cell to each other one."""
    cells = torch.arange(grid.size**2)
    place = torch.stack([cells // grid.size, cells % grid.size], 1)
    return (place[:, None] - place).abs().sum(-1)


def values_of_finding(grid: GoalGrid) -> Float[Tensor, "step cell"]:
    """The return of a whole trial in which the goal is cell g and step t (from 0) is the first to reach it.

    It stays there, and in each later episode walks there by the shortest way.
    """
    steps = torch.arange(grid.steps)[:, None]
    away = distances(grid)[0].clamp(min=1)
    later = grid.episodes - 1 - steps // grid.horizon
    first = ELSEWHERE * steps + ON_GOAL * (grid.horizon - steps % grid.horizon)
    again = ON_GOAL * (grid.horizon - away + 1).clamp(min=0) + ELSEWHERE * (away - 1).clamp(max=grid.horizon)
    return first + later * again


@dataclass(frozen=True)
class Sweep:
    """The Bayes-optimal exploration."""

    value: float  # expected return of a trial
    cells: Tensor  # [steps] where each step leads, until the goal is hit


@lru_cache
def best_sweep(grid: GoalGrid, width: int = 2000) -> Sweep:
    """The Bayes-optimal exploration, exactly: a good sweep by beam search, then a search for anything better.

    The second search keeps every (place, cells not yet seen) whose optimistic value exceeds what the first one found,
    so nothing better can be missed; where it comes back empty, the first was the best.
    """
    found = _search(grid, width, -float("inf"))
    better = _search(grid, None, found.value)
    return found if better is None else better


def _search(grid: GoalGrid, width: int | None, bound: float) -> Sweep | None:
    """Forward search over states (place, unseen cells), the best way to each; width: how many are kept at each step.

    Steps against a wall are left out: without them all that follows is seen sooner. So is the first step downwards,
    since the grid is its own mirror image.
    """
    gains, bits = _gains(grid), _bits(grid)
    place, unseen = torch.tensor([0]), torch.tensor([int(bits.sum())])
    value, path = torch.tensor([_never(grid)], dtype=torch.float64), []
    for step in range(grid.steps):
        place = torch.zeros_like(place) if step % grid.horizon == 0 else place
        new = grid.neighbours[place, 1 : 2 if step == 0 else None]
        parent, action = (new != place[:, None]).nonzero(as_tuple=True)
        new = new[parent, action]
        fresh = (unseen[parent] & bits[new]) > 0
        value = value[parent] + torch.where(fresh, gains[step, new], 0.0)
        place, unseen = new, unseen[parent] & ~bits[new]
        keep = _best_of_each(place, unseen, value)
        hope = value[keep] + _hope(grid, step, place[keep], unseen[keep])
        order = hope.argsort(descending=True)[:width]
        keep = keep[order[hope[order] > bound + 1e-6]]
        place, unseen, value = place[keep], unseen[keep], value[keep]
        path.append((parent[keep], place))
    return Sweep(float(value.max()), _traced(path, int(value.argmax()))) if len(value) else None


def _bits(grid: GoalGrid) -> Int[Tensor, "cell"]:
    """One bit for each cell that may hold the goal, none for the others."""
    bits = torch.zeros(grid.size**2, dtype=torch.long)
    bits[grid.goals] = 1 << torch.arange(len(grid.goals))
    return bits


def _never(grid: GoalGrid) -> float:
    """The return if the goal is never found."""
    return ELSEWHERE * grid.steps


def _gains(grid: GoalGrid) -> Float[Tensor, "step cell"]:
    """What seeing a cell first at some step adds to the expected return."""
    return (values_of_finding(grid).double() - _never(grid)) / len(grid.goals)


def _best_of_each(place: Tensor, unseen: Tensor, value: Tensor) -> Int[Tensor, "kept"]:
    """The index of the best way to each distinct (place, unseen)."""
    key = place * (1 << 40) + unseen
    order = value.argsort(descending=True, stable=True)
    order = order[key[order].argsort(stable=True)]
    first = torch.ones(len(order), dtype=torch.bool)
    first[1:] = key[order][1:] != key[order][:-1]
    return order[first]


def _hope(grid: GoalGrid, step: int, place: Tensor, unseen: Tensor) -> Float[Tensor, "state"]:
    """An upper bound of what the unseen cells can still add: each no sooner than it can be reached, one cell a step.

    Cells of one colour of the chessboard can only be reached at every other step, so the colours are counted apart.
    """
    bits, away = _bits(grid)[grid.goals], distances(grid)
    end = (step // grid.horizon + 1) * grid.horizon
    soonest = step + away[place][:, grid.goals]
    soonest = torch.where(soonest < end, soonest, end - 1 + away[0, grid.goals])
    soonest = torch.where((unseen[:, None] & bits) > 0, soonest, grid.steps)
    best = torch.cat([_gains(grid)[:, grid.goals].amax(1), torch.zeros(1)]).flip(0).cummax(0).values.flip(0)
    steps, total = torch.arange(grid.steps), torch.zeros(len(place), dtype=torch.float64)
    for colour in (0, 1):
        of = away[0, grid.goals] % 2 == colour
        turns = steps[(steps > step) & ((steps % grid.horizon + 1) % 2 == colour) & (steps % grid.horizon > 0)]
        turns = torch.cat([turns, torch.full((len(grid.goals),), grid.steps)])[: int(of.sum())]
        total += best[torch.maximum(soonest[:, of].sort(1).values, turns).clamp(max=grid.steps)].sum(1)
    return total


def _traced(path: list[tuple[Tensor, Tensor]], index: int) -> Int[Tensor, "step"]:
    """The cells that lead to the last state `index`."""
    cells = []
    for parent, place in reversed(path):
        cells.append(place[index])
        index = parent[index]
    return torch.stack(cells[::-1])
