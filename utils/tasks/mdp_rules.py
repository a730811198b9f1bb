"""Planning in random tabular MDPs: with the MDP known, and by classical rules that learn it over a trial.

All agents keep the same tables of what they have seen and plan once at the start of each episode. They differ in
the model that they plan with: the posterior mean, one sample of the posterior, or an optimist's.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from utils.tasks.tabular_mdps import MDPs, TabularMDPs


class Tables(NamedTuple):
    """transitions [T, S, A, S]: how often each was seen; rewards [T, S, A]: their sums."""

    transitions: Tensor
    rewards: Tensor


Values = Float[Tensor, "*batch step state action"]
Plan = Callable[[Tables, int, torch.Generator], Tensor]  # (tables, episode, generator) -> Q [T, H, S, A]
Choose = Callable[[Tensor, torch.Generator], Tensor]  # Q [T, A] -> action [T]


def value_iteration(mdps: MDPs, horizon: int) -> Values:
    """Q of the optimal policy with `horizon` - h steps to go at step h, by backward induction (Bellman 1957)."""
    value, found = torch.zeros_like(mdps.reward[..., 0]), []
    for _ in range(horizon):
        q = mdps.reward + (mdps.transition @ value[..., None, :, None])[..., 0]
        value = q.amax(-1)
        found.append(q)
    return torch.stack(found[::-1], -3)


def posterior_mean(tables: Tables) -> MDPs:
    """The expected MDP: flat Dirichlet prior on transitions, N(1, 1) prior on mean rewards, reward noise N(0, 1)."""
    seen = tables.transitions + 1
    visits = tables.transitions.sum(-1)
    return MDPs(seen / seen.sum(-1, keepdim=True), (tables.rewards + 1) / (visits + 1))


def posterior_sample(tables: Tables, generator: torch.Generator) -> MDPs:
    """One MDP from the posterior; a Dirichlet sample is a vector of gamma samples, divided by their sum."""
    gammas = torch._standard_gamma(tables.transitions + 1, generator=generator)
    mean, visits = posterior_mean(tables).reward, tables.transitions.sum(-1)
    noise = torch.randn(mean.shape, generator=generator)
    return MDPs(gammas / gammas.sum(-1, keepdim=True), mean + noise * (visits + 1).rsqrt())


def greedy(horizon: int) -> Plan:
    """Plan with the posterior mean, as if it were the truth."""
    return lambda tables, episode, generator: value_iteration(posterior_mean(tables), horizon)


def psrl(horizon: int) -> Plan:
    """Posterior sampling (Strens 2000; Osband et al. 2013): plan with one MDP that may be the truth."""
    return lambda tables, episode, generator: value_iteration(posterior_sample(tables, generator), horizon)


def optimistic(horizon: int, bonus: float) -> Plan:
    """Plan with the posterior mean, each reward raised by bonus / sqrt(visits + 1)."""

    def plan(tables: Tables, episode: int, generator: torch.Generator) -> Tensor:
        mean = posterior_mean(tables)
        raised = mean.reward + bonus * (tables.transitions.sum(-1) + 1).rsqrt()
        return value_iteration(MDPs(mean.transition, raised), horizon)

    return plan


def known(mdps: MDPs, horizon: int) -> Plan:
    """Plan with the truth: the optimum that no learner reaches."""
    values = value_iteration(mdps, horizon)
    return lambda tables, episode, generator: values


def best(q: Float[Tensor, "task action"], generator: torch.Generator) -> Tensor:
    """The action of the largest Q; among equals any, which matters: before anything is seen all are equal."""
    return (q + 1e-3 * torch.rand(q.shape, generator=generator)).argmax(-1)


class Record(NamedTuple):
    """A trial of E episodes of H steps: all [T, E, H] except the tables [T, E, ...] at each episode's start."""

    state: Tensor
    action: Tensor
    reward: Tensor
    mean_reward: Tensor
    tables: Tables


@torch.no_grad()
def run(world: TabularMDPs, mdps: MDPs, plan: Plan, generator: torch.Generator, choose: Choose = best) -> Record:
    """One trial in each MDP: plan, act for an episode by choose(Q), count, plan again."""
    every = torch.arange(len(mdps.reward))
    tables = Tables(torch.zeros_like(mdps.transition), torch.zeros_like(mdps.reward))
    steps, kept = [], []
    for episode in range(world.episodes):
        kept.append(Tables(*(t.clone() for t in tables)))
        q, state = plan(tables, episode, generator), world.start(mdps)
        for h in range(world.horizon):
            action = choose(q[every, h, state], generator)
            after, reward = world.move(mdps, state, action, world.noise(len(every), generator))
            tables.transitions[every, state, action, after] += 1
            tables.rewards[every, state, action] += reward
            steps.append((state, action, reward, mdps.reward[every, state, action]))
            state = after
    shape = world.episodes, world.horizon
    columns = (torch.stack(column, 1).unflatten(1, shape) for column in zip(*steps, strict=True))
    return Record(*columns, Tables(*(torch.stack(t, 1) for t in zip(*kept, strict=True))))
