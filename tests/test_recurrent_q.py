"""Recurrent Q-learning against exact values, its own steps, and what must not matter."""

import torch

from benchmarks.measure import seeded
from utils.learners.recurrent_q import (
    Sequences,
    before_end,
    epsilon_at,
    epsilon_greedy,
    improve,
    q_network,
    q_step,
    q_values,
    recall,
    replay,
    td_loss,
)


def random_trials(count=6, steps=5, n_inputs=4, seed=0):
    """Trials of noise, two of which end early."""
    g = seeded(seed)
    end = torch.zeros(count, steps, dtype=torch.bool)
    end[:, -1] = end[0, 1] = end[1, 0] = True
    action = torch.randint(3, (count, steps), generator=g)
    inputs, reward = torch.randn(count, steps, n_inputs, generator=g), torch.randn(count, steps, generator=g)
    return Sequences(inputs, action, reward, end)


def test_steps_give_the_same_values_as_the_sequence():
    """With memory and without; the sequence pass against torch.nn.GRU too."""
    for memory in (0, 7):
        theta, x, state = q_network(4, 3, memory, seeded(0)), random_trials().inputs, None
        whole = q_values(theta, x)
        for t in range(x.shape[1]):
            q, state = q_step(theta, x[:, t], state)
            torch.testing.assert_close(q, whole[:, t])
    peer = torch.nn.GRU(4, 7, batch_first=True)
    peer.load_state_dict({"weight_ih_l0": theta["gru_x"], "weight_hh_l0": theta["gru_h"],
                          "bias_ih_l0": theta["gru_bx"], "bias_hh_l0": theta["gru_bh"]})
    states = peer(x)[0]
    q, _ = q_step({n: p for n, p in theta.items() if n[:3] != "gru"}, torch.cat([x, states], -1)[:, -1], None)
    torch.testing.assert_close(q, whole[:, -1])


def test_memory_reaches_back_and_only_back():
    """The last value depends on the first input, the first value not on the last; without memory neither does."""
    x = random_trials().inputs.requires_grad_()
    for memory, reaches in ((7, True), (0, False)):
        q = q_values(q_network(4, 3, memory, seeded(0)), x)
        back = torch.autograd.grad(q[:, -1].sum(), x, retain_graph=True)[0][:, 0]
        ahead = torch.autograd.grad(q[:, 0].sum(), x)[0][:, -1]
        assert (back != 0).any().item() == reaches and (ahead == 0).all()


def test_what_stands_behind_an_end_is_padding():
    """Other rewards, actions and inputs after an end change neither the loss nor its gradient."""
    theta, trials = q_network(4, 3, 7, seeded(0)), random_trials()
    target = q_network(4, 3, 7, seeded(1))
    live = before_end(trials.end)
    assert live.sum(1).tolist() == [2, 1, 5, 5, 5, 5]
    other = random_trials(seed=5)
    mixed = Sequences(torch.where(live[..., None], trials.inputs, other.inputs),
                      torch.where(live, trials.action, other.action),
                      torch.where(live, trials.reward, other.reward), trials.end)
    first, second = (td_loss(theta, target, t, 0.9) for t in (trials, mixed))
    torch.testing.assert_close(first, second)
    for a, b in zip(*(torch.autograd.grad(x, theta.values()) for x in (first, second)), strict=True):
        torch.testing.assert_close(a, b)
    changed = mixed._replace(reward=mixed.reward + live * (torch.arange(5) == 0))
    assert (td_loss(theta, target, changed, 0.9) - first).abs() > 1e-3  # the loss does look at what is alive


