"""Random MDPs of ten episodes, one CPU thread: learned planning over tables of counts, beside the classical rules."""

import torch

from benchmarks.measure import Row, cpu_seconds, over_seeds, seeded
from utils.learners import mdp_planner
from utils.learners.policy_gradient import draw
from utils.tasks import mdp_rules
from utils.tasks.tabular_mdps import TabularMDPs

STEPS = 80  # iterations of PPO in at most 15 CPU-s


def run(quick: bool) -> list[Row]:
    """Mean return of a trial in fresh MDPs; three seeds of the learner, each tested on the same MDPs."""
    world = TabularMDPs()
    task = world.sample(200 if quick else 4000, seeded(99))

    def score(plan: mdp_rules.Plan, choose: mdp_rules.Choose = mdp_rules.best) -> float:
        return mdp_rules.run(world, task, plan, seeded(98), choose).mean_reward.sum((1, 2)).mean().item()

    rules = {"optimum, knowing the MDP": mdp_rules.known(task, world.horizon), "PSRL": mdp_rules.psrl(world.horizon),
             "greedy planner": mdp_rules.greedy(world.horizon), "optimist": mdp_rules.optimistic(world.horizon, 0.5)}
    rows = [Row(name, score(plan), "return") for name, plan in rules.items()]
    scores, seconds = [], []
    for seed in range(2 if quick else 3):
        found = []
        train = lambda seed=seed, f=found: f.append(mdp_planner.meta_train(2 if quick else STEPS, seeded(seed)))  # noqa: E731
        seconds.append(cpu_seconds(train))
        with torch.no_grad():
            scores.append(score(mdp_planner.learned(found[0], world), draw))
    note = f"{STEPS} iterations, {max(seconds):.1f} CPU-s at most"
    return [*rows, over_seeds("learned planning, 15 CPU-s", scores, None if quick else 155, note, unit="return")]
