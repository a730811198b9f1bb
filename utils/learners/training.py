"""The one outer loop of the course: Adam with a warm-up and a cosine decay to zero."""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor


def optimise(
    objective: Callable[[], Tensor],
    parameters: Iterable[Tensor] | list[dict],
    steps: int,
    lr: float = 3e-3,
    warmup: int = 30,
    weight_decay: float = 0.0,
    clip: float | None = None,
    report: Callable[[float], None] | None = None,
) -> None:
    """`steps` of AdamW on objective(), which samples its own tasks. Changes `parameters` in place.

    parameters: tensors, or groups {"params": tensors, "lr": their own rate} as torch's optimisers take them;
    clip: largest norm of the gradient; report(loss) is called after every step, for a live plot.
    Raises FloatingPointError as soon as the loss is not finite.
    """
    optimiser = torch.optim.AdamW(list(parameters), lr=lr, weight_decay=weight_decay, fused=True)
    descend(objective, [optimiser], steps, warmup, clip, report)


def descend(
    objective: Callable[[], Tensor],
    optimisers: Sequence[torch.optim.Optimizer],
    steps: int,
    warmup: int = 30,
    clip: float | None = None,
    report: Callable[[float], None] | None = None,
) -> None:
    """`optimise` with torch optimisers of your own, each with its own parameters and rates."""
    groups = [group for optimiser in optimisers for group in optimiser.param_groups]
    rates, tensors = [group["lr"] for group in groups], [p for group in groups for p in group["params"]]
    for step in range(steps):
        share = min(1, (step + 1) / warmup) * (1 + math.cos(math.pi * step / steps)) / 2
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate * share
        loss = objective()
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(tensors, clip)
        for optimiser in optimisers:
            optimiser.step()
        value = loss.item()
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss is {value} at step {step}: try a smaller rate than {max(rates)}")
        if report is not None:
            report(value)
