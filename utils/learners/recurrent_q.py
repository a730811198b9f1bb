"""Recurrent double Q-learning on replayed trials (Hausknecht & Stone 2015; van Hasselt et al. 2016), as functions.

A Q-network is a dict of parameters: a GRU, if it has a memory, whose state is handed to a ReLU network together
with the input itself. The same learner trains every agent of the city: RL², and both parts of DREAM.
"""

from collections import deque
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from utils.learners.networks import Parameters, forward, gru, gru_sequence, mlp

HEAD = (64, 64)  # hidden layers of every network here
GRU = ("gru_x", "gru_h", "gru_bx", "gru_bh")  # the names of its weights here, in torch's order


class Sequences(NamedTuple):
    """T trials of H steps: what the network saw before each action, and what came of it.

    end [T, H]: nothing follows this step. What stands behind an end is padding, and nothing is learned from it.
    """

    inputs: Float[Tensor, "trial step feature"]
    action: Int[Tensor, "trial step"]
    reward: Float[Tensor, "trial step"]
    end: Bool[Tensor, "trial step"]


def q_network(n_inputs: int, n_outputs: int, memory: int, generator: torch.Generator) -> Parameters:
    """Parameters of a GRU with `memory` units (0: none) and of the network that reads it."""
    theta = dict(zip(GRU, gru(n_inputs, memory, generator).values(), strict=True)) if memory else {}
    return theta | mlp((n_inputs + memory, *HEAD, n_outputs), generator)


def q_values(theta: Parameters, inputs: Float[Tensor, "trial step feature"]) -> Float[Tensor, "trial step out"]:
    """Outputs after each step of whole sequences."""
    if weights := memory_of(theta):
        inputs = torch.cat([inputs, gru_sequence(weights, inputs)], -1)
    return read(theta, inputs)


def q_step(
    theta: Parameters, inputs: Float[Tensor, "trial feature"], state: Float[Tensor, "trial unit"] | None
) -> tuple[Float[Tensor, "trial out"], Float[Tensor, "trial unit"] | None]:
    """One step of `q_values`: the outputs and the memory after it. `state` is None at the start of a trial."""
    if weights := memory_of(theta):
        state = inputs.new_zeros(len(inputs), theta["gru_h"].shape[1]) if state is None else state
        state = torch.gru_cell(inputs, state, *weights)
        inputs = torch.cat([inputs, state], -1)
    return read(theta, inputs), state


def memory_of(theta: Parameters) -> list[Tensor]:
    """The GRU's parameters in torch's order; an empty list where there is no memory."""
    return [theta[name] for name in GRU if name in theta]


def read(theta: Parameters, features: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch out"]:
    """The ReLU network on top."""
    return forward({name: p for name, p in theta.items() if name not in GRU}, features)


def td_loss(theta: Parameters, target: Parameters, trials: Sequences, gamma: float) -> Float[Tensor, ""]:
    """Mean Huber loss of Q(s, a) against r + gamma Q'(s', argmax_a Q(s', a)), the sum ending with the trial.

    Q' has the parameters `target`, which follow theta slowly; Q itself chooses the action (double Q-learning).
    """
    q = q_values(theta, trials.inputs)
    with torch.no_grad():
        later = q_values(target, trials.inputs).gather(2, q.argmax(2, keepdim=True))[..., 0]
        following = torch.cat([later[:, 1:], torch.zeros_like(later[:, :1])], 1)
        aim = trials.reward + gamma * following * ~trials.end
    chosen = q.gather(2, trials.action[..., None])[..., 0]
    live = before_end(trials.end)
    return (F.smooth_l1_loss(chosen, aim, reduction="none") * live).sum() / live.sum()


def before_end(end: Bool[Tensor, "trial step"]) -> Bool[Tensor, "trial step"]:
    """Which steps are part of the trial: all up to the first end, that one included."""
    return end.int().cumsum(1) - end.int() == 0


def improve(
    loss: Float[Tensor, ""], optimiser: torch.optim.Optimizer, theta: Parameters | None = None,
    target: Parameters | None = None, rate: float = 0.02, clip: float = 5.0,
) -> None:  # fmt: skip
    """One step of the optimiser; then `target`, if there is one, moves the share `rate` of its way towards theta."""
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], clip)
    optimiser.step()
    if target is not None:
        with torch.no_grad():
            for name, p in theta.items():
                target[name].lerp_(p, rate)


def epsilon_greedy(
    q: Float[Tensor, "*batch action"], epsilon: float, generator: torch.Generator
) -> Int[Tensor, "*batch"]:
    """The best action of each row, or with probability epsilon any."""
    any_action = torch.randint(q.shape[-1], q.shape[:-1], generator=generator)
    return torch.where(torch.rand(q.shape[:-1], generator=generator) < epsilon, any_action, q.argmax(-1))


def epsilon_at(share: float, over: float = 0.47, last: float = 0.05) -> float:
    """From 1 down to `last` in a straight line over the first part of training, then constant."""
    return max(last, 1 - (1 - last) * share / over)


def replay(capacity: int = 400) -> deque:
    """A memory of the last batches of trials: append to it, `recall` from it."""
    return deque(maxlen=capacity)


def recall(memory: deque, generator: torch.Generator):
    """One of the batches that are kept."""
    return memory[int(torch.randint(len(memory), (1,), generator=generator))]
