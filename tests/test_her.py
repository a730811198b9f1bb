"""Hindsight: which goals, which rewards, how often; and agents that learn what the closed form says."""

from functools import partial

import pytest
import torch

from benchmarks.measure import seeded
from utils.learners import her
from utils.tasks.bit_flips import BitFlips, Flips, reached
from utils.tasks.maze import Maze

LOCK = BitFlips(bits=5)


def numbered(rows: int = 6, horizon: int = 9) -> torch.Tensor:
    """Episodes [T, H+1, 2] in which the state says who and where it is: (episode, place)."""
    row, place = torch.meshgrid(torch.arange(rows), torch.arange(horizon + 1), indexing="ij")
    return torch.stack([row, place], -1).float()


def relabelled(strategy: str, rows: int = 6, horizon: int = 9, draws: int = 300):
    """Many relabellings of numbered episodes: (goal's episode, goal's place, reward), all [draws, T, H]."""
    states, g = numbered(rows, horizon), seeded(0)
    found = [her.relabel(states, torch.rand(rows, horizon, generator=g), strategy) for _ in range(draws)]
    goal, reward = (torch.stack(parts) for parts in zip(*found, strict=True))
    return goal[..., 0], goal[..., 1], reward


def test_future_goals_are_reached_later_and_all_of_them_occur():
    """Each of the states t+1 ... H with the same chance; at the last step the last state."""
    row, place, _ = relabelled("future")
    assert (row == torch.arange(6.0)[:, None]).all()
    for t in range(9):
        counts = torch.bincount(place[..., t].flatten().long(), minlength=10)
        assert counts[: t + 1].sum() == 0
        expected = counts.sum() / (9 - t)
        assert ((counts[t + 1 :] - expected).abs() < 5 * expected.sqrt() + 1).all()


def test_the_other_strategies_take_their_goals_where_they_say():
    """final, episode, random and the wrong one, past."""
    row, place, _ = relabelled("final")
    assert (place == 9).all() and (row == torch.arange(6.0)[:, None]).all()
    row, place, _ = relabelled("episode")
    assert set(place[..., 8].flatten().tolist()) == set(range(1, 10)) and (row == torch.arange(6.0)[:, None]).all()
    row, place, _ = relabelled("random")
    assert {*zip(row[:, 2, 3].tolist(), place[:, 2, 3].tolist(), strict=True)} > {(0, 1), (5, 9)} and place.min() == 1
    _, place, _ = relabelled("past")
    assert (place <= torch.arange(9.0)).all() and (place[..., 4] == 4).any()


@pytest.mark.parametrize("strategy", her.STRATEGIES)
def test_rewards_are_those_of_the_new_goal(strategy):
    """0 exactly where the step's own next state is the goal."""
    row, place, reward = relabelled(strategy)
    hit = (row == torch.arange(6.0)[:, None]) & (place == torch.arange(1.0, 10.0))
    assert torch.equal(reward, hit.float() - 1)
    assert hit.any() == (strategy != "past")


def test_the_largest_u_stays_inside_the_episode():
    """The last float32 before 1, for every horizon up to 200."""
    almost = torch.tensor(1 - 2**-24)
    for horizon in range(1, 201):
        t = torch.arange(horizon)
        for strategy in her.STRATEGIES:
            row, place = her.hindsight(0 * t, t, almost.expand(horizon), 10_000, horizon, strategy)
            assert place.max() <= horizon and row.max() < 10_000


def test_unknown_strategies_are_named():
    """The error lists what there is."""
    with pytest.raises(ValueError, match="future, final, episode, random, past; found 'later'"):
        her.relabel(numbered(), torch.rand(6, 9), "later")


def memory(seeds: int = 2, episodes: int = 40) -> her.Replay:
    """Random episodes of the small lock."""
    g = seeded(1)
    task = Flips(*(p.unflatten(0, (seeds, episodes)) for p in LOCK.sample(seeds * episodes, g)))
    states, actions = her.rollout(LOCK, her.networks(LOCK, seeds, g), task, g, epsilon=1.0)
    return her.Replay(states, actions, task.goal)


def test_drawn_steps_happened_and_carry_their_reward():
    """The action leads from state to after; the reward belongs to the goal that the step carries."""
    steps = her.draw(memory(), 500, seeded(2))
    flat = [part.flatten(0, 1) for part in (steps.state, steps.action, steps.after, steps.goal, steps.reward)]
    state, action, after, goal, reward = flat
    moved, paid = LOCK.move(Flips(state, goal), state, action, torch.empty(1000, 0))
    assert torch.equal(moved, after) and torch.equal(paid, reward) and (reward == 0).any()


def test_each_agent_draws_from_its_own_memory():
    """Agent 0 has only zeros, agent 1 only ones."""
    state = torch.stack([torch.zeros(8, 6, 5), torch.ones(8, 6, 5)])
    replay = her.Replay(state, torch.zeros(2, 8, 5, dtype=torch.long), state[:, :, 0])
    for k in (0, 4):
        steps = her.draw(replay, 50, seeded(0), k=k, strategy="random")
        assert steps.goal.mean((1, 2)).tolist() == [0, 1] == steps.state.mean((1, 2)).tolist()


