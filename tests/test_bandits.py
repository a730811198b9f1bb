"""Bandit rules against brute force, closed forms, limits, and the exact optimum."""

import functools
import itertools

import pytest
import torch

from benchmarks.measure import seeded
from utils.tasks import worlds
from utils.tasks.bandit_rules import (
    bayes_optimal,
    by_index,
    crossing,
    gittins,
    greedy,
    play_coins,
    player,
    posterior_mean,
    thompson,
    ucb,
    uniform,
)
from utils.tasks.bandits import Bandits


def every_plan(arms: int, pulls: int) -> float:
    """The best of all deterministic plans, each evaluated by adding up all histories: no dynamic programme."""
    histories = [h for n in range(pulls) for h in itertools.product((0, 1), repeat=n)]  # rewards so far
    return max(plan_value(dict(zip(histories, choice, strict=True)), arms, pulls)
               for choice in itertools.product(range(arms), repeat=len(histories)))  # fmt: skip


def plan_value(plan: dict, arms: int, pulls: int) -> float:
    """Expected total reward of plan[rewards so far] -> arm."""
    total = 0.0
    for rewards in itertools.product((0, 1), repeat=pulls):
        counts, p = [[1, 1] for _ in range(arms)], 1.0
        for n, r in enumerate(rewards):
            won, lost = counts[plan[rewards[:n]]]
            p *= (won if r else lost) / (won + lost)
            counts[plan[rewards[:n]]][1 - r] += 1
        total += p * sum(rewards)
    return total


def value_of(rule, arms: int, pulls: int, tasks: int) -> tuple[float, float]:
    """Mean and standard error of what the rule earns."""
    world, g = Bandits(arms=arms, horizon=pulls), seeded(0)
    chance = world.sample(tasks, g)
    trials = worlds.play(world, chance, player(rule, arms, pulls, g), g)
    earned = chance.gather(1, trials.action).sum(1)
    return earned.mean().item(), (earned.std() / tasks**0.5).item()


@pytest.mark.parametrize(("arms", "pulls"), [(2, 1), (2, 3), (2, 4), (3, 3)])
def test_the_dynamic_programme_finds_the_best_of_all_plans(arms, pulls):
    assert bayes_optimal(arms, pulls) == pytest.approx(every_plan(arms, pulls), abs=1e-12)


def test_known_optima():
    """One arm pays 1/2 a pull; more arms are never worse; the two that the lecture prints."""
    assert bayes_optimal(1, 7) == pytest.approx(3.5)
    assert bayes_optimal(5, 10) == pytest.approx(6.65999, abs=1e-5)
    assert bayes_optimal(10, 10) == pytest.approx(6.71395, abs=1e-5)


@functools.cache
def one_arm(lam: float, s: int, f: int, left: int) -> float:
    """What an arm is worth beside a known arm that pays lam, free to change between them at any time."""
    if left == 0:
        return 0.0
    p = (s + 1) / (s + f + 2)
    unknown = p * (1 + one_arm(lam, s + 1, f, left - 1)) + (1 - p) * one_arm(lam, s, f + 1, left - 1)
    return max(unknown, lam + one_arm(lam, s, f, left - 1))


def test_at_the_index_a_known_arm_is_worth_the_same():
    """By recursion with switching allowed both ways: just below the index pulling is better, just above it is not."""
    table = gittins(8)
    for left, s, f in ((8, 0, 0), (5, 1, 2), (5, 3, 0), (3, 0, 4), (2, 2, 2), (1, 5, 1)):
        index = table[left, s, f].item()
        below, above = index - 2e-3, index + 2e-3
        assert one_arm(below, s, f, left) > left * below + 1e-4
        assert one_arm(above, s, f, left) == pytest.approx(left * above, abs=1e-9)


def test_the_index_is_the_mean_at_the_last_pull_and_grows_with_the_pulls_left():
    table = gittins(30)
    s, f = torch.arange(31)[:, None], torch.arange(31)
    last, mean = table[1, :30, :30], posterior_mean(s, f)
    torch.testing.assert_close(last, mean[:30, :30], atol=2e-3, rtol=0)
    assert table[1, 30].isnan().all() and table[0].isnan().all() and not table[30, 0, 0].isnan()
    for left in range(2, 31):
        size = 31 - left
        now, before = table[left, :size, :size], table[left - 1, :size, :size]
        assert (now >= before - 1e-5).all() and (now > mean[:size, :size]).all()
    assert (table[10, 1:21, :21] > table[10, :20, :21]).all() and (table[10, :21, 1:21] < table[10, :21, :20]).all()


