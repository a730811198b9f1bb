"""DREAM (Liu et al. 2021): learn to exploit with the task's name, then to explore for what the name told.

Exploitation is given z = f(mu) + noise, an encoding of the name mu of the task that the noise keeps short.
Exploration is paid for histories from which z can be predicted. At test time nobody knows mu: exploration is played,
the decoder predicts z from it, and exploitation goes to work. Both are trained by the same recurrent Q-learner.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from utils.learners.networks import Parameters
from utils.learners.recurrent_q import (
    Sequences,
    epsilon_at,
    epsilon_greedy,
    improve,
    q_network,
    q_step,
    q_values,
    recall,
    replay,
    td_loss,
)
from utils.learners.rl2_city import BATCH, GAMMA, MEMORY, RATE, ends, history, scores, shifted, small
from utils.tasks.city import N_LINES, City, Journeys
from utils.tasks.worlds import Act, Trials, play

SIZE_Z, NOISE = 16, 0.3
UPDATES = {"exploit": 16, "explore": 2}  # in each iteration; the decoder learns with every update of exploration
COST = 0.02  # of one step of exploration, in units of squared distance


class Dream(NamedTuple):
    """Parameters of the four parts. encoder: {"z": [24, Z]}, one row for each name of a task."""

    encoder: Parameters
    exploit: Parameters
    decoder: Parameters
    explore: Parameters


def exploration_reward(
    z: Float[Tensor, "trial code"], decoded: Float[Tensor, "trial step code"], cost: float = COST
) -> Float[Tensor, "trial gap"]:
    """|z - d_t|^2 - |z - d_{t+1}|^2 - cost: what the step from t to t + 1 taught about z, less its price.

    decoded d_t: the prediction of z from the first t observations. Up to a factor it is the gain in log-likelihood of a
    Gaussian decoder with fixed variance, so the sum over steps is |z - d_0|^2 - |z - d_last|^2 less the price of all.
    """
    distance = (z[:, None] - decoded).square().sum(-1)
    return distance[:, :-1] - distance[:, 1:] - cost


def dream_networks(world: City, generator: torch.Generator, names: int = N_LINES) -> Dream:
    """Untrained parameters; the rows of the encoder are drawn from a standard normal distribution."""
    n_actions, n_seen = int(world.action_space.n), world.observation_space.shape[0]
    n_history = n_seen + world.steps + n_actions
    return Dream(
        {"z": torch.randn(names, SIZE_Z, generator=generator).requires_grad_()},
        q_network(n_seen + SIZE_Z, n_actions, 0, generator),
        q_network(n_history, SIZE_Z, MEMORY, generator),
        q_network(n_history, n_actions, MEMORY, generator),
    )


def past(world: City, trials: Trials) -> Float[Tensor, "trial step input"]:
    """What explorer and decoder are told during the first episode."""
    h = world.horizon
    return history(world, 0, trials.observation[:, :h].float(), shifted(trials.action[:, :h], -1))


def dream_act(
    agent: Dream, world: City, epsilon: float, generator: torch.Generator, z: Float[Tensor, "trial code"] | None = None
) -> Act:
    """The policy for `worlds.play`, for one call of it. Without z the decoder supplies it after the first episode."""
    hidden = reading = guess = None

    def act(step, observation, action, reward):
        nonlocal hidden, reading, guess
        if step < world.horizon:
            action = torch.full((len(observation),), -1) if action is None else action
            x = history(world, step, observation[:, None], action[:, None])[:, 0]
            q, hidden = q_step(agent.explore, x, hidden)
            if z is None:
                guess, reading = q_step(agent.decoder, x, reading)
        else:
            q, _ = q_step(agent.exploit, torch.cat([observation, guess if z is None else z], 1), None)
        return epsilon_greedy(q, epsilon, generator)

    return act


def encode(agent: Dream, name: Int[Tensor, "trial"], generator: torch.Generator) -> Float[Tensor, "trial code"]:
    """z = f(mu) + noise."""
    f = agent.encoder["z"][name]
    return f + NOISE * torch.randn(f.shape, generator=generator)


def exploit_loss(
    agent: Dream, target: Parameters, world: City, trials: Trials, name: Tensor, generator: torch.Generator,
    squeeze: float = 0.0,
) -> Float[Tensor, ""]:  # fmt: skip
    """The Q-learner's loss on second episodes given z, and `squeeze` |f(mu)|^2: together they keep z short."""
    seen, action, reward = (x[:, world.horizon :] for x in (trials.observation, trials.action, trials.reward))
    z = encode(agent, name, generator)[:, None].expand(-1, world.horizon, -1)
    trials = Sequences(torch.cat([seen.float(), z], -1), action, reward, ends(reward))
    loss = td_loss(agent.exploit, target, trials, GAMMA)
    return loss + squeeze * agent.encoder["z"][name].square().sum(1).mean() if squeeze else loss


