"""Exercises that train: predictions are scored by labels that no student's code ever sees."""

import numpy as np
import pytest
from homework_in_small import release_one

from utils.grading import Exercise, attempt, judge
from utils.grading.terminal import check_folder

CHECKS = '''
import numpy as np

from utils.grading import Exercise, checker, tensors


def _inputs(seed):
    rng = np.random.default_rng(seed)
    n, sign = int(rng.integers(40, 60)), rng.choice([-1, 1])
    x = rng.normal(size=(2 * n, 2)).astype(np.float32)
    y = (sign * x[:, 0] > 0).astype(np.int64)
    return {"x": x[:n], "y": y[:n], "new_x": x[n:], "hidden_y": y[n:]}


def _drive(classify, inputs):
    return {"labels": classify(*tensors(inputs).values())}


def _accuracy(outputs, inputs):
    return (outputs["labels"] == inputs["hidden_y"]).mean()


EXERCISES = [Exercise("classify", 4, 20, _inputs, _drive, quality=_accuracy, goal=0.7)]
check = checker(__file__, EXERCISES)
'''
MISTAKES = '''
import torch

from utils.grading import Mistake

MISTAKES = {"classify": [
    Mistake(lambda x, y, new_x: torch.zeros(len(new_x), dtype=torch.int64), "Not every example is of class 0."),
    Mistake(lambda x, y, new_x: (new_x[:, 1] > 0).long(), "The second feature says nothing: look at what is learned."),
]}
'''
RIGHT = '''def classify(x, y, new_x):
    """x [N, 2], y [N], new_x [N, 2] -> labels [N]."""
    ### BEGIN SOLUTION
    centres = torch.stack([x[y == k].mean(0) for k in (0, 1)])
    return torch.cdist(new_x, centres).argmin(1)
    ### END SOLUTION'''
NEIGHBOUR = "def classify(x, y, new_x): return y[torch.cdist(new_x, x).argmin(1)]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return release_one(tmp_path_factory.mktemp("course"), "classify", RIGHT, CHECKS, MISTAKES)


def test_another_method_that_is_good_enough_earns_the_points(graded):
    assert graded(RIGHT)["earned"] == graded(NEIGHBOUR)["earned"] == 4


def test_a_poor_one_is_told_how_far_it_is(graded):
    row = graded("def classify(x, y, new_x): return 1 - y[torch.cdist(new_x, x).argmin(1)]")
    assert row["earned"] == 0 and row["kind"] == "value"
    assert "at least 0.7 is asked for" in row["message"]
    row = graded("def classify(x, y, new_x): return 0 * y")
    assert row["misconception"] == "Not every example is of class 0."


@pytest.mark.parametrize("values", ["torch.full_like(y, 7)", "torch.full_like(y, -(2**62))"])
def test_labels_that_do_not_exist_earn_nothing(graded, values):
    assert graded(f"def classify(x, y, new_x): return {values}")["earned"] == 0


def test_the_labels_are_nowhere_in_the_sandbox(graded):
    spy = """
import gc, sys
def classify(x, y, new_x):
    frames, frame = [], sys._getframe()
    while frame:
        frames.append(frame)
        frame = frame.f_back
    found = [frame.f_code.co_name for frame in frames if "hidden_y" in str(frame.f_locals)]
    found += [type(o).__name__ for o in gc.get_objects() if type(o) is dict and "hidden_y" in o]
    raise ValueError(f"found {found}")
"""
    assert graded(spy)["message"].startswith("ValueError: found [] (")


def test_the_students_check_scores_as_grading_does(folder, capsys):
    assert check_folder(folder / "solutions" / "hw9_small") == 0
    assert check_folder(folder / "homework" / "hw9_small") == 1


def test_a_nan_is_not_enough_and_hidden_inputs_stay_hidden():
    seen = []

    def drive(function, inputs):
        seen.append(sorted(inputs))
        return {"out": function(inputs)}

    exercise = Exercise("f", 1, 1, None, drive, quality=lambda outputs, inputs: outputs["out"], goal=0.5)
    inputs = {1: {"x": np.ones(2), "hidden_y": np.ones(2)}, 2: {"x": np.ones(2)}}
    got = {seed: attempt(exercise, lambda x: float("nan"), values) for seed, values in inputs.items()}
    want = {seed: {"out": np.float32(1)} for seed in inputs}
    assert judge(got, want, values=exercise.values(inputs)).kind == "value"
    assert judge(want, want, values=exercise.values(inputs)).kind == "passed"
    assert seen == [["x"], ["x"]]
