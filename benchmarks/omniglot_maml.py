"""Omniglot-shaped MAML: the meta-gradient of 16 tasks through a convolutional network, against a plain loop."""

import torch
import torch.nn.functional as F

from benchmarks.measure import Row, compare, seeded
from utils.learners import maml
from utils.learners.networks import conv_features, convnet, linear, trainable
from utils.tasks.episodes import Episodes

WIDTHS = (32, 32, 32, 32)
N_WAY, N_QUERY = 5, 15
LR = 0.04
TARGETS = {1: {"plain loop": 1.25}, 5: {"plain loop": 1.8}}


def start(generator: torch.Generator) -> dict:
    """Four strided convolutions with batch normalisation and a linear head for 28 x 28 images."""
    theta = convnet(WIDTHS, generator)
    head = {"w": 0.05 * torch.randn(4 * WIDTHS[-1], N_WAY, generator=generator), "b": torch.zeros(1, N_WAY)}
    return theta | trainable(head)


def loss(phi, x, y):
    """Each task's cross-entropy; the inner and the outer loss."""
    return maml.cross_entropy(linear(conv_features(phi, x), phi["w"], phi["b"]), y)


def ours(theta, episodes: Episodes, steps: int):
    """utils.learners: all tasks in one batch; (loss, gradients)."""
    value = maml.meta_loss(loss, theta, episodes, LR, steps)
    return value, list(torch.autograd.grad(value, list(theta.values())))


def forward(p: dict, x: torch.Tensor) -> torch.Tensor:
    """One task's network: images [N, 28, 28] -> logits [N, 5]."""
    x = x[:, None]
    for layer in range(1, 5):
        x = F.conv2d(x, p[f"conv{layer}"], stride=2, padding=1)
        x = F.relu(F.batch_norm(x, None, None, p[f"scale{layer}"], p[f"shift{layer}"], training=True))
    return x.flatten(1) @ p["w"] + p["b"]


def plain_loop(theta, episodes: Episodes, steps: int):
    """One task after the other, written as most people write it; (loss, gradients)."""
    total = 0
    for t in range(len(episodes)):
        p = theta
        for _ in range(steps):
            inner = F.cross_entropy(forward(p, episodes.support_x[t]), episodes.support_y[t])
            gradients = torch.autograd.grad(inner, list(p.values()), create_graph=True)
            p = {name: w - LR * g for (name, w), g in zip(p.items(), gradients, strict=True)}
        total = total + F.cross_entropy(forward(p, episodes.query_x[t]), episodes.query_y[t])
    value = total / len(episodes)
    return value, list(torch.autograd.grad(value, list(theta.values())))


def contenders(n_tasks: int, steps: int, dtype: torch.dtype = torch.float32) -> dict:
    """Name -> a function that computes the same meta-gradient, on the same images from the same start."""
    g = seeded()
    theta = trainable({name: p.to(dtype) for name, p in start(g).items()})
    labels = torch.arange(N_WAY)
    episodes = Episodes(
        support_x=torch.randn(n_tasks, N_WAY, 28, 28, generator=g).to(dtype),
        support_y=labels.expand(n_tasks, -1),
        query_x=torch.randn(n_tasks, N_QUERY, 28, 28, generator=g).to(dtype),
        query_y=labels.repeat(N_QUERY // N_WAY).expand(n_tasks, -1),
    )
    return {
        "ours": lambda: ours(theta, episodes, steps),
        "plain loop": lambda: plain_loop(theta, episodes, steps),
    }


def run(quick: bool) -> list[Row]:
    """5-way 1-shot, 15 queries, 32 filters, second order, 1 and 5 inner steps."""
    rows = []
    for steps, targets in TARGETS.items():
        label = f"{steps} inner step{'s' * (steps > 1)}"
        n_tasks = 2 if quick else 16
        entries, exact = contenders(n_tasks, steps), contenders(n_tasks, steps, torch.float64)
        rows += compare("ours", entries, 2 if quick else 9, label, {} if quick else targets, exact)
    return rows
