"""The test of one exercise as nbgrader and otter run it: what `course grade` does, against stored outputs."""

import functools
from pathlib import Path

from utils.grading import Verdict, attempt
from utils.grading.expected import load

ANSWERS = "hidden.safetensors"


@functools.cache
def stored() -> dict:
    """The hidden answers that lie in the working directory, read once in a kernel."""
    return load(Path(ANSWERS))


def assert_right(check, name: str, function):
    """Raises AssertionError unless the exercise is right on all hidden seeds: its inputs, its drive, the judge."""
    exercise, answer = check.exercises[name], stored()[name]
    inputs = {seed: exercise.inputs(seed) for seed in answer["reference"]}
    got = {}
    for seed, values in inputs.items():
        got[seed] = attempt(exercise, function, values)
        assert not isinstance(got[seed], Verdict), got[seed].message
    verdict = exercise.verdict(got, answer, inputs)
    assert verdict.kind == "passed", verdict.message
