"""Running one student's function on one case: outputs as arrays, or a verdict that says what happened."""

import inspect
import linecache
import traceback
import warnings
from contextlib import ExitStack

import numpy as np

from utils.grading.exercise import Exercise, arrays, given
from utils.grading.judge import Verdict, describe

LONGEST = 300  # characters of an exception's message that are worth reading


def attempt(exercise: Exercise, function, inputs: dict, imported=None) -> dict | Verdict:
    """Drive `function` on a fresh copy of `inputs`: {output: array}, or why there is none.

    imported: the notebook (`importer.Imported`) that the function comes from, if it does.
    Whatever the function does stays inside, except KeyboardInterrupt. Warnings are silenced; gradients are on.
    """
    returned = []

    def called(*args, **kwargs):
        value = function(*args, **kwargs)
        returned.append(value)
        return value

    try:
        with _quiet():
            outputs = exercise.drive(called, {name: np.array(value) for name, value in given(inputs).items()})
            outputs = arrays(outputs)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _explain(error, function, called.__code__, returned, imported)
    if any(value is None for value in returned):
        return Verdict("type", "your function returned None: did you forget return?")
    for name, value in outputs.items():
        if not isinstance(value, np.ndarray):
            return Verdict("type", f"{str(name)[:60]!r} is {describe(value)}, expected a tensor")
    return outputs


def _quiet() -> ExitStack:
    """No warnings from a student's code; gradients on, even if a notebook has switched them off."""
    import torch

    stack = ExitStack()
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    stack.enter_context(torch.enable_grad())
    return stack


def _explain(error: BaseException, function, entry, returned: list, imported) -> Verdict:
    """The verdict on an exception: `entry` is the code object through which the drive calls the function."""
    frames = list(traceback.walk_tb(error.__traceback__))
    inside = [k for k, (frame, _) in enumerate(frames) if frame.f_code is entry]
    if not inside:
        return _unusable(error, returned)
    own = [(frame, line) for frame, line in frames[inside[-1] + 1 :] if _is_own(frame, function)]
    what = say(error)
    if not own:
        return Verdict("raised", f"could not be called as the exercise says: {what}")
    frame, line = own[-1]
    code = frame.f_code
    source = linecache.getline(code.co_filename, line).strip()
    itself = code is getattr(_plain(function), "__code__", None)
    if isinstance(error, NotImplementedError) and (not error.args or "NotImplementedError" in source):
        if itself:
            return Verdict("not attempted", "not attempted")
        return Verdict("raised", f"it calls {code.co_name}, which is not written yet")
    where = "" if itself else f"in {code.co_name}, "
    hint = computed_elsewhere(error, imported)
    return Verdict("raised", f"{what} ({where}{place(code.co_filename, line, source)}){hint}")


def computed_elsewhere(error: BaseException, imported) -> str:
    """What to do about a global that only running the whole notebook would make; '' for any other error."""
    name = getattr(error, "name", None) if isinstance(error, NameError) else None
    cell = imported.left_out.get(name) if imported is not None else None
    if cell is None:
        return ""
    return (
        f". Cell {cell} computes {name}, but grading runs only imports, functions, classes and constants in "
        f"CAPITALS: make {name} inside the function, or a constant"
    )


def _plain(function):
    """The function beneath decorators that tell."""
    try:
        return inspect.unwrap(function)
    except ValueError:  # a circle of __wrapped__
        return function


def _is_own(frame, function) -> bool:
    """Written by the student: in the same namespace or the same file as the function."""
    function = _plain(function)
    code = getattr(function, "__code__", None)
    same_file = code is not None and frame.f_code.co_filename == code.co_filename
    return same_file or frame.f_globals is getattr(function, "__globals__", None)


def _unusable(error: BaseException, returned: list) -> Verdict:
    """The function returned, and the drive stumbled over what it returned."""
    what = say(error)
    if not returned:
        return Verdict("raised", f"the check itself failed before it called the function: {what}")
    if any(value is None for value in returned):
        return Verdict("type", "your function returned None: did you forget return?")
    text = what.partition(": ")[2]
    if text.startswith("your function"):
        return Verdict("type", text)
    found = describe(returned[-1])
    return Verdict("type", f"your function returned {found}, which the check could not use: {what}")


def place(filename: str, line: int, source: str) -> str:
    """'line 3: x = y' in a notebook's live cell, '<cell 5>, line 3: x = y' in an imported one."""
    cell = f"{filename.strip('<>')}, " if filename.startswith("<") and filename.endswith(">") else ""
    return f"{cell}line {line}: {source}" if source else f"{cell}line {line}"


def say(error: BaseException) -> str:
    """'ValueError: shapes do not match', on one line and not too long, whatever the exception's own text does."""
    try:
        text = " ".join(str(error)[: 10 * LONGEST].split())
    except BaseException:
        text = ""
    text = text if len(text) <= LONGEST else text[:LONGEST] + " ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
