"""One verdict from arrays: what a function gave, what was expected, and what known misconceptions give.

Nothing here runs a student's code or knows where arrays come from, so the notebook's check, the tests and a
grader in a separate process all use it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

TOLERANCE = 2e-4  # |got - want| <= TOLERANCE * max(1, max |want|): float32 arithmetic in another order
WORDS = {  # groups of outputs that have a better name in a sentence
    "grad": "the gradient",
    "gradient": "the gradient",
    "meta": "the meta-gradient",
    "meta-gradient": "the meta-gradient",
    "meta-gradient of rates": "the meta-gradient of the rates",
    "new": "the new theta",
    "rate": "the gradient of the rates",
    "theta_after": "theta afterwards",
}


@dataclass(frozen=True)
class Verdict:
    """kind: 'not attempted', 'missing', 'raised', 'type', 'names', 'shape', 'dtype', 'value', 'misconception',
    'passed', 'unavailable' or 'not checked yet'; credit: the share of the points; misconception: its sentence,
    if one was recognised."""

    kind: str
    message: str
    credit: float = 0.0
    misconception: str | None = None


def judge(got: dict, want: dict, mistakes: Sequence[tuple] = (), values: Callable | None = None) -> Verdict:
    """The verdict over all seeds. got, want: {seed: {output: array}}; mistakes: (message, credit, {seed: outputs}).

    The first complaint in the order names, shape, dtype, value; a misconception is claimed only where the answer
    is wrong and agrees with the misconception's outputs on every seed (the first one that does). values(got, want) ->
    a sentence or None compares in the place of equality (`Exercise.values`).
    """
    kind, complaint = _complaint(got, want, values)
    if complaint is None:
        return Verdict("passed", "passed", 1.0)
    for message, credit, outputs in mistakes:
        if _complaint(got, outputs)[1] is None:
            text = f"{complaint}. This matches a known misconception: {message}"
            return Verdict("misconception", text, credit, message)
    return Verdict(kind, complaint)


def describe(value) -> str:
    """A value's type in plain words: 'None', 'a tuple of 3', 'a dict with keys 'w', 'b''."""
    kind = type(value)
    if value is None or kind is dict and not value:
        return "None" if value is None else "an empty dict"
    if kind is dict:
        return "a dict with keys " + ", ".join(repr(str(key)[:30]) for key in list(value)[:6])
    size = f" of {len(value)}" if kind in (list, tuple, set) else ""
    return f"{'an' if kind.__name__[:1].lower() in 'aeiou' else 'a'} {kind.__name__}{size}"


def _complaint(got: dict, want: dict, values: Callable | None = None) -> tuple[str, str | None]:
    """The first kind of disagreement in any seed and its sentence; (_, None) where all agree."""
    if not isinstance(got, dict):
        return "type", f"the outputs are {describe(got)}, expected a dict of arrays for each seed"
    got = {seed: _plain(got.get(seed)) for seed in want}
    for kind, find in (("type", _types), ("names", _names), ("shape", _shapes), ("dtype", _dtypes)):
        for seed, expected in want.items():
            complaint = find(got[seed], expected)
            if complaint:
                return kind, complaint
    return "value", (values or _values)(got, want)


def _plain(outputs):
    """Numpy scalars and Python numbers as 0-d arrays; everything else untouched."""
    if not isinstance(outputs, dict):
        return outputs
    number = (np.generic, bool, int, float, complex)
    return {name: np.asarray(value) if isinstance(value, number) else value for name, value in outputs.items()}


def _types(got, want) -> str | None:
    if not isinstance(got, dict):
        return f"the outputs are {describe(got)}, expected {_list(repr(name) for name in want)}"
    for name, value in got.items():
        if value is None and len(want) == 1:
            return "your function returned None: did you forget return?"
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "biufc":
            what = "an array of objects" if isinstance(value, np.ndarray) else describe(value)
            return f"{str(name)[:60]!r} is {what}, expected a tensor"
    return None


