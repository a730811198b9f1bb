"""RL² on Bernoulli bandits: how near a learned rule comes to the best there is, three seeds, one CPU thread."""

import time
from dataclasses import dataclass, field

from torch import Tensor, stack

from benchmarks.measure import Row, median_over_seeds, seeded
from utils.learners import rl2, rl2_memories
from utils.tasks.bandits import Bandits

# What the best rule earns: exact for 10 pulls (`bayes_optimal`), the Gittins rule over 10^6 trials for 100.
BEST = {(5, 10): 6.660, (10, 10): 6.714, (5, 100): 78.64, (10, 100): 83.77}
SEEDS, MARKS = 3, 8


@dataclass(frozen=True)
class Setting:
    """A memory, its tasks, and rounds of training that a quiet core makes within `seconds`; target in percent."""

    memory: str
    arms: int
    pulls: int
    rounds: int
    seconds: int
    target: float | None = None
    informed: bool = True

    @property
    def name(self) -> str:
        """For tables and stored results."""
        return f"{self.memory}{'' if self.informed else ' without help'}, {self.arms} arms, {self.pulls} pulls"

    @property
    def best(self) -> float:
        """What can be earned."""
        return BEST[self.arms, self.pulls]


SETTINGS = (
    Setting("gru", 5, 10, 150, 30, 99),
    Setting("gru", 10, 10, 120, 30, 99),
    Setting("statistics", 5, 100, 60, 10, 99),
    Setting("statistics", 10, 100, 35, 10),
    Setting("arms", 5, 100, 190, 60, 99),
    Setting("arms", 10, 100, 105, 60, 98),
    Setting("gru", 5, 100, 190, 60, 97),
    Setting("gru", 5, 100, 190, 60, informed=False),
)


@dataclass
class Run:
    """One seed: its parameters, its score in percent of the best, CPU seconds, and the score on the way there."""

    theta: dict[str, Tensor]
    score: float = 0.0
    seconds: float = 0.0
    curve: list[tuple[float, float]] = field(default_factory=list)  # (CPU seconds, percent)


def train(setting: Setting, seed: int, rounds: int, tasks: int, batch: int = 12_800) -> Run:
    """Train and score; the seconds are those of training alone."""
    memory, world = getattr(rl2_memories, setting.memory), Bandits(arms=setting.arms, horizon=setting.pulls)
    percent = lambda theta, tasks: 100 * rl2.evaluate(memory, theta, world, tasks).mean().item() / setting.best  # noqa: E731
    run, pause = Run({}), 0.0
    start = time.process_time()

    def report(round_: int, reward: float, theta: dict[str, Tensor]) -> None:
        nonlocal pause
        if (round_ + 1) * MARKS // rounds > round_ * MARKS // rounds:
            now = time.process_time()
            run.curve.append((now - start - pause, percent(theta, tasks // 10)))
            pause += time.process_time() - now

    run.theta = rl2.meta_train(memory, setting.arms, setting.pulls, rounds, seeded(seed), informed=setting.informed,
                               batch=batch, report=report)  # fmt: skip
    run.seconds = time.process_time() - start - pause
    run.score = percent(run.theta, tasks)
    return run


def runs(setting: Setting, quick: bool = False) -> list[Run]:
    """All seeds, one after the other; the first call of a library is paid before the clock runs."""
    train(setting, 99, 1, 10, 200)
    if quick:
        return [train(setting, seed, 2, 100, 400) for seed in range(SEEDS)]
    return [train(setting, seed, setting.rounds, 20_000) for seed in range(SEEDS)]


def row(setting: Setting, found: list[Run], quick: bool = False) -> Row:
    """The median of the seeds; the note gives the interval of the mean, the rounds and the cost."""
    cost = ", ".join(f"{run.seconds:.3g}" for run in found)
    rounds = 2 if quick else setting.rounds
    note = f"{rounds} rounds: {cost} CPU-s of {setting.seconds}"
    scores = [run.score for run in found]
    return median_over_seeds(f"RL², {setting.name}", scores, None if quick else setting.target, note)


def run_rl2(quick: bool) -> list[Row]:
    """Percent of the exact optimum (10 pulls) or of the finite-horizon Gittins rule (100 pulls), actions drawn."""
    return [row(setting, runs(setting, quick), quick) for setting in SETTINGS]


def kept(found: dict[Setting, list[Run]]) -> dict[str, Tensor]:
    """What the lecture loads: learning curves and scores of all seeds, and the networks trained with help, in float16.

    "NAME: curve" [seed, mark, 2], "NAME: score" [seed], "NAME: PARAMETER" [seed, ...], with NAME as in the table.
    """
    tensors = {}
    for setting, trained in found.items():
        tensors[f"{setting.name}: curve"] = stack([Tensor(run.curve) for run in trained])
        tensors[f"{setting.name}: score"] = Tensor([run.score for run in trained])
        if setting.pulls == 100 and setting.informed and (setting.arms == 5 or setting.memory == "statistics"):
            for name in trained[0].theta:
                tensors[f"{setting.name}: {name}"] = stack([run.theta[name].detach() for run in trained]).half()
    return tensors


def keep() -> dict[str, Tensor]:
    """Train everything and return what is worth keeping."""
    return kept({setting: runs(setting) for setting in SETTINGS})
