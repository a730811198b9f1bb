"""RL² on random MDPs whose memory is a table and whose reader is a planner (Duan et al. 2016; Tamar et al. 2016).

The agent remembers counts and reward sums, nothing else. Before each episode a small network, the same for all
(state, action) entries, sets a bonus on each entry's reward from how often it was tried and how many episodes are left;
value iteration through the expected model plans with it, and the policy is a softmax of the result. PPO learns the
bonus, the strength of the prior and the temperature: 339 numbers. The memory contains a planner: that is the prior
knowledge that makes this easy. In training the critic sees the true MDP: what exploring is worth shows only episodes
later, and is lost in the noise without it.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.networks import Parameters, forward, mlp, trainable
from utils.learners.policy_gradient import advantages, clipped_loss, draw, epochs, log_prob, standardised
from utils.tasks.mdp_rules import Plan, Record, Tables, run, value_iteration
from utils.tasks.tabular_mdps import MDPs, TabularMDPs


def planner(generator: torch.Generator) -> Parameters:
    """Parameters of an agent that begins as the greedy planner with a soft choice: no bonus, the right prior."""
    theta = mlp((2, 16, 16, 1), generator)
    theta["w3"], theta["b3"] = torch.zeros_like(theta["w3"]), torch.zeros_like(theta["b3"])
    return trainable(theta | {"log_sharpness": torch.tensor(2.3), "log_prior": torch.tensor(0.0)})


def bonus(theta: Parameters, tables: Tables, left: Tensor) -> Float[Tensor, "*batch state action"]:
    """What is added to each entry's expected reward, a learned multiple of 1 / sqrt(visits + 1).

    left [*batch or 1, 1, 1]: the share of episodes after this one.
    """
    rare = (tables.transitions.sum(-1) + 1).rsqrt()
    seen = torch.stack([rare, left.expand_as(rare)], -1)
    weights = {name: p for name, p in theta.items() if not name.startswith("log")}
    return rare * forward(weights, seen)[..., 0]


def values(theta: Parameters, tables: Tables, left: Tensor, horizon: int) -> Float[Tensor, "*batch step state action"]:
    """Q by value iteration with the raised rewards, through the posterior mean of the transitions."""
    likely = tables.transitions + theta["log_prior"].exp()
    mean = (tables.rewards + 1) / (tables.transitions.sum(-1) + 1)
    raised = MDPs(likely / likely.sum(-1, keepdim=True), mean + bonus(theta, tables, left))
    return value_iteration(raised, horizon)


def learned(theta: Parameters, world: TabularMDPs) -> Plan:
    """The agent as a plan for `mdp_rules.run`: logits of the policy, to be drawn from with `policy_gradient.draw`."""

    def plan(tables: Tables, episode: int, generator: torch.Generator) -> Tensor:
        left = torch.full((1, 1, 1), share_left(world, episode))
        return theta["log_sharpness"].exp() * values(theta, tables, left, world.horizon)

    return plan


def share_left(world: TabularMDPs, episode: int | Tensor) -> float | Tensor:
    """Which share of the trial's episodes comes after this one."""
    return (world.episodes - 1 - episode) / world.episodes


def logits(theta: Parameters, world: TabularMDPs, record: Record) -> Float[Tensor, "task episode step action"]:
    """The policy's logits at every step of a record, all episodes planned at once."""
    left = share_left(world, torch.arange(float(world.episodes)))[:, None, None]
    q = values(theta, record.tables, left, world.horizon)  # [T, E, H, S, A]
    here = record.state[..., None, None].expand(*record.state.shape, 1, q.shape[-1])
    return theta["log_sharpness"].exp() * q.gather(3, here)[..., 0, :]


def optimum_to_go(world: TabularMDPs, mdps: MDPs, record: Record) -> Float[Tensor, "task step"]:
    """What an agent that knows the MDP would still get in the trial from every step of a record."""
    truth = value_iteration(mdps, world.horizon).amax(-1)  # [T, H, S]
    rest = truth[:, None].expand(-1, world.episodes, -1, -1).gather(3, record.state[..., None])[..., 0]
    later = torch.arange(world.episodes - 1.0, -1, -1)[:, None]
    return (rest + later * truth[:, :1, :1]).flatten(1, 2)


def critic_input(world: TabularMDPs, mdps: MDPs, record: Record) -> Float[Tensor, "task step feature"]:
    """From what the critic guesses how far the agent falls short of `optimum_to_go`."""
    seen = record.tables.transitions.sum(-1).clamp(max=1).mean((-1, -2))[..., None].expand_as(record.reward)
    episode = (torch.arange(world.episodes) / world.episodes)[:, None].expand_as(seen)
    step = (torch.arange(world.horizon) / world.horizon).expand_as(seen)
    episode_return = record.mean_reward.sum(-1, keepdim=True)
    past = ((episode_return.cumsum(1) - episode_return) / world.steps).expand_as(seen)
    best = value_iteration(mdps, world.horizon)[:, :1, :1].amax(-1).expand_as(seen) / world.horizon
    parts = seen, episode, step, past, past / (episode + 0.1), best, best * (1 - episode)
    return torch.stack(parts, -1).flatten(1, 2)


def meta_train(
    steps: int, generator: torch.Generator, world: TabularMDPs | None = None, tasks: int = 128, lr: float = 0.01,
    start: Parameters | None = None, report: Callable[[float], None] | None = None,
) -> Parameters:  # fmt: skip
    """`steps` iterations of PPO, each on one trial in `tasks` fresh MDPs, from `start` or a new planner.

    report gets the mean return of a trial at each iteration.
    The reward in training is the mean reward of the action taken, which has the same optimum and less noise.
    """
    world = world or TabularMDPs()
    theta, critic = trainable(start or planner(generator)), mlp((7, 48, 48, 1), generator)
    parameters = [*theta.values(), *critic.values()]
    optimiser = torch.optim.Adam(parameters, lr)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = lr * max(0.05, 1 - step / steps)
        mdps = world.sample(tasks, generator)
        record = run(world, mdps, learned(theta, world), generator, draw)
        epochs(_loss(theta, critic, world, mdps, record), tasks, parameters, optimiser, generator, passes=3, parts=2)
        if report is not None:
            report(record.mean_reward.sum((1, 2)).mean().item())
    return theta


def _loss(
    theta: Parameters, critic: Parameters, world: TabularMDPs, mdps: MDPs, record: Record
) -> Callable[[Tensor], Tensor]:
    """PPO's loss on some of a record's tasks, with the advantages of the whole record over the whole trial."""
    seen, optimum = critic_input(world, mdps, record), optimum_to_go(world, mdps, record)

    def value(index: Tensor | slice) -> Tensor:
        return optimum[index] + world.horizon * forward(critic, seen[index])[..., 0]

    with torch.no_grad():
        old = log_prob(logits(theta, world, record), record.action)
        estimate = value(slice(None))
        gain = advantages(record.mean_reward.flatten(1, 2), estimate, lam=1.0)
    goal, gain = gain + estimate, standardised(gain).view_as(old)

    def loss(index: Tensor) -> Tensor:
        part = Record(*(t[index] for t in record[:4]), Tables(*(t[index] for t in record.tables)))
        log_p = log_prob(logits(theta, world, part), part.action)
        missed = torch.nn.functional.smooth_l1_loss(value(index), goal[index])
        return clipped_loss(log_p, old[index], gain[index]).mean() + 0.005 * missed

    return loss
