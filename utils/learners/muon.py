"""Muon (Jordan et al., 2024): an optimiser for the filters of networks with batch normalisation.

torch.optim.Muon takes matrices only, does not hold the filters' length, and here needs 1.4 times as long for a step.
"""

import torch
from jaxtyping import Float
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # chosen by Jordan et al. so that three to five rounds are enough


def orthogonal(gradient: Float[Tensor, "row column"], rounds: int = 3) -> Float[Tensor, "row column"]:
    """Roughly U V' of the gradient's singular value decomposition U S V': all directions at the same length.

    Newton-Schulz rounds x -> a x + b (x x') x + c (x x')^2 x pull every singular value towards 1, products only.
    """
    a, b, c = COEFFICIENTS
    tall = len(gradient) > gradient.shape[1]
    x = gradient.T if tall else gradient
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal, as the step; for weights [out, ...] whose length has no effect.

    Behind a convolution, batch normalisation undoes any scale of its filters; so their length is held at
    sqrt(out), and lr alone says how far a step turns them.
    """

    def __init__(self, parameters, lr: float = 0.1, momentum: float = 0.8):
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        """One update; closure is not used."""
        for group in self.param_groups:
            for weight in group["params"]:
                self._update(weight, group["lr"], group["momentum"])

    def _update(self, weight: Tensor, lr: float, momentum: float) -> None:
        state = self.state[weight]
        if "mean" not in state:
            state["mean"] = torch.zeros_like(weight)
        mean = state["mean"].lerp_(weight.grad, 1 - momentum)
        direction = weight.grad.lerp(mean, momentum)  # Nesterov's look-ahead
        weight.mul_(len(weight) ** 0.5 / weight.norm())
        weight.sub_(orthogonal(direction.flatten(1)).view_as(weight), alpha=lr)
