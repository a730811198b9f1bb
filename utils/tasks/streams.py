"""Streams: one example after the other, each with its label told only after it was guessed (Santoro et al., 2016)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from utils.tasks.episodes import pick


def class_streams(
    x: Tensor, n_tasks: int, n_way: int, n_instances: int, generator: torch.Generator, shuffled: bool = True
) -> tuple[Tensor, Int[Tensor, "task step"]]:
    """x [C, M, ...] -> streams x [T, L, ...] and y [T, L] in 0..N-1, L = n_way * n_instances.

    Each of N random classes comes n_instances times, with other images, and its number is drawn anew for each task.
    Without `shuffled` every round shows the classes in the order of their numbers: a leak, for lessons about leaks.
    Raises ValueError when a class has fewer than n_instances images.
    """
    picked = pick(x, n_tasks, n_way, n_instances, generator).transpose(1, 2).flatten(1, 2)  # round after round
    y = torch.arange(n_way).repeat(n_instances).expand(n_tasks, -1)
    if not shuffled:
        return picked, y
    order = torch.rand(y.shape, generator=generator).argsort(dim=1)
    return picked[torch.arange(n_tasks)[:, None], order], y.gather(1, order)


def instance_number(y: Int[Tensor, "task step"]) -> Int[Tensor, "task step"]:
    """How many examples of the same class came before: 0 at the first sight of a class."""
    same = y[:, :, None] == y[:, None, :]
    return same.tril(-1).sum(2)


def at_instances(
    values: Float[Tensor, "task step"], y: Int[Tensor, "task step"], n_instances: int
) -> Float[Tensor, "instance task"]:
    """The mean of `values` (hits, say) at the first, second, ... sight of a class, for each stream."""
    number = instance_number(y)
    masks = [number == instance for instance in range(n_instances)]
    return torch.stack([(values * mask).sum(1) / mask.sum(1) for mask in masks])