@pytest.mark.parametrize("k", [0, 1, 4])
def test_k_of_k_plus_one_goals_come_from_hindsight(k):
    """Goals pursued are marked here by a value that no state has."""
    replay = memory()._replace(goal=torch.full((2, 40, 5), 7.0))
    steps = her.draw(replay, 20_000, seeded(3), k=k)
    share = (steps.goal[..., 0] != 7).float().mean().item()
    assert share == pytest.approx(k / (k + 1), abs=0.01)


def test_memory_forgets_the_oldest_episodes():
    """And keeps the order."""
    part = lambda i: her.Replay(*(torch.full((2, 3, 1), float(i)) for _ in range(3)))  # noqa: E731
    kept = her.remember(her.remember(her.remember(None, part(0), 5), part(1), 5), part(2), 5)
    assert kept.state[0, :, 0].tolist() == [1, 1, 2, 2, 2]


@pytest.mark.parametrize("reward", [0.0, -1.0])
def test_the_loss_by_hand(reward):
    """Arrived: the target is 0. Not arrived: -1 + gamma times the slow copy's value of the action that phi prefers."""
    g = seeded(4)
    phi, slow, replay = her.networks(LOCK, 2, g), her.networks(LOCK, 2, g), memory()
    steps = her.draw(replay, 30, g)._replace(reward=torch.full((2, 30), reward))
    found, q = her.td_loss(phi, slow, LOCK, steps, gamma=0.9), her.q_values(phi, LOCK, steps.state, steps.goal)
    prefers, worth = (her.q_values(net, LOCK, steps.after, steps.goal) for net in (phi, slow))
    assert (prefers.argmax(2) != worth.argmax(2)).any()
    for s in range(2):
        errors = []
        for i in range(30):
            later = 0.9 * worth[s, i, prefers[s, i].argmax()].item() if reward else 0
            errors.append(q[s, i, steps.action[s, i]].item() - max(min(reward + later, 0), -10))
        assert found[s].item() == pytest.approx(sum(e**2 for e in errors) / 30, rel=1e-4)


@pytest.fixture(scope="module")
def agents():
    """Two agents on five bits, with hindsight, trained for a moment."""
    return her.train(LOCK, 80, seeded(0), seeds=2, draw=partial(her.draw, k=1), hidden=64, rate=0.1)


def test_five_bits_are_solved_in_a_moment(agents):
    """All 32 x 32 tasks nearly always; and what counts is reaching, so a task that starts in its goal is solved."""
    assert her.success(LOCK, agents, seeded(5)).min() > 0.97
    same = LOCK.sample(20, seeded(6)).start
    assert her.success(LOCK, agents, seeded(5), task=Flips(same, same)).tolist() == [1, 1]
    untrained = her.networks(LOCK, 2, seeded(7))
    assert her.success(LOCK, untrained, seeded(5)).max() < 0.7


def test_values_are_those_of_the_distance(agents):
    """With d bits to flip the best value is -(1 - gamma^(d-1)) / (1 - gamma)."""
    task = Flips(*(p.expand(2, 400, 5) for p in LOCK.sample(400, seeded(8))))
    with torch.no_grad():
        value = her.q_values(agents, LOCK, *task).amax(-1)
    distance = (task.start != task.goal).sum(-1)
    for d in range(1, 6):
        exact = -(1 - her.GAMMA ** (d - 1)) / (1 - her.GAMMA)
        assert value[distance == d].mean().item() == pytest.approx(exact, abs=0.45)  # neighbours are 1 apart


def test_agents_side_by_side_learn_as_each_would_alone():
    """Two agents with the same start, the same memory and the same draws take the same step as one."""
    one, g = her.networks(LOCK, 1, seeded(0)), seeded(1)
    two = {n: p.detach().repeat(2, *[1] * (p.ndim - 1)).requires_grad_() for n, p in one.items()}
    steps = her.draw(memory(1), 30, g)
    doubled = her.Steps(*(part.repeat(2, *[1] * (part.ndim - 1)) for part in steps))
    alone = torch.autograd.grad(her.td_loss(one, one, LOCK, steps).sum(), list(one.values()))
    both = torch.autograd.grad(her.td_loss(two, two, LOCK, doubled).sum(), list(two.values()))
    for a, b in zip(alone, both, strict=True):
        torch.testing.assert_close(a.expand_as(b), b)


def test_without_hindsight_a_longer_lock_teaches_nothing_and_with_it_does():
    """Eight bits, 480 episodes: hardly any reward for the goals pursued."""
    world, length = BitFlips(bits=8), {"seeds": 2, "hidden": 64, "updates": 16, "lr": 3e-3}
    with_hindsight = her.train(world, 15, seeded(0), **length)
    without = her.train(world, 15, seeded(0), draw=partial(her.draw, k=0), **length)
    assert her.success(world, with_hindsight, seeded(1)).min() > 0.6
    assert her.success(world, without, seeded(1)).max() < 0.2


def test_mazes_are_learned_by_the_same_lines():
    """A small room with a wall: every goal from every place."""
    world = Maze(horizon=12, plan=("...", ".#.", "..."))
    phi = her.train(world, 40, seeded(0), seeds=1, hidden=64, updates=16)
    assert her.success(world, phi, seeded(1)).item() > 0.95
    states, _ = her.rollout(world, phi, Flips(*(p[None] for p in world.sample(20, seeded(2)))), seeded(3))
    assert reached(states, torch.tensor([1.0, 1.0]).expand_as(states)).sum() == 0
