"""How everything here is measured: agreement first, then process CPU time of all contenders in turn."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from utils.learners.intervals import mean_interval

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Row:
    """One figure of the table. `target` is the least that is promised, or the most where at_most is set."""

    what: str
    value: float | None
    unit: str
    target: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Is the promise kept? None without a target or a value."""
        if self.target is None or self.value is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


def cpu_seconds(function: Callable[[], object]) -> float:
    """CPU time of this process for one call: what other jobs on the machine take does not count."""
    start = time.process_time()
    function()
    return time.process_time() - start


def medians(contenders: dict[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    """Median CPU seconds of each contender, all measured in turn so that a slow minute hits every one."""
    times = {name: [] for name in contenders}
    for function in contenders.values():
        function()
    for _ in range(repetitions):
        for name, function in contenders.items():
            times[name].append(cpu_seconds(function))
    return {name: statistics.median(values) for name, values in times.items()}


def largest_difference(contenders: dict[str, Callable[[], tuple[Tensor, list[Tensor]]]]) -> float:
    """The largest difference between any contender's (loss, gradients) and those of the first.

    Differences are relative to the largest entry of the tensor. Raises AssertionError above 1e-4: contenders
    that compute different things must not be compared.
    """
    (_, first), *others = contenders.items()
    loss, gradients = first()
    want = [loss.detach(), *(g.clone() for g in gradients)]
    worst = 0.0
    for name, function in others:
        loss, gradients = function()
        for a, b in zip(want, [loss.detach(), *gradients], strict=True):
            difference = ((a - b).abs().max() / a.abs().max().clamp(min=1e-3)).item()
            assert difference <= TOLERANCE, f"{name} computes something else: relative difference {difference:.1e}"
            worst = max(worst, difference)
    return worst


def compare(
    ours: str, contenders: dict, repetitions: int, label: str, targets: dict[str, float], check: dict | None = None
) -> list[Row]:
    """Rows for one race: first that all agree, then our time, then how many times longer each other takes.

    check: the same contenders in float64, where rounding cannot hide or feign a difference.
    """
    agreement = largest_difference(check or contenders)
    seconds = medians(contenders, repetitions)
    rows = [Row(f"{label}: {ours}", 1e3 * seconds[ours], "ms", note=f"all agree within {agreement:.0e}")]
    for name, taken in seconds.items():
        if name != ours:
            note = f"{1e3 * taken:.3g} ms"
            rows.append(Row(f"{label}: against {name}", taken / seconds[ours], "x", targets.get(name), note=note))
    return rows


def seeded(seed: int = 0) -> torch.Generator:
    """A generator with this seed."""
    return torch.Generator().manual_seed(seed)


def within(budget: float, train: Callable[[int], object], quick: bool, warm: int = 40) -> tuple[object, str]:
    """What train(steps) returns, and its cost: as many steps as `budget` CPU seconds allow at the pace just before."""
    if quick:
        steps = 5
    else:
        train(3)
        steps = int(budget * warm / cpu_seconds(lambda: train(warm)))
    wall, found = time.monotonic(), []
    spent = cpu_seconds(lambda: found.append(train(steps)))
    wall = time.monotonic() - wall
    return found[0], f"{steps} steps, {spent:.3g} CPU-s, {1e3 * spent / steps:.3g} ms a step, {wall:.3g} s of wall time"


def over_seeds(
    what: str, values: list[float], target: float | None = None, note: str = "", unit: str = "%", at_most: bool = False
) -> Row:
    """A row: the mean over the seeds; the note gives the half width of its 95% interval (Student's t)."""
    mean, half = mean_interval(torch.tensor(values), 0)
    notes = f"+- {half.item():.2g}", f"{len(values)} seeds, median {statistics.median(values):.4g}", note
    return Row(what, mean.item(), unit, target, at_most, "; ".join(part for part in notes if part))


def median_over_seeds(
    what: str, values: list[float], target: float | None = None, note: str = "", unit: str = "%", at_most: bool = False
) -> Row:
    """A row: the median over the seeds; the note gives all of them, their mean and its 95% interval."""
    mean, half = mean_interval(torch.tensor(values), 0)
    each = ", ".join(f"{value:.4g}" for value in values)
    notes = f"median of {each}; mean {mean.item():.4g} +- {half.item():.2g}", note
    return Row(what, statistics.median(values), unit, target, at_most, "; ".join(part for part in notes if part))
