"""VariBAD's pieces: what each encoder ignores, its loss's terms, which loss moves which network; that it learns."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from benchmarks import beliefs
from benchmarks.measure import seeded
from utils.learners import varibad
from utils.learners.belief_policy import actor_critic, agent, forward, improve, ppo_loss, situation, train_policy
from utils.tasks.goal_grid import GoalGrid
from utils.tasks.grid_belief import exact
from utils.tasks.worlds import play

GRID = GoalGrid(horizon=5, episodes=2, size=3)


def nets_of(join, grid=GRID):
    return varibad.belief_networks(grid, join, seeded(0))


def walks(count=30, grid=GRID):
    """Random (cell, hit), each [T, H]; the goal is the last cell."""
    cell = torch.randint(grid.size**2, (count, grid.steps), generator=seeded(1))
    return cell, cell == grid.size**2 - 1


@pytest.mark.parametrize("join", varibad.JOINS)
def test_memories_are_the_steps_of_the_memory(join):
    """All moments at once against one step after the other."""
    nets, (cell, hit) = nets_of(join), walks()
    memory = varibad.memory(GRID, nets, join)
    kept = memory.start(len(cell))
    whole = varibad.memories(GRID, nets, join, cell, hit)
    assert whole.shape == (30, GRID.steps + 1, varibad.HIDDEN)
    for t in range(GRID.steps + 1):
        torch.testing.assert_close(whole[:, t], kept)
        if t < GRID.steps:
            kept = memory.update(kept, cell[:, t], hit[:, t])
    sorted_nets = nets | {"token": dict(sorted(nets["token"].items()))}  # as a stored file gives them back
    torch.testing.assert_close(varibad.memories(GRID, sorted_nets, join, cell, hit), whole)


IGNORED = [("max", True, True), ("sum", True, False), ("gru", False, False)]


@pytest.mark.parametrize(("join", "order", "repetition"), IGNORED)
def test_what_each_encoder_ignores(join, order, repetition):
    """A maximum ignores order and repetition, a sum the order alone, a GRU neither."""
    nets, (cell, hit) = nets_of(join), walks()

    def last(cell, hit):
        return varibad.memories(GRID, nets, join, cell, hit)[:, -1]

    mixed, seen = torch.randperm(GRID.steps, generator=seeded(2)), last(cell, hit)
    assert torch.allclose(last(cell[:, mixed], hit[:, mixed]), seen, atol=1e-5) == order
    twice = last(torch.cat([cell, cell], 1), torch.cat([hit, hit], 1))
    assert torch.allclose(twice, seen, atol=1e-5) == repetition


def test_an_unknown_encoder_is_refused():
    """By name, with those that there are."""
    with pytest.raises(ValueError, match="max, sum, gru, found 'mean'"):
        varibad.belief_networks(GRID, "mean", seeded(0))


def test_divergence_is_that_of_gaussians():
    """Against torch.distributions."""
    mu, sigma = torch.randn(20, 16, generator=seeded(0)), torch.rand(20, 16, generator=seeded(1)) + 0.1
    peer = kl_divergence(Normal(mu, sigma), Normal(torch.zeros(20, 16), torch.ones(20, 16))).sum(1)
    torch.testing.assert_close(varibad.divergence(mu, sigma), peer)


def test_rewards_seen_come_from_the_whole_trial():
    """By a loop; cells never entered count nothing."""
    cell, hit = walks(8)
    reward, weight = varibad.rewards_seen(GRID, cell, hit)
    for i in range(8):
        for c in range(9):
            visits = (cell[i] == c).sum().item()
            assert weight[i, c] == min(visits, 3) and reward[i, c] == (c == 8 and visits > 0)


def test_negative_elbo_is_likelihood_and_divergence():
    """With sigma near 0 nothing is random but the moments; all moments drawn often enough, both terms by hand."""
    nets, (cell, hit) = nets_of("max"), walks()
    with torch.no_grad():
        nets["gaussian"]["b2"][:, varibad.LATENT :] = -30
        nets["gaussian"]["w2"][:, varibad.LATENT :] = 0
        kept = varibad.memories(GRID, nets, "max", cell, hit)
        mu, sigma = varibad.gaussian(nets, kept)
        reward, weight = varibad.rewards_seen(GRID, cell, hit)
        likely = Bernoulli(varibad.decoded(nets, kept)).log_prob(reward[:, None].expand(-1, kept.shape[1], -1))
        want = -(likely * weight[:, None]).sum(2).mean() + varibad.KL * varibad.divergence(mu, sigma).mean()
        found = varibad.negative_elbo(GRID, nets, "max", cell, hit, seeded(0), moments=20_000)
    assert found.item() == pytest.approx(want.item(), rel=2e-2)


def test_each_loss_moves_its_own_networks():
    """Prediction trains the belief alone; PPO trains policy and critic alone, though it reads the belief."""
    nets = nets_of("max") | actor_critic(GRID, 9 + 2 * varibad.LATENT, seeded(1))
    before = {part: {n: p.clone() for n, p in theta.items()} for part, theta in nets.items()}

    def moved():
        return {part for part, theta in nets.items() if any((p != before[part][n]).any() for n, p in theta.items())}

    cell, hit = walks()
    action, reward = torch.zeros_like(cell), torch.where(hit, 1.0, -0.1)
    varibad.belief_learner(GRID, nets, "max", seeded(0))(0, cell, action, reward)
    assert moved() == set(varibad.BELIEF)
    before = {part: {n: p.clone() for n, p in theta.items()} for part, theta in nets.items()}
    memory, seen = varibad.memory(GRID, nets, "max"), []
    act = agent(GRID, nets, memory, lambda kept: varibad.read(nets, kept), seeded(0), seen)
    trials = play(GRID, GRID.goals, act, seeded(0))
    optimiser = torch.optim.Adam([*nets["policy"].values(), *nets["critic"].values()], 1e-3)
    improve(nets, optimiser, torch.stack(seen, 1), trials.action, trials.reward, 0.01, seeded(0))
    assert moved() == {"policy", "critic"} and not seen[0].requires_grad


def test_the_policy_sees_where_and_when_it_is():
    """Cell, both times, and what is known, at the moment of the action."""
    x = situation(GRID, 7, torch.tensor([4, 0]), torch.tensor([[0.3], [0.7]]))
    assert x[:, :9].argmax(1).tolist() == [4, 0] and x[:, :9].sum() == 2
    torch.testing.assert_close(x[:, 9:], torch.tensor([[2 / 5, 7 / 10, 0.3], [2 / 5, 7 / 10, 0.7]]))


def test_ppo_loss_has_three_terms():
    """At the old policy: minus the mean advantage, half the squared error, the entropy of the softmax."""
    nets = actor_critic(GRID, 9, seeded(0))
    x, action = torch.randn(6, 4, 20, generator=seeded(1)), torch.randint(5, (6, 4), generator=seeded(2))
    gain, target = torch.randn(2, 6, 4, generator=seeded(3))
    logits = forward(nets["policy"], x)
    policy = torch.distributions.Categorical(logits=logits)
    want = -gain.mean() + 0.5 * (forward(nets["critic"], x)[..., 0] - target).pow(2).mean()
    found = ppo_loss(nets, x, action, policy.log_prob(action), gain, target, 0.3)
    torch.testing.assert_close(found, want - 0.3 * policy.entropy().mean())


def test_ppo_on_the_exact_belief_learns_a_small_grid():
    """Forty batches: most of the way from chance to the optimum, 4.72; the first three are the same again."""
    curves = []
    for stop in (None, 3):
        generator, curve = seeded(0), []
        nets = actor_critic(GRID, 9, generator)
        train_policy(GRID, nets, exact(GRID), lambda belief: belief, 40, generator, 64, report=curve.append, stop=stop)
        curves.append(curve)
    assert len(curves[0]) == 40 and curves[1] == curves[0][:3]
    assert sum(curves[0][:3]) / 3 < 0.5 < 3 < sum(curves[0][-5:]) / 5


def test_the_benchmark_runs_end_to_end():
    """Quick rows are all there, in order, and none claims a target that it did not train for."""
    rows = beliefs.run_beliefs(quick=True)
    assert [row.target is not None for row in rows] == [True, False, False, False, False] and rows[0].met
    assert rows[1].value < rows[2].value < rows[0].value


def test_a_trained_encoder_forgets_less_and_is_surer_of_the_goal():
    """Fifteen batches of trials, by sum: against the untrained one, which knows nothing."""
    generator = seeded(0)
    blank = beliefs.judged(varibad.belief_networks(beliefs.GRID, "sum", generator), "sum")
    trained = beliefs.judged(beliefs.encoder(0, "sum", 15), "sum")
    torch.testing.assert_close(blank[0], torch.arange(21) / 21, atol=0.05, rtol=0)
    assert trained[0][0] == blank[0][0] == 0
    assert trained[0][10:].mean() < blank[0][10:].mean() - 0.02 and trained[1] > 0.6
