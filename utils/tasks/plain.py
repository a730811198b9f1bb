"""The worlds once more, one task at a time in plain Python: easy to read, slow to run.

They are registered as Gymnasium's single environments and are what the batched programs are tested against:
with the same task and the same chance, both must give the same trial. One Gymnasium episode is one whole trial.
"""

from itertools import accumulate

import gymnasium
import numpy as np
import torch

from utils.tasks import city, goal_grid
from utils.tasks.bandits import Bandits
from utils.tasks.bit_flips import BitFlips
from utils.tasks.navigation import CLOSE, STEP, Navigation
from utils.tasks.tabular_mdps import TabularMDPs


class Plain(gymnasium.Env):
    """What all have in common: the clock of a trial, and the world whose task and spaces they share."""

    World: type

    def __init__(self, **options) -> None:
        """The same options as the world's own, such as arms=10."""
        self.world = self.World(**options)
        self.observation_space, self.action_space = self.world.observation_space, self.world.action_space

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
        """A new task, or options["task"]; then the first observation."""
        super().reset(seed=seed)
        generator = torch.Generator().manual_seed(int(self.np_random.integers(2**31)))
        task = (options or {}).get("task")
        self.task, self.t = self.world.sample(1, generator) if task is None else task, 0
        self.begin(0)
        return self._seen(), {}

    def step(self, action) -> tuple[np.ndarray, float, bool, bool, dict]:
        """One step; at an episode's end inside the trial the next episode begins at once."""
        reward, self.t = self.move(action), self.t + 1
        episode, steps = divmod(self.t, self.world.horizon)
        over = self.t == self.world.steps
        if steps == 0 and not over:
            self.begin(episode)
        return self._seen(), float(reward), over, False, {"episode_end": steps == 0}

    def chance(self) -> tuple[float, float]:
        """A uniform and a normal number: all the chance of one step."""
        return float(self.np_random.random()), float(self.np_random.standard_normal())

    def _seen(self) -> np.ndarray:
        return np.array(self.look(), self.observation_space.dtype)


class PlainBandits(Plain):
    """`bandits.Bandits`."""

    World = Bandits

    def begin(self, episode):
        """One state."""

    def move(self, action):
        """Pull an arm."""
        return 1.0 if self.chance()[0] < self.task[0, action] else 0.0

    def look(self):
        """Nothing to see."""
        return [0.0]


class PlainBitFlips(Plain):
    """`bit_flips.BitFlips`."""

    World = BitFlips

    def begin(self, episode):
        """The task's own start."""
        self.bits, self.goal = self.task.start[0].tolist(), self.task.goal[0].tolist()

    def move(self, action):
        """Flip a bit."""
        self.bits[action] = 1 - self.bits[action]
        return 0.0 if self.bits == self.goal else -1.0

    def look(self):
        """Bits and goal."""
        return self.bits + self.goal


class PlainNavigation(Plain):
    """`navigation.Navigation`."""

    World = Navigation

    def begin(self, episode):
        """The origin."""
        self.place, self.goal = [0.0, 0.0], self.task[0].tolist()

    def move(self, action):
        """Walk, unless it has arrived."""
        apart = [p - g for p, g in zip(self.place, self.goal, strict=True)]
        if not self.world.sparse and max(map(abs, apart)) < CLOSE:
            return 0.0
        self.place = [p + min(max(float(a), -STEP), STEP) for p, a in zip(self.place, action, strict=True)]
        distance = sum((p - g) ** 2 for p, g in zip(self.place, self.goal, strict=True)) ** 0.5
        if self.world.sparse:
            return 1 - distance if distance < self.world.radius else 0.0
        return -distance

    def look(self):
        """The place."""
        return self.place


class PlainTabularMDPs(Plain):
    """`tabular_mdps.TabularMDPs`."""

    World = TabularMDPs

    def begin(self, episode):
        """State 0."""
        self.state, self.chances, self.means = 0, self.task.transition[0].tolist(), self.task.reward[0].tolist()

    def move(self, action):
        """The next state is the first whose cumulative chance exceeds the uniform number."""
        uniform, noise = self.chance()
        mean, chances = self.means[self.state][action], self.chances[self.state][action]
        self.state = min(sum(total <= uniform for total in accumulate(chances)), self.world.states - 1)
        return mean + noise

    def look(self):
        """One-hot."""
        return [float(s == self.state) for s in range(self.world.states)]


class PlainGoalGrid(Plain):
    """`goal_grid.GoalGrid`."""

    World = goal_grid.GoalGrid

    def begin(self, episode):
        """The corner."""
        self.row, self.column, self.goal = 0, 0, divmod(int(self.task[0]), self.world.size)

    def move(self, action):
        """Walk inside the walls."""
        down, right = [(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)][action]
        self.row = min(max(self.row + down, 0), self.world.size - 1)
        self.column = min(max(self.column + right, 0), self.world.size - 1)
        return goal_grid.ON_GOAL if (self.row, self.column) == self.goal else goal_grid.ELSEWHERE

    def look(self):
        """The cell, one-hot."""
        n = self.world.size
        return [float(i == self.row * n + self.column) for i in range(n * n)]


class PlainCity(Plain):
    """`city.City`."""

    World = city.City

    def begin(self, episode):
        """In the centre, with the buses of this task."""
        order = list(city.permutations(city.ENDS))[int(self.task.lines[0])]
        self.rides = dict(zip(city.STOPS, order, strict=True)) | dict(zip(order, city.STOPS, strict=True))
        self.place, self.goal, self.paid, self.arrived = city.STARTS, city.GOALS[int(self.task.goal[0])], episode, False

    def move(self, action):
        """Walk, or take the bus if one stops here."""
        if self.arrived:
            return 0.0
        (row, column), last = self.place, city.SIZE - 1
        down, right = [(0, 1), (1, 0), (0, -1), (-1, 0), (0, 0)][action]
        ride = self.rides.get(self.place, self.place) if action == city.RIDE else None
        self.place = ride or (min(max(row + down, 0), last), min(max(column + right, 0), last))
        self.arrived = bool(self.paid) and self.place == self.goal
        return 0.0 if not self.paid else 1.0 if self.arrived else -0.1

    def look(self):
        """Row, column, the map's symbol, the goal: all one-hot."""
        symbol = int(self.task.lines[0]) + 1 if self.place == city.MAP else 0
        row, column = ([float(i == p) for i in range(city.SIZE)] for p in self.place)
        shown = [float(i == symbol) for i in range(city.N_LINES + 1)]
        return row + column + shown + [float(bool(self.paid) and goal == self.goal) for goal in city.GOALS]
