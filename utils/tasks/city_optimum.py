"""The best possible returns of the city's second episode, exactly: dynamic programming over what can be known.

A belief is the set of lines (of the 24 ways the buses run) that agree with all that was seen; all of them are equally
likely, so beliefs and cells are states enough. There are 113 such sets: each ride reveals one bus, the map all.
"""

from collections import defaultdict
from functools import cache

import torch
from torch import Tensor

from utils.tasks.city import GOAL_CELLS, MAP, MOVES, N_LINES, RIDE, SIZE, STARTS, City, cell

NOTHING = frozenset(range(N_LINES))  # nothing is known: all lines are possible
Belief = frozenset


def walk(place: int, action: int) -> int:
    """The next cell for one who doesn't ride."""
    (row, column), (down, right) = divmod(place, SIZE), MOVES[action].tolist()
    return min(max(row + down, 0), SIZE - 1) * SIZE + min(max(column + right, 0), SIZE - 1)


def outcomes(rides: list[list[int]], belief: Belief, place: int, action: int) -> list[tuple[int, Belief, float]]:
    """What may come of an action: the next cell, the lines that then are possible, and the probability."""
    groups = defaultdict(list)
    for lines in belief:
        to = rides[lines][place] if action == RIDE else walk(place, action)
        groups[to, lines if to == cell(MAP) else None].append(lines)
    return [(to, frozenset(group), len(group) / len(belief)) for (to, _), group in groups.items()]


@cache
def game(world: City) -> tuple[dict[Belief, int], Tensor, Tensor, Tensor]:
    """All beliefs with their numbers, and the moves as lists: (state, action) number, next state, probability.

    The state with belief number b in a cell is b * 81 + cell.
    """
    rides, number, moves = world.rides.tolist(), {NOTHING: 0}, []
    for belief in (todo := [NOTHING]):
        for place in range(SIZE**2):
            for action in range(len(MOVES)):
                for to, after, probability in outcomes(rides, belief, place, action):
                    if after not in number:
                        number[after] = len(number)
                        todo.append(after)
                    here = (number[belief] * SIZE**2 + place) * len(MOVES) + action
                    moves.append((here, number[after] * SIZE**2 + to, probability))
    here, there, probability = zip(*moves, strict=True)
    return number, torch.tensor(here), torch.tensor(there), torch.tensor(probability, dtype=torch.float64)


def best_returns(world: City) -> tuple[float, float]:
    """Mean over goals (and lines) of the best return of the second episode: knowing the lines, and knowing nothing."""
    number, here, there, probability = game(world)
    known = torch.tensor([number[frozenset([lines])] for lines in range(N_LINES)])
    told, ignorant = [], []
    for goal in GOAL_CELLS:
        arrived = torch.arange(len(number) * SIZE**2) % SIZE**2 == goal
        value = torch.zeros(len(arrived), dtype=torch.float64)
        for _ in range(world.horizon):
            worth = torch.where(arrived[there], 1.0, value[there] - 0.1)
            total = torch.zeros(len(arrived) * len(MOVES), dtype=torch.float64).index_add_(0, here, probability * worth)
            value = total.view(-1, len(MOVES)).amax(1)
        told.append(value[known * SIZE**2 + cell(STARTS)].mean().item())
        ignorant.append(value[cell(STARTS)].item())
    return sum(told) / len(told), sum(ignorant) / len(ignorant)
