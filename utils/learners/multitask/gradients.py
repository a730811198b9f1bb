"""The tasks' gradients as the rows of G [T, P], their Gramian M = G G' [T, T], and an update back into `.grad`."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor


def jacobian(losses: Tensor, parameters: Iterable[Tensor]) -> Float[Tensor, "task parameter"]:
    """losses [T] -> G [T, P]: row t is the gradient of losses[t], all parameters flattened one after the other.

    T backward passes at once, as one batched pass over the graph, which is kept; row t of an identity matrix asks for
    the gradient of losses[t]. Where a task does not use a parameter, G is zero.
    Raises ValueError unless losses is a vector that depends on the parameters.
    """
    parameters, n_tasks = list(parameters), losses.shape[0] if losses.ndim == 1 else 0
    if not n_tasks or not parameters:
        raise ValueError(f"expected losses [T] and parameters, found losses {list(losses.shape)} and "
                         f"{len(parameters)} parameters; torch.stack makes a vector of single losses")
    if not losses.requires_grad:
        raise ValueError("the losses depend on no parameter; compute them outside torch.no_grad(), without detach()")
    one_each = torch.eye(n_tasks).to(losses)
    found = torch.autograd.grad(
        losses, parameters, one_each, retain_graph=True, allow_unused=True, is_grads_batched=True
    )
    rows = [p.new_zeros(n_tasks, p.numel()) if g is None else g.flatten(1)
            for p, g in zip(parameters, found, strict=True)]
    return torch.cat(rows, dim=1)


def gramian(G: Tensor) -> Float[Tensor, "*batch task task"]:
    """G [*B, T, P] -> M [*B, T, T]: M[i, j] is the inner product of the gradients of tasks i and j."""
    if G.ndim < 2:
        raise ValueError(f"expected one gradient a row, G [T, P], found {list(G.shape)}")
    return G @ G.mT


def assign(parameters: Iterable[Tensor], update: Tensor) -> None:
    """Write the update [P], for instance w @ G, into every parameter's .grad; an optimiser's step does the rest.

    Raises ValueError unless the update has one entry for each entry of the parameters.
    """
    parameters = list(parameters)
    sizes = [p.numel() for p in parameters]
    if update.shape != (sum(sizes),):
        raise ValueError(f"expected an update of {sum(sizes)} entries, as many as the parameters have, "
                         f"found {list(update.shape)}; pass w @ G with the parameters that G was made of")
    for p, part in zip(parameters, update.detach().split(sizes), strict=True):
        p.grad = part.view_as(p).to(p.dtype, copy=True)


def precise(M: Tensor) -> Float[Tensor, "*batch task task"]:
    """A Gramian in float64 on the CPU, where T x T numbers cost nothing.

    Raises ValueError unless M is square and finite.
    """
    if M.ndim < 2 or M.shape[-1] != M.shape[-2] or not M.shape[-1]:
        raise ValueError(f"expected a Gramian M [T, T], found {list(M.shape)}; gramian(G) makes it of G [T, P]")
    found = M.detach().to("cpu", torch.float64)
    if not found.isfinite().all():
        raise ValueError("the Gramian has infinite or undefined entries: a loss or a gradient has overflowed")
    return found


def product(A: Float[Tensor, "*batch row column"], v: Float[Tensor, "*batch column"]) -> Float[Tensor, "*batch row"]:
    """A v for each matrix of a batch."""
    return (A @ v[..., None])[..., 0]


def cosines(M: Tensor) -> tuple[Float[Tensor, "*batch task task"], Float[Tensor, "*batch task"]]:
    """M [*B, T, T] -> the cosines K of the gradients' angles, and the gradients' lengths: M = length K length'.

    No eigenvalue of K is below what M's own precision can tell from 0 (1e-12 T at least). It is as if each gradient
    had a tiny part that no other task sees, so equal or opposed gradients need no exceptions: their weights are
    finite, and as even as can be. A gradient of length zero is orthogonal to all others.
    """
    found = precise(M)
    length = found.diagonal(dim1=-2, dim2=-1).clamp(min=0).sqrt()
    safe = torch.where(length > 0, length, 1.0)
    K = found / (safe[..., :, None] * safe[..., None, :]) + torch.diag_embed((length == 0).to(found))
    s, V = torch.linalg.eigh(K)
    least = M.shape[-1] * max(torch.finfo(M.dtype).eps, 1e-12)
    return V * s.clamp(min=least)[..., None, :] @ V.mT, length


def per_length(v: Tensor, length: Tensor) -> Float[Tensor, "*batch task"]:
    """v / length, and 0 for a task without a gradient: it has no part in the update whatever its weight."""
    return torch.where(length > 0, v / length, 0.0)
