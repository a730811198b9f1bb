"""Hindsight experience replay (Andrychowicz et al. 2017) on a goal-conditioned double deep Q-network.

A task is a start and a goal (`bit_flips.Flips`), both states; the reward is 0 in the goal and -1 elsewhere, and an
episode's value ends where its goal is reached. S agents learn side by side, each with its own network and its own
memory: parameters [S, ...], states [S, ..., D].
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from utils.learners.networks import Parameters, mlp, mlp_forward, stack
from utils.learners.recurrent_q import epsilon_greedy
from utils.tasks.bit_flips import Flips, reached
from utils.tasks.worlds import World

GAMMA = 0.98
LOWEST = -1 / (1 - GAMMA)  # the value of never arriving
STRATEGIES = "future", "final", "episode", "random", "past"


def hindsight(
    row: Int[Tensor, "*batch"], t: Int[Tensor, "*batch"], u: Float[Tensor, "*batch"], rows: int, horizon: int,
    strategy: str = "future",
) -> tuple[Int[Tensor, "*batch"], Int[Tensor, "*batch"]]:  # fmt: skip
    """Which state becomes the goal of step t of episode `row`: (its episode, its place 0..H among the states).

    u: uniform in [0, 1). future: after step t; final: the last; episode: any after the start; random: of any episode;
    past: up to the state in which step t began, which is wrong and teaches why. Raises ValueError for other names.
    """
    if strategy == "future":
        return row, t + 1 + (u * (horizon - t)).long()
    if strategy == "final":
        return row, torch.full_like(t, horizon)
    if strategy == "episode":
        return row, 1 + (u * horizon).long()
    if strategy == "random":
        any_state = (u.double() * rows * horizon).long()
        return any_state // horizon, 1 + any_state % horizon
    if strategy == "past":
        return row, (u * (t + 1)).long()
    raise ValueError(f"strategy is one of {', '.join(STRATEGIES)}; found {strategy!r}")


def relabel(
    states: Float[Tensor, "task state feature"], u: Float[Tensor, "task step"], strategy: str = "future"
) -> tuple[Float[Tensor, "task step feature"], Float[Tensor, "task step"]]:
    """A new goal for every step of T episodes, and the reward that the step earns for it: [T, H, D], [T, H].

    states: s_0 ... s_H of each episode. The transitions stay what they are; only goal and reward change.
    """
    rows, horizon = u.shape
    row, t = torch.meshgrid(torch.arange(rows), torch.arange(horizon), indexing="ij")
    goal = states[hindsight(row, t, u, rows, horizon, strategy)]
    return goal, reached(states[:, 1:], goal) - 1


class Replay(NamedTuple):
    """Whole episodes of S agents: state [S, C, H+1, D], action [S, C, H], goal [S, C, D]; goals are those pursued."""

    state: Tensor
    action: Tensor
    goal: Tensor


class Steps(NamedTuple):
    """Transitions as they are learned from: state, after, goal [S, B, D], action, reward [S, B]."""

    state: Tensor
    action: Tensor
    after: Tensor
    goal: Tensor
    reward: Tensor


Draw = Callable[[Replay, int, torch.Generator], Steps]


def draw(replay: Replay, batch: int, generator: torch.Generator, k: int = 4, strategy: str = "future") -> Steps:
    """`batch` steps of each agent's episodes; k of k + 1 carry a goal of hindsight, the others the goal pursued."""
    seeds, rows, horizon = replay.action.shape
    shape, agent = (seeds, batch), torch.arange(seeds)[:, None]
    row = torch.randint(rows, shape, generator=generator)
    t = torch.randint(horizon, shape, generator=generator)
    u, coin = torch.rand(2, *shape, generator=generator)
    goal = replay.goal[agent, row]
    if k:
        found = replay.state[agent, *hindsight(row, t, u, rows, horizon, strategy)]
        goal = torch.where((coin < k / (k + 1))[..., None], found, goal)
    after = replay.state[agent, row, t + 1]
    return Steps(replay.state[agent, row, t], replay.action[agent, row, t], after, goal, reached(after, goal) - 1)


def networks(world: World, seeds: int, generator: torch.Generator, hidden: int = 128) -> Parameters:
    """S goal-conditioned Q-networks: what the world shows -> a value for each action."""
    n_features, n_actions = seen(world, *world.sample(1, generator)).shape[1], int(world.action_space.n)
    return stack([mlp((n_features, hidden, hidden, n_actions), generator) for _ in range(seeds)])


