"""The worlds behind Gymnasium's interfaces: importing this module registers them.

    import gymnasium, utils.tasks.gymnasium_worlds
    envs = gymnasium.make_vec("course/Bandits-v0", num_envs=4096, arms=10, horizon=100)    # one tensor program
    env = gymnasium.make("course/Bandits-v0", arms=10, horizon=100)                       # one task, plain Python

One Gymnasium episode is one trial; info["episode_end"] tells where the episodes inside it end.
"""

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from utils.tasks import plain
from utils.tasks.worlds import World

NAMES = {
    "Bandits": plain.PlainBandits,
    "BitFlips": plain.PlainBitFlips,
    "Navigation": plain.PlainNavigation,
    "TabularMDPs": plain.PlainTabularMDPs,
    "GoalGrid": plain.PlainGoalGrid,
    "City": plain.PlainCity,
}


class VectorWorld(VectorEnv):
    """`num_envs` trials of one world, all in step. After the end of all trials the next step starts new ones."""

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, world: World, num_envs: int) -> None:
        """world: what is played; its functions are pure, so the state is kept here."""
        self.world, self.num_envs = world, num_envs
        self.single_observation_space, self.single_action_space = world.observation_space, world.action_space
        self.observation_space = batch_space(world.observation_space, num_envs)
        self.action_space = batch_space(world.action_space, num_envs)
        self.generator, self.t = torch.Generator(), world.steps
        self.generator.seed()

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
        """New tasks, or options["task"], which has num_envs tasks; then the first observations."""
        if seed is not None:
            self.generator.manual_seed(seed)
        task = (options or {}).get("task")
        self.task, self.t = self.world.sample(self.num_envs, self.generator) if task is None else task, 0
        self.state = self.world.start(self.task)
        return self._seen(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        """One step of all trials. Raises ValueError for actions that no agent of this world can take."""
        none = np.zeros(self.num_envs, dtype=bool)
        if self.t == self.world.steps:  # the step after the end: its action is ignored
            return self.reset()[0], np.zeros(self.num_envs), none, none.copy(), {}
        noise = self.world.noise(self.num_envs, self.generator)
        self.state, reward = self.world.move(self.task, self.state, self._checked(actions), noise)
        self.t += 1
        episode, steps = divmod(self.t, self.world.horizon)
        over = self.t == self.world.steps
        if steps == 0 and not over:
            self.state = self.world.start(self.task, episode)
        ends = np.full(self.num_envs, steps == 0)
        return self._seen(), reward.double().numpy(), none | over, none, {"episode_end": ends, "_episode_end": ~none}

    def _checked(self, actions: np.ndarray) -> torch.Tensor:
        actions, space = np.asarray(actions), self.action_space
        if actions.shape != space.shape:
            raise ValueError(f"{self.num_envs} tasks need actions of shape {space.shape}, found {actions.shape}")
        if isinstance(space, gymnasium.spaces.MultiDiscrete):
            if not space.contains(actions.astype(space.dtype)):
                raise ValueError(f"actions are 0 to {space.nvec[0] - 1}, found {actions.min()} to {actions.max()}")
            return torch.as_tensor(actions, dtype=torch.long)
        if not np.isfinite(actions).all():
            raise ValueError(f"actions must be finite numbers; {(~np.isfinite(actions)).sum()} of them are not")
        return torch.as_tensor(actions, dtype=torch.float32)

    def _seen(self) -> np.ndarray:
        return self.world.observe(self.task, self.state).numpy().astype(self.observation_space.dtype)


def make_vector(num_envs: int, name: str, **options) -> VectorWorld:
    """What gymnasium.make_vec calls: `num_envs` trials of the world NAMES[name] with its options, such as arms=10."""
    return VectorWorld(NAMES[name].World(**options), num_envs)


def _make_plain(name: str, **options) -> plain.Plain:
    return NAMES[name](**options)


for _name in NAMES:
    gymnasium.register(f"course/{_name}-v0", _make_plain, vector_entry_point=make_vector, kwargs={"name": _name})
