"""The grid's belief against Bayes' rule by hand, its optimum against programmes that try everything."""

from functools import cache
from itertools import product

import pytest
import torch

from benchmarks.measure import seeded
from utils.tasks.goal_grid import ELSEWHERE, MOVES, ON_GOAL, GoalGrid
from utils.tasks.grid_belief import bayes_optimal, exact, posterior_sampling, prior, remembering, towards, update
from utils.tasks.grid_sweep import best_sweep, distances, values_of_finding
from utils.tasks.worlds import play

SMALL = GoalGrid(horizon=4, episodes=2, size=3)


def by_definition(grid, goal_prior, cells, hits):
    """P(goal | what was seen), one product over the past for each goal."""
    likely = [p * all((g == c) == h for c, h in zip(cells, hits, strict=True)) for g, p in enumerate(goal_prior)]
    return torch.tensor(likely) / sum(likely)


def test_filter_is_bayes_rule():
    """Random walks, after every step; also from a prior that is not flat."""
    grid = GoalGrid(horizon=10, episodes=1, size=4)
    task = grid.goals
    for first in (prior(grid, 12), torch.rand(12, 16, generator=seeded(1)) * (prior(grid, 12) > 0)):
        first = first / first.sum(1, keepdim=True)
        belief, cell, past = first, grid.start(task), []
        for step in range(10):
            action = torch.randint(5, (12,), generator=seeded(step))
            cell, _ = grid.move(task, cell, action, grid.noise(12, seeded(0)))
            belief = update(belief, cell, cell == task)
            past.append(cell)
            for i in range(12):
                want = by_definition(grid, first[i].tolist(), [c[i].item() for c in past],
                                     [(c[i] == task[i]).item() for c in past])  # fmt: skip
                torch.testing.assert_close(belief[i], want)


def test_memory_survives_the_ends_of_episodes():
    """What `remembering` hands to the policy knows an episode's last step, though the agent is back at the start."""
    grid, seen = GoalGrid(), []
    task = grid.sample(20, seeded(0))

    def choose(step, cell, belief):
        seen.append((cell, belief))
        return torch.randint(5, (20,), generator=seeded(step))

    trials = play(grid, task, remembering(grid, exact(grid), choose), seeded(0))
    cell = trials.observation.argmax(2)
    torch.testing.assert_close(torch.stack([c for c, _ in seen], 1), cell)
    reached = grid.neighbours[cell, trials.action]
    for step in (15, 59):
        want = [by_definition(grid, prior(grid, 1)[0].tolist(), reached[i, :step].tolist(),
                              (reached[i, :step] == task[i]).tolist()) for i in range(20)]  # fmt: skip
        torch.testing.assert_close(seen[step][1], torch.stack(want))


def by_programme(grid):
    """The optimum by recursion over (step, cell, goals left), every action allowed, nothing assumed of the policy."""

    @cache
    def alone(step, cell, goal):
        if step == grid.steps:
            return 0.0
        cell = 0 if step % grid.horizon == 0 else cell
        ways = grid.neighbours[cell].tolist()
        return max((ON_GOAL if c == goal else ELSEWHERE) + alone(step + 1, c, goal) for c in ways)

    @cache
    def unsure(step, cell, left):
        if step == grid.steps or not left:
            return 0.0
        cell = 0 if step % grid.horizon == 0 else cell
        found = []
        for c in grid.neighbours[cell].tolist():
            hit = ON_GOAL + alone(step + 1, c, c) if c in left else 0.0
            found.append(hit + ELSEWHERE * len(left - {c}) + unsure(step + 1, c, left - {c}))
        return max(found)

    return unsure(0, 0, frozenset(grid.goals.tolist())) / len(grid.goals)


SHAPES = [(4, 1, 3), (4, 2, 3), (3, 3, 3), (7, 2, 3), (5, 2, 4), (1, 2, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_best_sweep_is_the_optimum_of_the_full_programme(shape):
    """The search over sweeps against a programme over all (step, cell, goals left)."""
    grid = GoalGrid(*shape)
    assert best_sweep(grid).value == pytest.approx(by_programme(grid), abs=1e-4)


def test_no_sequence_of_moves_is_better():
    """Trying all 5^6 sequences of six steps on the 3 x 3 grid, two episodes of three."""
    grid = GoalGrid(horizon=3, episodes=2, size=3)
    gains, best = values_of_finding(grid), -float("inf")
    for moves in product(range(len(MOVES)), repeat=grid.steps):
        cell, first = 0, {}
        for step, move in enumerate(moves):
            cell = grid.neighbours[0 if step % 3 == 0 else cell, move].item()
            first.setdefault(cell, step)
        total = sum(gains[first[g], g].item() if g in first else ELSEWHERE * grid.steps for g in grid.goals.tolist())
        best = max(best, total / len(grid.goals))
    assert best_sweep(grid).value == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize(("episodes", "value"), [(1, 4.0), (2, 15.0714), (3, 26.1429), (4, 37.2143)])
def test_optimum_of_the_course_grid(episodes, value):
    """The four numbers, as a dynamic programme over all 2^21 sets gives them; a poor first guess cannot change them."""
    grid = GoalGrid(episodes=episodes)
    assert best_sweep(grid).value == pytest.approx(value, abs=1e-4)
    if episodes < 3:
        assert best_sweep(grid, width=1).value == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("grid", [SMALL, GoalGrid(episodes=2), GoalGrid()])
def test_the_optimal_agent_earns_the_optimum(grid):
    """Played once against every goal."""
    reward = play(grid, grid.goals, bayes_optimal(grid), seeded(0)).reward
    assert reward.sum(1).mean().item() == pytest.approx(best_sweep(grid).value, abs=1e-4)


def test_posterior_sampling_is_worse_than_the_optimum():
    """By far when it keeps its guess all episode, by a tenth when it guesses anew; never better, and it learns."""
    grid, returns = GoalGrid(), []
    for eager in (False, True):
        goals = grid.goals.repeat(100)
        reward = play(grid, goals, posterior_sampling(grid, seeded(0), eager), seeded(0)).reward
        by_episode = reward.unflatten(1, (4, 15)).sum(2).mean(0)
        assert (by_episode.diff() > 0).all()
        returns.append(reward.sum(1).mean().item())
    assert returns[0] < 10 < 33 < returns[1] < best_sweep(grid).value - 2


def test_posterior_sampling_draws_from_the_belief_and_keeps_its_guess():
    """Where it stands at the end of the first episode: on its guess, each goal equally often, whatever is true."""
    grid = GoalGrid(episodes=1)
    goals = torch.full((21_000,), 24)
    last = play(grid, goals, posterior_sampling(grid, seeded(0)), seeded(0)).observation[:, -1].argmax(1)
    assert torch.allclose(torch.bincount(last, minlength=25)[grid.goals] / 1000, torch.ones(21), atol=0.15)
    # The eager one never stands on a refuted guess: by now it has left each cell that was not the goal.
    trials = play(grid, goals, posterior_sampling(grid, seeded(0), eager=True), seeded(0))
    stood = (trials.action == 0) & (trials.observation.argmax(2) != 24)
    assert not stood.any()


def test_towards_never_loses_a_step():
    """Every pair of cells: one step nearer each time, and no step on the target."""
    grid = GoalGrid()
    cell, target = torch.cartesian_prod(torch.arange(25), torch.arange(25)).T
    away = distances(grid)
    for _ in range(9):
        before, action = away[cell, target], towards(grid, cell, target)
        cell = grid.neighbours[cell, action]
        assert torch.equal(away[cell, target], (before - 1).clamp(min=0)) and (action[before == 0] == 0).all()
