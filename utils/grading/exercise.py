"""What an exercise is: a function to write, inputs from a seed, and a drive that turns it into plain arrays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from utils.grading.judge import Verdict, judge

HIDDEN = "hidden_"
PUBLIC_SEEDS = (11, 23, 47)  # the cases that students see; grading draws its own


@dataclass(frozen=True)
class Exercise:
    """One function that the student writes; `name` is the function's name.

    inputs(seed) -> {name: array}: float32 or int64, 0-d for numbers; sizes are random too.
    drive(function, inputs) -> {name: tensor or array}: builds what the function needs and calls it. An output is
    named GROUP or GROUP and PART ('phi_w1', 'phi.w1', 'meta-gradient of w1'): the feedback speaks of groups.
    A drive may raise an error that starts with 'your function' about what came back; it is shown as it is.

    Where a function trains something, no value is the only right one: then quality(outputs, inputs) says how good the
    outputs are, and on every seed at least `goal` is asked for. Inputs named 'hidden_...', as the labels of a test
    set, are for `quality` alone: the drive does not get them, so grading never shows them to a student's code.

    Where a function draws at random, no value is the only right one either, and what is right about many draws can be
    said beforehand: then the drive returns the draws, and findings(outputs, inputs) -> {name: array} turns them into
    what is compared. Like `quality` it runs where no student's code can touch it, and meets whatever that code sends.
    """

    name: str
    points: float
    minutes: int
    inputs: Callable[[int], dict]
    drive: Callable[[Callable, dict], dict]
    quality: Callable[[dict, dict], float] | None = None
    goal: float = 1.0
    findings: Callable[[dict, dict], dict] | None = None

    def verdict(self, got: dict, answers: dict, inputs: dict) -> Verdict:
        """The judge's verdict on what a function gave; answers: as `answers_on` gives them; all by seed."""
        compared = self.compared(got, inputs)
        return judge(compared, answers["reference"], answers["mistakes"], self.values(inputs))

    def compared(self, outputs: dict, inputs: dict) -> dict:
        """{seed: what is compared}, from {seed: outputs of the drive}."""
        if self.findings is None:
            return outputs
        return {seed: self.findings(outputs[seed], inputs[seed]) for seed in outputs}

    def values(self, inputs: dict) -> Callable | None:
        """The judge's comparison of values: None for equality, else quality on {seed: inputs} against the goal."""
        if self.quality is None:
            return None

        def falls_short(got: dict, want: dict) -> str | None:
            found = [float(self.quality(got[seed], inputs[seed])) for seed in want]
            short = [quality for quality in found if not quality >= self.goal]  # a NaN is not enough
            return f"reaches {min(short):.3g}, at least {self.goal:g} is asked for" if short else None

        return falls_short


def given(inputs: dict) -> dict:
    """The inputs that a drive may see."""
    return {name: value for name, value in inputs.items() if not name.startswith(HIDDEN)}


@dataclass(frozen=True)
class Mistake:
    """A wrong version of an exercise's function, what it shows was misunderstood, and the share of points it earns."""

    function: Callable
    message: str
    credit: float = 0.0

    def __post_init__(self):
        if not callable(self.function):
            raise TypeError(f"a mistake needs a function, found {self.function!r}")
        if not (isinstance(self.message, str) and self.message.strip()):
            raise ValueError(f"the mistake {self.function.__name__} needs a sentence for the student")
        if not 0 <= self.credit < 1:
            raise ValueError(f"credit is a share of the points from 0 to below 1, found {self.credit}")


def tensors(inputs: dict) -> dict:
    """Fresh torch tensors from numpy arrays; a 0-d array becomes a Python number."""
    import torch

    fresh = {name: np.array(value) for name, value in inputs.items()}
    return {name: torch.from_numpy(value) if value.ndim else value.item() for name, value in fresh.items()}


def arrays(outputs: dict) -> dict:
    """Detached numpy copies of tensors, arrays and numbers; a nested dict {'phi': {'w1': ...}} becomes 'phi_w1'.

    Python numbers become float32 or int64. Anything else is passed on as it is, for the judge to name.
    """
    flat = {}
    for name, value in outputs.items():
        if isinstance(value, dict):
            flat |= arrays({f"{name}_{key}": part for key, part in value.items()})
        else:
            flat[name] = _array(value)
    return flat


def _array(value):
    if hasattr(value, "detach") and hasattr(value, "requires_grad"):
        value = value.detach().cpu().resolve_conj().resolve_neg()
        value = value.to_dense() if value.is_sparse else value
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
        return value.numpy().copy()
    if isinstance(value, (bool, np.ndarray, np.generic)):
        return np.array(value)
    if isinstance(value, int) and abs(value) < 2**63:
        return np.array(value, np.int64)
    if isinstance(value, float):
        return np.array(value, np.float32)
    return value


def gradients(output, inputs):
    """d sum(output) / d inputs, shaped like `inputs` (a dict, or a sequence of tensors -> tuple).

    Zeros where an input plays no part, also when nothing in `output` can be differentiated (a detached loss, a
    Python number). The graph is kept, so that a drive can ask more than once.
    """
    import torch

    names, leaves = (list(inputs), list(inputs.values())) if isinstance(inputs, dict) else (None, list(inputs))
    active = [leaf for leaf in leaves if leaf.requires_grad]
    found = {}
    if active and isinstance(output, torch.Tensor) and output.requires_grad:
        parts = torch.autograd.grad(output.sum(), active, retain_graph=True, allow_unused=True)
        found = {id(leaf): part for leaf, part in zip(active, parts, strict=True) if part is not None}
    result = [found.get(id(leaf), torch.zeros_like(leaf)).detach() for leaf in leaves]
    return dict(zip(names, result, strict=True)) if names is not None else tuple(result)
