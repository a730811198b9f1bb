"""How well can a bandit be played? Classical rules, the finite-horizon Gittins index, and the exact optimum.

A rule says which arm to pull from what was counted: rule(successes [T, k], failures [T, k], left, generator) -> [T],
where `left` is the number of pulls that are left, this one included. Chances are uniform in [0, 1] beforehand, so the
posterior of an arm is Beta(successes + 1, failures + 1).
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from utils.tasks.worlds import Act

Counts = Float[Tensor, "task arm"]
Arm = Int[Tensor, "task"]
Rule = Callable[[Counts, Counts, int, torch.Generator], Arm]


def posterior_mean(successes: Tensor, failures: Tensor) -> Tensor:
    """The chance that the next pull pays, (s + 1) / (s + f + 2)."""
    return (successes + 1) / (successes + failures + 2)


def best(score: Float[Tensor, "task arm"], generator: torch.Generator) -> Arm:
    """The arm with the largest score; ties are broken at random."""
    lot = torch.rand(score.shape, generator=generator)
    return torch.where(score == score.amax(1, keepdim=True), lot, -1.0).argmax(1)


def uniform(successes: Counts, failures: Counts, left: int, generator: torch.Generator) -> Arm:
    """Any arm."""
    return best(torch.zeros_like(successes), generator)


def greedy(successes: Counts, failures: Counts, left: int, generator: torch.Generator) -> Arm:
    """The arm with the largest posterior mean: best for the next pull, blind to what a pull teaches."""
    return best(posterior_mean(successes, failures), generator)


def thompson(successes: Counts, failures: Counts, left: int, generator: torch.Generator) -> Arm:
    """Draw one chance for each arm from its posterior, pull the largest (Thompson 1933)."""
    a, b = (torch._standard_gamma(count + 1, generator) for count in (successes, failures))
    return (a / (a + b)).argmax(1)


def ucb(successes: Counts, failures: Counts, left: int, generator: torch.Generator, scale: float = 1.0) -> Arm:
    """UCB1 (Auer et al. 2002): each arm once, then the largest s/n + scale sqrt(2 ln t / n) after t pulls."""
    pulls = successes + failures
    t = pulls.sum(1, keepdim=True).clamp(min=1)
    bound = successes / pulls + scale * (2 * t.log() / pulls).sqrt()
    return best(torch.where(pulls > 0, bound, 1e3), generator)


def by_index(table: Float[Tensor, "left success failure"]) -> Rule:
    """The rule that pulls the arm with the largest index, looked up in a table such as `gittins` makes."""

    def rule(successes: Counts, failures: Counts, left: int, generator: torch.Generator) -> Arm:
        return best(table[left, successes.long(), failures.long()], generator)

    return rule


def gittins(pulls: int, grid: int = 201) -> Float[Tensor, "left success failure"]:
    """Finite-horizon Gittins index [m, s, f] with m pulls left, by calibration (cf. Gittins 1979; Bellman 1956).

    The index is the lam at which two things are worth the same: pull this arm and go on as you like, or take lam for
    each pull that is left. Between the points of a grid of lams the difference is interpolated. States that cannot be
    reached in `pulls` pulls with m left (s or f above pulls - m) are nan; with m = 0 nothing is left to decide.
    """
    lam = torch.linspace(0, 1, grid)
    table = torch.full((pulls + 1,) * 3, torch.nan)
    value = torch.zeros(pulls + 1, pulls + 1, grid)  # of the best way to go on, for every lam
    for left in range(1, pulls + 1):
        size = pulls - left + 1
        p = posterior_mean(torch.arange(size)[:, None], torch.arange(size))[..., None]
        pull = p * (1 + value[1:, :-1]) + (1 - p) * value[:-1, 1:]
        table[left, :size, :size] = crossing(pull - left * lam, lam)
        value = torch.maximum(pull, left * lam)
    return table


def crossing(gain: Float[Tensor, "*batch grid"], lam: Float[Tensor, "grid"]) -> Float[Tensor, "*batch"]:
    """Where a falling function, given on a grid, passes through 0."""
    last = (gain > 0).sum(-1, keepdim=True).sub(1).clamp(0, gain.shape[-1] - 2)
    above, below = gain.gather(-1, last)[..., 0], gain.gather(-1, last + 1)[..., 0]
    return lam[last[..., 0]] + (lam[1] - lam[0]) * (above / (above - below)).clamp(0, 1)


def bayes_optimal(arms: int, pulls: int) -> float:
    """The most that any player can earn on average, by dynamic programming over the joint posteriors.

    Arms are exchangeable, so a state is the *sorted* tuple of (successes, failures): few enough for about 10 pulls.
    """
    known = {}

    def value(state: tuple, left: int) -> float:
        if left == 0:
            return 0.0
        if state not in known:
            known[state] = max(pull(state, i, left) for i, arm in enumerate(state) if arm not in state[:i])
        return known[state]

    def pull(state: tuple, i: int, left: int) -> float:
        (s, f), others = state[i], state[:i] + state[i + 1 :]
        p = (s + 1) / (s + f + 2)
        won, lost = (value(tuple(sorted((*others, arm))), left - 1) for arm in ((s + 1, f), (s, f + 1)))
        return p * (1 + won) + (1 - p) * lost

    return value(((0, 0),) * arms, pulls)


def player(rule: Rule, arms: int, pulls: int, generator: torch.Generator) -> Act:
    """A policy for `worlds.play` that counts, and asks the rule."""
    counts = torch.zeros(2, 0, arms)

    def act(step: int, observation: Tensor, action: Tensor | None, reward: Tensor | None) -> Arm:
        nonlocal counts
        if step == 0:
            counts = torch.zeros(2, len(observation), arms)
        else:
            counts.scatter_add_(2, action.expand(2, -1)[..., None], torch.stack([reward, 1 - reward])[..., None])
        return rule(*counts, pulls - step, generator)

    return act


@torch.no_grad()
def play_coins(
    act: Act, chance: Float[Tensor, "task arm"], coins: Float[Tensor, "task arm pull"]
) -> tuple[Int[Tensor, "task pull"], Float[Tensor, "task pull"]]:
    """A trial whose chance lies on the table beforehand: the n-th pull of arm a pays if coins[a, n] < chance[a].

    So different players meet the same luck on the same arm. Returns (arms pulled, rewards).
    """
    tasks, before = torch.arange(len(chance)), torch.zeros(chance.shape, dtype=torch.long)
    blank, action, reward, seen = torch.zeros(len(chance), 1), None, None, []
    for step in range(coins.shape[2]):
        action = act(step, blank, action, reward)
        reward = (coins[tasks, action, before[tasks, action]] < chance[tasks, action]).float()
        before[tasks, action] += 1
        seen.append((action, reward))
    actions, rewards = zip(*seen, strict=True)
    return torch.stack(actions, 1), torch.stack(rewards, 1)