def decoder_loss(
    agent: Dream, world: City, trials: Trials, name: Tensor
) -> tuple[Float[Tensor, ""], Float[Tensor, "trial step code"]]:
    """Mean squared error of the predictions of f(mu) after each observation; and the predictions."""
    decoded = q_values(agent.decoder, past(world, trials))
    return (decoded - agent.encoder["z"][name].detach()[:, None]).square().sum(-1).mean(), decoded.detach()


def explore_loss(
    agent: Dream, target: Parameters, world: City, trials: Trials, reward: Float[Tensor, "trial gap"]
) -> Float[Tensor, ""]:
    """The Q-learner's loss on first episodes, paid by `exploration_reward`. What the last action shows, nobody sees."""
    end = torch.zeros_like(trials.action[:, : world.horizon], dtype=torch.bool)
    end[:, -1] = True
    reward = torch.cat([reward, torch.zeros_like(reward[:, :1])], 1)
    trials = Sequences(past(world, trials), trials.action[:, : world.horizon], reward, end)
    return td_loss(agent.explore, target, trials, GAMMA)


def train_dream(
    world: City, iterations: int, generator: torch.Generator, report: Callable[[int, Dream], None] = lambda *_: None,
    pay: Callable[[Tensor, Tensor], Tensor] = exploration_reward, squeeze: float = 0.0, details: int = 1,
    planned: int | None = None,
) -> Dream:  # fmt: skip
    """Meta-train all parts side by side by `iterations` of 64 trials each; report(iteration, agent) before each.

    pay(f(mu), decoded): the reward of exploring; squeeze: see `exploit_loss`; details: names that each task has, one of
    which is drawn for a trial; planned: iterations of the whole run, where this is only its beginning.
    """
    agent, memory = dream_networks(world, generator, N_LINES * details), replay()
    step = updates(agent, world, generator, pay, squeeze)
    for iteration in range(iterations):
        report(iteration, agent)
        task, detail = world.sample(BATCH, generator), torch.randint(details, (BATCH,), generator=generator)
        name = task.lines * details + detail
        z = encode(agent, name, generator).detach()
        act = dream_act(agent, world, epsilon_at(iteration / (planned or iterations)), generator, z)
        memory.append((small(play(world, task, act, generator)), name))
        step(memory)
    return agent


def updates(
    agent: Dream, world: City, generator: torch.Generator, pay: Callable[[Tensor, Tensor], Tensor], squeeze: float
) -> Callable[[deque], None]:
    """A function that improves all parts once, from the trials in a memory: the updates of one iteration."""
    aims = [{name: p.detach().clone() for name, p in part.items()} for part in (agent.exploit, agent.explore)]
    adam = lambda rate, *parts: torch.optim.Adam([p for t in parts for p in t.values()], rate, fused=True)  # noqa: E731
    exploiting, exploring = adam(RATE, agent.encoder, agent.exploit), adam(RATE, agent.explore)
    decoding = adam(2 * RATE, agent.decoder)

    def step(memory):
        for _ in range(UPDATES["exploit"]):
            loss = exploit_loss(agent, aims[0], world, *recall(memory, generator), generator, squeeze)
            improve(loss, exploiting, agent.exploit, aims[0])
        for _ in range(UPDATES["explore"]):
            trials, name = recall(memory, generator)
            loss, decoded = decoder_loss(agent, world, trials, name)
            improve(loss, decoding)
            reward = pay(agent.encoder["z"][name].detach(), decoded)
            improve(explore_loss(agent, aims[1], world, trials, reward), exploring, agent.explore, aims[1])

    return step


def dream_scores(
    agent: Dream, world: City, task: Journeys, generator: torch.Generator, told: bool = False
) -> dict[str, Tensor]:
    """`scores` of the greedy policies; told: exploitation is given the true f(mu), whatever was explored."""
    details = len(agent.encoder["z"]) // N_LINES
    z = agent.encoder["z"][task.lines * details].detach() if told else None
    return scores(world, play(world, task, dream_act(agent, world, 0.0, generator, z), generator))
