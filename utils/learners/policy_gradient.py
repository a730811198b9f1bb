"""Policy gradients: returns, advantages, and PPO's loss (Schulman et al. 2016, 2017). Every trained policy uses these.

Rewards, values and advantages are [T, H]: T trials in parallel, H steps each.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def returns_to_go(
    reward: Float[Tensor, "trial step"], end: Bool[Tensor, "trial step"], gamma: float = 1.0
) -> Float[Tensor, "trial step"]:
    """G_t = r_t + gamma G_{t+1}, where nothing follows a step with `end`.

    For RL² `end` marks the end of the *trial*: an episode's rewards count for what was explored in earlier ones.
    """
    later, total = torch.zeros_like(reward[:, 0]), []
    for t in reversed(range(reward.shape[1])):
        later = reward[:, t] + gamma * later * ~end[:, t]
        total.append(later)
    return torch.stack(total[::-1], 1)


def advantages(
    reward: Float[Tensor, "trial step"], value: Float[Tensor, "trial step"], gamma: float = 1.0, lam: float = 0.95
) -> Float[Tensor, "trial step"]:
    """Generalised advantages (Schulman et al. 2016, eq. 16), the trial being over after its last step.

    A_t = d_t + gamma lam A_{t+1} with d_t = r_t + gamma V_{t+1} - V_t. lam = 1 gives returns-to-go minus values.
    """
    following = torch.cat([value[:, 1:], torch.zeros_like(value[:, :1])], 1)
    surprise = reward + gamma * following - value
    return returns_to_go(surprise, torch.zeros_like(reward, dtype=torch.bool), gamma * lam)


def standardised(advantage: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 over all trials and steps."""
    return (advantage - advantage.mean()) / (advantage.std() + 1e-8)


def clipped_loss(
    log_p: Float[Tensor, "*batch"], old: Float[Tensor, "*batch"], advantage: Float[Tensor, "*batch"], clip: float = 0.2
) -> Float[Tensor, "*batch"]:
    """PPO's loss of each step, -min(rho A, clip(rho) A) with rho = p / p_old (Schulman et al. 2017, eq. 7).

    log_p, old: log-probabilities of the actions taken, under the policy that is trained and the one that acted.
    """
    ratio = (log_p - old.detach()).exp()
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def draw(logits: Float[Tensor, "*batch action"], generator: torch.Generator) -> Int[Tensor, "*batch"]:
    """One action from each softmax, by the Gumbel trick: several times faster than torch.multinomial."""
    return (logits - torch.empty_like(logits).exponential_(generator=generator).log()).argmax(-1)


def log_prob(logits: Float[Tensor, "*batch action"], action: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """log pi(action) under the softmax of the logits."""
    return logits.log_softmax(-1).gather(-1, action[..., None])[..., 0]


def entropy(logits: Float[Tensor, "*batch action"]) -> Float[Tensor, "*batch"]:
    """Entropy of the softmax, in nats."""
    log_p = logits.log_softmax(-1)
    return -(log_p.exp() * log_p).sum(-1)


def epochs(
    loss: Callable[[Tensor], Tensor], count: int, parameters: list[Tensor], optimiser: torch.optim.Optimizer,
    generator: torch.Generator, passes: int = 3, parts: int = 4, clip: float = 0.5,
) -> None:  # fmt: skip
    """PPO's inner loop: `passes` over the trials 0..count-1 in `parts` random parts, one step of Adam on each.

    loss(index [M]) -> scalar for these trials; clip: the largest norm of the gradient.
    """
    for _ in range(passes):
        for index in torch.randperm(count, generator=generator).chunk(parts):
            optimiser.zero_grad()
            loss(index).backward()
            torch.nn.utils.clip_grad_norm_(parameters, clip)
            optimiser.step()
