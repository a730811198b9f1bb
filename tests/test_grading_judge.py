"""The judge: every kind of verdict, its exact words, and what it makes of odd arrays."""

import numpy as np
import pytest

from utils.grading import Verdict, arrays, gradients, judge, tensors


def f32(*values, shape=None):
    return np.array(values, np.float32).reshape(shape or len(values))


def one(**outputs):
    return {1: outputs}


WANT = one(phi_w=f32(1, 2), phi_b=f32(3), meta_w=f32(4, 5), meta_b=f32(6))


def changed(**outputs):
    return {1: WANT[1] | outputs}


@pytest.mark.parametrize(
    "got, kind, message",
    [
        (WANT, "passed", "passed"),
        (changed(phi_w=f32(1.0001, 2.0003)), "passed", "passed"),
        (
            changed(meta_w=f32(4, 5.31)),
            "value",
            "phi and 'meta_b' agree; 'meta_w' does not: largest difference 0.31",
        ),
        (
            changed(meta_w=f32(4, 5.31), meta_b=f32(6.1)),
            "value",
            "phi agrees; the meta-gradient does not: largest difference 0.31 in 'meta_w'",
        ),
        (
            changed(phi_w=f32(1, np.nan), phi_b=f32(9)),
            "value",
            "the meta-gradient agrees; phi does not: a NaN where a number was expected in 'phi_w'",
        ),
        (
            changed(phi_b=f32(np.inf)),
            "value",
            "'phi_w' and the meta-gradient agree; 'phi_b' does not: an infinity",
        ),
        (changed(phi_w=f32(1, 2, 3)), "shape", "'phi_w' has shape (3,), expected (2,)"),
        (changed(phi_w=np.float32(1)), "shape", "'phi_w' has shape () (a single number), expected (2,)"),
        (changed(phi_w=np.array([1.0, 2.0])), "dtype", "'phi_w' is float64, expected float32"),
        (changed(phi_w=np.array([1 + 0j, 2])), "dtype", "'phi_w' is complex128, expected float32"),
        (
            {1: {name: value.astype(np.float64) for name, value in WANT[1].items()}},
            "dtype",
            "'phi_w', 'phi_b', 'meta_w' and 'meta_b' are float64, expected float32",
        ),
        ({1: {**WANT[1], "extra": f32(1)}}, "names", "'extra' was not expected"),
        (
            {1: {"phi_w": f32(1, 2)}},
            "names",
            "'phi_b', 'meta_w' and 'meta_b' are missing",
        ),
        (changed(phi_w=(1, 2)), "type", "'phi_w' is a tuple of 2, expected a tensor"),
        (changed(phi_w=np.array([None, {}])), "type", "'phi_w' is an array of objects, expected a tensor"),
        (changed(phi_w="12"), "type", "'phi_w' is a str, expected a tensor"),
        ({1: None}, "type", "the outputs are None, expected 'phi_w', 'phi_b', 'meta_w' and 'meta_b'"),
        ({}, "type", "the outputs are None, expected 'phi_w', 'phi_b', 'meta_w' and 'meta_b'"),
        ([WANT], "type", "the outputs are a list of 1, expected a dict of arrays for each seed"),
    ],
)
def test_every_kind_of_verdict(got, kind, message):
    verdict = judge(got, WANT)
    assert (verdict.kind, verdict.message) == (kind, message)
    assert verdict.credit == (1.0 if kind == "passed" else 0.0)


@pytest.mark.parametrize(
    "got, want, message",
    [
        (f32(1), f32(1.5), "the values do not agree: largest difference 0.5"),
        (None, f32(1), "your function returned None: did you forget return?"),
        (np.array([3]), np.array([4]), "the values do not agree: largest difference 1"),
        (np.array([100000]), np.array([100001]), "the values do not agree: largest difference 1"),
        (np.array([True]), np.array([1]), "'y' is bool, expected int64"),
        (f32(0.1), f32(np.nan), "the values do not agree: a NaN where a number was expected"),
        (f32(-np.inf), f32(np.inf), "the values do not agree: an infinity"),
    ],
)
def test_a_single_output(got, want, message):
    assert judge(one(y=got), one(y=want)).message == message