def test_loss_is_the_one_of_double_q_learning():
    """Step by step with Python's numbers: the action of Q, the value of Q'."""
    theta, target, trials = q_network(4, 3, 7, seeded(0)), q_network(4, 3, 7, seeded(1)), random_trials()
    q, later = q_values(theta, trials.inputs).tolist(), q_values(target, trials.inputs).tolist()
    total = []
    for i in range(6):
        for t in range(5):
            aim = trials.reward[i, t].item()
            if not trials.end[i, t]:
                aim += 0.9 * later[i][t + 1][max(range(3), key=lambda a: q[i][t + 1][a])]
            gap = abs(q[i][t][trials.action[i, t]] - aim)
            total.append(gap**2 / 2 if gap < 1 else gap - 0.5)
            if trials.end[i, t]:
                break
    assert abs(td_loss(theta, target, trials, 0.9).item() - sum(total) / len(total)) < 1e-5


def test_learns_the_exact_values_of_a_small_world_that_needs_memory():
    """A cue at the first step says which action will pay 1 at the third: Q is 0.81, 0.9 and then 1 or 0."""
    g = seeded(0)
    theta = q_network(5, 2, 8, g)
    target = {name: p.detach().clone() for name, p in theta.items()}
    optimiser, memory = torch.optim.Adam(theta.values(), 5e-3), replay(20)
    for _ in range(500):
        cue, action = torch.randint(2, (32,), generator=g), torch.randint(2, (32, 3), generator=g)
        memory.append(cue_trials(cue, action))
        improve(td_loss(theta, target, recall(memory, g), 0.9), optimiser, theta, target, rate=0.05)
    cue = torch.tensor([0, 1])
    q = q_values(theta, cue_trials(cue, torch.zeros(2, 3, dtype=torch.long)).inputs)
    want = torch.tensor([[0.81, 0.81], [0.9, 0.9]]).expand(2, 2, 2)
    torch.testing.assert_close(q[:, :2], want, atol=0.05, rtol=0)
    torch.testing.assert_close(q[:, 2], torch.eye(2), atol=0.05, rtol=0)


def cue_trials(cue, action):
    """Inputs: the cue at the first step, one-hot, and the time."""
    inputs = torch.zeros(len(cue), 3, 5)
    inputs[torch.arange(len(cue)), 0, cue] = 1
    inputs[..., 2:] = torch.eye(3)
    reward = torch.zeros(len(cue), 3)
    reward[:, 2] = (action[:, 2] == cue).float()
    return Sequences(inputs, action, reward, (torch.arange(3) == 2).expand(len(cue), 3))


def test_target_moves_by_its_rate_and_gradients_are_clipped():
    """A step of plain gradient descent has at most the length clip; the target goes a quarter of the way."""
    theta, target = {"w": torch.zeros(3, requires_grad=True)}, {"w": torch.ones(3)}
    loss = (theta["w"] * torch.tensor([3.0, 4.0, 0.0])).sum()
    improve(loss, torch.optim.SGD(theta.values(), 1.0), theta, target, rate=0.25, clip=1.0)
    torch.testing.assert_close(theta["w"].detach(), -torch.tensor([0.6, 0.8, 0.0]), atol=1e-4, rtol=0)
    torch.testing.assert_close(target["w"], 0.75 + 0.25 * theta["w"].detach())


def test_epsilon_is_the_share_of_random_actions():
    """At 0 the best action always; at 0.6 with four actions in 45% another one. The schedule goes from 1 to 0.05."""
    q = torch.tensor([0.0, 3.0, 1.0, 2.0]).expand(20_000, 4)
    assert (epsilon_greedy(q, 0.0, seeded(0)) == 1).all()
    assert abs((epsilon_greedy(q, 0.6, seeded(0)) != 1).float().mean() - 0.45) < 0.02
    assert epsilon_at(0.0) == 1 and abs(epsilon_at(0.47) - 0.05) < 1e-9 and epsilon_at(0.9) == 0.05
    assert abs(epsilon_at(0.235) - 0.525) < 1e-9


def test_replay_keeps_the_last_batches_only():
    """And recalls each of them."""
    memory = replay(3)
    memory.extend(range(5))
    assert {recall(memory, g) for g in [seeded(0)] for _ in range(50)} == {2, 3, 4}
