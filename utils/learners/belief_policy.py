"""A policy that sees where it is and what it knows, trained by PPO over whole trials. What it knows is handed to it.

`known` [T, F] may be the exact belief over cells, or what an encoder made of the past (varibad.py): PPO does not ask.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from utils.learners.networks import Parameters, forward, mlp
from utils.learners.policy_gradient import advantages, clipped_loss, draw, entropy, epochs, log_prob, standardised
from utils.tasks.goal_grid import GoalGrid
from utils.tasks.grid_belief import Memory, remembering
from utils.tasks.worlds import Act, play

Networks = dict[str, Parameters]
Read = Callable[[Tensor], Tensor]
GAMMA, LAMBDA, ENTROPY, RATE = 0.97, 0.9, 0.05, 3e-3


def actor_critic(grid: GoalGrid, features: int, generator: torch.Generator) -> Networks:
    """Two networks of (cell, time, known): logits of the actions, and the return that is still to come."""
    inputs, actions = grid.size**2 + 2 + features, int(grid.action_space.n)
    return {"policy": mlp((inputs, 96, 64, actions), generator), "critic": mlp((inputs, 96, 64, 1), generator)}


def situation(
    grid: GoalGrid, step: int, cell: Int[Tensor, "task"], known: Float[Tensor, "task feature"]
) -> Float[Tensor, "task input"]:
    """What the two networks see: the cell, how far the episode and the trial are, what is known."""
    here = torch.eye(grid.size**2).index_select(0, cell)
    times = torch.tensor([step % grid.horizon / grid.horizon, step / grid.steps]).expand(len(cell), 2)
    return torch.cat([here, times, known], 1)


def agent(
    grid: GoalGrid, nets: Networks, memory: Memory, read: Read, generator: torch.Generator | None = None,
    seen: list[Tensor] | None = None,
) -> Act:  # fmt: skip
    """A policy for `worlds.play`: the best action, or with a generator a drawn one. `seen` collects the inputs."""

    def choose(step: int, cell: Tensor, known: Tensor) -> Tensor:
        x = situation(grid, step, cell, read(known))
        if seen is not None:
            seen.append(x)
        logits = forward(nets["policy"], x)
        return logits.argmax(1) if generator is None else draw(logits, generator)

    return remembering(grid, memory, choose)


def ppo_loss(
    nets: Networks, x: Float[Tensor, "task step input"], action: Int[Tensor, "task step"], old: Tensor,
    advantage: Tensor, target: Tensor, bonus: float,
) -> Tensor:  # fmt: skip
    """Clipped policy loss, half the squared error of the values, minus `bonus` times the entropy."""
    logits, value = forward(nets["policy"], x), forward(nets["critic"], x)[..., 0]
    policy = clipped_loss(log_prob(logits, action), old, advantage).mean()
    return policy + 0.5 * (value - target).pow(2).mean() - bonus * entropy(logits).mean()


def improve(
    nets: Networks, optimiser: torch.optim.Optimizer, x: Tensor, action: Tensor, reward: Tensor, bonus: float,
    generator: torch.Generator,
) -> None:  # fmt: skip
    """One batch of PPO on whole trials: x [T, H, input], action and reward [T, H]."""
    with torch.no_grad():
        value, old = forward(nets["critic"], x)[..., 0], log_prob(forward(nets["policy"], x), action)
        gain = advantages(reward, value, GAMMA, LAMBDA)
        target, gain = gain + value, standardised(gain)

    def loss(index: Tensor) -> Tensor:
        return ppo_loss(nets, x[index], action[index], old[index], gain[index], target[index], bonus)

    epochs(loss, len(x), [p for group in optimiser.param_groups for p in group["params"]], optimiser, generator)


def train_policy(
    grid: GoalGrid, nets: Networks, memory: Memory, read: Read, iterations: int, generator: torch.Generator,
    tasks: int = 128, after: Callable[[int, Tensor, Tensor, Tensor], None] | None = None,
    report: Callable[[float], None] | None = None, stop: int | None = None,
) -> None:  # fmt: skip
    """`iterations` of: play a trial in each of `tasks` new tasks, then PPO. Changes nets["policy"], nets["critic"].

    Rate and entropy bonus fall to (almost) nothing. after(iteration, cell, action, reward): whatever else is to be
    learned from the same trials; report(mean return of a trial); stop: break off after so many iterations.
    """
    optimiser = torch.optim.Adam([*nets["policy"].values(), *nets["critic"].values()], RATE, fused=True)
    for i in range(iterations if stop is None else stop):
        rest = 1 - i / iterations
        optimiser.param_groups[0]["lr"] = RATE * max(0.02, rest)
        seen = []
        trials = play(grid, grid.sample(tasks, generator), agent(grid, nets, memory, read, generator, seen), generator)
        improve(nets, optimiser, torch.stack(seen, 1), trials.action, trials.reward, ENTROPY * rest, generator)
        if after is not None:
            after(i, trials.observation.argmax(2), trials.action, trials.reward)
        if report is not None:
            report(trials.reward.sum(1).mean().item())
