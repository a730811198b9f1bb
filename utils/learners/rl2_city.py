"""RL² (Duan et al. 2016) end to end in the city: one recurrent Q-network plays both episodes of a trial.

Its input is the observation, the step, the last action and the last reward. Exploring is worth only what the second
episode makes of it.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from utils.learners.networks import Parameters
from utils.learners.recurrent_q import (
    Sequences,
    epsilon_at,
    epsilon_greedy,
    improve,
    q_network,
    q_step,
    recall,
    replay,
    td_loss,
)
from utils.tasks.city import MAP, SIZE, City, Journeys
from utils.tasks.worlds import Act, Trials, play

GAMMA, MEMORY, BATCH = 0.97, 64, 64
UPDATES = 5  # in each iteration
RATE = 1e-3


def history(
    world: City, first: int, observation: Float[Tensor, "trial step feature"], action: Int[Tensor, "trial step"],
    reward: Float[Tensor, "trial step"] | None = None,
) -> Float[Tensor, "trial step input"]:
    """What a memory is told at steps first, first + 1, ...: see the module's first lines.

    action, reward: those of the step before; -1 and 0 where there was none. Without `reward` it is left out.
    """
    count, steps, n_actions = len(observation), observation.shape[1], int(world.action_space.n)
    time = torch.eye(world.steps)[first : first + steps].expand(count, -1, -1)
    parts = [observation, time, one_hot(action + 1, n_actions + 1)[..., 1:].float()]
    return torch.cat(parts if reward is None else [*parts, reward[..., None]], -1)


def shifted(x: Tensor, first: int) -> Tensor:
    """x [T, H] one step later: [first, x_0, x_1, ...]."""
    return torch.cat([torch.full_like(x[:, :1], first), x[:, :-1]], 1)


def inputs_of(world: City, trials: Trials) -> Float[Tensor, "trial step input"]:
    """The inputs of whole trials."""
    return history(world, 0, trials.observation.float(), shifted(trials.action, -1), shifted(trials.reward, 0))


def rl2_network(world: City, generator: torch.Generator) -> Parameters:
    """Untrained parameters."""
    n_actions = int(world.action_space.n)
    n_inputs = world.observation_space.shape[0] + world.steps + n_actions + 1
    return q_network(n_inputs, n_actions, MEMORY, generator)


def rl2_act(theta: Parameters, world: City, epsilon: float, generator: torch.Generator) -> Act:
    """The policy for `worlds.play`, for one call of it."""
    state = None

    def act(step, observation, action, reward):
        nonlocal state
        action = torch.full((len(observation),), -1) if action is None else action
        reward = torch.zeros(len(observation)) if reward is None else reward
        x = history(world, step, observation[:, None], action[:, None], reward[:, None])[:, 0]
        q, state = q_step(theta, x, state)
        return epsilon_greedy(q, epsilon, generator)

    return act


def ends(reward: Float[Tensor, "trial step"]) -> Tensor:
    """Where trials end [T, H]: at the goal, which alone pays, and with the last step."""
    end = reward > 0
    end[:, -1] = True
    return end


def train_rl2(
    world: City, iterations: int, generator: torch.Generator,
    report: Callable[[int, Parameters], None] = lambda iteration, theta: None,
) -> Parameters:
    """Meta-train by `iterations` of 64 trials and five updates each; report(iteration, theta) before each."""
    theta = rl2_network(world, generator)
    target = {name: p.detach().clone() for name, p in theta.items()}
    optimiser, memory = torch.optim.Adam(theta.values(), RATE, fused=True), replay()
    for iteration in range(iterations):
        report(iteration, theta)
        act = rl2_act(theta, world, epsilon_at(iteration / iterations), generator)
        memory.append(small(play(world, world.sample(BATCH, generator), act, generator)))
        for _ in range(UPDATES):
            trials = recall(memory, generator)
            sequences = Sequences(inputs_of(world, trials), trials.action, trials.reward, ends(trials.reward))
            improve(td_loss(theta, target, sequences, GAMMA), optimiser, theta, target)
    return theta


def small(trials: Trials) -> Trials:
    """The same trials in a quarter of the memory: the city's observations are zeros and ones."""
    return Trials(trials.observation.to(torch.uint8), trials.action, trials.reward)


def on_map(world: City, trials: Trials) -> Float[Tensor, "trial step"]:
    """At which steps of the first episode does a trial stand on the map (1 or 0)?"""
    row, column = MAP[0], SIZE + MAP[1]
    exploring = trials.observation[:, : world.horizon]
    return (exploring[..., row] * exploring[..., column]).float()


def scores(world: City, trials: Trials) -> dict[str, Float[Tensor, "trial"]]:
    """Of each trial: its return; did it stand on the map while exploring (1 or 0)?"""
    return {"return": trials.reward.sum(1), "map": on_map(world, trials).amax(1)}


def rl2_scores(theta: Parameters, world: City, task: Journeys, generator: torch.Generator) -> dict[str, Tensor]:
    """`scores` of the greedy policy."""
    return scores(world, play(world, task, rl2_act(theta, world, 0.0, generator), generator))
