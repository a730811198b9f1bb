"""The grid with a hidden goal: agents that know the belief, guess from it or learn it, against the Bayes optimum."""

import statistics
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from benchmarks.measure import Row, cpu_seconds, median_over_seeds, seeded
from utils.learners import varibad
from utils.learners.belief_policy import Networks, actor_critic, agent, train_policy
from utils.tasks.goal_grid import GoalGrid
from utils.tasks.grid_belief import beliefs, exact, posterior_sampling
from utils.tasks.grid_sweep import best_sweep
from utils.tasks.worlds import Act, play

GRID = GoalGrid()
SEEDS = range(3)
KNOWN, LEARNED = 200, 500  # iterations of PPO: on the exact belief, on a learned one
BATCHES = 400  # of trials that an encoder alone is trained on


def run_beliefs(quick: bool) -> list[Row]:
    """Returns of a trial of four episodes; each trained agent plays its best action against every goal."""
    optimum = best_sweep(GRID).value
    rows = [Row("Bayes-optimal, exact", optimum, "", target=37.2142)]
    for eager, what in ((False, "once an episode"), (True, "until refuted")):
        guess = posterior_sampling(GRID, seeded(0), eager)
        rows.append(Row(f"posterior sampling, a guess {what}", earned(guess, 10 if quick else 1000), ""))
    known = partial(on_belief, iterations=1 if quick else KNOWN)
    learned = partial(on_encoder, join="max", iterations=1 if quick else LEARNED)
    rows.append(trained("PPO on the exact belief", known, None if quick else 0.98 * optimum))
    rows.append(trained("PPO on a learned belief (VariBAD)", learned, None if quick else 0.9 * optimum))
    return rows


def trained(what: str, train: Callable[[int], tuple[Networks, Tensor]], target: float | None) -> Row:
    """The median over the seeds; the note gives the mean, its interval and the cost."""
    seconds, returns = [], []
    for seed in SEEDS:
        found = []
        seconds.append(cpu_seconds(lambda seed=seed, found=found: found.append(train(seed))))
        returns.append(earned(player(found[0][0])))
    return median_over_seeds(what, returns, target, f"{statistics.median(seconds):.0f} CPU-s each", unit="")


def earned(act: Act, times: int = 1) -> float:
    """Mean return of a trial, against every goal equally often."""
    return play(GRID, GRID.goals.repeat(times), act, seeded(99)).reward.sum(1).mean().item()


def player(nets: Networks, join: str = "max") -> Act:
    """The trained agent, without chance: it reads its encoder if it has one, else the exact belief."""
    if "token" in nets:
        return agent(GRID, nets, varibad.memory(GRID, nets, join), lambda kept: varibad.read(nets, kept))
    return agent(GRID, nets, exact(GRID), lambda belief: belief)


def on_belief(seed: int, iterations: int) -> tuple[Networks, Tensor]:
    """PPO on the exact belief: networks, and the mean return of each batch."""
    generator, curve = seeded(seed), []
    nets = actor_critic(GRID, GRID.size**2, generator)
    train_policy(GRID, nets, exact(GRID), lambda belief: belief, iterations, generator, report=curve.append)
    return nets, torch.tensor(curve)


def on_encoder(seed: int, join: str, iterations: int) -> tuple[Networks, Tensor]:
    """VariBAD: networks, and the mean return of each batch."""
    curve = []
    return varibad.train(GRID, iterations, seeded(seed), join, curve.append), torch.tensor(curve)


def keep_varibad() -> dict[str, Tensor]:
    """Learning curves and final returns of all seeds, on the exact belief and on learned ones; networks of seed 0."""
    ways = {"known": partial(on_belief, iterations=KNOWN),
            "max": partial(on_encoder, join="max", iterations=LEARNED)}  # fmt: skip
    stored = {}
    for name, train in ways.items():
        runs = [train(seed) for seed in SEEDS]
        stored[f"curve.{name}"] = torch.stack([curve for _, curve in runs])
        stored[f"return.{name}"] = torch.tensor([earned(player(nets, name)) for nets, _ in runs])
    nets = runs[0][0]  # of the last way, which has an encoder
    return stored | {f"{part}.{n}": p for part in (*varibad.BELIEF, "policy") for n, p in nets[part].items()}


def keep_encoders() -> dict[str, Tensor]:
    """Encoders of each kind, all trained on the same trials: what each forgets, all seeds; networks of seed 0."""
    stored = {}
    for join in varibad.JOINS:
        trained = [encoder(s, join, BATCHES) for s in SEEDS]
        forgotten, sure = zip(*(judged(nets, join) for nets in trained), strict=True)
        stored |= {f"forgotten.{join}": torch.stack(forgotten), f"sure.{join}": torch.stack(sure)}
        stored |= {f"{join}.{part}.{name}": p.half() for part, theta in trained[0].items() for name, p in theta.items()}
    return stored


def encoder(seed: int, join: str, batches: int) -> Networks:
    """A belief alone, trained on trials of posterior sampling (a new guess as soon as one is refuted)."""
    generator = seeded(seed)
    nets = varibad.belief_networks(GRID, join, generator)
    learn = varibad.belief_learner(GRID, nets, join, generator)
    for batch in range(batches):
        trials = explored(128, seed + 1000 * batch)
        learn(batch, trials.observation.argmax(2), trials.action, trials.reward)
    return nets


def explored(tasks: int, seed: int):
    """Trials of posterior sampling in new tasks."""
    generator = seeded(seed)
    goals = GRID.sample(tasks, generator)
    return play(GRID, goals, posterior_sampling(GRID, generator, eager=True), generator)


@torch.no_grad()
def judged(nets: Networks, join: str) -> tuple[Tensor, Tensor]:
    """Two things that a belief gets right, on 500 new trials.

    forgotten [21]: during the search, the share of the decoded map that lies on cells already ruled out, when 0 to 20
    of them are (a perfect memory: 0; none: about 1/21 for each); sure: the probability decoded on the goal, once found.
    """
    trials = explored(500, 77)
    reached, hit = GRID.neighbours[trials.observation.argmax(2), trials.action], trials.reward > 0
    drawn = varibad.decoded(nets, varibad.memories(GRID, nets, join, reached, hit))[..., GRID.goals]
    known = beliefs(GRID, reached, hit)[..., GRID.goals]
    found, out = torch.cat([torch.zeros(500, 1).bool(), hit.cummax(1).values], 1), known == 0
    share = (drawn * out).sum(-1) / drawn.sum(-1)
    forgotten = torch.stack([share[~found & (out.sum(-1) == k)].mean() for k in range(len(GRID.goals))])
    return forgotten, (drawn * known).sum(-1)[found].mean()
