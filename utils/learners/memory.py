"""How much memory a computation keeps for its backward pass: counted, not measured, so the same on every machine."""

import weakref
from collections.abc import Callable

import torch


def bytes_kept(work: Callable[[], object]) -> int:
    """The most bytes that autograd holds at one time for a backward pass while `work()` runs.

    Storages shared by several tensors count once. What a graph held is no longer counted once the graph is gone.
    """
    alive, most = weakref.WeakSet(), 0

    class Kept:
        def __init__(self, tensor):
            nonlocal most
            self.tensor = tensor
            alive.add(self)
            sizes = {k.tensor.untyped_storage().data_ptr(): k.tensor.untyped_storage().nbytes() for k in alive}
            most = max(most, sum(sizes.values()))

    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
        work()
    return most