@pytest.mark.parametrize("value", [f32(np.nan), f32(np.inf), f32(-0.0), np.zeros((0, 3), np.float32)])
def test_a_value_agrees_with_itself(value):
    assert judge(one(y=value), one(y=value.copy())).kind == "passed"
    assert judge(one(y=f32(-0.0)), one(y=f32(0.0))).kind == "passed"


def test_the_tolerance_grows_with_the_largest_value():
    want = f32(1000, 1)
    assert judge(one(y=want + np.float32(0.19)), one(y=want)).kind == "passed"
    assert judge(one(y=want + np.float32(0.21)), one(y=want)).kind == "value"


def test_a_misconception_needs_all_seeds_and_the_first_match_wins():
    want = {1: {"y": f32(1)}, 2: {"y": f32(2)}}
    wrong = {1: {"y": f32(3)}, 2: {"y": f32(4)}}
    half = {1: {"y": f32(3)}, 2: {"y": f32(2)}}
    known = [("half.", 0.0, half), ("first.", 0.25, wrong), ("second.", 0.5, wrong)]
    text = "the values do not agree: largest difference 2. This matches a known misconception: first."
    assert judge(wrong, want, known) == Verdict("misconception", text, 0.25, "first.")
    assert judge({1: {"y": f32(3)}, 2: {"y": f32(5)}}, want, known).kind == "value"
    assert judge(want, want, [("right.", 0.0, want)]).kind == "passed"


def test_a_misconception_is_known_by_its_shape_too():
    got = {1: {"y": f32(1, 2)}}
    text = "'y' has shape (2,), expected (1,). This matches a known misconception: not reduced."
    assert judge(got, {1: {"y": f32(3)}}, [("not reduced.", 0.0, got)]).message == text


def test_huge_arrays_of_another_shape_are_not_touched():
    huge = np.broadcast_to(np.float32(1), (10**6, 10**6))
    assert judge(one(y=huge), one(y=f32(1))).kind == "shape"


def test_arrays_moves_tensors_and_numbers_and_flattens():
    import torch

    phi = {"w": torch.ones(2, requires_grad=True), "b": torch.ones(1, dtype=torch.bfloat16)}
    moved = arrays({"phi": phi, "loss": 0.5, "count": 3, "flag": True, "odd": [1], "view": torch.ones(2, 3).T})
    assert {name: getattr(value, "dtype", None) for name, value in moved.items()} == {
        "phi_w": "float32", "phi_b": "float32", "loss": "float32", "count": "int64", "flag": "bool",
        "odd": None, "view": "float32",
    }  # fmt: skip
    assert moved["view"].shape == (3, 2)
    assert moved["odd"] == [1]


def test_tensors_are_fresh_and_scalars_are_numbers():
    given = {"x": f32(1, 2), "n": np.array(3), "lr": np.array(0.5, np.float32), "back": f32(1, 2, 3)[::-1]}
    made = tensors(given)
    made["x"][0] = 9
    assert given["x"][0] == 1
    assert (made["n"], made["lr"], type(made["n"])) == (3, 0.5, int)
    assert made["back"].tolist() == [3, 2, 1]


def test_gradients_are_zero_where_nothing_flows():
    import torch

    used, unused, fixed = (torch.ones(2, requires_grad=True) for _ in range(3))
    fixed = fixed.detach()
    leaves = {"used": used, "unused": unused, "fixed": fixed}
    found = gradients((used * 3).sum(), leaves)
    assert {name: value.tolist() for name, value in found.items()} == {
        "used": [3, 3], "unused": [0, 0], "fixed": [0, 0],
    }  # fmt: skip
    assert gradients(used * used, [used])[0].tolist() == [2, 2]
    assert all(value.eq(0).all() for output in (1.5, used.detach().sum()) for value in gradients(output, [used]))
