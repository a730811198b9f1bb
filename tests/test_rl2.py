"""RL²: its memories step by step against all at once, what may enter them, its critic and its training."""

import pytest
import torch

from benchmarks.measure import seeded
from utils.learners import policy_gradient as pg
from utils.learners import rl2, rl2_memories
from utils.tasks.bandit_rules import bayes_optimal
from utils.tasks.bandits import Bandits
from utils.tasks.worlds import Trials, play

MEMORIES = {name: getattr(rl2_memories, name) for name in ("gru", "statistics", "arms")}
EXCHANGEABLE = "statistics", "arms"


def a_trial(name: str, tasks: int = 6, arms: int = 4, pulls: int = 15):
    """(memory, parameters, chances, trials played by it)."""
    memory, world, g = MEMORIES[name], Bandits(arms=arms, horizon=pulls), seeded(1)
    theta, chance = memory.start(arms, g), world.sample(tasks, g)
    return memory, theta, chance, play(world, chance, rl2.player(memory, theta, world, g), g)


@pytest.mark.parametrize("name", MEMORIES)
def test_step_by_step_is_all_at_once(name):
    memory, theta, _, trials = a_trial(name)
    at_once, times = rl2.logits(memory, theta, 4, trials), rl2_memories.clock(15)
    state = torch.zeros(6, *memory.shape(theta, 4))
    for t in range(15):
        torch.testing.assert_close(memory.read(theta, state, times[t]), at_once[:, t], atol=1e-5, rtol=1e-4)
        state = memory.write(theta, state, trials.action[:, t], trials.reward[:, t], times[t])


@pytest.mark.parametrize("name", MEMORIES)
def test_a_decision_knows_the_past_and_nothing_else(name):
    """Changing pull t changes what is said after it, and not what was said until then."""
    memory, theta, _, trials = a_trial(name)
    before = rl2.logits(memory, theta, 4, trials)
    action, reward = trials.action.clone(), trials.reward.clone()
    action[:, 7], reward[:, 7] = (action[:, 7] + 1) % 4, 1 - reward[:, 7]
    after = rl2.logits(memory, theta, 4, Trials(trials.observation, action, reward))
    assert torch.equal(before[:, :8], after[:, :8])
    assert ((before[:, 8:] - after[:, 8:]).abs().amax(2) > 0).all()


@pytest.mark.parametrize("name", EXCHANGEABLE)
def test_renaming_the_arms_renames_the_answer(name):
    memory, theta, _, trials = a_trial(name)
    order = torch.tensor([2, 0, 3, 1])
    renamed = Trials(trials.observation, order[trials.action], trials.reward)
    torch.testing.assert_close(rl2.logits(memory, theta, 4, renamed)[..., order], rl2.logits(memory, theta, 4, trials))


@pytest.mark.parametrize("name", EXCHANGEABLE)
def test_shared_weights_serve_any_number_of_arms(name):
    memory, theta, _, _ = a_trial(name)
    world = Bandits(arms=9, horizon=15)
    trials = play(world, world.sample(3, seeded(0)), rl2.player(memory, theta, world, seeded(0)), seeded(0))
    assert rl2.logits(memory, theta, 9, trials).shape == (3, 15, 9)


def test_counts_are_those_of_the_rules():
    action, reward = torch.tensor([[1, 1, 0, 2]]), torch.tensor([[1.0, 0.0, 1.0, 1.0]])
    found = rl2_memories.counts(action, reward, 3)
    assert found[0, 3].tolist() == [[1, 1], [2, 1], [0, 0]] and found[0, 0].abs().sum() == 0


def test_an_untrained_statistics_memory_prefers_the_larger_mean():
    """It starts near the soft greedy rule: what is learned is the difference from it."""
    memory, theta = MEMORIES["statistics"], MEMORIES["statistics"].start(2, seeded(0))
    state = torch.tensor([[[20.0, 15.0], [20.0, 5.0]]])
    assert memory.read(theta, state, rl2_memories.clock(50)[40]).softmax(-1)[0, 0] > 0.9


