"""Memories for RL² on bandits: what an agent keeps of a trial, as functions over explicit parameters.

A memory has four functions. `start(arms, generator)` -> parameters; `write(theta, state, action [T], reward [T],
clock [3])` -> the state after a pull; `states(theta, action [T, H], reward [T, H], clock [H, 3])` -> the states
*before* every pull of whole trials at once [T, H, ...]; `read(theta, state [..., ...], clock [..., 3])` -> logits
[..., k]. A state starts as zeros of `shape(theta, arms)`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from utils.learners import networks
from utils.learners.networks import Parameters, forward, gru_sequence, gru_weights, mlp, trainable
from utils.tasks.bandit_rules import posterior_mean


@dataclass(frozen=True)
class Memory:
    """See above. `shape(theta, arms)` is the shape of one task's state."""

    start: Callable[[int, torch.Generator], Parameters]
    shape: Callable[[Parameters, int], tuple[int, ...]]
    write: Callable[[Parameters, Tensor, Tensor, Tensor, Tensor], Tensor]
    states: Callable[[Parameters, int, Tensor, Tensor, Tensor], Tensor]
    read: Callable[[Parameters, Tensor, Tensor], Tensor]


def clock(pulls: int) -> Float[Tensor, "pull 3"]:
    """What is told about time before each pull: how many pulls are left, how much one more counts, how many were."""
    done = torch.arange(float(pulls))
    return torch.stack([(pulls - done) / 100, (pulls - done).rsqrt(), (done + 1).rsqrt()], 1)


def network(theta: Parameters, name: str, x: Tensor) -> Tensor:
    """The small network whose parameters are called name.w1, name.b1, ...; x [..., in] -> [..., out]."""
    phi = {key.removeprefix(f"{name}."): p for key, p in theta.items() if key.startswith(f"{name}.")}
    return forward(phi, x)


def named(**networks: Parameters) -> Parameters:
    """Several networks in one set of parameters: name.w1, name.b1, ..."""
    return {f"{name}.{key}": p for name, theta in networks.items() for key, p in theta.items()}


def before(written: Float[Tensor, "task pull *rest"]) -> Float[Tensor, "task pull *rest"]:
    """States after each pull -> states before it: the first is blank, the last is not needed."""
    return torch.cat([torch.zeros_like(written[:, :1]), written[:, :-1]], 1)


def beside_the_mean(x: Float[Tensor, "*batch arm feature"]) -> Float[Tensor, "*batch arm double"]:
    """Each arm's features with the mean over all arms beside them: the only way in which an arm knows of the others."""
    return torch.cat([x, x.mean(-2, keepdim=True).expand_as(x)], -1)


# A gated recurrent unit that reads (arm pulled, whether it paid): told nothing about arms or counts.


def gru_start(arms: int, generator: torch.Generator, hidden: int = 64) -> Parameters:
    """Weights under torch's names and the network that reads the hidden state."""
    return networks.gru(2 * arms + 4, hidden, generator) | named(read=mlp((hidden + 3, hidden, arms), generator))


def tokens(theta: Parameters, action: Tensor, reward: Tensor, clock: Tensor) -> Tensor:
    """What RL² is told of the last pull: the arm, the arm where it paid, the reward, the time."""
    arms = (theta["weight_ih"].shape[1] - 4) // 2
    arm = F.one_hot(action, arms).float()
    return torch.cat([arm, arm * reward[..., None], reward[..., None], clock.expand(*action.shape, 3)], -1)


def gru_write(theta: Parameters, state: Tensor, action: Tensor, reward: Tensor, clock: Tensor) -> Tensor:
    """One step of the unit."""
    return torch.gru_cell(tokens(theta, action, reward, clock), state, *gru_weights(theta))


def gru_states(theta: Parameters, arms: int, action: Tensor, reward: Tensor, clock: Tensor) -> Tensor:
    """All steps in one call; what follows the last pull is read by nobody."""
    x = tokens(theta, action, reward, clock)[:, :-1]
    blank = torch.zeros(len(x), 1, theta["weight_hh"].shape[1])
    return torch.cat([blank, gru_sequence(gru_weights(theta), x)], 1) if x.shape[1] else blank


def gru_read(theta: Parameters, state: Tensor, clock: Tensor) -> Tensor:
    """One hidden layer on the hidden state and the time."""
    return network(theta, "read", torch.cat([state, clock.expand(*state.shape[:-1], 3)], -1))


