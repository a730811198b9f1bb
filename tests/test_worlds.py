"""The worlds: batched programs against plain Python, and both against Gymnasium's rules."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from benchmarks.measure import seeded
from utils.tasks.gymnasium_worlds import NAMES
from utils.tasks.worlds import play

VARIANTS = [
    *((name, {}) for name in NAMES),
    ("Bandits", {"arms": 2, "horizon": 3, "episodes": 2}),
    ("BitFlips", {"bits": 3}),
    ("Navigation", {"sparse": True, "horizon": 20, "episodes": 2}),
    ("TabularMDPs", {"states": 3, "actions": 2, "horizon": 4, "episodes": 3}),
    ("GoalGrid", {"size": 3, "horizon": 6, "episodes": 2}),
]
COUNT = 40


def actions_for(world, count: int, generator: torch.Generator) -> torch.Tensor:
    """Random actions [steps, count, ...]; in the plane a walk to the right, so that some arrive."""
    space = world.action_space
    if isinstance(space, gymnasium.spaces.Discrete):
        return torch.randint(int(space.n), (world.steps, count), generator=generator)
    return 0.15 * torch.randn(world.steps, count, 2, generator=generator)


def part(task, i: int):
    """Task i alone."""
    return task[i : i + 1] if isinstance(task, torch.Tensor) else type(task)(*(t[i : i + 1] for t in task))


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_batched_and_plain_give_the_same_trials(name, options):
    """The same task, the same actions and the same chance: the same observations and rewards."""
    world = NAMES[name].World(**options)
    g = seeded(3)
    task, actions = world.sample(COUNT, g), actions_for(world, COUNT, g)
    trials = play(world, task, lambda t, *_: actions[t], seeded(4))
    noise = [world.noise(COUNT, replay) for replay in [seeded(4)] for _ in range(world.steps)]
    for i in range(COUNT):
        twin = NAMES[name](**options)
        twin.reset(options={"task": part(task, i)})
        seen, rewards = [twin.look()], []
        for t in range(world.steps):
            draws = [*noise[t][i].tolist(), None, None]
            twin.chance = lambda draws=draws: (draws[0], draws[1])
            observation, reward, over, _, _ = twin.step(actions[t, i].numpy())
            seen.append(observation)
            rewards.append(reward)
        assert over
        np.testing.assert_allclose(trials.observation[i], np.array(seen[:-1]), atol=1e-5)
        np.testing.assert_allclose(trials.reward[i], np.array(rewards), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("error")
def test_gymnasium_accepts_the_plain_environment(name):
    """Gymnasium's own checker: spaces, seeds, types, data not reused."""
    check_env(gymnasium.make(f"course/{name}-v0").unwrapped, skip_render_check=True)


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_vector_environment_keeps_gymnasiums_contract(name, options):
    """Observations lie in their space, seeds reproduce, the step after the end starts new trials."""
    envs = gymnasium.make_vec(f"course/{name}-v0", num_envs=7, **options)
    world = envs.unwrapped.world
    envs.action_space.seed(1)
    runs = []
    for _ in range(2):
        first, _ = envs.reset(seed=5)
        envs.action_space.seed(1)
        seen = [first]
        for step in range(1, world.steps + 1):
            observation, reward, terminated, truncated, info = envs.step(envs.action_space.sample())
            assert envs.observation_space.contains(observation)
            assert reward.shape == terminated.shape == truncated.shape == (7,)
            assert terminated.all() == (step == world.steps) and not truncated.any()
            assert info["episode_end"].all() == (step % world.horizon == 0)
            seen += [observation, reward]
        runs.append(seen)
        again, reward, terminated, *_ = envs.step(envs.action_space.sample())
        assert not terminated.any() and not reward.any() and again.shape == first.shape
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_vector_environment_and_sync_vector_env_agree(name, options):
    """Against Gymnasium's SyncVectorEnv of the twins: the same spaces, shapes, types and rule for new trials."""
    envs = gymnasium.make_vec(f"course/{name}-v0", num_envs=5, **options)
    sync = gymnasium.make_vec(f"course/{name}-v0", num_envs=5, vectorization_mode="sync", **options)
    assert envs.observation_space == sync.observation_space and envs.action_space == sync.action_space
    assert envs.metadata["autoreset_mode"] == sync.unwrapped.metadata["autoreset_mode"]
    action = envs.action_space.sample()
    for ours, theirs in zip((envs.reset(seed=1)[0], *envs.step(action)[:4]),
                            (sync.reset(seed=1)[0], *sync.step(action)[:4]), strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype


def test_callers_cannot_change_the_state_through_what_they_were_given():
    """Observations are copies."""
    envs = gymnasium.make_vec("course/Navigation-v0", num_envs=3)
    observation, _ = envs.reset(seed=0)
    observation += 5
    seen, *_ = envs.step(np.zeros((3, 2), dtype=np.float32))
    assert not seen.any()


@pytest.mark.parametrize(
    ("name", "action", "says"),
    [
        ("Bandits", np.zeros(3, dtype=int), r"need actions of shape \(4,\), found \(3,\)"),
        ("Bandits", np.full(4, 5), "actions are 0 to 4, found 5 to 5"),
        ("Navigation", np.full((4, 2), np.nan), "finite numbers; 8 of them are not"),
    ],
)
def test_impossible_actions_are_named(name, action, says):
    """Errors say what was expected and what was found."""
    envs = gymnasium.make_vec(f"course/{name}-v0", num_envs=4)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=says):
        envs.step(action)


def test_tasks_have_the_distribution_that_they_promise():
    """Means and ranges of what is sampled, and of what one step does."""
    g = seeded(0)
    mdps = NAMES["TabularMDPs"].World().sample(500, g)
    assert torch.allclose(mdps.transition.sum(-1), torch.ones(500, 10, 5), atol=1e-5)
    assert abs(mdps.reward.mean() - 1) < 0.02 and abs(mdps.transition.var() - 0.9 / 110) < 2e-4  # flat Dirichlet
    grid = NAMES["GoalGrid"].World()
    goals = grid.sample(5000, g)
    assert set(goals.tolist()) == set(range(25)) - {0, 1, 5, 6}
    city = NAMES["City"].World().sample(5000, g)
    assert city.lines.unique().numel() == 24 and city.goal.unique().numel() == 4
    bandits = NAMES["Bandits"].World(arms=3)
    p = torch.tensor([[0.1, 0.5, 0.9]]).expand(20_000, 3)
    for arm in range(3):
        _, reward = bandits.move(p, bandits.start(p), torch.full((20_000,), arm), bandits.noise(20_000, g))
        assert abs(reward.mean() - p[0, arm]) < 0.015


def test_transitions_follow_the_chances():
    """Frequencies of the next state in one random MDP against its transition matrix."""
    world = NAMES["TabularMDPs"].World(states=4, actions=2)
    task, count = world.sample(1, seeded(1)), 40_000
    many = type(task)(*(t.expand(count, *t.shape[1:]) for t in task))
    for action in range(2):
        state = torch.full((count,), 2)
        after, _ = world.move(many, state, torch.full((count,), action), world.noise(count, seeded(action)))
        frequency = torch.bincount(after, minlength=4) / count
        assert torch.allclose(frequency, task.transition[0, 2, action], atol=0.01)
