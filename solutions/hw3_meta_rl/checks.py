"""What the checks of homework 3 give to each function, and what they look at in what comes back.

Reading this file is welcome: it holds no answers. Every exercise has two parts. `inputs(seed)` draws arrays of random
sizes and values, with what is rare on purpose: arms that nobody has pulled, trials that end inside a row, states that
come back. `drive(function, inputs)` hands them over as tensors, T tasks at once, and returns what is compared. Numbers
with a fraction are compared in float32, whatever the function computes in.
"""

import numpy as np
import torch

from utils.grading import Exercise, checker, gradients, tensors


def beta_quantile(u, a, b):
    """The x with P(Beta(a, b) <= x) = u, for whole numbers a, b >= 1, in float32. Shapes broadcast.

    Beta(a, b) is the a-th smallest of a + b - 1 uniform numbers, so P(Beta(a, b) <= x) is the chance that at least a of
    them are below x, a sum of binomial terms. The x is found by halving an interval 30 times.
    """
    u, a, b = (torch.as_tensor(v).double()[..., None] for v in (u, a, b))
    if ((a % 1 != 0) | (b % 1 != 0) | (a < 0) | (b < 0)).any():
        raise ValueError("beta_quantile needs whole numbers a and b that are not negative")
    n = a + b - 1
    count = torch.arange(max(n.max().item(), 0) + 1, dtype=torch.float64)
    log_ways = torch.lgamma(n + 1) - torch.lgamma(count + 1) - torch.lgamma(n - count + 1)  # -inf where count > n
    log_ways = log_ways.masked_fill(count < a, -torch.inf)
    low, high = torch.zeros_like(u), torch.ones_like(u)
    for _ in range(30):
        x = (low + high) / 2
        below = (log_ways + count * x.log() + (n - count) * (1 - x).log()).exp().sum(-1, keepdim=True)
        low, high = torch.where(below < u, x, low), torch.where(below < u, high, x)
    return high[..., 0].float()


def _float32(inputs):
    return {name: np.asarray(value, np.float32) for name, value in inputs.items()}


def _single(value):
    """A tensor of floats in float32; anything else as it is."""
    return value.float() if torch.is_tensor(value) and value.is_floating_point() else value


# Exercises 1 to 3: bandits.


def _thompson_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks, arms = rng.integers(60, 72), rng.integers(4, 7)
    success, failure = rng.integers(0, 6, (2, tasks, arms))
    untried = rng.random((tasks, arms)) < 0.2
    counts = {"success": np.where(untried, 0, success), "failure": np.where(untried, 0, failure)}
    return counts | _float32({"u": rng.uniform(0.01, 0.99, (tasks, arms))})


def _thompson_drive(thompson_action, inputs):
    given = tensors(inputs)
    return {"action": thompson_action(given["success"], given["failure"], given["u"])}


def _ucb_inputs(seed):
    """Every task has had t pulls; no two of its arms that were tried have had equally many."""
    rng = np.random.default_rng(seed)
    tasks, arms = rng.integers(100, 140), rng.integers(4, 7)
    row = np.sort(rng.choice(np.arange(3, 24), arms, replace=False))
    gaps = np.concatenate([[0, 0], row[2:-1], [row[-1] + row[:2].sum()]])
    pulls = rng.permuted(np.where(rng.random((tasks, 1)) < 0.25, gaps, row), axis=1)
    success = rng.binomial(pulls, rng.uniform(0.2, 0.8, (tasks, arms)))
    return {"success": success, "pulls": pulls, "t": row.sum()} | _float32({"c": rng.uniform(0.3, 0.6)})


def _ucb_drive(ucb_action, inputs):
    given = tensors(inputs)
    success, pulls, t, c = (given[name] for name in ("success", "pulls", "t", "c"))
    return {f"action with {word} c": ucb_action(success.clone(), pulls.clone(), t, factor * c)
            for word, factor in (("a small", 0.4), ("a medium", 1.0), ("a large", 2.5))}


def _gittins_inputs(seed):
    rng = np.random.default_rng(seed)
    inner = np.sort(rng.uniform(0.02, 0.98, rng.integers(48, 64)))
    return {"N": rng.integers(5, 9)} | _float32({"lam": np.concatenate([[0], inner, [1]])})


def _gittins_drive(gittins_index, inputs):
    """Only what can occur in a game of N pulls: at least one pull left, s + f + m <= N."""
    given = tensors(inputs)
    n = given["N"]
    index = gittins_index(n, given["lam"])
    if not torch.is_tensor(index) or index.shape != (n + 1, n + 1, n + 1):
        return {"index": index}
    m, s, f = torch.meshgrid(*[torch.arange(n + 1)] * 3, indexing="ij")
    return {"index": _single(torch.where((m > 0) & (m + s + f <= n), index, torch.zeros_like(index)))}


# Exercise 4: beliefs of unequal weights, some cells ruled out.


def _belief_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks, cells = rng.integers(60, 72), rng.integers(6, 10)
    belief = rng.dirichlet(np.ones(cells), tasks) + 0.02
    belief[rng.permuted(np.arange(cells) < np.full((tasks, 1), 2), axis=1)] = 0
    belief /= belief.sum(1, keepdims=True)
    hit = rng.random(tasks) < 0.4
    possible = np.argmax(rng.random((tasks, cells)) * (belief > 0), axis=1)
    cell = np.where(hit, possible, rng.integers(0, cells, tasks))
    return {"cell": cell, "hit": hit.astype(np.int64)} | _float32({"belief": belief})


def _belief_drive(belief_update, inputs):
    given = tensors(inputs)
    belief = given["belief"]
    return {"updated": _single(belief_update(belief, given["cell"], given["hit"].bool())), "belief afterwards": belief}


