"""A learned belief on the grid with a hidden goal, in the manner of VariBAD (Zintgraf et al. 2020).

An encoder makes of the past a Gaussian N(mu, sigma) over a latent code z; a decoder must predict from z where there
is a reward, on the cells of the *whole* trial, also those still to come. Nothing else trains the encoder. The policy
reads mu, sigma and the decoder's map. A token is one step's (cell reached, goal hit): 26 numbers.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from utils.learners.belief_policy import Networks, actor_critic, train_policy
from utils.learners.networks import forward, gru, gru_sequence, gru_weights, mlp
from utils.tasks.goal_grid import GoalGrid
from utils.tasks.grid_belief import Memory

LATENT, HIDDEN, KL, RATE = 16, 96, 0.003, 3e-3
JOINS = ("max", "sum", "gru")
BELIEF = ("token", "gaussian", "decoder")  # the networks that prediction trains; "policy" and "critic" are PPO's


def belief_networks(grid: GoalGrid, join: str, generator: torch.Generator) -> Networks:
    """join: how the encoder puts the steps together, by their maximum, their sum or a GRU."""
    if join not in JOINS:
        raise ValueError(f"join must be one of {', '.join(JOINS)}, found {join!r}")
    cells = grid.size**2
    recurrent = gru(cells + 1, HIDDEN, generator)  # drawn in any case: the other networks are then the same for all
    return {
        "token": recurrent if join == "gru" else mlp((cells + 1, HIDDEN), generator),
        "gaussian": mlp((HIDDEN, 64, 2 * LATENT), generator),
        "decoder": mlp((LATENT, 64, cells), generator),
    }


def tokens(grid: GoalGrid, cell: Int[Tensor, "*batch"], hit: Bool[Tensor, "*batch"]) -> Float[Tensor, "*batch token"]:
    """What one step tells: the cell that it led to, one-hot, and whether the goal is there."""
    return torch.cat([torch.eye(grid.size**2)[cell], hit[..., None].float()], -1)


def memory(grid: GoalGrid, nets: Networks, join: str) -> Memory:
    """The encoder, one step at a time: memory [T, hidden], blank at first."""

    def update(kept: Tensor, cell: Tensor, hit: Tensor) -> Tensor:
        token = tokens(grid, cell, hit)
        if join == "gru":
            return torch.gru_cell(token, kept, *gru_weights(nets["token"]))
        code = forward(nets["token"], token).relu()
        return torch.maximum(kept, code) if join == "max" else kept + code

    return Memory(lambda count: torch.zeros(count, HIDDEN), update)


def memories(
    grid: GoalGrid, nets: Networks, join: str, cell: Int[Tensor, "task step"], hit: Bool[Tensor, "task step"]
) -> Float[Tensor, "task moment hidden"]:
    """The memory after 0, 1, ..., H steps, all at once: a maximum or a sum needs no loop over time."""
    token = tokens(grid, cell, hit)
    blank = torch.zeros(len(cell), 1, HIDDEN)
    if join == "gru":
        later = gru_sequence(gru_weights(nets["token"]), token)
    else:
        code = forward(nets["token"], token).relu()
        later = code.cummax(1).values if join == "max" else code.cumsum(1)
    return torch.cat([blank, later], 1)


def gaussian(nets: Networks, kept: Float[Tensor, "*batch hidden"]) -> tuple[Tensor, Tensor]:
    """The belief as mu and sigma, [..., latent] each."""
    mu, log_variance = forward(nets["gaussian"], kept).chunk(2, -1)
    return mu, (0.5 * log_variance).exp()


def decoded(nets: Networks, kept: Float[Tensor, "*batch hidden"]) -> Float[Tensor, "*batch cell"]:
    """How likely a reward is on each cell, read from the middle of the belief."""
    return forward(nets["decoder"], gaussian(nets, kept)[0]).sigmoid()


@torch.no_grad()
def read(nets: Networks, kept: Float[Tensor, "*batch hidden"]) -> Float[Tensor, "*batch feature"]:
    """What the policy sees of the belief: map, mu, sigma. Without gradient: rewards shape no belief."""
    return torch.cat([decoded(nets, kept), *gaussian(nets, kept)], -1)


def divergence(mu: Tensor, sigma: Tensor) -> Float[Tensor, "*batch"]:
    """KL(N(mu, sigma) || N(0, 1)), summed over the latent axis."""
    return 0.5 * (mu**2 + sigma**2 - 1 - 2 * sigma.log()).sum(-1)


def rewards_seen(
    grid: GoalGrid, cell: Int[Tensor, "task step"], hit: Bool[Tensor, "task step"]
) -> tuple[Float[Tensor, "task cell"], Float[Tensor, "task cell"]]:
    """Which cells of the whole trial had a reward (1 or 0), and how much each counts: its visits, 3 at most."""
    visits = torch.zeros(len(cell), grid.size**2).scatter_add(1, cell, torch.ones(cell.shape))
    hits = torch.zeros_like(visits).scatter_add(1, cell, hit.float())
    return (hits > 0).float(), visits.clamp(max=3)


def negative_elbo(
    grid: GoalGrid, nets: Networks, join: str, cell: Tensor, hit: Tensor, generator: torch.Generator, moments: int = 20
) -> Tensor:
    """What a sample of z at random moments says about the rewards of the whole trial, plus KL times 0.003."""
    mu, sigma = gaussian(nets, memories(grid, nets, join, cell, hit))
    z = mu + sigma * torch.randn(mu.shape, generator=generator)
    logits = forward(nets["decoder"], z[:, torch.randint(z.shape[1], (moments,), generator=generator)])
    reward, weight = (part[:, None].expand_as(logits) for part in rewards_seen(grid, cell, hit))
    surprise = F.binary_cross_entropy_with_logits(logits, reward, weight, reduction="none").sum(-1)
    return surprise.mean() + KL * divergence(mu, sigma).mean()


def belief_learner(
    grid: GoalGrid, nets: Networks, join: str, generator: torch.Generator, updates: int = 6, kept: int = 30
) -> Callable[[int, Tensor, Tensor, Tensor], None]:
    """Trains the belief on the newest `kept` batches of trials, `updates` steps a batch: `after` of train_policy."""
    parameters = [p for part in BELIEF for p in nets[part].values()]
    optimiser = torch.optim.Adam(parameters, RATE, fused=True)
    batches = []

    def after(_iteration: int, cell: Tensor, action: Tensor, reward: Tensor) -> None:
        batches.append((grid.neighbours[cell, action], reward > 0))
        del batches[:-kept]
        for _ in range(updates):
            reached, hit = batches[int(torch.randint(len(batches), (1,), generator=generator))]
            some = torch.randperm(len(reached), generator=generator)[:64]
            optimiser.zero_grad()
            negative_elbo(grid, nets, join, reached[some], hit[some], generator).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()

    return after


def train(
    grid: GoalGrid, iterations: int, generator: torch.Generator, join: str = "max",
    report: Callable[[float], None] | None = None, stop: int | None = None,
) -> Networks:  # fmt: skip
    """Belief and policy side by side, each from its own loss."""
    nets = belief_networks(grid, join, generator)
    nets |= actor_critic(grid, grid.size**2 + 2 * LATENT, generator)
    train_policy(
        grid, nets, memory(grid, nets, join), lambda kept: read(nets, kept), iterations, generator,
        after=belief_learner(grid, nets, join, generator), report=report, stop=stop,
    )  # fmt: skip
    return nets
