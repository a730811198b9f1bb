"""MAML for reinforcement learning: gradients against one task alone and finite differences, and that it learns."""

import torch

from benchmarks.measure import seeded
from utils.learners import maml_rl
from utils.learners.maml import inner_step
from utils.learners.networks import leaves, repeat
from utils.tasks.navigation import Navigation

SHORT = Navigation(horizon=12)


def short_stage(goal: torch.Tensor, seed: int = 1, share: float = 1.0) -> tuple[maml_rl.Learner, maml_rl.Stage]:
    """An untrained learner and its first paths on the goals."""
    learner = maml_rl.untrained(seeded(seed), world=SHORT)
    phi = leaves(repeat(learner.theta, len(goal)))
    return learner, maml_rl.stage(SHORT, phi, goal, 6, learner.scale, seeded(seed), share)


def test_walks_are_the_worlds_own():
    """Rewards are minus the distance to the goal, moves are cut at 0.1, and all ends with the arrival."""
    goal = torch.tensor([[0.05, -0.03], [0.4, 0.1]])
    _, stage = short_stage(goal)
    place, action, reward, moving = stage.paths
    after = place + maml_rl.STEP * action.clamp(-1, 1)
    distance = (after - goal[:, None, None]).norm(dim=-1)
    torch.testing.assert_close(reward, -distance * moving)
    torch.testing.assert_close(place[:, :, 1:], torch.where(moving[..., None], after, place)[:, :, :-1])
    assert place.shape == (2, 6, 12, 2) and not place[:, :, 0].any()


def test_rows_after_the_arrival_do_not_count():
    """A policy that walks to the goal and stays: its later rows have no advantage, whatever their returns are."""
    learner = maml_rl.untrained(seeded(0), world=SHORT)
    phi = {name: torch.zeros_like(p) for name, p in repeat(learner.theta, 1).items()} | {
        "b3": torch.tensor([[[1.0, 0.0]]]), "log_std": torch.full((1, 1, 2), -2.5)}
    paths = maml_rl.walk(SHORT, phi, torch.tensor([[0.2, 0.0]]), 3, None)
    assert paths.moving[0].tolist() == 3 * [2 * [True] + 10 * [False]]
    advantage, _ = maml_rl.advantages(paths)
    assert advantage.view(3, 12)[:, 2:].abs().max() == 0 and advantage.view(3, 12)[:, :2].abs().min() > 0


def test_a_goal_under_the_start_gives_no_gradient_and_no_nan():
    """All rows have weight 0 there; nothing is divided by it."""
    learner, stage = short_stage(torch.tensor([[0.005, 0.005], [0.3, 0.3]]))
    phi = inner_step(maml_rl.surrogate, stage.phi, stage.data, learner.rates[0])
    moved = torch.stack([(phi[n] - stage.phi[n]).flatten(1).abs().amax(1) for n in phi]).amax(0)
    assert moved[0] == 0 and 0 < moved[1] < torch.inf


def test_advantages_are_what_a_linear_baseline_leaves():
    """Returns that are linear in the features have no advantage; the spread is the rest's root mean square."""
    _, stage = short_stage(torch.tensor([[0.4, 0.4], [-0.3, 0.2]]))
    paths = stage.paths
    linear = (maml_rl.features(paths.place) @ torch.tensor([1.0, -2, 0.5, 1, 3, -1, 2])).view(paths.reward.shape)
    following = torch.cat([linear[..., 1:], torch.zeros_like(linear[..., :1])], 2)
    fitted, _ = maml_rl.advantages(paths._replace(reward=linear - maml_rl.GAMMA * following))
    found, spread = maml_rl.advantages(paths)
    assert fitted.abs().max() < 0.05 * found.abs().max()
    torch.testing.assert_close(spread[:, 0], found.pow(2).mean(1).sqrt())


def test_inner_step_equals_autograd_on_each_task_alone():
    """Against -mean(A log p) of one task, differentiated by itself, with one rate for every entry."""
    learner, stage = short_stage(torch.tensor([[0.4, 0.4], [-0.3, 0.2], [0.0, -0.5]]), share=0.5)
    rates = {name: torch.rand(p.shape, generator=seeded(3)) for name, p in learner.theta.items()}
    phi = inner_step(maml_rl.surrogate, stage.phi, stage.data, rates)
    for task in range(3):
        alone = leaves({name: p[task : task + 1] for name, p in stage.phi.items()})
        place, action, advantage, weight = (part[task : task + 1] for part in stage.data)
        density = torch.distributions.Normal(maml_rl.mean_action(alone, place), alone["log_std"].exp())
        loss = -(density.log_prob(action).sum(-1) * advantage)[weight > 0].mean()
        gradients = torch.autograd.grad(loss, list(alone.values()))
        for (name, p), gradient in zip(alone.items(), gradients, strict=True):
            torch.testing.assert_close(phi[name][task], p[0] - rates[name] * gradient[0], atol=1e-6, rtol=1e-4)


def test_tasks_do_not_touch_each_other():
    """Other goals beside a task change neither its data nor its adapted policy."""
    goal = torch.tensor([[0.4, 0.4], [-0.3, 0.2]])
    learner, stage = short_stage(goal)
    moved = stage.paths._replace(reward=stage.paths.reward * torch.tensor([1.0, 7.0])[:, None, None])
    for before, after in zip(maml_rl.advantages(stage.paths), maml_rl.advantages(moved), strict=True):
        assert torch.equal(before[0], after[0]) and not torch.equal(before[1], after[1])
    changed = [part * torch.tensor([1.0, 3.0]).view(2, *(part.dim() - 1) * [1]) for part in stage.data]
    a, b = (inner_step(maml_rl.surrogate, stage.phi, data, learner.rates[0]) for data in (stage.data, changed))
    assert all(torch.equal(a[name][0], b[name][0]) for name in a)
    assert not torch.equal(a["w3"][1], b["w3"][1])


