"""Reptile (Nichol, Achiam & Schulman, 2018): move the start towards where learning ends."""

import torch

from utils.learners.maml import Loss, adapt
from utils.learners.networks import Parameters, leaves, repeat
from utils.tasks.episodes import Episodes


def direction(loss: Loss, theta: Parameters, episodes: Episodes, lr: float, steps: int) -> Parameters:
    """theta minus the mean of the adapted parameters (Algorithm 1): what an optimiser may take as the gradient.

    theta: {name: [...]}. Support and query sets are one set here: Reptile has no query loss. With one step it
    is lr times the gradient of joint training.
    """
    together = [torch.cat(pair, dim=1) for pair in zip(episodes.support, episodes.query, strict=True)]
    start = repeat(leaves(theta), len(episodes))
    phi = adapt(loss, start, together, lr, steps, second_order=False)
    return {name: p.detach() - phi[name].detach().mean(0) for name, p in theta.items()}
