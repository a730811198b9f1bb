"""The batched bandits as Stable-Baselines3 wants them; importable after `peers.prepare("reinforcement")`."""

from collections.abc import Callable

import numpy as np
import torch
from gymnasium.spaces import Box
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from benchmarks.measure import seeded
from utils.learners.rl2_memories import clock, tokens
from utils.tasks.bandits import Bandits


class BanditEnv(VecEnv):
    """All trials step together; what is seen is what our memory reads: last arm, last reward, time."""

    def __init__(self, world: Bandits, count: int, seed: int):
        self.world, self.generator, self.times = world, seeded(seed), clock(world.horizon)
        self.shape = {"weight_ih": torch.empty(0, 2 * world.arms + 4)}  # tells `tokens` the number of arms
        super().__init__(count, Box(-1.0, 1.0, (2 * world.arms + 4,)), world.action_space)

    def seen(self, action: torch.Tensor | None, reward: torch.Tensor | None) -> np.ndarray:
        """Observations [count, features]; before the first pull all but the time is 0."""
        now = self.times[self.step_number]
        if action is None:
            blank = torch.zeros(self.num_envs, 2 * self.world.arms + 1)
            return torch.cat([blank, now.expand(self.num_envs, 3)], 1).numpy()
        return tokens(self.shape, action, reward, now).numpy()

    def reset(self) -> np.ndarray:
        """New tasks for all."""
        self.chance, self.step_number = self.world.sample(self.num_envs, self.generator), 0
        self.state = self.world.start(self.chance)
        return self.seen(None, None)

    def step_async(self, actions: np.ndarray) -> None:
        """Note the arms."""
        self.actions = torch.from_numpy(actions)

    def step_wait(self) -> tuple:
        """Pull them; after the last pull a new trial begins by itself."""
        noise = self.world.noise(self.num_envs, self.generator)
        _, reward = self.world.move(self.chance, self.state, self.actions, noise)
        self.step_number += 1
        over = self.step_number == self.world.horizon
        seen = self.reset() if over else self.seen(self.actions, reward)
        return seen, reward.numpy(), np.full(self.num_envs, over), [{} for _ in range(self.num_envs)]

    def close(self) -> None:
        """Nothing to close."""

    def get_attr(self, attr_name: str, indices=None) -> list:
        """The same for every trial."""
        return [getattr(self, attr_name, None)] * self.num_envs

    def set_attr(self, attr_name: str, value, indices=None) -> None:
        """Nothing can be set."""
        raise NotImplementedError

    def env_method(self, method_name: str, *arguments, indices=None, **named) -> list:
        """No trial has methods of its own."""
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: type, indices=None) -> list[bool]:
        """Nothing is wrapped."""
        return [False] * self.num_envs


def vec_env(world: Bandits, count: int, seed: int) -> BanditEnv:
    """The adapter with its own generator."""
    return BanditEnv(world, count, seed)


def value_of(model, world: Bandits, tasks: int) -> float:
    """Expected reward of a fresh trial when actions are drawn; as `rl2.evaluate` counts it."""
    env = BanditEnv(world, tasks, 12345)
    seen, state, first, regret = env.reset(), None, np.ones(tasks, dtype=bool), 0.0
    chance = env.chance
    for _ in range(world.horizon):
        action, state = model.predict(seen, state, first, deterministic=False)
        regret += (chance.amax(1) - chance.gather(1, torch.from_numpy(action)[:, None])[:, 0]).mean().item()
        env.step_async(action)
        seen, _, first, _ = env.step_wait()
    return world.horizon * world.arms / (world.arms + 1) - regret


def after_rounds(function: Callable[[], None]) -> BaseCallback:
    """A callback that calls the function when a round, data and updates, is over."""

    class Callback(BaseCallback):
        rounds = 0

        def _on_rollout_start(self) -> None:
            if self.rounds:  # the round before this one is over
                function()
            self.rounds += 1

        def _on_step(self) -> bool:
            return True

        def _on_training_end(self) -> None:
            function()

    return Callback()
