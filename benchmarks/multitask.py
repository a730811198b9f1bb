"""Multi-task updates: one step from the losses of ten tasks to every `.grad`, ours against TorchJD and LibMTL.

A shared trunk and a linear head for each task, regression on one batch. Each contender runs the forward pass, gives
the trunk the update of the method and each head the gradient of its own loss. LibMTL 1.1.5 is what PyPI has.
"""

import importlib.util
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import peers
from benchmarks.measure import Row, compare, seeded
from utils.learners.multitask import aligned, cagrad, imtl_g, mgda, nash, pcgrad, uncertainty
from utils.learners.multitask.gradients import assign, gramian, jacobian

N_TASKS, INPUTS, WIDTH, BATCH = 10, 196, 64, 128
C, TARGET = 0.5, 1.0  # CAGrad's radius; how many times our time the others take at least
DIRECTIONS = {
    "PCGrad": lambda M: pcgrad.weights(M, pcgrad.random_order(M.shape[-1], ORDERS)),
    "MGDA": mgda.weights,
    "CAGrad": lambda M: cagrad.weights(M, C),
    "Nash-MTL": nash.weights,
    "IMTL-G": imtl_g.weights,
    "Aligned-MTL": aligned.weights,
}
ORDERS = seeded()
TORCHJD = {  # class, options
    "PCGrad": ("PCGrad", {}),
    "MGDA": ("MGDA", {}),
    "CAGrad": ("CAGrad", {"c": C}),
    "Nash-MTL": ("NashMTL", {"n_tasks": N_TASKS, "max_norm": 0.0}),  # the solution as it is, not shortened
    "IMTL-G": ("IMTLG", {}),
    "Aligned-MTL": ("AlignedMTL", {}),
}
LIBMTL = {
    "PCGrad": ("PCGrad", {}),
    "MGDA": ("MGDA", {"mgda_gn": "none"}),
    "IMTL-G": ("IMTL", {}),
    "Uncertainty": ("UW", {}),
}
NOT_IN_LIBMTL = {
    "CAGrad": "its code is for three tasks only: x.reshape(1, 3)",
    "Nash-MTL": "not in LibMTL 1.1.5",
    "Aligned-MTL": "not in LibMTL 1.1.5",
}
TWO_TASKS = {  # where the updates can be compared for two tasks only
    "PCGrad": "two tasks: the others' random orders cannot be chosen",
    "MGDA": "two tasks: for more, the others stop before the solution",
}