def test_second_derivative_counts_the_choice_of_actions():
    """rho A against A log p: equal gradients, and Hessians that differ by A grad log p (grad log p)^T."""
    mean = torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)
    zero = {name: torch.zeros(1, *p.shape, dtype=torch.float64) for name, p in maml_rl.policy(seeded(0)).items()}
    action, advantage = torch.tensor([[[1.0, 0.5]]]).double(), torch.tensor([[2.0]]).double()

    def loss(b, surrogate):
        phi = zero | {"b3": b[None, None]}
        if surrogate:
            return maml_rl.surrogate(phi, torch.zeros(1, 1, 2).double(), action, advantage, torch.ones(1, 1)).sum()
        return -(advantage * maml_rl.log_prob(phi, torch.zeros(1, 1, 2).double(), action)).sum()

    first = [torch.autograd.grad(loss(mean, kind), mean)[0] for kind in (True, False)]
    second = [torch.autograd.functional.hessian(lambda b, kind=kind: loss(b, kind), mean) for kind in (True, False)]
    score = action[0, 0] - mean.detach()
    torch.testing.assert_close(first[0], first[1])
    torch.testing.assert_close(second[0] - second[1], -2 * torch.outer(score, score))


def test_outer_loss_has_the_right_gradient_through_the_steps():
    """Against finite differences of the loss whose inner ratios are p / (p at the point of differentiation)."""
    learner, _ = short_stage(torch.full((1, 2), 0.3))
    stages = maml_rl.adaptation(learner, torch.tensor([[0.4, 0.4], [-0.3, 0.2]]), 3, 4, seeded(5), world=SHORT)
    stages = [s._replace(data=tuple(part.double() for part in s.data), advantage=s.advantage.double()) for s in stages]
    rates = [{name: r.detach().double() for name, r in step.items()} for step in learner.rates]
    theta = {name: p.detach().double().requires_grad_() for name, p in learner.theta.items()}
    old = [maml_rl.log_prob(repeat(theta, 2), *s.data[:2]).detach() - 0.01 for s in stages]
    kept = []

    def noting(phi, *data):
        kept.append(maml_rl.log_prob(phi, *data[:2]).detach())
        return maml_rl.surrogate(phi, *data)

    def loss(theta, inner):
        return maml_rl.outer_loss(maml_rl.Learner(theta, rates, 1.0), stages, old, inner)

    def value(theta):
        held = iter(kept)
        ratio = lambda phi, x, u, a, w: -maml_rl.average((maml_rl.log_prob(phi, x, u) - next(held)).exp() * a, w)  # noqa: E731
        return loss(leaves(theta), ratio).item()

    g = seeded(6)
    direction = {name: torch.randn(p.shape, generator=g, dtype=torch.float64) for name, p in theta.items()}
    gradients = torch.autograd.grad(loss(theta, noting), list(theta.values()))
    slope = sum((gradient * d).sum() for gradient, d in zip(gradients, direction.values(), strict=True)).item()
    low, high = (value({name: p + e * direction[name] for name, p in theta.items()}) for e in (-1e-6, 1e-6))
    assert abs(slope - (high - low) / 2e-6) < 1e-5 * abs(slope)


def test_training_improves_the_return_after_adaptation():
    """Ten iterations with two inner steps, judged on the same goals before and after; the rates move too."""
    corners = torch.cartesian_prod(*2 * [torch.tensor([-0.3, 0.3])])
    trained = maml_rl.meta_train(10, seeded(1), steps=2)
    before, after = (maml_rl.returns_after(maml_rl.adaptation(learner, corners, 2, 20, seeded(1))).mean(1)
                     for learner in (maml_rl.meta_train(0, seeded(1), steps=2), trained))
    assert after[0] > before[0] + 5 and after[2] > before[2] + 3 and after[2] > after[1] > after[0]
    assert all(rate.std() > 0 for rate in trained.rates[1].values())


def test_seeds_reproduce():
    """The same seed reports the same returns, another seed does not."""
    seen = {}
    for run, seed in (("first", 0), ("again", 0), ("other", 1)):
        seen[run] = []
        maml_rl.meta_train(2, seeded(seed), steps=2, world=SHORT, report=seen[run].append)
    first, again, other = (torch.stack(returns) for returns in seen.values())
    assert first.shape == (2, 3) and torch.equal(first, again) and not torch.equal(first, other)


def test_steps_beyond_the_trained_ones_use_the_last_rates():
    """One set of rates, two steps: the second step is an inner step with the first one's rates."""
    learner = maml_rl.untrained(seeded(0), steps=1, world=SHORT)
    stages = maml_rl.adaptation(learner, torch.tensor([[0.4, 0.4]]), 2, 4, seeded(5), world=SHORT)
    phi = inner_step(maml_rl.surrogate, stages[1].phi, stages[1].data, learner.rates[0])
    assert all(torch.equal(phi[name], stages[2].phi[name]) for name in phi)
    assert maml_rl.returns_after(stages).shape == (3, 1)
