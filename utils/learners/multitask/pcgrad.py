"""PCGrad, gradient surgery: each gradient loses what conflicts with the others (Yu et al., 2020, arXiv 2001.06782)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from utils.learners.multitask.gradients import precise


def weights(M: Tensor, order: Tensor | None = None) -> Float[Tensor, "*batch task"]:
    """M [*B, T, T], order [T, T-1] -> the weights of algorithm 1: a sum over the tasks, not a mean.

    Gradient i visits its partners j = order[i] in turn (increasing without an order; `random_order` is the paper's).
    Where the inner product with g_j, as it was before any surgery, is negative by then, the part along g_j goes.
    Row i of C holds what gradient i consists of by now; row i of `inner` its inner products with all of G.
    """
    M, given = precise(M), M
    n_tasks = M.shape[-1]
    order = increasing_order(n_tasks) if order is None else _checked(order, n_tasks)
    C, inner = torch.eye(n_tasks, dtype=M.dtype).expand_as(M).clone(), M.clone()
    row = torch.arange(n_tasks)
    for j in order.T:
        squared = M[..., j, j]
        share = torch.where(squared > 0, inner[..., row, j].clamp(max=0) / squared, 0.0)
        C[..., row, j] -= share
        inner -= share[..., None] * M[..., j, :]
    return C.sum(-2).to(given)


def increasing_order(n_tasks: int) -> Int[Tensor, "task partner"]:
    """[T, T-1]: for each task all others by number."""
    row, partner = torch.arange(n_tasks)[:, None], torch.arange(n_tasks - 1)[None]
    return partner + (partner >= row)


def random_order(n_tasks: int, generator: torch.Generator) -> Int[Tensor, "task partner"]:
    """[T, T-1]: for each task all others, shuffled."""
    shuffled = torch.rand(n_tasks, n_tasks - 1, generator=generator).argsort(dim=1)
    return increasing_order(n_tasks).gather(1, shuffled)


def _checked(order: Tensor, n_tasks: int) -> Tensor:
    """The order; raises ValueError unless each row holds all other tasks once."""
    order = order.cpu()
    expected = increasing_order(n_tasks)
    if order.shape != expected.shape or not torch.equal(order.sort(dim=1).values, expected):
        raise ValueError(f"expected an order [{n_tasks}, {n_tasks - 1}] with all other tasks in each row, found "
                         f"{order.tolist()}; random_order({n_tasks}, generator) makes one")
    return order
