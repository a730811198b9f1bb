"""RL²: a policy with a memory, trained over whole trials, learns how to learn (Duan et al. 2016; Wang et al. 2016).

Here on bandits, by proximal policy optimisation. Two things help in training only, and `informed=False` does without:
the reward is p[a] - max p (the same optimum without the coin's noise), and the critic sees each arm's true chance.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from utils.learners import policy_gradient as pg
from utils.learners.networks import Parameters, mlp
from utils.learners.rl2_memories import Memory, clock, counts, features, named, network
from utils.tasks.bandits import Bandits
from utils.tasks.worlds import Act, Trials, play

CURRICULUM = ((0, 10), (0.1, 25), (0.2, 50), (0.35, 100))  # (share of the training, pulls of a trial from there on)


def player(memory: Memory, theta: Parameters, world: Bandits, generator: torch.Generator, greedy: bool = False) -> Act:
    """The policy for `worlds.play`; its hidden state lives as long as the trial. Drawn from the softmax or the best."""
    times, state = clock(world.steps), torch.empty(0)

    def act(step: int, observation: Tensor, action: Tensor | None, reward: Tensor | None) -> Tensor:
        nonlocal state
        if step == 0:
            state = torch.zeros(len(observation), *memory.shape(theta, world.arms))
        else:
            state = memory.write(theta, state, action, reward, times[step - 1])
        logits = memory.read(theta, state, times[step])
        return logits.argmax(-1) if greedy else pg.draw(logits, generator)

    return act


def logits(memory: Memory, theta: Parameters, arms: int, trials: Trials) -> Float[Tensor, "task pull arm"]:
    """What the policy would say before each pull of these trials, all in one call."""
    times = clock(trials.reward.shape[1])
    return memory.read(theta, memory.states(theta, arms, trials.action, trials.reward, times), times)


def critic_inputs(trials: Trials, chance: Float[Tensor, "task arm"], informed: bool) -> Tensor:
    """For each arm before each pull [T, H, k, 8]: what was counted, the time, true chance and gap (or zeros)."""
    times = clock(trials.reward.shape[1])
    known = features(counts(trials.action, trials.reward, chance.shape[1]), times)
    truth = torch.stack([2 * chance - 1, chance.amax(1, keepdim=True) - chance], -1) * informed
    return torch.cat([known, truth[:, None].expand(*known.shape[:-1], 2)], -1)


def value(theta: Parameters, inputs: Float[Tensor, "task pull arm 8"], informed: bool) -> Float[Tensor, "task pull"]:
    """Expected return-to-go, a sum over arms: future regret *is* one, each arm's gap times its future pulls."""
    share = 10 * network(theta, "critic", inputs)[..., 0]
    return (share * inputs[..., -1]).sum(-1) if informed else share.mean(-1)


def evaluate(memory: Memory, theta: Parameters, world: Bandits, tasks: int = 8000, seed: int = 12345) -> Tensor:
    """What each of so many fresh trials is worth [T]; the mean estimates the expected reward of a trial.

    That is pulls x k / (k + 1), the mean of the best of k arms, minus the regret: the luck of the arms is taken out.
    """
    g = torch.Generator().manual_seed(seed)
    chance = world.sample(tasks, g)
    trials = play(world, chance, player(memory, theta, world, g), g)
    regret = (chance.amax(1, keepdim=True) - chance.gather(1, trials.action)).sum(1)
    return world.steps * world.arms / (world.arms + 1) - regret


def meta_train(
    memory: Memory, arms: int, pulls: int, iterations: int, generator: torch.Generator, *, informed: bool = True,
    batch: int = 12_800, lr: float = 3e-3, entropy: float = 0.02, lam: float = 0.97,
    report: Callable[[int, float, Parameters], None] | None = None,
) -> Parameters:  # fmt: skip
    """Parameters of a memory trained by `iterations` rounds of PPO, each on `batch` pulls in fresh tasks.

    Trials grow by CURRICULUM up to `pulls`; the rate and the entropy bonus fall. report(iteration, mean reward a pull,
    theta) is called after every round.
    """
    theta = memory.start(arms, generator) | named(critic=mlp((8, 24, 24, 1), generator))
    optimiser = torch.optim.Adam(theta.values(), lr, eps=1e-5, fused=True)
    for i in range(iterations):
        done = i / iterations
        length = min(pulls, max(h for share, h in CURRICULUM if share <= done))
        world = Bandits(arms=arms, horizon=length)
        chance = world.sample(batch // length, generator)
        trials = play(world, chance, player(memory, theta, world, generator), generator)
        optimiser.param_groups[0]["lr"] = lr * max(0.03, 1 - done)
        loss = trial_loss(memory, theta, trials, chance, informed, lam, entropy * (1 - done))
        pg.epochs(loss, len(chance), list(theta.values()), optimiser, generator)
        if report is not None:
            report(i, trials.reward.mean().item(), theta)
    if not all(p.isfinite().all() for p in theta.values()):
        raise FloatingPointError(f"training left numbers that are not finite: try a smaller rate than {lr}")
    return {name: p for name, p in theta.items() if not name.startswith("critic.")}


def trial_loss(
    memory: Memory, theta: Parameters, trials: Trials, chance: Tensor, informed: bool, lam: float, entropy: float
) -> Callable[[Tensor], Tensor]:
    """PPO's loss of some of these trials, loss(index [M]): policy, critic and entropy."""
    arms, inputs = chance.shape[1], critic_inputs(trials, chance, informed)
    mean = chance.gather(1, trials.action) - chance.amax(1, keepdim=True)
    with torch.no_grad():
        old = pg.log_prob(logits(memory, theta, arms, trials), trials.action)
        v = value(theta, inputs, informed)
        advantage = pg.advantages(mean if informed else trials.reward, v, 1.0, lam)
    target, advantage = advantage + v, pg.standardised(advantage)

    def loss(index: Tensor) -> Tensor:
        part = Trials(*(x[index] for x in (trials.observation, trials.action, trials.reward)))
        scores = logits(memory, theta, arms, part)
        step = pg.clipped_loss(pg.log_prob(scores, part.action), old[index], advantage[index])
        error = (value(theta, inputs[index], informed) - target[index]).pow(2)
        return (step + 0.1 * error - entropy * pg.entropy(scores)).mean()

    return loss
