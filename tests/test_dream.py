"""DREAM and RL² in the city: what is paid, what is learned from, and the best that can be done."""

from collections import deque

import pytest
import torch

from benchmarks.measure import seeded
from utils.learners import dream, rl2_city
from utils.learners.recurrent_q import q_step, q_values
from utils.tasks.city import GOALS, MAP, MOVES, RIDE, SIZE, STARTS, City, Journeys, cell
from utils.tasks.city_optimum import best_returns, game
from utils.tasks.worlds import play

WORLD = City()


def test_exploration_reward_telescopes():
    """Its sum is the distance lost from the first prediction to the last, less the price of each step."""
    g = seeded(0)
    z, decoded = torch.randn(4, 3, generator=g), torch.randn(4, 7, 3, generator=g)
    paid = dream.exploration_reward(z, decoded, 0.1)
    start, last = ((z - decoded[:, t]).square().sum(1) for t in (0, -1))
    torch.testing.assert_close(paid.sum(1), start - last - 6 * 0.1)
    assert paid.shape == (4, 6)


def test_exploration_reward_pays_the_step_that_tells():
    """Nothing but the price where the prediction stays, all at the step at which it jumps to z."""
    z, decoded = torch.tensor([[1.0, 2.0]]), torch.tensor([[[0.0, 0], [0, 0], [1, 2], [1, 2]]])
    torch.testing.assert_close(dream.exploration_reward(z, decoded, 0.1), torch.tensor([[-0.1, 4.9, -0.1]]))


def test_exploration_reward_is_a_gain_in_log_likelihood():
    """For a Gaussian around the prediction with variance 1/2 and no cost."""
    z, decoded = torch.randn(5, 3, generator=seeded(0)), torch.randn(5, 4, 3, generator=seeded(1))
    gaussian = torch.distributions.Independent(torch.distributions.Normal(decoded, 0.5**0.5), 1)
    log_p = gaussian.log_prob(z[:, None].expand_as(decoded))
    torch.testing.assert_close(dream.exploration_reward(z, decoded, 0.0), log_p[:, 1:] - log_p[:, :-1])


def seen_by_steps(module, monkeypatch, act, task):
    """The trials of a policy, and the inputs [T, D] of each network that it asked, in the order of the calls."""
    inputs = []

    def spy(theta, x, state):
        inputs.append(x)
        return q_step(theta, x, state)

    monkeypatch.setattr(module, "q_step", spy)
    return play(WORLD, task, act, seeded(3)), inputs


def test_what_rl2_is_told_is_what_it_learns_from(monkeypatch):
    """The inputs of each step equal those rebuilt from the trials in the replay memory, and so do the actions."""
    theta, task = rl2_city.rl2_network(WORLD, seeded(1)), WORLD.sample(5, seeded(0))
    act = rl2_city.rl2_act(theta, WORLD, 0.0, seeded(2))
    trials, inputs = seen_by_steps(rl2_city, monkeypatch, act, task)
    rebuilt = rl2_city.inputs_of(WORLD, rl2_city.small(trials))
    torch.testing.assert_close(torch.stack(inputs, 1), rebuilt)
    assert (q_values(theta, rebuilt).argmax(2) == trials.action).all()


def test_what_dream_is_told_is_what_it_learns_from(monkeypatch):
    """Explorer and decoder see the same history; exploitation sees the observation and the last prediction of z."""
    agent, task = dream.dream_networks(WORLD, seeded(1)), WORLD.sample(5, seeded(0))
    trials, inputs = seen_by_steps(dream, monkeypatch, dream.dream_act(agent, WORLD, 0.0, seeded(2)), task)
    history = dream.past(WORLD, rl2_city.small(trials))
    torch.testing.assert_close(torch.stack(inputs[:40:2], 1), history)
    torch.testing.assert_close(torch.stack(inputs[1:40:2], 1), history)
    z = q_values(agent.decoder, history)[:, -1:].expand(-1, 20, -1)
    torch.testing.assert_close(torch.stack(inputs[40:], 1), torch.cat([trials.observation[:, 20:], z], 2))
    assert (q_values(agent.explore, history).argmax(2) == trials.action[:, :20]).all()


