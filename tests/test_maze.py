"""The maze: against a plain walk, its distances, its bridge."""

import gymnasium
import pytest
import torch

from benchmarks.measure import seeded
from utils.tasks.bit_flips import Flips
from utils.tasks.maze import BRIDGE, ROOMS, TOLD, Maze

STEPS = [(0, 1), (1, 0), (0, -1), (-1, 0)]


def walk(plan, place, action, holds):
    """One step in plain Python."""
    if plan[place[0]][place[1]] == "o":
        return place
    row, column = place[0] + STEPS[action][0], place[1] + STEPS[action][1]
    if not (0 <= row < len(plan) and 0 <= column < len(plan[0])) or plan[row][column] == "#":
        return place
    if plan[row][column] == "~" and not holds:
        return next((r, c) for r, line in enumerate(plan) for c, kind in enumerate(line) if kind == "o")
    return row, column


@pytest.mark.parametrize(("plan", "risk"), [(ROOMS, 0.0), (BRIDGE, 0.5), (BRIDGE, 1.0), (("...", "..~", "#o#"), 0.7)])
def test_many_walks_at_once_are_the_walks_of_each(plan, risk):
    """The same places and rewards as in plain Python, with the same chance."""
    world, g, count = Maze(plan=plan, risk=risk, horizon=25), seeded(0), 60
    task = world.sample(count, g)
    state, places = world.start(task), [tuple(p) for p in task.start.int().tolist()]
    for _ in range(world.horizon):
        action, noise = torch.randint(4, (count,), generator=g), world.noise(count, g)
        state, reward = world.move(task, state, action, noise)
        places = [walk(plan, p, a, n >= risk) for p, a, n in
                  zip(places, action.tolist(), noise[:, 0].tolist(), strict=True)]
        assert [tuple(p) for p in state.int().tolist()] == places
        at_goal = [p == tuple(goal) for p, goal in zip(places, task.goal.int().tolist(), strict=True)]
        assert reward.tolist() == [float(there) - 1 for there in at_goal]


@pytest.mark.parametrize("plan", [ROOMS, BRIDGE])
def test_distances_fall_by_one_along_a_shortest_way(plan):
    """0 only in the goal; every other reachable cell has a neighbour one nearer and none more than one nearer."""
    world = Maze(plan=plan)
    for goal in [tuple(cell) for cell in world.floor.int().tolist()]:
        found = world.distances(goal)
        for row, column in world.cells(".~").int().tolist():
            around = [found[r, c].item() for r, c in (walk(plan, (row, column), a, True) for a in range(4))]
            if (row, column) == goal:
                assert found[row, column] == 0
            else:
                assert min(around) == found[row, column] - 1
        assert found[[plan_row.find("#") >= 0 for plan_row in plan].index(True)].max() == torch.inf


def test_tasks_start_and_end_on_the_floor_and_all_of_it_occurs():
    """Neither walls nor bridge nor pit."""
    world = Maze(plan=BRIDGE)
    task = world.sample(3000, seeded(0))
    floor = {tuple(cell) for cell in world.floor.tolist()}
    for places in task:
        assert {tuple(p) for p in places.tolist()} == floor
    assert len(floor) == sum(row.count(".") for row in BRIDGE)


@pytest.mark.parametrize(("told", "features"), [("cell", 42), ("row and column", 13), ("coordinates", 2)])
def test_observations_tell_place_and_goal_and_lie_in_their_space(told, features):
    """Different places look different; the goal is described as the place is."""
    world = Maze(plan=BRIDGE, told=told)
    task = world.sample(50, seeded(0))
    seen = world.observe(task, task.start)
    for part, place in zip(seen.split(features, 1), (task.start, task.goal), strict=True):
        assert len(part.unique(dim=0)) == len(place.unique(dim=0))
        assert torch.equal(part, world.describe(place))
    assert all(world.observation_space.contains(o) for o in seen.numpy())
    assert isinstance(world.action_space, gymnasium.spaces.Discrete)


def test_what_is_told_of_a_place():
    """Cell 7 * row + column; row and column apart; coordinates from -1 to 1."""
    place = torch.tensor([[5.0, 6.0], [0.0, 0.0]])
    cell, apart, numbers = (Maze(plan=BRIDGE, told=told).describe(place) for told in TOLD)
    assert cell.argmax(1).tolist() == [41, 0] and cell.sum().item() == 2
    assert apart[0].nonzero()[:, 0].tolist() == [5, 12] and apart[1].nonzero()[:, 0].tolist() == [0, 6]
    assert numbers.tolist() == [[1, 1], [-1, -1]]
    with pytest.raises(ValueError, match="told by cell, row and column, coordinates; found 'letter'"):
        Maze(told="letter")


def test_goals_can_be_few():
    """All of them occur and no others; starts are anywhere."""
    task = Maze(goals=((0, 0), (6, 6))).sample(500, seeded(0))
    assert task.goal.unique(dim=0).tolist() == [[0, 0], [6, 6]] and len(task.start.unique(dim=0)) > 30


def test_the_bridge_breaks_as_often_as_it_says():
    """And the pit keeps whoever falls."""
    world, count = Maze(plan=BRIDGE, risk=0.3), 20_000
    beside = torch.tensor([3.0, 2.0]).expand(count, 2)
    right = torch.zeros(count, dtype=torch.long)
    after, _ = world.move(Flips(beside, beside), beside, right, world.noise(count, seeded(0)))
    fell = (after == world.pit).all(1)
    assert abs(fell.float().mean().item() - 0.3) < 0.01 and (after[~fell] == torch.tensor([3.0, 3.0])).all()
    for action in range(4):
        again, _ = world.move(Flips(beside, beside), after, right + action, world.noise(count, seeded(1)))
        assert (again[fell] == world.pit).all()