def test_the_critic_sees_the_truth_only_when_told_to():
    _, _, chance, trials = a_trial("gru")
    blind, informed = (rl2.critic_inputs(trials, chance, b) for b in (False, True))
    assert torch.equal(blind[..., :6], informed[..., :6]) and blind[..., 6:].abs().sum() == 0
    torch.testing.assert_close(informed[:, 3, :, 6], 2 * chance - 1)
    assert torch.equal(blind, rl2.critic_inputs(trials, chance.flip(1), False))


def test_an_informed_critic_can_be_exact_for_a_player_that_never_learns():
    """Uniform play: the return-to-go of p[a] - max p is -(pulls left) x mean gap, which is a sum over arms."""
    _, _, chance, trials = a_trial("gru")
    gap = chance.amax(1, keepdim=True) - chance
    inputs = rl2.critic_inputs(trials, chance, True)
    left = 100 * inputs[..., 0, 3]
    torch.testing.assert_close((inputs[..., 7] * -left[..., None] / 4).sum(-1), -left * gap.mean(1, keepdim=True))
    theta = rl2_memories.named(critic={"w1": torch.zeros(8, 1), "b1": torch.full((1, 1), -0.3)})
    torch.testing.assert_close(rl2.value(theta, inputs, True), -3 * gap.sum(1, keepdim=True).expand(-1, 15))


@pytest.mark.parametrize("informed", [True, False])
def test_the_loss_starts_as_the_policy_gradient(informed):
    """On the trials just played the ratio is 1: the gradient is that of -A log pi, A made of this setting's reward."""
    memory, theta, chance, trials = a_trial("statistics", tasks=40)
    theta = theta | rl2_memories.named(critic={"w1": torch.zeros(8, 1), "b1": torch.zeros(1, 1)})
    found = rl2.trial_loss(memory, theta, trials, chance, informed, 1.0, 0.0)(torch.arange(40))
    reward = chance.gather(1, trials.action) - chance.amax(1, keepdim=True) if informed else trials.reward
    advantage = pg.standardised(pg.returns_to_go(reward, torch.zeros_like(reward, dtype=torch.bool)))
    log_p = pg.log_prob(rl2.logits(memory, theta, 4, trials), trials.action)
    policy = [p for name, p in theta.items() if not name.startswith("critic.")]
    ours = torch.autograd.grad(found, policy)
    for a, b in zip(ours, torch.autograd.grad(-(advantage * log_p).mean(), policy), strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)


def test_trials_grow_to_the_wanted_length_and_no_longer():
    lengths = []
    original = rl2.play

    def watched(world, task, act, generator):
        lengths.append(world.horizon)
        assert len(task) == 400 // world.horizon
        return original(world, task, act, generator)

    rl2.play = watched
    try:
        rl2.meta_train(MEMORIES["statistics"], 2, 40, 10, seeded(0), batch=400)
    finally:
        rl2.play = original
    assert lengths == [10, 25, 40, 40, 40, 40, 40, 40, 40, 40]


def test_training_learns_and_is_repeatable():
    """A few rounds bring the flat memory from half to nine tenths of the optimum; twice is the same."""
    world, memory = Bandits(arms=2, horizon=10), MEMORIES["gru"]
    heard = []
    train = lambda: rl2.meta_train(memory, 2, 10, 12, seeded(0), batch=4000, report=lambda *x: heard.append(x[:2]))  # noqa: E731
    theta = train()
    assert not [name for name in theta if name.startswith("critic")]
    untrained = rl2.evaluate(memory, memory.start(2, seeded(0)), world).mean()
    assert untrained < 5.2 and rl2.evaluate(memory, theta, world).mean() > 0.95 * bayes_optimal(2, 10)
    again = train()
    assert all(torch.equal(p, again[name]) for name, p in theta.items()) and heard[:12] == heard[12:]
    with pytest.raises(FloatingPointError, match="not finite"):
        rl2.meta_train(memory, 2, 10, 3, seeded(0), batch=400, lr=float("inf"))
