"""Random MDPs of ten episodes, one CPU thread: learned planning over tables of counts, beside the classical rules."""

import torch

from benchmarks.measure import Row, cpu_seconds, over_seeds, seeded
from utils.learners import mdp_planner
from utils.learners.networks import stack
from utils.learners.policy_gradient import draw
from utils.tasks import mdp_rules
from utils.tasks.tabular_mdps import TabularMDPs

STEPS = 60  # iterations of PPO in at most 15 CPU-s


def keep() -> dict[str, torch.Tensor]:
    """Learned planners of three seeds {name: [3, ...]} and their returns while training, "curve" [3, steps]."""
    thetas, curves = [], []
    for seed in range(3):
        curve = []
        thetas.append(mdp_planner.meta_train(STEPS, seeded(seed), report=curve.append))
        curves.append(curve)
    return {name: p.detach() for name, p in stack(thetas).items()} | {"curve": torch.tensor(curves)}


def run(quick: bool) -> list[Row]:
    """Mean return of a trial in fresh MDPs; three seeds of the learner, each tested on the same MDPs."""
    world = TabularMDPs()
    task = world.sample(200 if quick else 4000, seeded(99))

    def score(plan: mdp_rules.Plan, choose: mdp_rules.Choose = mdp_rules.best) -> float:
        return mdp_rules.run(world, task, plan, seeded(98), choose).mean_reward.sum((1, 2)).mean().item()

    steps = world.horizon
    rules = {"optimum, knowing the MDP": mdp_rules.known(task, steps), "PSRL": mdp_rules.psrl(steps),
             "greedy planner": mdp_rules.greedy(steps), "optimist, bonus 0.5": mdp_rules.optimistic(steps, 0.5)}
    rows = [Row(name, score(plan), "return") for name, plan in rules.items()]
    with torch.no_grad():
        untrained = score(mdp_planner.learned(mdp_planner.planner(seeded(0)), world), draw)
    rows.append(Row("greedy planner, soft choice: learned planning before training", untrained, "return"))
    scores, seconds = [], []
    for seed in range(2 if quick else 3):
        found = []
        train = lambda seed=seed, f=found: f.append(mdp_planner.meta_train(2 if quick else STEPS, seeded(seed)))  # noqa: E731
        seconds.append(cpu_seconds(train))
        with torch.no_grad():
            scores.append(score(mdp_planner.learned(found[0], world), draw))
    note = f"{STEPS} iterations, {max(seconds):.1f} CPU-s at most"
    return [*rows, over_seeds("learned planning, 15 CPU-s", scores, None if quick else 155, note, unit="return")]
