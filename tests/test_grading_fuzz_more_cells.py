"""Damaged cells, second half: other examples for the other processor."""

from fuzz import fuzz, notebooks, points


@fuzz(notebooks(), examples=800, start=2)
def test_what_is_intact_earns_its_points_and_nothing_else_does(hw2, whole, example):
    content, earned = example
    assert points(*hw2, content) == {name: value if name in earned else 0 for name, value in whole.items()}