# Exercises 5 to 7: what RL² reads, what it is paid, and the loss.


def _returns_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks, steps, length = rng.integers(60, 72), rng.integers(9, 14), rng.integers(2, 4)
    episode_end = (np.arange(steps) + rng.integers(0, length, (tasks, 1))) % length == length - 1
    trial_end = episode_end & (rng.random((tasks, steps)) < 0.4)
    ends = {"episode_end": episode_end.astype(np.int64), "trial_end": trial_end.astype(np.int64)}
    return ends | _float32({"reward": rng.normal(0, 1, (tasks, steps)), "gamma": rng.uniform(0.7, 0.9)})


def _returns_drive(returns_to_go, inputs):
    given = tensors(inputs)
    episode_end, trial_end = given["episode_end"].bool(), given["trial_end"].bool()
    return {"return": _single(returns_to_go(given["reward"].clone(), episode_end, trial_end, given["gamma"]))}


def _input_inputs(seed):
    """A new trial follows half of the episodes that have ended, and some tasks have not begun yet."""
    rng = np.random.default_rng(seed)
    tasks, dim, k = rng.integers(60, 72), rng.integers(2, 5), rng.integers(3, 7)
    done = rng.random(tasks) < 0.5
    first = np.where(done, rng.random(tasks) < 0.5, rng.random(tasks) < 0.1)
    flags = {"done": done.astype(np.int64), "first": first.astype(np.int64)}
    sizes = {"action": rng.integers(0, k, tasks), "k": k}
    return flags | sizes | _float32({"obs": rng.normal(0, 1, (tasks, dim)), "reward": rng.normal(0.5, 1, tasks)})


def _input_drive(rl2_input, inputs):
    given = tensors(inputs)
    obs, action, reward, k = (given[name] for name in ("obs", "action", "reward", "k"))
    return {"input": _single(rl2_input(obs, action, reward, given["done"].bool(), given["first"].bool(), k))}


def _loss_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks, steps, k = rng.integers(10, 16), rng.integers(6, 9), rng.integers(3, 6)
    logits = rng.normal(0, 1, (tasks, steps, k))
    old = logits + rng.normal(0, 0.5, logits.shape)
    action = rng.integers(0, k, (tasks, steps))
    old_logp = np.take_along_axis(old - np.log(np.exp(old).sum(-1, keepdims=True)), action[..., None], -1)[..., 0]
    numbers = {"logits": logits, "old_logp": old_logp, "advantage": rng.normal(0.8, 1.2, (tasks, steps))}
    return {"action": action} | _float32(numbers | {"clip": rng.uniform(0.1, 0.25)})


def _loss_drive(policy_loss, inputs):
    given = tensors(inputs)
    logits = given["logits"].requires_grad_()
    loss = policy_loss(logits, *(given[name] for name in ("action", "old_logp", "advantage", "clip")))
    return {"loss": _single(loss), "grad": gradients(loss, [logits])[0]}


# Exercises 8 and 9: states of bits that come back, and a decoder that learns about z.


def _her_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks, steps, bits = rng.integers(60, 72), rng.integers(5, 9), rng.integers(3, 5)
    states = rng.integers(0, 2, (tasks, steps + 1, bits))
    for t in range(steps):
        stays = rng.random((tasks, 1)) < 0.3
        states[:, t + 1] = np.where(stays, states[:, t], states[:, t + 1])
    return _float32({"states": states, "u": rng.uniform(0, 0.999, (tasks, steps))})


def _her_drive(her_relabel, inputs):
    given = tensors(inputs)
    found = her_relabel(given["states"], given["u"])
    if not isinstance(found, (tuple, list)) or len(found) != 2 or not all(map(torch.is_tensor, found)):
        raise TypeError("your function should return two tensors: goals [T, H, n] and rewards [T, H]")
    return {"goals": _single(found[0]), "rewards": _single(found[1])}


def _dream_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks, steps, dim = rng.integers(60, 72), rng.integers(5, 9), rng.integers(3, 6)
    z = rng.normal(0, 1, (tasks, dim))
    share = np.sort(rng.uniform(0, 1, (tasks, steps + 1, 1)), axis=1)
    decoded = share * z[:, None] + rng.normal(0, 0.3, (tasks, steps + 1, dim))
    return _float32({"z": z, "decoded": decoded, "cost": rng.uniform(0.05, 0.15)})


def _dream_drive(dream_exploration_reward, inputs):
    given = tensors(inputs)
    return {"reward": _single(dream_exploration_reward(given["z"], given["decoded"], given["cost"]))}


EXERCISES = [
    Exercise("thompson_action", points=3, minutes=15, inputs=_thompson_inputs, drive=_thompson_drive),
    Exercise("ucb_action", points=3, minutes=15, inputs=_ucb_inputs, drive=_ucb_drive),
    Exercise("gittins_index", points=5, minutes=30, inputs=_gittins_inputs, drive=_gittins_drive),
    Exercise("belief_update", points=3, minutes=15, inputs=_belief_inputs, drive=_belief_drive),
    Exercise("returns_to_go", points=3, minutes=15, inputs=_returns_inputs, drive=_returns_drive),
    Exercise("rl2_input", points=3, minutes=15, inputs=_input_inputs, drive=_input_drive),
    Exercise("policy_loss", points=4, minutes=20, inputs=_loss_inputs, drive=_loss_drive),
    Exercise("her_relabel", points=4, minutes=25, inputs=_her_inputs, drive=_her_drive),
    Exercise("dream_exploration_reward", points=2, minutes=10, inputs=_dream_inputs, drive=_dream_drive),
]

check = checker(__file__, EXERCISES)
