"""Learned planning: what it is before training, what one task has to do with another, that it learns."""

import torch

from benchmarks.measure import seeded
from utils.learners import mdp_planner
from utils.learners.policy_gradient import draw
from utils.tasks import mdp_rules
from utils.tasks.mdp_rules import Tables
from utils.tasks.tabular_mdps import TabularMDPs

WORLD = TabularMDPs(horizon=4, episodes=3, states=3, actions=2)


def record(count: int = 6):
    """A trial of PSRL in small MDPs."""
    return mdp_rules.run(WORLD, WORLD.sample(count, seeded(0)), mdp_rules.psrl(4), seeded(1))


def test_untrained_it_plans_like_the_greedy_planner():
    """Without a bonus, Q is that of the posterior mean."""
    theta = mdp_planner.planner(seeded(0))
    tables = Tables(*(t[:, 2] for t in record().tables))
    ours = mdp_planner.values(theta, tables, torch.tensor([[[0.5]]]), 4)
    torch.testing.assert_close(ours, mdp_rules.value_iteration(mdp_rules.posterior_mean(tables), 4))


def test_all_episodes_at_once_are_the_episodes_one_by_one():
    """`logits` of a record against planning episode by episode as the agent does."""
    theta, seen = _with_a_bonus(), record()
    found = mdp_planner.logits(theta, WORLD, seen)
    plan = mdp_planner.learned(theta, WORLD)
    for episode in range(3):
        q = plan(Tables(*(t[:, episode] for t in seen.tables)), episode, seeded(0))
        for h in range(4):
            torch.testing.assert_close(found[:, episode, h], q[range(6), h, seen.state[:, episode, h]])


def test_tasks_do_not_touch_each_other():
    """One task alone gives the logits that it has among others."""
    theta, seen = _with_a_bonus(), record()
    alone = mdp_rules.Record(*(t[2:3] for t in seen[:4]), Tables(*(t[2:3] for t in seen.tables)))
    whole = mdp_planner.logits(theta, WORLD, seen)
    torch.testing.assert_close(mdp_planner.logits(theta, WORLD, alone), whole[2:3])


def test_names_of_states_do_not_matter():
    """Renaming states and actions renames Q: the memory and its reader know no names."""
    theta, tables = _with_a_bonus(), Tables(*(t[:, 2] for t in record().tables))
    states, actions = torch.tensor([2, 0, 1]), torch.tensor([1, 0])
    swapped = Tables(*(t[:, states][:, :, actions] for t in tables))
    renamed = Tables(swapped.transitions[..., states], swapped.rewards)
    left = torch.tensor([[[0.3]]])
    torch.testing.assert_close(mdp_planner.values(theta, renamed, left, 4),
                               mdp_planner.values(theta, tables, left, 4)[:, :, states][..., actions])


def test_optimum_to_go_is_what_the_informed_agent_gets():
    """Along the record of an agent that knows the MDP, the mean of what is left is the mean of the rewards to come."""
    world, count = WORLD, 4000
    mdps = type(WORLD.sample(1, seeded(0)))(*(t.expand(count, *t.shape[1:]) for t in WORLD.sample(1, seeded(0))))
    seen = mdp_rules.run(world, mdps, mdp_rules.known(mdps, world.horizon), seeded(1))
    rewards = seen.mean_reward.flatten(1, 2)
    to_come = rewards.flip(1).cumsum(1).flip(1)
    torch.testing.assert_close(mdp_planner.optimum_to_go(world, mdps, seen).mean(0), to_come.mean(0), atol=0.1, rtol=0)


def test_it_learns_and_the_seed_decides():
    """A few iterations make a blunt choice sharper, and the same seed gives the same agent."""
    world = TabularMDPs()
    task = world.sample(1000, seeded(9))
    blunt = mdp_planner.planner(seeded(0)) | {"log_sharpness": torch.tensor(0.0)}
    theta = mdp_planner.meta_train(10, seeded(0), tasks=64, lr=0.1, start=blunt)
    score = lambda t: mdp_rules.run(world, task, mdp_planner.learned(t, world), seeded(5), draw)  # noqa: E731
    before, after = (score(t).mean_reward.sum((1, 2)).mean() for t in (blunt, theta))
    assert after > before + 5
    again = mdp_planner.meta_train(2, seeded(0), tasks=8), mdp_planner.meta_train(2, seeded(0), tasks=8)
    assert all(torch.equal(again[0][name], again[1][name]) for name in theta)


def _with_a_bonus():
    theta = mdp_planner.planner(seeded(0))
    theta["w3"] = torch.randn(theta["w3"].shape, generator=seeded(7))
    return theta