def seen(world: World, state: Float[Tensor, "*batch d"], goal: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch f"]:
    """What the network reads of states and goals."""
    state, goal, batch = state.flatten(0, -2), goal.flatten(0, -2), state.shape[:-1]
    return world.observe(Flips(state, goal), state).unflatten(0, batch)


def q_values(
    phi: Parameters, world: World, state: Float[Tensor, "seed point d"], goal: Float[Tensor, "seed point d"]
) -> Float[Tensor, "seed point action"]:
    """Q(s, g, .) of each agent."""
    return mlp_forward(phi, seen(world, state, goal))


@torch.no_grad()
def rollout(
    world: World, phi: Parameters, task: Flips, generator: torch.Generator, epsilon: float = 0.0
) -> tuple[Float[Tensor, "seed episode state d"], Int[Tensor, "seed episode step"]]:
    """One episode in each of S x E tasks (tensors [S, E, D]) by the epsilon-greedy agents: states and actions.

    Everyone walks on after the goal: what happens there is worth learning from too.
    """
    shape, state = task.goal.shape[:2], task.start
    flat = Flips(*(part.flatten(0, 1) for part in task))
    states, actions = [state], []
    for _ in range(world.horizon):
        q = q_values(phi, world, state, task.goal)
        action = epsilon_greedy(q, epsilon, generator) if epsilon else q.argmax(-1)
        noise = world.noise(shape.numel(), generator)
        state = world.move(flat, state.flatten(0, 1), action.flatten(), noise)[0].unflatten(0, shape)
        states.append(state)
        actions.append(action)
    return torch.stack(states, 2), torch.stack(actions, 2)


def success(
    world: World, phi: Parameters, generator: torch.Generator, count: int = 500, task: Flips | None = None
) -> Float[Tensor, "seed"]:
    """Share of `count` new tasks, or of `task` [T, D], in which each greedy agent reaches the goal."""
    seeds = len(phi["w1"])
    task = Flips(*(part.expand(seeds, *part.shape) for part in task or world.sample(count, generator)))
    states, _ = rollout(world, phi, task, generator)
    return reached(states, task.goal[:, :, None].expand_as(states)).amax(2).mean(1)


def td_loss(
    phi: Parameters, target: Parameters, world: World, steps: Steps, gamma: float = GAMMA
) -> Float[Tensor, "seed"]:
    """Double Q-learning (van Hasselt et al. 2016): phi chooses the next action, the slow copy judges it."""
    with torch.no_grad():
        features = seen(world, steps.after, steps.goal)
        best = mlp_forward(phi, features).argmax(-1, keepdim=True)
        later = mlp_forward(target, features).gather(-1, best)[..., 0]
        wanted = (steps.reward + gamma * (steps.reward < 0) * later).clamp(-1 / (1 - gamma), 0)
    value = q_values(phi, world, steps.state, steps.goal).gather(-1, steps.action[..., None])[..., 0]
    return (value - wanted).pow(2).mean(1)


def train(
    world: World, iterations: int, generator: torch.Generator, seeds: int = 3, draw: Draw = draw, hidden: int = 128,
    episodes: int = 32, updates: int = 24, batch: int = 256, lr: float = 2e-3, explore: int = 60,
    rate: float = 0.05, capacity: int = 10_000, report: Callable[[int, Parameters, Tensor], None] | None = None,
) -> Parameters:  # fmt: skip
    """S agents, each from its own episodes. An iteration is `episodes` episodes and `updates` steps of Adam.

    draw: how steps are taken from memory; functools.partial(draw, k=0) is plain DQN. explore: iterations in which the
    share of random actions falls from 1 to 0.1. report(iteration, phi, loss [S]) is called after each iteration.
    """
    phi = networks(world, seeds, generator, hidden)
    target = {name: p.detach().clone() for name, p in phi.items()}
    optimiser = torch.optim.Adam(phi.values(), lr, fused=True)
    replay = None
    for iteration in range(iterations):
        pursued = world.sample(seeds * episodes, generator)
        task = Flips(*(part.unflatten(0, (seeds, episodes)) for part in pursued))
        states, actions = rollout(world, phi, task, generator, max(0.1, 1 - iteration / explore))
        replay = remember(replay, Replay(states, actions, task.goal), capacity)
        for _ in range(updates):
            loss = td_loss(phi, target, world, draw(replay, batch, generator))
            optimiser.zero_grad()
            loss.sum().backward()
            optimiser.step()
            torch._foreach_lerp_(list(target.values()), [p.detach() for p in phi.values()], rate)
        if report is not None:
            report(iteration, phi, loss.detach())
    return phi


def remember(replay: Replay | None, new: Replay, capacity: int) -> Replay:
    """The last `capacity` episodes."""
    if replay is None:
        return new
    return Replay(*(torch.cat([old, more], 1)[:, -capacity:] for old, more in zip(replay, new, strict=True)))
