"""Damaged bytes: never a crash, never more points than the undamaged cells deserve."""

from fuzz import fuzz, points, torn


@fuzz(torn(), examples=400, start=3)
def test_torn_files_earn_no_more_than_whole_ones(hw2, whole, example):
    content, earned = example
    found = points(*hw2, content)
    assert all(value in (0, whole[name]) for name, value in found.items())
    assert {name for name, value in found.items() if value} <= earned