def test_scores_see_who_stands_on_the_map():
    """One trial walks to the map while exploring, one only afterwards; returns are sums of the second episode."""
    down, left = [i for i, move in enumerate(MOVES.tolist()) if move in ([1, 0], [0, -1])]
    path = [down, down, down, left]
    plan = torch.full((2, 40), RIDE)
    plan[0, :4], plan[1, 20:24] = torch.tensor(path), torch.tensor(path)
    task = Journeys(torch.tensor([3, 3]), torch.tensor([1, 1]))
    trials = play(WORLD, task, lambda step, *_: plan[:, step], seeded(0))
    found = rl2_city.scores(WORLD, trials)
    assert (STARTS[0] + 3, STARTS[1] - 1) == MAP and found["map"].tolist() == [1, 0]
    torch.testing.assert_close(found["return"], trials.reward[:, 20:].sum(1))
    assert torch.allclose(found["return"], torch.tensor(-2.0))


def test_exploitation_learns_from_the_second_episode_before_arrival_only():
    """Steps after the goal change nothing; the loss reaches the encoder, and only the rows of the tasks at hand."""
    agent, g = dream.dream_networks(WORLD, seeded(0)), seeded(1)
    task = WORLD.sample(8, g)._replace(lines=torch.arange(8))
    trials = play(WORLD, task, dream.dream_act(agent, WORLD, 1.0, g, torch.zeros(8, dream.SIZE_Z)), g)
    trials.reward[:, 25] = 1.0  # everybody arrives
    losses = []
    for shift in (0.0, 5.0):
        trials.reward[:, 26:] += shift
        trials.observation[:, 26:] += shift
        losses.append(dream.exploit_loss(agent, agent.exploit, WORLD, trials, task.lines, seeded(2)))
    torch.testing.assert_close(*losses)
    (reached,) = torch.autograd.grad(losses[0], agent.encoder["z"])
    assert (reached[:8].abs().sum(1) > 0).all() and (reached[8:] == 0).all()


def test_decoder_leaves_the_encoder_alone():
    """Exploration follows exploitation, not the other way round."""
    agent = dream.dream_networks(WORLD, seeded(0))
    task = WORLD.sample(4, seeded(1))
    trials = play(WORLD, task, dream.dream_act(agent, WORLD, 1.0, seeded(1)), seeded(2))
    loss, decoded = dream.decoder_loss(agent, WORLD, trials, task.lines)
    gradients = torch.autograd.grad(loss, [agent.encoder["z"], agent.decoder["w1"]], allow_unused=True)
    assert gradients[0] is None and gradients[1].abs().max() > 0 and decoded.shape == (4, 20, dream.SIZE_Z)


@pytest.mark.parametrize("train", [dream.train_dream, rl2_city.train_rl2])
def test_training_repeats_itself(train):
    """The same seed gives the same parameters, another seed others."""
    first, again, other = (train(WORLD, 2, seeded(seed)) for seed in (0, 0, 1))
    parts = [agent.explore if isinstance(agent, dream.Dream) else agent for agent in (first, again, other)]
    assert torch.equal(parts[0]["w1"], parts[1]["w1"]) and not torch.equal(parts[0]["w1"], parts[2]["w1"])


def test_best_returns():
    """With the map 0.80, also by breadth-first search; without it no more than by walking the eight steps: 0.30."""
    told, ignorant = best_returns(WORLD)
    fewest = [steps_to(lines, goal) for lines in range(24) for goal in GOALS]
    assert told == pytest.approx(sum(1 - 0.1 * (steps - 1) for steps in fewest) / len(fewest))
    assert told == pytest.approx(0.8) and ignorant == pytest.approx(1 - 0.1 * 7)
    assert len(game(WORLD)[0]) == 1 + 16 + 72 + 24  # no bus is known, or one, two, all


def steps_to(lines, goal):
    """Fewest steps to the goal with these lines, asking the world itself."""
    task, queue, seen = Journeys(torch.tensor([lines]), torch.tensor([0])), deque([(cell(STARTS), 0)]), {cell(STARTS)}
    rides = WORLD.rides[task.lines[0]].tolist()
    while queue:
        place, steps = queue.popleft()
        if place == cell(goal):
            return steps
        row, column = divmod(place, SIZE)
        walks = [(row + a, column + b) for a, b in MOVES.tolist() if 0 <= row + a < SIZE and 0 <= column + b < SIZE]
        for there in [rides[place], *map(cell, walks)]:
            if there not in seen:
                seen.add(there)
                queue.append((there, steps + 1))
    raise AssertionError(f"no way to {goal} with lines {lines}")
