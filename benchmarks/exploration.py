"""Exploration that pays later: DREAM against end-to-end RL² in the city, with one and the same learner."""

import time
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import Row, median_over_seeds, seeded
from utils.learners import dream, rl2_city
from utils.tasks.city import City
from utils.tasks.city_optimum import best_returns
from utils.tasks.worlds import play

SEEDS = (0, 1, 2)
MARKS = 24  # points of a learning curve
AGENTS = {  # name -> (train, scores, iterations that cost at most 60 CPU-s)
    "DREAM": (dream.train_dream, dream.dream_scores, 500),
    "RL²": (rl2_city.train_rl2, rl2_city.rl2_scores, 480),
}
VARIANTS = {  # of 250 iterations
    "as it is": {},
    "paid for the state": {"pay": lambda z, decoded: -(z[:, None] - decoded[:, 1:]).square().sum(-1) - dream.COST},
    "four names": {"details": 4},
    "four names, squeezed": {"details": 4, "squeeze": 3e-4},
}


def run_dream(quick: bool) -> list[Row]:
    """Return of the second episode and trials that stood on the map, at most 60 CPU-s each, medians of three seeds."""
    told, ignorant = best_returns(City())
    rows = [Row("City: best return knowing the lines", told, ""), Row("City: knowing nothing", ignorant, "")]
    for name in AGENTS:
        curves = [learning_curve(name, seed, 4 if quick else None)[1] for seed in SEEDS[: 2 if quick else None]]
        last = {key: [curve[key][-1].item() for curve in curves] for key in curves[0]}
        cost = f"{', '.join(f'{s:.0f}' for s in last['seconds'])} CPU-s"
        for key, targets in {"return": (0.78, 0.35), "map": (1.0, 0.3)}.items():
            target = None if quick else targets[name != "DREAM"]
            what = f"City, {name}, within 60 CPU-s: {'return' if key == 'return' else 'stood on the map'}"
            rows.append(median_over_seeds(what, last[key], target, cost, unit="", at_most=name != "DREAM"))
    return rows


def learning_curve(name: str, seed: int, iterations: int | None = None, **options) -> tuple[Any, dict[str, Tensor]]:
    """The trained agent, and of each mark: iterations, CPU seconds spent on training, mean return, share on the map."""
    train, scores, usual = AGENTS[name]
    iterations = iterations or usual
    world, points, testing, start = City(), [], 0.0, time.process_time()
    task = world.sample(1000, seeded(1000))
    marks = {round(iterations * i / MARKS) for i in range(MARKS + 1)}

    def test(iteration, agent):
        nonlocal testing
        if iteration in marks:
            begin = time.process_time()
            found = {key: value.mean().item() for key, value in scores(agent, world, task, seeded(0)).items()}
            points.append({"iteration": iteration, "seconds": begin - start - testing} | found)
            testing += time.process_time() - begin

    agent = train(world, iterations, seeded(seed), test, **options)
    test(iterations, agent)
    curve = {key: torch.tensor([float(point[key]) for point in points]) for key in points[0]}
    return agent, curve | {"seconds": curve["seconds"] - curve["seconds"][0]}  # without loading torch


def keep_dream() -> dict[str, Tensor]:
    """Curves [seed, mark] of DREAM, and the agent of the first seed."""
    agents, curves = zip(*(learning_curve("DREAM", seed) for seed in SEEDS), strict=True)
    parts = agents[0]._asdict().items()
    network = {f"{part}.{name}": p.half() for part, theta in parts for name, p in theta.items()}
    return network | _curves(curves)


def keep_rl2() -> dict[str, Tensor]:
    """Curves [seed, mark] of RL², and the agent of the first seed."""
    agents, curves = zip(*(learning_curve("RL²", seed) for seed in SEEDS), strict=True)
    return {name: p.half() for name, p in agents[0].items()} | _curves(curves)


def keep_variants() -> dict[str, Tensor]:
    """[seed] for each change to DREAM: return, return when told f(mu), stood on the map, share of time on it."""
    found = {}
    for name, options in VARIANTS.items():
        results = [_variant(seed, options) for seed in SEEDS]
        found |= {f"{name}.{key}": torch.tensor([result[key] for result in results]) for key in results[0]}
    return found


def _variant(seed: int, options: dict[str, Any]) -> dict[str, float]:
    world, g = City(), seeded(0)
    agent = dream.train_dream(world, 250, seeded(seed), **options)
    task = world.sample(1000, seeded(1000))
    told = dream.dream_scores(agent, world, task, g, told=True)["return"]
    trials = play(world, task, dream.dream_act(agent, world, 0.0, g), g)
    found = rl2_city.scores(world, trials) | {"told": told, "lingers": rl2_city.on_map(world, trials)}
    return {key: value.mean().item() for key, value in found.items()}


def _curves(curves: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {f"curve.{key}": torch.stack([curve[key] for curve in curves]) for key in curves[0]}
