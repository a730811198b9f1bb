"""Agents with many goals: bit flipping with and without hindsight, and what one network for all goals shares."""

from functools import partial

import torch
from torch import Tensor

from benchmarks.measure import Row, cpu_seconds, median_over_seeds, seeded
from utils.learners import her
from utils.tasks.bit_flips import BitFlips, Flips, reached
from utils.tasks.maze import BRIDGE, ROOM, TOLD, Maze

SEEDS = 3
TESTS = 1000  # tasks on which each agent is judged
# bits, k (0: a plain deep Q-network), iterations, target in percent, whether it is the most that is promised
RUNS = ((15, 4, 60, 95, False), (15, 0, 120, 5, True), (8, 4, 20, None, False), (8, 0, 160, None, False),
        (20, 4, 120, None, False))
CURVES = (8, 10, 12, 15, 20)  # bits of the stored race
EVERY = 5  # iterations between two points of a stored curve
LENGTH = 120  # iterations of a stored curve
GOALS = (2, 4, 8, 12, 24)  # in how many of the room's 49 cells training has its goals
WIDTHS = (4, 8, 16, 32, 64)  # of the hidden layers of networks for four corners
RISKS = (0.1, 0.3, 0.5, 0.7, 0.9)  # that the bridge breaks
CORNERS = ((0, 0), (0, 6), (6, 0), (6, 6))


def run_her(quick: bool) -> list[Row]:
    """Percent of new tasks solved by the greedy agents: the median of three seeds."""
    rows = []
    for bits, k, iterations, target, at_most in RUNS:
        bits, iterations = (3, 3) if quick else (bits, iterations)
        scores, seconds = solved(bits, k, iterations)
        name = f"bit flipping, {bits} bits, {f'hindsight k = {k}' if k else 'no hindsight'}, {iterations} iterations"
        note = f"{seconds:.1f} CPU-s for all of them together"
        rows.append(median_over_seeds(name, scores.tolist(), None if quick else target, note, at_most=at_most))
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


def sharing() -> dict[str, Tensor]:
    """{told}_trained, {told}_unseen [S, goals]: success on goals of training and on all others, in one room.

    one, four [S, width]: success on four corners of the maze by one network for all, and by one network for each.
    """
    found = {"goals": torch.tensor(GOALS), "widths": torch.tensor(WIDTHS)}
    for told in TOLD:
        pairs = torch.stack([unseen_goals(told, count) for count in GOALS], 2).half()
        found |= {f"{told}_trained": pairs[0], f"{told}_unseen": pairs[1]}
    corners = torch.stack([one_and_four(width) for width in WIDTHS], 2).half()
    return found | {"one": corners[0], "four": corners[1]}


def unseen_goals(told: str, count: int, iterations: int = 60) -> Tensor:
    """Success [2, S] on the `count` goals of training and on all others, by plain deep Q-networks."""
    cells = [(i // 7, i % 7) for i in torch.randperm(49, generator=seeded(3)).tolist()]
    worlds = [Maze(horizon=12, plan=ROOM, told=told, goals=tuple(goals)) for goals in (cells[:count], cells[count:])]
    phi = her.train(worlds[0], iterations, seeded(), SEEDS, partial(her.draw, k=0), lr=3e-3, explore=40)
    return torch.stack([her.success(world, phi, seeded(99), TESTS) for world in worlds])


def one_and_four(width: int, iterations: int = 60, seeds: int = 6) -> Tensor:
    """Success [2, S] on four corners: one network for all, and four that have a quarter of the episodes each."""
    learn = partial(her.train, iterations=iterations, generator=seeded(), seeds=seeds, draw=partial(her.draw, k=0),
                    hidden=width, lr=3e-3, explore=40)  # fmt: skip
    worlds = [Maze(goals=(corner,)) for corner in CORNERS]
    one = learn(Maze(goals=CORNERS), episodes=64)
    four = [learn(world, episodes=16) for world in worlds]
    scores = [[her.success(world, phi, seeded(99), TESTS) for world, phi in zip(worlds, networks, strict=True)]
              for networks in ([one] * 4, four)]  # fmt: skip
    return torch.stack([torch.stack(part).mean(0) for part in scores])


def bridge() -> dict[str, Tensor]:
    """arrived_{k}, fallen_{k} [S, risk]: shares of the tasks from the left bank to the right one, greedy agents."""
    found = {"risks": torch.tensor(RISKS)}
    for k in (0, 4):
        scores = torch.stack([crossing(risk, k) for risk in RISKS], 2).half()
        found |= {f"arrived_{k}": scores[0], f"fallen_{k}": scores[1]}
    return found


def crossing(risk: float, k: int, iterations: int = 120, seeds: int = 6) -> Tensor:
    """[2, S]: how often each agent arrives, and how often it falls off the bridge."""
    world, g = Maze(plan=BRIDGE, risk=risk), seeded(99)
    phi = her.train(world, iterations, seeded(), seeds, partial(her.draw, k=k), hidden=64, lr=3e-3)
    left, right = (torch.tensor([[3.0, column] for column in bank]) for bank in ((0, 1, 2), (4, 5, 6)))
    starts, goals = left.repeat_interleave(3, 0).repeat(100, 1), right.repeat(300, 1)
    task = Flips(*(part.expand(seeds, *part.shape) for part in (starts, goals)))
    states, _ = her.rollout(world, phi, task, g)
    ends = task.goal[:, :, None], world.pit
    return torch.stack([reached(states, end.expand_as(states)).amax(2).mean(1) for end in ends])
