"""RL² with a flat recurrent memory against sb3-contrib's RecurrentPPO: 5 arms, 10 pulls, one thread, one run."""

import statistics
import time
from collections.abc import Callable

from torch import Tensor

from benchmarks import peers
from benchmarks.measure import Row, seeded
from utils.learners import rl2, rl2_memories
from utils.tasks.bandit_rules import bayes_optimal
from utils.tasks.bandits import Bandits

WORLD = Bandits(arms=5, horizon=10)
TRIALS = 512  # in parallel: 5,120 pulls a round, 3 passes in 4 parts, on both sides
ROUNDS = {"ours": 60, "RecurrentPPO": 120}
GOAL = 0.95
TARGETS = 2.5, 2  # throughput, time to the goal
GRU = rl2_memories.gru


class Progress:
    """Notes CPU seconds and pulls of training alone, and when the goal was reached; evaluation does not count."""

    def __init__(self, value: Callable[[], float]):
        self.value, self.goal = value, GOAL * bayes_optimal(WORLD.arms, WORLD.horizon)
        self.spent, self.rounds, self.reached = 0.0, 0, None
        self.start = time.process_time()

    def __call__(self) -> None:
        """One more round is over."""
        self.spent += time.process_time() - self.start
        self.rounds += 1
        if self.reached is None and self.value() >= self.goal:
            self.reached = self.spent
        self.start = time.process_time()

    @property
    def pace(self) -> float:
        """Pulls a CPU second."""
        return self.rounds * TRIALS * WORLD.horizon / self.spent


def ours(seed: int, rounds: int, informed: bool = False) -> Progress:
    """Our PPO, by default without the help that needs the truth: what it sees is what the peer sees."""
    latest = {}
    progress = Progress(lambda: rl2.evaluate(GRU, latest, WORLD, 10_000).mean().item())

    def report(round_: int, reward: float, theta: dict[str, Tensor]) -> None:
        latest.update(theta)
        progress()

    rl2.meta_train(GRU, WORLD.arms, WORLD.horizon, rounds, seeded(seed), informed=informed,
                   batch=TRIALS * WORLD.horizon, report=report)  # fmt: skip
    return progress


def recurrent_ppo(seed: int, rounds: int) -> Progress:
    """The peer, tuned: one LSTM of 64 for actor and critic, the same rate, batches, discount and lambda as ours."""
    from sb3_contrib import RecurrentPPO

    from benchmarks.bandits_vecenv import after_rounds, value_of, vec_env

    network = {"lstm_hidden_size": 64, "net_arch": [64], "shared_lstm": True, "enable_critic_lstm": False}
    fall = lambda left: 3e-3 * max(0.03, left)  # noqa: E731
    model = RecurrentPPO(
        "MlpLstmPolicy", vec_env(WORLD, TRIALS, seed), n_steps=WORLD.horizon, batch_size=TRIALS * WORLD.horizon // 4,
        n_epochs=3, learning_rate=fall, gamma=1.0, gae_lambda=0.97, ent_coef=0.01, max_grad_norm=0.5,
        policy_kwargs=network, seed=seed, device="cpu",
    )  # fmt: skip
    progress = Progress(lambda: value_of(model, WORLD, 10_000))
    model.learn(rounds * TRIALS * WORLD.horizon, callback=after_rounds(progress))
    return progress


def run_peer(quick: bool) -> list[Row]:
    """Pulls a CPU second while training, and CPU seconds to 95% of the exact optimum; medians of three seeds."""
    reason = peers.prepare("reinforcement")
    if reason:
        return [Row("RecurrentPPO", None, "x", note=reason)]
    entries = {"ours": ours, "RecurrentPPO": recurrent_ppo}
    for entry in entries.values():
        entry(99, 2)  # what the first call of a library costs is nobody's pace
    runs = {name: [] for name in entries}
    for seed in range(1 if quick else 3):
        for name, entry in entries.items():
            runs[name].append(entry(seed, 2 if quick else ROUNDS[name]))
    pace = {name: statistics.median(run.pace for run in found) for name, found in runs.items()}
    rows = [Row("RL², 10 pulls: ours", pace["ours"] / 1000, "thousand pulls/s"),
            Row("training pace against RecurrentPPO", pace["ours"] / pace["RecurrentPPO"], "x",
                None if quick else TARGETS[0], note=f"{pace['RecurrentPPO'] / 1000:.3g} thousand pulls/s")]  # fmt: skip
    return rows if quick else [*rows, time_to_goal(runs)]


def time_to_goal(runs: dict[str, list[Progress]]) -> Row:
    """How many times longer the peer needs; a run that never arrives counts as all that it took."""
    seconds = {name: [run.reached or run.spent for run in found] for name, found in runs.items()}
    median = {name: statistics.median(found) for name, found in seconds.items()}
    late = {name: sum(run.reached is None for run in found) for name, found in runs.items()}
    notes = [f"{name} {', '.join(f'{s:.3g}' for s in found)} CPU-s" for name, found in seconds.items()]
    notes += [f"{count} of {name} never" for name, count in late.items() if count]
    return Row("time to 95% of the optimum against RecurrentPPO", median["RecurrentPPO"] / median["ours"], "x",
               TARGETS[1], note="; ".join(notes))  # fmt: skip
