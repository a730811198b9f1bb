"""MAML for reinforcement learning (Finn, Abbeel & Levine, 2017, section 5.3): adapt a policy by policy gradients.

The data are a task's own paths: the start decides where learning begins and what there is to learn from. T tasks in
parallel, K paths of H steps each; the inner step is `maml.inner_step`, the outer one PPO.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners.maml import inner_step
from utils.learners.networks import Parameters, leaves, linear, repeat, trainable
from utils.learners.policy_gradient import clipped_loss, epochs, returns_to_go
from utils.tasks.navigation import STEP, Navigation, arrived

Loss = Callable[..., Tensor]
DENSE, GAMMA, RATE = Navigation(), 0.95, 0.1  # the world; the discount; rates of the inner steps before training
LOG_STD = -2.5, 0.5  # where the policy's log standard deviation is kept
TASKS, PATHS, SHARE = 20, 10, 0.35  # of one iteration; SHARE of the rows enters the gradients


class Learner(NamedTuple):
    """A start, and for each inner step the rates, one for every entry of the start.

    scale: what all inner advantages are divided by (None: by each task's own spread, anew in each step).
    """

    theta: Parameters
    rates: list[Parameters]
    scale: float | None


class Paths(NamedTuple):
    """place and action [T, K, H, 2], reward [T, K, H]; moving [T, K, H] is False once the point has arrived."""

    place: Tensor
    action: Tensor
    reward: Tensor
    moving: Tensor


class Stage(NamedTuple):
    """The policies at one moment, their paths, and N of the paths' K H rows, which the gradients see.

    data: place, action [T, N, 2], inner advantage, weight [T, N]; advantage [T, N]: for the outer loss.
    """

    phi: Parameters
    paths: Paths
    data: tuple[Tensor, Tensor, Tensor, Tensor]
    advantage: Tensor


def policy(generator: torch.Generator, hidden: int = 32, log_std: float = -0.7) -> Parameters:
    """Two hidden tanh layers and a standard deviation for each coordinate; the last layer starts near zero."""
    theta = {"log_std": torch.full((1, 2), log_std)}
    sizes = (2, hidden, 1.0), (hidden, hidden, hidden**-0.5), (hidden, 2, 0.01)
    for layer, (fan_in, fan_out, gain) in enumerate(sizes, start=1):
        theta[f"w{layer}"] = gain * torch.randn(fan_in, fan_out, generator=generator)
        theta[f"b{layer}"] = torch.zeros(1, fan_out)
    return trainable(theta)


def mean_action(phi: Parameters, place: Float[Tensor, "task point 2"]) -> Float[Tensor, "task point 2"]:
    """The policy's mean, in units of the largest move."""
    h = 2 * place
    for layer in "12":
        h = torch.tanh(linear(h, phi[f"w{layer}"], phi[f"b{layer}"]))
    return linear(h, phi["w3"], phi["b3"])


def log_prob(phi: Parameters, place: Tensor, action: Float[Tensor, "task point 2"]) -> Float[Tensor, "task point"]:
    """log density of the Gaussian policy, without its constant."""
    log_std = phi["log_std"].clamp(*LOG_STD)
    return (-0.5 * ((action - mean_action(phi, place)) * (-log_std).exp()) ** 2 - log_std).sum(-1)


@torch.no_grad()
def walk(
    world: Navigation, phi: Parameters, goal: Float[Tensor, "task 2"], count: int, generator: torch.Generator | None
) -> Paths:
    """`count` paths in each task under its own policy phi [T, ...]; without a generator the mean acts."""
    shape = len(goal), count, 2
    goal = goal.repeat_interleave(count, 0)  # [T K, 2]: each path is a task of the world
    noise = torch.zeros(world.horizon, *shape)
    if generator is not None:
        noise.normal_(generator=generator).mul_(phi["log_std"].clamp(*LOG_STD).exp())
    place, seen = world.start(goal), []
    for t in range(world.horizon):
        action = (mean_action(phi, place.view(shape)) + noise[t]).view(-1, 2)
        after, reward = world.move(goal, place, STEP * action, noise[t])
        seen.append((place, action, reward, ~arrived(place, goal)))
        place = after
    return Paths(*(torch.stack(parts, 1).unflatten(0, shape[:2]) for parts in zip(*seen, strict=True)))


def features(place: Float[Tensor, "task path step 2"]) -> Float[Tensor, "task row 7"]:
    """x, y, x^2, y^2, xy, time, 1: what the baseline knows."""
    x, y = (2 * place).unbind(-1)
    time = torch.linspace(0, 1, place.shape[2] + 1)[:-1].expand_as(x)
    return torch.stack([x, y, x * x, y * y, x * y, time, torch.ones_like(x)], -1).flatten(1, 2)


def average(values: Float[Tensor, "task row"], weight: Tensor) -> Float[Tensor, "task"]:
    """Weighted mean of each task's rows; 0 where no row counts, as when the goal lies under the start."""
    return (values * weight).sum(1) / weight.sum(1).clamp_min(1)


@torch.no_grad()
def advantages(paths: Paths) -> tuple[Float[Tensor, "task row"], Float[Tensor, "task 1"]]:
    """Returns-to-go minus each task's linear baseline, and their root mean square; rows after the arrival are 0."""
    reward = paths.reward.flatten(0, 1)
    returns = returns_to_go(reward, torch.zeros_like(reward, dtype=torch.bool), GAMMA).view(len(paths.reward), -1)
    f, moving = features(paths.place), paths.moving.flatten(1)
    weights = torch.linalg.solve(f.mT @ f + 0.01 * torch.eye(f.shape[2]), f.mT @ returns[..., None])
    advantage = (returns - (f @ weights)[..., 0]) * moving
    return advantage, average(advantage.pow(2), moving)[:, None].sqrt().clamp_min(1e-3)


def stage(world, phi: Parameters, goal: Tensor, count: int, scale: float | None, generator, share: float) -> Stage:
    """Walk, and keep a random `share` of the rows; the outer advantages always have each task's own scale."""
    paths = walk(world, phi, goal, count, generator)
    advantage, spread = advantages(paths)
    rows = torch.randperm(advantage.shape[1], generator=generator)[: int(share * advantage.shape[1])]
    inner = advantage / (spread if scale is None else scale)
    parts = paths.place.flatten(1, 2), paths.action.flatten(1, 2), inner, paths.moving.flatten(1).float()
    return Stage(phi, paths, tuple(part[:, rows] for part in parts), (advantage / spread)[:, rows])


def surrogate(phi: Parameters, place: Tensor, action: Tensor, advantage: Tensor, weight: Tensor) -> Tensor:
    """-mean(rho A) [T] with rho = p / (p held fixed) = 1: its gradient is the policy gradient.

    Its second derivative also counts what phi does to which actions are drawn (Rothfuss et al. 2019).
    """
    log_p = log_prob(phi, place, action)
    return -average((log_p - log_p.detach()).exp() * advantage, weight)


def adaptation(
    learner: Learner, goal: Float[Tensor, "task 2"], steps: int, count: int, generator: torch.Generator,
    share: float = 1.0, world: Navigation = DENSE,
) -> list[Stage]:  # fmt: skip
    """The stages after 0..`steps` inner steps on `count` new paths each; untrained steps use the last one's rates."""
    phi, stages = leaves(repeat(learner.theta, len(goal))), []
    for step in range(steps + 1):
        stages.append(stage(world, phi, goal, count, learner.scale, generator, share))
        if step < steps:
            rates = learner.rates[min(step, len(learner.rates) - 1)]
            phi = leaves(inner_step(surrogate, phi, stages[-1].data, rates, second_order=False))
    return stages


def returns_after(stages: list[Stage]) -> Float[Tensor, "step task"]:
    """Each task's mean return after 0, 1, ... inner steps."""
    return torch.stack([s.paths.reward.sum(2).mean(1) for s in stages])


def outer_loss(learner: Learner, stages: list[Stage], old: list[Tensor], inner: Loss = surrogate) -> Float[Tensor, ""]:
    """PPO's loss after each inner step, step i counting i times, through all inner steps before it."""
    phi, total = repeat(learner.theta, len(old[0])), torch.zeros(())
    for i, (s, before) in enumerate(zip(stages, old, strict=True)):
        if i:
            place, action, _, weight = s.data
            loss = clipped_loss(log_prob(phi, place, action), before, s.advantage)
            total = total + i * average(loss, weight).mean()
        if i < len(stages) - 1:
            phi = inner_step(inner, phi, s.data, learner.rates[i])
    return total


def untrained(generator: torch.Generator, steps: int = 3, per_task: bool = False, world: Navigation = DENSE) -> Learner:
    """A random policy, all rates alike, and as scale the mean spread of this policy's advantages over 100 goals."""
    theta = policy(generator)
    rates = [trainable({name: torch.full_like(p, RATE) for name, p in theta.items()}) for _ in range(steps)]
    paths = walk(world, repeat(theta, 100), world.sample(100, generator), PATHS, generator)
    return Learner(theta, rates, None if per_task else advantages(paths)[1].mean().item())


def meta_train(
    iterations: int, generator: torch.Generator, steps: int = 3, *, per_task: bool = False, inner: Loss = surrogate,
    world: Navigation = DENSE, report: Callable[[Tensor], None] | None = None,
) -> Learner:  # fmt: skip
    """PPO through `steps` inner steps; report(returns after 0..steps inner steps [step]) after each iteration."""
    learner = untrained(generator, steps, per_task, world)
    theta, rates = list(learner.theta.values()), [r for step in learner.rates for r in step.values()]
    optimiser = torch.optim.Adam([{"params": theta}, {"params": rates, "lr": 5e-3}], lr=3e-3, fused=True)
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: max(0.05, 1 - i / max(iterations, 1)))
    for _ in range(iterations):
        stages = adaptation(learner, world.sample(TASKS, generator), steps, PATHS, generator, SHARE, world)
        old = [log_prob(s.phi, *s.data[:2]).detach() for s in stages]
        loss = lambda _, s=stages, o=old: outer_loss(learner, s, o, inner)  # noqa: E731
        epochs(loss, TASKS, theta, optimiser, generator, passes=3, parts=1, clip=1.0)
        falling.step()
        if report is not None:
            report(returns_after(stages).mean(1))
    return learner
