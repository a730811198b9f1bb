"""MAML for reinforcement learning on 2-D navigation, one CPU thread: returns after 0 to 3 inner steps."""

import torch
from torch import Tensor

from benchmarks.measure import Row, cpu_seconds, over_seeds, seeded
from utils.learners import maml_rl
from utils.learners.maml_rl import Learner, average, log_prob

TARGETS = -40, -20, -11, -7.5  # after 0, 1, 2, 3 inner steps


def log_surrogate(phi, place: Tensor, action: Tensor, advantage: Tensor, weight: Tensor) -> Tensor:
    """-mean(A log p): the gradient of maml_rl.surrogate; its second derivative takes the actions as given."""
    return -average(log_prob(phi, place, action) * advantage, weight)


RECIPE = "three inner steps"
TRAININGS = {  # at most 15 CPU-s each on a quiet core
    RECIPE: {"iterations": 65},
    "one inner step": {"iterations": 190, "steps": 1},
    "advantages scaled per task": {"iterations": 65, "per_task": True},
    "no credit for the first data": {"iterations": 65, "inner": log_surrogate},
}


def run_maml_rl(quick: bool) -> list[Row]:
    """Three seeds of the recipe and of each way to break it; the goals fill the square evenly."""
    rows, goals = [], even_goals(4 if quick else 20)
    for label, options in TRAININGS.items():
        options = options | {"iterations": 2} if quick else options
        returns, seconds = [], []
        for seed in range(2 if quick else 3):
            learner, _, spent = trained(seed, options)
            returns.append(after_each_step(learner, goals, seed))
            seconds.append(spent)
        note = f"{options['iterations']} iterations, {max(seconds):.1f} CPU-s at most"
        for step, values in enumerate(torch.stack(returns).T.tolist()):
            target = TARGETS[step] if label == RECIPE and not quick else None
            rows.append(over_seeds(f"{label}: return after {step}", values, target, note, unit="return"))
    return rows


def trained(seed: int, options: dict) -> tuple[Learner, Tensor, float]:
    """The learner, its returns in training [iteration, step], and the CPU seconds that it took."""
    found, curve = [], []
    seconds = cpu_seconds(lambda: found.append(
        maml_rl.meta_train(generator=seeded(seed), report=curve.append, **options)))
    return found[0], torch.stack(curve), seconds


def after_each_step(learner: Learner, goals: Tensor, seed: int) -> Tensor:
    """Mean return [4] over the goals after 0 to 3 inner steps on 20 paths each."""
    return maml_rl.returns_after(maml_rl.adaptation(learner, goals, 3, 20, seeded(100 + seed))).mean(1)


def even_goals(side: int) -> Tensor:
    """side^2 goals [T, 2] that stand for the whole square: the middles of equal cells."""
    middles = (torch.arange(side) + 0.5) / side - 0.5
    return torch.cartesian_prod(middles, middles)


def keep_maml_rl() -> dict[str, Tensor]:
    """For `benchmarks.keep`, of each training: returns after 0 to 3 steps, curves in training, one learner.

    NAME.returns [seed, step], NAME.curve [seed, iteration, step], NAME.scale, NAME.theta.w1, ..., NAME.rate0.w1, ...
    """
    kept, goals = {}, even_goals(20)
    for name, options in TRAININGS.items():
        runs = [trained(seed, options)[:2] for seed in range(3)]
        kept[f"{name}.returns"] = torch.stack([after_each_step(run[0], goals, i) for i, run in enumerate(runs)])
        kept[f"{name}.curve"] = torch.stack([curve for _, curve in runs])
        first = runs[0][0]
        kept |= {f"{name}.theta.{n}": p for n, p in first.theta.items()}
        kept |= {f"{name}.rate{i}.{n}": r for i, rates in enumerate(first.rates) for n, r in rates.items()}
        if first.scale is not None:
            kept[f"{name}.scale"] = torch.tensor(first.scale)
    return kept
