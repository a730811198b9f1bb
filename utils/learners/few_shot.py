"""Few-shot image classifiers that learn on many small tasks cut from one batch of images.

The convolutions are what costs: W classes with K images each pass them once, and T small tasks are drawn from the
W * K embeddings. A learner is then a function logits(head, episodes of embeddings) -> [T, Q, N] of the queries.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from utils.learners import maml
from utils.learners.networks import Parameters, conv_features, convnet, linear, repeat, trainable
from utils.learners.protonet import optimisers, sample_many_way
from utils.learners.training import descend
from utils.learners.transformer import transformer, transformer_forward
from utils.tasks.episodes import Episodes, pick

Logits = Callable[[Parameters, Episodes], Float[Tensor, "task query way"]]


def embedded_episodes(
    z: Float[Tensor, "cls instance dim"], n_tasks: int, n_way: int, k_shot: int, n_query: int,
    generator: torch.Generator,
) -> Episodes:
    """N-way K-shot episodes among embedded images, each embedding brought to zero mean and unit variance.

    Labels are drawn anew for each task; examples come class after class, for learners that cannot see their order.
    """
    z = pick(F.layer_norm(z, z.shape[-1:]), n_tasks, n_way, k_shot + n_query, generator)
    labels = torch.arange(n_way)
    support_y, query_y = (labels.repeat_interleave(n).expand(n_tasks, -1) for n in (k_shot, n_query))
    return Episodes(z[:, :, :k_shot].flatten(1, 2), support_y, z[:, :, k_shot:].flatten(1, 2), query_y)


def meta_train(
    logits: Logits, head: Parameters, pixels: Tensor, steps: int, generator: torch.Generator,
    widths: tuple[int, ...] = (16, 32, 64, 64), n_way: int = 5, k_shot: int = 1, n_tasks: int = 64,
    batch: tuple[int, int] = (60, 4), report: Callable[[float], None] | None = None,
) -> Parameters:
    """A convnet trained together with `head` (in place) on n_tasks tasks from each batch of (classes, images).

    pixels: uint8 [C, M, H, W]. Muon moves the filters and AdamW the rest.
    Raises FloatingPointError as soon as the loss is not finite.
    """
    theta = convnet(widths, generator)

    def objective() -> Tensor:
        images = sample_many_way(pixels, *batch, generator)
        z = conv_features(repeat(theta, 1), images.flatten(0, 1)[None]).view(*batch, -1)
        episodes = embedded_episodes(z, n_tasks, n_way, k_shot, batch[1] - k_shot, generator)
        return maml.cross_entropy(logits(head, episodes), episodes.query_y).mean()

    chosen = optimisers(theta, {"params": list(head.values()), "lr": 2e-3})
    descend(objective, chosen, steps, report=report)
    return theta


def accuracy(
    logits: Logits, head: Parameters, embedded: Float[Tensor, "cls instance dim"], n_way: int, k_shot: int,
    n_episodes: int, generator: torch.Generator,
) -> Float[Tensor, " episode"]:
    """Share of right answers in each of n_episodes random episodes (15 queries per class, or all that there are)."""
    n_query = min(15, embedded.shape[1] - k_shot)
    scores = []
    for some in torch.arange(n_episodes).split(100):
        episodes = embedded_episodes(embedded, len(some), n_way, k_shot, n_query, generator)
        scores.append(maml.accuracy(logits(head, episodes).detach(), episodes.query_y))
    return torch.cat(scores)


def anil_head(n_features: int, n_way: int) -> Parameters:
    """A linear layer that starts at zero, and the logarithms of its two inner rates, learned as in Meta-SGD."""
    rates = {f"log_rate_{name}": torch.tensor(0.5).log() for name in "wb"}
    return trainable({"w": torch.zeros(n_features, n_way), "b": torch.zeros(1, n_way)} | rates)


def anil_logits(head: Parameters, episodes: Episodes, steps: int = 3) -> Float[Tensor, "task query way"]:
    """ANIL (Raghu et al., 2020): `steps` inner steps on the linear layer alone, differentiated through."""
    layer = repeat({name: head[name] for name in "wb"}, len(episodes))
    phi = maml.adapt(head_loss, layer, episodes.support, {n: head[f"log_rate_{n}"].exp() for n in "wb"}, steps)
    return linear(episodes.query_x, phi["w"], phi["b"])


def head_loss(phi: Parameters, z: Tensor, y: Tensor) -> Float[Tensor, " task"]:
    """Each task's cross-entropy of a linear layer {"w": [T, D, N], "b": [T, 1, N]}."""
    return maml.cross_entropy(linear(z, phi["w"], phi["b"]), y)


def set_transformer(n_features: int, n_way: int, generator: torch.Generator) -> Parameters:
    """A transformer of 2 layers and width 64 that reads an embedding beside its label."""
    return transformer(n_features + n_way, n_way, 64, 2, generator)


def set_logits(head: Parameters, episodes: Episodes) -> Float[Tensor, "task query way"]:
    """A transformer without positions (cf. SNAIL, Mishra et al., 2018): all tokens attend to the support set.

    A query's label is left out, and a query sees no other query. One number among D features of unit variance would
    not be heard, so labels speak as loudly as a quarter of the features together.
    """
    n_way, n_support = head["read"].shape[1], episodes.support_x.shape[1]
    loudness = episodes.support_x.shape[2] ** 0.5 / 2
    support = torch.cat([episodes.support_x, loudness * F.one_hot(episodes.support_y, n_way)], dim=2)
    tokens = torch.cat([support, F.pad(episodes.query_x, (0, n_way))], dim=1)
    seen = torch.eye(tokens.shape[1], dtype=torch.bool)
    seen[:, :n_support] = True
    return transformer_forward(head, tokens, seen)[:, n_support:]
