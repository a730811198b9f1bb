"""RL² on random MDPs whose memory is a table and whose reader is a planner (Duan et al. 2016; Tamar et al. 2016).

The agent remembers counts and reward sums, nothing else. Before each episode a small network, the same for all
(state, action) entries, turns what is known of an entry into a bonus on its reward; value iteration through the
expected model plans with it, and the policy is a softmax of the result. PPO learns the bonus, the strength of the prior
and the temperature: 371 numbers. The memory contains a planner: that is the prior knowledge that makes this easy.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.networks import Parameters, mlp, mlp_forward, repeat, trainable
from utils.learners.policy_gradient import advantages, clipped_loss, draw, entropy, epochs, log_prob, standardised
from utils.tasks.mdp_rules import Plan, Record, Tables, run, value_iteration
from utils.tasks.tabular_mdps import MDPs, TabularMDPs


def planner(generator: torch.Generator) -> Parameters:
    """Parameters of an agent that begins as the greedy planner with a soft choice: no bonus, a weak prior."""
    theta = mlp((4, 16, 16, 1), generator)
    theta["w3"], theta["b3"] = torch.zeros_like(theta["w3"]), torch.zeros_like(theta["b3"])
    return trainable(theta | {"log_sharpness": torch.tensor(0.5), "log_prior": torch.tensor(-1.0)})


def bonus(theta: Parameters, tables: Tables, left: Tensor) -> Float[Tensor, "*batch state action"]:
    """What is added to each entry's expected reward; left [*batch or 1, 1, 1]: the share of episodes after this one."""
    visits = tables.transitions.sum(-1)
    rare = (visits + 1).rsqrt()
    mean, left = (tables.rewards + 1) / (visits + 1), left.expand_as(visits)
    seen = torch.stack([mean - 1, rare, left, rare * left], -1)
    weights = repeat({name: p for name, p in theta.items() if not name.startswith("log")}, 1)
    return mlp_forward(weights, seen.flatten(0, -2)[None])[0].view_as(visits)


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


def critic_input(theta: Parameters, world: TabularMDPs, record: Record) -> Float[Tensor, "task step feature"]:
    """What the critic knows: the planner's own value, how much is seen, the time, and the rewards so far."""
    with torch.no_grad():
        own = logits(theta, world, record).amax(-1) / theta["log_sharpness"].exp() / world.horizon
    seen = record.tables.transitions.sum(-1).clamp(max=1).mean((-1, -2))[..., None].expand_as(own)
    episode = (torch.arange(world.episodes) / world.episodes)[:, None].expand_as(own)
    step = (torch.arange(world.horizon) / world.horizon).expand_as(own)
    past = record.mean_reward.sum(-1, keepdim=True).cumsum(1) - record.mean_reward.sum(-1, keepdim=True)
    past = (past / world.steps).expand_as(own)
    return torch.stack([own, seen, episode, step, past, past / (episode + 0.1)], -1).flatten(1, 2)


def meta_train(
    steps: int, generator: torch.Generator, world: TabularMDPs | None = None, tasks: int = 128, lr: float = 5e-3,
    report: Callable[[float], None] | None = None,
) -> Parameters:  # fmt: skip
    """`steps` iterations of PPO, each on one trial in `tasks` fresh MDPs; report gets the mean return of a trial.

    The reward in training is the mean reward of the action taken, which has the same optimum and less noise.
    """
    world = world or TabularMDPs()
    theta, critic = planner(generator), mlp((6, 48, 48, 1), generator)
    parameters = [*theta.values(), *critic.values()]
    optimiser = torch.optim.Adam(parameters, lr)
    for step in range(steps):
        left = 1 - step / steps
        optimiser.param_groups[0]["lr"] = lr * max(0.05, left)
        record = run(world, world.sample(tasks, generator), learned(theta, world), generator, draw)
        loss = _loss(theta, critic, world, record, 0.01 * left)
        epochs(loss, tasks, parameters, optimiser, generator, passes=3, parts=2)
        if report is not None:
            report(record.mean_reward.sum((1, 2)).mean().item())
    return theta


def _loss(
    theta: Parameters, critic: Parameters, world: TabularMDPs, record: Record, spread: float
) -> Callable[[Tensor], Tensor]:
    """PPO's loss on some of a record's tasks, with the advantages of the whole record."""
    seen = critic_input(theta, world, record)
    value = lambda x: 10 * mlp_forward(repeat(critic, 1), x.flatten(0, 1)[None])[0].view(x.shape[:2])  # noqa: E731
    with torch.no_grad():
        old = log_prob(logits(theta, world, record), record.action)
        estimate = value(seen)
        gain = advantages(record.mean_reward.flatten(1, 2) - 1, estimate, 1.0, 0.9)
    goal, gain = gain + estimate, standardised(gain).view_as(old)

    def loss(index: Tensor) -> Tensor:
        part = Record(*(t[index] for t in record[:4]), Tables(*(t[index] for t in record.tables)))
        scores = logits(theta, world, part)
        surrogate = clipped_loss(log_prob(scores, part.action), old[index], gain[index]).mean()
        missed = torch.nn.functional.smooth_l1_loss(value(seen[index]), goal[index])
        return surrogate - spread * entropy(scores).mean() + 0.005 * missed

    return loss