def test_two_pulls_left_has_a_closed_form():
    """With two pulls left and mean p: lam solves p (1 + max(p_won, lam)) + (1-p) max(p_lost, lam) = 2 lam."""
    table = gittins(12, grid=2001)
    for s, f in itertools.product(range(5), range(5)):
        p, won = (s + 1) / (s + f + 2), (s + 2) / (s + f + 3)
        want = (p + p * won) / (1 + p)  # p (1 + won) + (1-p) lam = 2 lam
        assert table[2, s, f].item() == pytest.approx(want, abs=1e-4)


def test_a_crossing_of_a_straight_line_is_exact():
    lam = torch.linspace(0, 1, 11)
    want = torch.tensor([0.0, 0.234, 0.5, 0.999, 1.0])
    torch.testing.assert_close(crossing(want[:, None] - lam, lam), want)


def test_gittins_plays_almost_as_well_as_anybody_can():
    earned, error = value_of(by_index(gittins(10)), 5, 10, 30_000)
    assert bayes_optimal(5, 10) - 0.02 - 3 * error < earned < bayes_optimal(5, 10) + 3 * error


def test_a_hundred_pulls_tell_the_rules_apart():
    """Gittins first, then a mildly optimistic bound, Thompson, UCB1 as published; blind play earns half."""
    rules = by_index(gittins(100)), functools.partial(ucb, scale=0.3), thompson, ucb, uniform
    found = [value_of(rule, 5, 100, 4000) for rule in rules]
    assert [mean for mean, _ in found] == sorted((mean for mean, _ in found), reverse=True)
    assert abs(found[0][0] - 78.64) < 3 * found[0][1] and abs(found[-1][0] - 50) < 3 * found[-1][1]
    assert value_of(greedy, 5, 100, 4000)[0] < found[0][0] - 2


def test_thompson_draws_from_the_posterior():
    """Two arms, (1, 0) against (0, 1): the better looks worse with a chance that integrates to 1/6."""
    s, f = torch.tensor([[1.0, 0.0]]).expand(60_000, 2), torch.tensor([[0.0, 1.0]]).expand(60_000, 2)
    drawn = thompson(s, f, 1, seeded(0))
    assert (drawn == 1).float().mean().item() == pytest.approx(1 / 6, abs=0.005)
    assert torch.equal(drawn, thompson(s, f, 9, seeded(0))) and not torch.equal(drawn, thompson(s, f, 1, seeded(1)))


def test_ucb_tries_each_arm_once_and_then_weighs_doubt():
    s, f = torch.tensor([[3.0, 0.0, 9.0], [2.0, 60.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0], [0.0, 20.0, 2.0]])
    assert ucb(s, f, 5, seeded(0)).tolist() == [1, 0]
    paid, pulls = torch.tensor([[0.0, 64.0]]), torch.tensor([[4.0, 80.0]])
    bound = paid / pulls + (2 * torch.tensor(84.0).log() / pulls).sqrt()  # with ln n for ln t it would be the other arm
    assert ucb(paid, pulls - paid, 5, seeded(0)).item() == bound.argmax() == 0
    assert ucb(paid, pulls - paid, 5, seeded(0), scale=0.1).item() == 1


def test_ties_are_broken_at_random():
    blank = torch.zeros(3000, 4)
    for rule in (greedy, ucb, uniform, by_index(gittins(3))):
        assert torch.bincount(rule(blank, blank, 3, seeded(0)), minlength=4).min() > 650


def test_the_player_counts_what_happened():
    """The counts that a rule is shown against those of the trial."""
    shown, g = [], seeded(0)

    def rule(successes, failures, left, generator):
        shown.append((successes.clone(), failures.clone(), left))
        return uniform(successes, failures, left, generator)

    world = Bandits(arms=3, horizon=12)
    act, chance = player(rule, 3, 12, g), world.sample(7, g)
    for _ in range(2):  # the second trial starts with empty counts
        shown.clear()
        trials = worlds.play(world, chance, act, g)
    arm = torch.nn.functional.one_hot(trials.action, 3).float()
    for step, (successes, failures, left) in enumerate(shown):
        past = arm[:, :step]
        torch.testing.assert_close(successes, (past * trials.reward[:, :step, None]).sum(1))
        torch.testing.assert_close(successes + failures, past.sum(1))
        assert left == 12 - step


def test_players_meet_the_same_coins_on_the_same_arm():
    """The n-th pull of an arm pays the same whoever makes it, whenever."""
    g = seeded(0)
    chance, coins = torch.rand(50, 3, generator=g), torch.rand(50, 3, 20, generator=g)
    for rule in (uniform, thompson, ucb):
        action, reward = play_coins(player(rule, 3, 20, g), chance, coins)
        for task, a in itertools.product(range(50), range(3)):
            got = reward[task][action[task] == a]
            assert torch.equal(got, (coins[task, a, : len(got)] < chance[task, a]).float())
