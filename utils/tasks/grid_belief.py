"""What can be known on the grid with a hidden goal: Bayes' filter, and agents that act on it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from utils.tasks.goal_grid import GoalGrid
from utils.tasks.grid_sweep import best_sweep, distances
from utils.tasks.worlds import Act


def prior(grid: GoalGrid, count: int) -> Float[Tensor, "task cell"]:
    """The belief at the start of a trial: all possible goals equally likely."""
    belief = torch.zeros(count, grid.size**2)
    belief[:, grid.goals] = 1 / len(grid.goals)
    return belief


def update(
    belief: Float[Tensor, "task cell"], cell: Int[Tensor, "task"], hit: Bool[Tensor, "task"]
) -> Float[Tensor, "task cell"]:
    """Bayes' rule after one step onto `cell`: there is no noise, so each step says "here" or "not here"."""
    here = torch.nn.functional.one_hot(cell, belief.shape[1]).to(belief)
    likely = torch.where(hit[:, None], here, belief * (1 - here))
    return likely / likely.sum(1, keepdim=True)


def beliefs(
    grid: GoalGrid, cell: Int[Tensor, "task step"], hit: Bool[Tensor, "task step"]
) -> Float[Tensor, "task moment cell"]:
    """The belief before the first step and after each of H steps onto `cell`."""
    known = [prior(grid, len(cell))]
    for reached, found in zip(cell.T, hit.T, strict=True):
        known.append(update(known[-1], reached, found))
    return torch.stack(known, 1)


def towards(grid: GoalGrid, cell: Int[Tensor, "task"], target: Int[Tensor, "task"]) -> Int[Tensor, "task"]:
    """The first action that comes nearest to the target; staying, once there."""
    return distances(grid)[grid.neighbours[cell], target[:, None]].argmin(1)


@dataclass(frozen=True)
class Memory:
    """What an agent makes of its past: start(T) -> [T, ...]; update(memory, cell reached [T], hit [T]) -> memory."""

    start: Callable[[int], Tensor]
    update: Callable[[Tensor, Tensor, Tensor], Tensor]


def exact(grid: GoalGrid) -> Memory:
    """The memory of an agent that knows Bayes' rule: its belief [T, cell]."""
    return Memory(lambda count: prior(grid, count), update)


def remembering(grid: GoalGrid, memory: Memory, choose: Callable[[int, Tensor, Tensor], Tensor]) -> Act:
    """A policy for `worlds.play` that keeps a memory all through a trial: choose(step, cell [T], memory) -> action."""
    before = {}

    def act(step: int, observation: Tensor, action: Tensor | None, reward: Tensor | None) -> Tensor:
        if step == 0:
            known = memory.start(len(observation))
        else:
            known = memory.update(before["known"], grid.neighbours[before["cell"], action], reward > 0)
        before.update(known=known, cell=observation.argmax(1))
        return choose(step, before["cell"], known)

    return act


def bayes_optimal(grid: GoalGrid) -> Act:
    """Follow the best sweep until the goal is hit; from then on go there."""
    cells = best_sweep(grid).cells

    def choose(step: int, cell: Tensor, belief: Tensor) -> Tensor:
        certain, goal = belief.max(1)
        return towards(grid, cell, torch.where(certain > 0.999, goal, cells[step]))

    return remembering(grid, exact(grid), choose)


def posterior_sampling(grid: GoalGrid, generator: torch.Generator, eager: bool = False) -> Act:
    """Draw a goal from the belief at the start of each episode and go there, as if it were true, and stay.

    eager: draw again within the episode, as soon as the belief rules the guess out.
    """
    guess = {}

    def choose(step: int, cell: Tensor, belief: Tensor) -> Tensor:
        drawn = (belief.log() - torch.empty_like(belief).exponential_(generator=generator).log()).argmax(1)
        if step % grid.horizon > 0:
            wrong = eager & (belief.gather(1, guess["goal"][:, None])[:, 0] == 0)
            drawn = torch.where(wrong, drawn, guess["goal"])
        guess["goal"] = drawn
        return towards(grid, cell, drawn)

    return remembering(grid, exact(grid), choose)