class Tasks(nn.Module):
    """The network of all contenders, with one batch of inputs and of each task's targets."""

    def __init__(self, n_tasks: int, dtype: torch.dtype = torch.float32):
        super().__init__()
        g = seeded()
        self.trunk = nn.Sequential(nn.Linear(INPUTS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU())
        self.heads = nn.ModuleList(nn.Linear(WIDTH, 1) for _ in range(n_tasks))
        with torch.no_grad():
            for p in self.parameters():
                p.copy_(torch.randn(p.shape, generator=g) / WIDTH**0.5)
        self.x = torch.randn(BATCH, INPUTS, generator=g).to(dtype)
        sign = (-1.0) ** torch.arange(n_tasks)[:, None, None]  # neighbours want opposite things: conflicts
        self.y = (sign * self.x[:, :1] + torch.randn(n_tasks, BATCH, 1, generator=g)).to(dtype)
        self.to(dtype)

    def forward(self) -> tuple[Tensor, list[Tensor]]:
        """Features [N, D], and the loss of each task; all gradients are forgotten."""
        for p in self.parameters():
            p.grad = None
        z = self.trunk(self.x)
        return z, [F.mse_loss(head(z), y) for head, y in zip(self.heads, self.y, strict=True)]

    def gradients(self) -> list[Tensor]:
        """Every .grad, the trunk's first."""
        return [p.grad for p in self.parameters()]


def ours(tasks: Tasks, weights: Callable) -> tuple[Tensor, list[Tensor]]:
    """utils.learners.multitask: the Jacobian of the trunk, its Gramian, the weights; then the heads."""
    losses, trunk = torch.stack(tasks()[1]), list(tasks.trunk.parameters())
    G = jacobian(losses, trunk)
    assign(trunk, weights(gramian(G)) @ G)
    losses.sum().backward(inputs=list(tasks.heads.parameters()))
    return losses.sum(), tasks.gradients()


def with_uncertainty(tasks: Tasks, log_var: Tensor) -> tuple[Tensor, list[Tensor]]:
    """utils.learners.multitask: one backward pass of the losses, weighted by learned uncertainties."""
    losses = torch.stack(tasks()[1])
    log_var.grad = None
    uncertainty.loss(losses, log_var, torch.ones(len(losses), dtype=torch.bool)).backward()
    return losses.sum(), tasks.gradients()


def with_torchjd(tasks: Tasks, aggregator) -> tuple[Tensor, list[Tensor]]:
    """TorchJD, as in its multi-task example."""
    from torchjd import autojac

    z, losses = tasks()
    trunk = list(tasks.trunk.parameters())
    autojac.mtl_backward(losses, features=z)
    autojac.jac_to_grad(trunk, aggregator)
    return torch.stack(losses).sum(), tasks.gradients()


def libmtl_method(name: str, tasks: Tasks):
    """A weighting of LibMTL with what its Trainer would give it: the network's shared part and the number of tasks."""
    from LibMTL import weighting

    method = getattr(weighting, LIBMTL[name][0])()
    method.task_num, method.device, method.rep_grad = len(tasks.heads), "cpu", False
    method.get_share_params = tasks.trunk.parameters
    method.zero_grad_share_params = lambda: tasks.trunk.zero_grad(set_to_none=False)
    method.init_param()
    return method


def with_libmtl(tasks: Tasks, method, options: dict) -> tuple[Tensor, list[Tensor]]:
    """LibMTL's `backward` of this weighting, as its Trainer calls it."""
    losses = torch.stack(tasks()[1])
    method.backward(losses, **options)
    return losses.sum(), tasks.gradients()


def contenders(name: str, n_tasks: int, dtype: torch.dtype, libraries: set[str]) -> dict:
    """Name -> a function that makes one update with this method; all from the same network and batch."""
    mine, first, second = (Tasks(n_tasks, dtype) for _ in range(3))
    log_var = torch.full((n_tasks,), -0.5, dtype=dtype, requires_grad=True)  # where LibMTL starts
    found = {"ours": lambda: ours(mine, DIRECTIONS[name]) if name in DIRECTIONS else with_uncertainty(mine, log_var)}
    if "TorchJD" in libraries:
        aggregator = torchjd_aggregator(name)
        found["TorchJD"] = lambda: with_torchjd(first, aggregator)
    if "LibMTL" in libraries:
        method, options = libmtl_method(name, second), LIBMTL[name][1]
        found["LibMTL"] = lambda: with_libmtl(second, method, options)
    return found


def torchjd_aggregator(name: str):
    """TorchJD's aggregator of this method; raises ImportError if a package that it needs is not here."""
    from torchjd import aggregation

    cls, options = TORCHJD[name]
    return getattr(aggregation, cls)(**options)


def missing(name: str, libmtl: str) -> dict[str, str]:
    """Library -> why it is not measured with this method; `libmtl` says why that library is not here at all."""
    found = {"LibMTL": libmtl if name in LIBMTL else NOT_IN_LIBMTL[name]}
    if name in TORCHJD:
        try:
            torchjd_aggregator(name)
        except ImportError as error:
            found["TorchJD"] = " ".join(str(error).split())
    return {library: reason for library, reason in found.items() if reason}


def prepare_libmtl(quick: bool) -> str:
    """Make LibMTL's weightings importable; returns why not, or an empty text.

    The package as a whole asks for a torchvision of before 2022, which its weightings do not use: the package's own
    __init__ is left out.
    """
    if quick:
        return "left out by --quick"
    reason = peers.prepare("multitask")
    if not reason and "LibMTL" not in sys.modules:
        sys.modules["LibMTL"] = importlib.util.module_from_spec(importlib.util.find_spec("LibMTL"))
    return reason


def race(name: str, repetitions: int, libmtl: str, targets: dict) -> list[Row]:
    """One method's rows; `libmtl` says why that library is missing, or nothing."""
    absent = missing(name, libmtl)
    libraries = {library for library, methods in (("TorchJD", TORCHJD), ("LibMTL", LIBMTL)) if name in methods}
    timed = contenders(name, N_TASKS, torch.float32, libraries - set(absent))
    checked = contenders(name, 2 if name in TWO_TASKS else N_TASKS, torch.float64, libraries - set(absent))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cvxpy's advice on speed
        rows = compare("ours", timed, repetitions, name, targets, checked)
    if name in TWO_TASKS and len(checked) > 1:
        rows[0] = replace(rows[0], note=f"{rows[0].note} ({TWO_TASKS[name]})")
    return rows + [Row(f"{name}: against {library}", None, "x", note=reason) for library, reason in absent.items()]


def run(quick: bool) -> list[Row]:
    """Ten tasks, six directions, and a weighting of the losses: that is one plain backward pass for everybody."""
    reason, repetitions = prepare_libmtl(quick), 1 if quick else 100
    targets = {} if quick else {"TorchJD": TARGET, "LibMTL": TARGET}
    rows = [row for name in DIRECTIONS for row in race(name, repetitions, reason, targets)]
    return rows + race("Uncertainty", repetitions, reason, {})
