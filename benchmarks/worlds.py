"""The batched worlds against Gymnasium's SyncVectorEnv of their plain Python twins: whole trials, 4,096 tasks."""

import gymnasium
import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv

import utils.tasks.gymnasium_worlds as worlds
from benchmarks.measure import Row, medians

TASKS = 4096
TARGETS = dict.fromkeys(worlds.NAMES, 40) | {"Bandits": 200, "Navigation": 200}


def run(quick: bool) -> list[Row]:
    """Steps per CPU second, new tasks included, and how many times as many as SyncVectorEnv's."""
    count, rows = 64 if quick else TASKS, []
    for name in worlds.NAMES:
        batched = gymnasium.make_vec(f"course/{name}-v0", num_envs=count)
        twins = SyncVectorEnv([lambda name=name: gymnasium.make(f"course/{name}-v0").unwrapped] * count)
        contenders = {"batched": lambda envs=batched: one_trial(envs), "plain": lambda envs=twins: one_trial(envs)}
        seconds, steps = medians(contenders, 1 if quick else 3), batched.unwrapped.world.steps * count
        rows.append(Row(f"{name}: batched", steps / seconds["batched"] / 1e6, "million steps/s"))
        note = f"{steps / seconds['plain'] / 1e3:.0f} thousand steps/s"
        target, ratio = None if quick else TARGETS[name], seconds["plain"] / seconds["batched"]
        rows.append(Row(f"{name}: against SyncVectorEnv", ratio, "x", target, note=note))
    return rows


def one_trial(envs: VectorEnv) -> None:
    """New tasks, then random actions (drawn once) until all trials are over."""
    envs.reset(seed=0)
    actions, over = envs.action_space.sample(), np.zeros(1, dtype=bool)
    while not over.all():
        _, _, over, _, _ = envs.step(actions)