def _names(got, want) -> str | None:
    missing = [repr(name) for name in want if name not in got]
    extra = [repr(str(name)[:60]) for name in got if name not in want]
    parts = [f"{_list(missing)} {'is' if len(missing) == 1 else 'are'} missing"] if missing else []
    parts += [f"{_list(extra[:6])} {'was' if len(extra) == 1 else 'were'} not expected"] if extra else []
    return "; ".join(parts) or None


def _shapes(got, want) -> str | None:
    for name, expected in want.items():
        if got[name].shape != expected.shape:
            return f"{name!r} has shape {_shape(got[name])}, expected {_shape(expected)}"
    return None


def _shape(array: np.ndarray) -> str:
    return str(array.shape) if array.ndim else "() (a single number)"


def _dtypes(got, want) -> str | None:
    """Floats must have the expected width too: a float64 among float32 is a slip that spreads."""
    wrong = []
    for name, expected in want.items():
        kinds = got[name].dtype.kind, expected.dtype.kind
        if kinds[0] != kinds[1] or (kinds[1] == "f" and got[name].dtype != expected.dtype):
            wrong.append(name)
    if not wrong:
        return None
    verb = "is" if len(wrong) == 1 else "are"
    return f"{_list(map(repr, wrong))} {verb} {got[wrong[0]].dtype}, expected {want[wrong[0]].dtype}"


def _difference(got: np.ndarray, want: np.ndarray) -> tuple[float, bool]:
    """Largest |got - want| (NaN if one side alone has a NaN) and whether that is close enough."""
    exact = want.dtype.kind != "f"
    got, want = got.astype(np.float64), want.astype(np.float64)
    with np.errstate(all="ignore"):
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        largest = float(np.where(same, 0.0, np.abs(got - want)).max(initial=0.0))
    size = np.abs(want[np.isfinite(want)]).max(initial=1.0)
    return largest, largest <= (0 if exact else TOLERANCE * size)


def _values(got: dict, want: dict) -> str | None:
    """'phi agrees; the meta-gradient does not: largest difference 0.31 in 'meta_w1'', or None."""
    worst, bad = {}, set()
    for seed, expected in want.items():
        for name in got[seed]:  # in the drive's order
            largest, close = _difference(got[seed][name], expected[name])
            worst[name] = max(worst.get(name, 0.0), largest, key=_severity)
            bad |= set() if close else {name}
    if not bad:
        return None
    name = max((name for name in worst if name in bad), key=lambda name: _severity(worst[name]))
    if np.isfinite(worst[name]):
        size = f"largest difference {worst[name]:.2g}"
    else:
        size = "a NaN where a number was expected" if np.isnan(worst[name]) else "an infinity"
    if len(worst) == 1:
        return f"the values do not agree: {size}"
    right, wrong = _groups(worst, bad)
    if not right:
        return f"no output agrees: {size} in {name!r}"
    place = "" if wrong == [repr(name)] else f" in {name!r}"
    verbs = "agrees" if len(right) == 1 else "agree", "does" if len(wrong) == 1 else "do"
    return f"{_list(right)} {verbs[0]}; {_list(wrong)} {verbs[1]} not: {size}{place}"


def _severity(difference: float) -> float:
    return np.inf if np.isnan(difference) else min(difference, 1e300)


def _groups(names, bad: set) -> tuple[list, list]:
    """The agreeing and the disagreeing outputs in words: a whole group by its name, a divided one by its members."""
    groups = {}
    for name in names:
        group = re.sub(r"[ ._][^ ._]*$", "", name).removesuffix(" of")
        groups.setdefault(group, []).append(name)
    sides = [], []
    for group, members in groups.items():
        if len({name in bad for name in members}) == 1 and (len(members) > 1 or group in WORDS):
            sides[members[0] in bad].append(WORDS.get(group, group))
        else:
            for name in members:
                sides[name in bad].append(WORDS.get(name, repr(name)))
    return sides


def _list(words) -> str:
    words = list(words)
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing"
