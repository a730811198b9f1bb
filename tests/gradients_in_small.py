"""Gradients of tasks for the tests of multi-task methods, and every direction by its name."""

import torch

from utils.learners.multitask import aligned, cagrad, imtl_g, mgda, nash, pcgrad, uniform
from utils.learners.multitask.gradients import gramian

DIRECTIONS = {
    "uniform": uniform.weights,
    "pcgrad": pcgrad.weights,
    "mgda": mgda.weights,
    "cagrad": lambda M: cagrad.weights(M, 0.5),
    "cagrad, large ball": lambda M: cagrad.weights(M, 1.5),
    "nash": nash.weights,
    "imtl_g": imtl_g.weights,
    "aligned": aligned.weights,
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_gradients(*shape, seed=0, spread=0.5, shared=0.0, dtype=torch.float64):
    """G [*B, T, P]: normal, lengths from 10^-spread to 10^spread, all with a part in common."""
    g = seeded(seed)
    G = torch.randn(shape, generator=g, dtype=torch.float64)
    G = G + shared * torch.randn(*shape[:-2], 1, shape[-1], generator=g, dtype=torch.float64)
    return (G * torch.logspace(-spread, spread, shape[-2], dtype=torch.float64)[:, None]).to(dtype)


def plane(angle, ratio=1.0):
    """Two gradients in the plane, `angle` degrees apart, the second `ratio` times as long as the first."""
    angle = torch.deg2rad(torch.tensor(angle, dtype=torch.float64))
    return torch.stack([torch.tensor([1.0, 0.0]).to(angle), ratio * torch.stack([angle.cos(), angle.sin()])])


def update(method, G):
    """The update w G of a method."""
    return (method(gramian(G))[..., None, :] @ G)[..., 0, :]


def difference(found, expected):
    """The largest difference, relative to the largest entry of what is expected."""
    return ((found - expected).abs().max() / expected.abs().max()).item()
