"""Planning in tabular MDPs against enumeration, limits and each other."""

import itertools

import pytest
import torch

from benchmarks.measure import seeded
from utils.tasks import mdp_rules
from utils.tasks.mdp_rules import Tables
from utils.tasks.tabular_mdps import MDPs, TabularMDPs

SMALL = TabularMDPs(horizon=3, episodes=4, states=2, actions=2)


def counts(mdps: MDPs, visits: int) -> Tables:
    """Tables as if every entry had been tried `visits` times and shown its averages."""
    return Tables((visits * mdps.transition).round(), visits * mdps.reward)


def test_value_iteration_is_the_best_of_all_policies():
    """Against every deterministic policy of 2 states, 2 actions, 3 steps: 64 of them."""
    task = SMALL.sample(1, seeded(0))
    transition, reward = task.transition[0].double(), task.reward[0].double()
    best = torch.full((2,), -torch.inf, dtype=torch.float64)
    for policy in itertools.product(range(2), repeat=6):
        value = torch.zeros(2, dtype=torch.float64)
        for h in reversed(range(3)):
            action = torch.tensor(policy[2 * h : 2 * h + 2])
            value = reward[range(2), action] + transition[range(2), action] @ value
        best = torch.maximum(best, value)
    found = mdp_rules.value_iteration(MDPs(transition, reward), 3)
    torch.testing.assert_close(found[0].amax(-1), best)


def test_played_return_of_the_known_mdp_is_its_value():
    """The mean over many trials against the value of the first state."""
    world = TabularMDPs(episodes=1)
    task = world.sample(1, seeded(1))
    many = MDPs(*(t.expand(20_000, *t.shape[1:]) for t in task))
    played = mdp_rules.run(world, many, mdp_rules.known(many, 10), seeded(2)).reward.sum((1, 2))
    value = mdp_rules.value_iteration(task, 10)[0, 0, 0].max()
    assert abs(played.mean() - value) < 4 * played.std() / 20_000**0.5


def test_tables_hold_what_happened():
    """Counts and sums of a record, counted again in plain Python."""
    record = mdp_rules.run(SMALL, SMALL.sample(3, seeded(0)), mdp_rules.psrl(3), seeded(1))
    assert not record.tables.transitions[:, 0].any() and not record.tables.rewards[:, 0].any()
    for task in range(3):
        visits, sums = torch.zeros(2, 2), torch.zeros(2, 2)
        for state, action, reward in zip(*(t[task, :3].flatten() for t in record[:3]), strict=True):
            visits[state, action] += 1
            sums[state, action] += reward
        torch.testing.assert_close(record.tables.transitions[task, 3].sum(-1), visits)
        torch.testing.assert_close(record.tables.rewards[task, 3], sums)


def test_posteriors_forget_the_prior_and_close_in_on_the_truth():
    """With many visits the mean and a sample are the truth; with none the mean is the prior's."""
    task = SMALL.sample(5, seeded(0))
    many = counts(task, 10**6)
    for model in (mdp_rules.posterior_mean(many), mdp_rules.posterior_sample(many, seeded(1))):
        torch.testing.assert_close(model.transition, task.transition, atol=5e-3, rtol=0)
        torch.testing.assert_close(model.reward, task.reward, atol=5e-3, rtol=0)
    none = mdp_rules.posterior_mean(counts(task, 0))
    assert (none.transition == 0.5).all() and (none.reward == 1).all()


def test_posterior_samples_have_the_posterior_mean_and_spread():
    """Dirichlet and normal moments over many samples."""
    task = SMALL.sample(1, seeded(0))
    tables = Tables(*(t.expand(20_000, *t.shape[1:]) for t in counts(task, 5)))
    model, mean = mdp_rules.posterior_sample(tables, seeded(1)), mdp_rules.posterior_mean(tables)
    torch.testing.assert_close(model.transition.mean(0), mean.transition[0], atol=6e-3, rtol=0)
    torch.testing.assert_close(model.reward.mean(0), mean.reward[0], atol=0.015, rtol=0)
    visits = tables.transitions[0].sum(-1)
    torch.testing.assert_close(model.reward.std(0), (visits + 1).rsqrt(), atol=0.02, rtol=0)


def test_rules_stand_in_the_known_order():
    """Random < PSRL < greedy and optimistic < the optimum that knows the MDP, on the same 1,000 MDPs."""
    world = TabularMDPs()
    task = world.sample(1000, seeded(3))
    random = lambda tables, episode, generator: torch.rand(1000, 10, 10, 5, generator=generator)  # noqa: E731
    plans = random, mdp_rules.psrl(10), mdp_rules.greedy(10), mdp_rules.known(task, 10)
    returns = [mdp_rules.run(world, task, plan, seeded(4)).mean_reward.sum((1, 2)).mean() for plan in plans]
    assert returns == sorted(returns) and returns[0] == pytest.approx(100, abs=3)
    optimist = mdp_rules.run(world, task, mdp_rules.optimistic(10, 0.5), seeded(4)).mean_reward.sum((1, 2)).mean()
    assert returns[2] < optimist < returns[3]