# Pulls and successes of each arm: the memory is given, only the decision is learned, by one network for all arms.


def statistics_start(arms: int, generator: torch.Generator, hidden: int = 32) -> Parameters:
    """The same weights for every arm, so for any number of arms."""
    return named(look=mlp((6, hidden), generator), read=mlp((6 + 2 * hidden, hidden, 1), generator))


def counts(action: Int[Tensor, "task pull"], reward: Tensor, arms: int) -> Float[Tensor, "task pull arm 2"]:
    """Pulls and successes of each arm before every pull."""
    arm = F.one_hot(action, arms).float()
    return before(torch.stack([arm, arm * reward[..., None]], -1).cumsum(1))


def statistics_write(theta: Parameters, state: Tensor, action: Tensor, reward: Tensor, clock: Tensor) -> Tensor:
    """Count."""
    arm = F.one_hot(action, state.shape[1]).float()
    return state + torch.stack([arm, arm * reward[:, None]], -1)


def features(state: Float[Tensor, "*batch arm 2"], clock: Float[Tensor, "*time 3"]) -> Float[Tensor, "*batch arm 6"]:
    """Posterior mean, how unsure it is, the logarithm of the pulls, the time; each about between -2 and 2."""
    pulls, paid = state.unbind(-1)
    mean = posterior_mean(paid, pulls - paid)
    known = torch.stack([4 * mean - 2, 2 * (pulls + 1).rsqrt() - 1, (pulls + 1).log() / 3], -1)
    return torch.cat([known, clock[..., None, :].expand(*known.shape[:-1], 3)], -1)


def statistics_read(theta: Parameters, state: Tensor, clock: Tensor) -> Tensor:
    """Four times (the scaled mean + what the network adds to it): it starts as a soft greedy rule."""
    x = features(state, clock)
    code = beside_the_mean(network(theta, "look", x).relu())
    return 4 * (network(theta, "read", torch.cat([x, code], -1))[..., 0] + x[..., 0])


# One learned memory for each arm: a running sum of learned codes. Arms are alike; what to count is not told.


def arms_start(arms: int, generator: torch.Generator, width: int = 16, hidden: int = 48) -> Parameters:
    """The code of what happened (here or elsewhere, paid or not), and two networks that read the sums."""
    code = trainable({"code": torch.randn(4, width, generator=generator) / 2})
    look, read = mlp((3 * width + 3, hidden, hidden), generator), mlp((2 * hidden, 1), generator)
    return code | named(look=look, read=read)


def seen_by_arms(action: Tensor, reward: Tensor, arms: int) -> Float[Tensor, "*batch arm 4"]:
    """What a pull is to each arm: mine, mine with +1 for paid and -1 for not, another's, another's with the sign."""
    mine, sign = F.one_hot(action, arms).float(), 2 * reward[..., None] - 1
    return torch.stack([mine, mine * sign, 1 - mine, (1 - mine) * sign], -1)


def arms_write(theta: Parameters, state: Tensor, action: Tensor, reward: Tensor, clock: Tensor) -> Tensor:
    """Add the code of the pull to every arm's sum."""
    return state + seen_by_arms(action, reward, state.shape[1]) @ theta["code"]


def arms_states(theta: Parameters, arms: int, action: Tensor, reward: Tensor, clock: Tensor) -> Tensor:
    """The sums before every pull."""
    return before((seen_by_arms(action, reward, arms) @ theta["code"]).cumsum(1))


def arms_read(theta: Parameters, state: Tensor, clock: Tensor) -> Tensor:
    """Sums as they are, as means over the pulls so far, and on a logarithmic scale."""
    clock = clock[..., None, :].expand(*state.shape[:-1], 3)
    scales = [state / 10, state * clock[..., 2:] ** 2, state.sign() * state.abs().log1p()]
    code = network(theta, "look", torch.cat([*scales, clock], -1)).relu()
    return 3 * network(theta, "read", beside_the_mean(code))[..., 0]


gru = Memory(gru_start, lambda theta, arms: (theta["weight_hh"].shape[1],), gru_write, gru_states, gru_read)
statistics = Memory(
    statistics_start, lambda theta, arms: (arms, 2), statistics_write,
    lambda theta, arms, action, reward, clock: counts(action, reward, arms), statistics_read,
)  # fmt: skip
arms = Memory(arms_start, lambda theta, arms: (arms, theta["code"].shape[1]), arms_write, arms_states, arms_read)
