"""Exercises that draw at random: what is right about many draws is decided where no student's code is."""

import numpy as np
import pytest
from homework_in_small import release_one

from utils.grading.terminal import check_folder

CHECKS = '''
import numpy as np
import torch

from utils.grading import Exercise, checker, tensors


def _inputs(seed):
    rng = np.random.default_rng(seed)
    return {"n": np.array(rng.integers(20, 30)), "seed": np.array(rng.integers(10**6))}


def _drive(coins, inputs):
    given = tensors(inputs)
    generator = torch.Generator().manual_seed(given["seed"])
    return {"draws": torch.stack([coins(given["n"], generator) for _ in range(100)])}


def _findings(outputs, inputs):
    draws = outputs["draws"]
    if draws.shape != (100, inputs["n"]):
        raise ValueError("these are not 100 draws")
    found = {"coins": np.zeros_like(draws[0])}
    faults = {"coins that do not change": (draws == draws[0]).all(), "unfair coins": abs(draws.mean() - 0.5) > 0.1}
    return found | {name: np.array(1) for name, there in faults.items() if there}


EXERCISES = [Exercise("coins", 4, 20, _inputs, _drive, findings=_findings)]
check = checker(__file__, EXERCISES)
'''
MISTAKES = '''
import torch

from utils.grading import Mistake

MISTAKES = {"coins": [
    Mistake(lambda n, generator: torch.arange(n) % 2, "Half of them are heads, but they are not random."),
    Mistake(lambda n, generator: torch.randint(0, 4, (n,), generator=generator) // 3, "A fair coin has two sides."),
]}
'''
RIGHT = '''def coins(n, generator):
    """n fair coins [n], 0 or 1."""
    ### BEGIN SOLUTION
    return torch.randint(0, 2, (n,), generator=generator)
    ### END SOLUTION'''
ANOTHER = "def coins(n, generator): return (torch.rand(n, generator=generator) < 0.5).long()"
WRONG = "return torch.zeros(n, dtype=torch.int64)"
CHEATS = {
    "what finds faults is replaced": f"""
import gc, types
def coins(n, generator):
    for function in gc.get_objects():
        if isinstance(function, types.FunctionType) and function.__name__ == "_findings":
            function.__code__ = (lambda outputs, inputs: {{"coins": outputs["draws"][0]}}).__code__
    {WRONG}""",
    "the arrays on their way are those of the answer": f"""
import utils.grading.sandbox.child as child
def coins(n, generator):
    child.attempt = lambda *a, **k: {{"coins": np.zeros(n, np.int64)}}
    {WRONG}""",
    "faults are denied": f"""
import utils.grading.exercise as exercise
exercise.Exercise.compared = lambda self, outputs, inputs: {{s: {{"coins": v["draws"][0]}} for s, v in outputs.items()}}
def coins(n, generator):
    {WRONG}""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return release_one(tmp_path_factory.mktemp("course"), "coins", RIGHT, CHECKS, MISTAKES)


def test_every_right_sampler_earns_the_points_and_known_mistakes_are_named(graded):
    assert graded(RIGHT)["earned"] == graded(ANOTHER)["earned"] == 4
    row = graded("def coins(n, generator): return torch.arange(n) % 2")
    assert (row["earned"], row["misconception"]) == (0, "Half of them are heads, but they are not random.")
    unfair = graded("def coins(n, generator): return torch.rand(n, generator=generator).lt(0.8).long()")
    assert "'unfair coins' was not expected" in unfair["message"]


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_that_owns_the_process_earns_nothing(graded, name):
    assert graded(CHEATS[name])["earned"] == 0


@pytest.mark.parametrize("sent", [{}, {"draws": np.zeros(3)}, {"draws": np.zeros((9, 2, 2))}, {"coins": np.zeros(20)}])
def test_what_no_drive_sends_is_wrong_and_breaks_nothing(one_key, sent):
    case = one_key.cases[0]
    assert one_key.verdict(case, case.fresh, dict.fromkeys(case.fresh["inputs"], sent)).credit == 0


def test_the_students_check_finds_what_grading_does(folder):
    assert check_folder(folder / "solutions" / "hw9_small") == 0
    assert check_folder(folder / "homework" / "hw9_small") == 1
