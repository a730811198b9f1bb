"""Bit flipping with and without hindsight: how often three agents reach their goals after a fixed number of iterations."""

from functools import partial
from statistics import median

import torch
from torch import Tensor

from benchmarks.measure import Row, cpu_seconds, seeded
from utils.learners import her
from utils.learners.intervals import mean_interval
from utils.tasks.bit_flips import BitFlips

SEEDS = 3
TESTS = 1000  # tasks on which each agent is judged
# bits, k (0: a plain deep Q-network), iterations, target in percent, whether it is the most that is promised
RUNS = ((15, 4, 60, 95, False), (15, 0, 120, 5, True), (8, 4, 20, None, False), (8, 0, 160, None, False),
        (20, 4, 120, None, False))
CURVES = (8, 10, 12, 15, 20)  # bits of the stored race
EVERY = 5  # iterations between two points of a stored curve
LENGTH = 120  # iterations of a stored curve


def run_her(quick: bool) -> list[Row]:
    """Percent of new tasks solved by the greedy agents: the median of three seeds."""
    rows = []
    for bits, k, iterations, target, at_most in RUNS:
        bits, iterations = (3, 3) if quick else (bits, iterations)
        scores, seconds = solved(bits, k, iterations)
        mean, half = mean_interval(scores)
        name = f"bit flipping, {bits} bits, {f'hindsight k = {k}' if k else 'no hindsight'}, {iterations} iterations"
        note = f"{mean:.1f} +- {half:.2g}; {SEEDS} seeds, {seconds:.1f} CPU-s for all of them together"
        rows.append(Row(name, median(scores.tolist()), "%", None if quick else target, at_most, note))
    return rows


def solved(bits: int, k: int, iterations: int) -> tuple[Tensor, float]:
    """Percent solved by each of the agents [S], and what the training of all cost."""
    world, found = BitFlips(bits=bits), []
    train = lambda: found.append(her.train(world, iterations, seeded(), SEEDS, partial(her.draw, k=k)))  # noqa: E731
    seconds = cpu_seconds(train)
    return 100 * her.success(world, found[0], seeded(99), TESTS), seconds


def race() -> dict[str, Tensor]:
    """Success [S, points] of every {bits}_{k} while it trains, and the iterations of the points."""
    points = torch.arange(EVERY, LENGTH + 1, EVERY)
    return {"iteration": points} | {f"{bits}_{k}": curve(bits, k) for bits in CURVES for k in (0, 1, 4, 8)}


def curve(bits: int, k: int) -> Tensor:
    """Success [S, points] after every EVERY iterations, each time on new tasks."""
    world, g, found = BitFlips(bits=bits), seeded(99), []

    def report(iteration: int, phi: her.Parameters, loss: Tensor) -> None:
        if (iteration + 1) % EVERY == 0:
            found.append(her.success(world, phi, g))

    her.train(world, LENGTH, seeded(), SEEDS, partial(her.draw, k=k), report=report)
    return torch.stack(found, 1).half()
