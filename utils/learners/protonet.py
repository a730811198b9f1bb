"""Prototypical networks (Snell, Swersky & Zemel, 2017), on all tasks at once."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from utils.learners.muon import Muon
from utils.learners.networks import Parameters, conv_features, conv_statistics, convnet, repeat
from utils.learners.training import descend
from utils.tasks.episodes import Episodes, pick, scale

IGNORED = -100


def prototypes(
    z: Float[Tensor, "task support dim"], y: Int[Tensor, "task support"], n_way: int
) -> Float[Tensor, "task way dim"]:
    """The mean embedding of each class's support examples (eq. 1); shots may differ, order does not matter."""
    member = F.one_hot(y, n_way).to(z.dtype)
    return member.mT @ z / member.sum(dim=1)[..., None]


def proto_logits(
    query: Float[Tensor, "task query dim"], centres: Float[Tensor, "task way dim"]
) -> Float[Tensor, "task query way"]:
    """Minus the squared Euclidean distance to each prototype: the logits of eq. 2."""
    products = query @ centres.mT
    return 2 * products - query.pow(2).sum(-1)[..., None] - centres.pow(2).sum(-1)[:, None]


def proto_loss(embedded: Episodes, n_way: int, temperature: Tensor | float = 1.0) -> Float[Tensor, " task"]:
    """Each task's mean cross-entropy of its queries. embedded: episodes whose x are embeddings [T, N, D]."""
    logits = proto_logits(embedded.query_x, prototypes(*embedded.support, n_way)) / temperature
    return F.cross_entropy(logits.transpose(1, 2), embedded.query_y, reduction="none").mean(dim=1)


def every_image_a_prototype(z: Float[Tensor, "way image dim"]) -> Episodes:
    """W classes with K embedded images each -> K one-shot tasks, each image once the prototype of its class.

    Task k: support = the k-th image of every class, query = all other images. One forward pass serves K tasks.
    """
    n_way, n_images = z.shape[:2]
    others = torch.tensor([[j for j in range(n_images) if j != k] for k in range(n_images)])
    labels = torch.arange(n_way)
    return Episodes(
        support_x=z.transpose(0, 1),
        support_y=labels.expand(n_images, -1),
        query_x=z[:, others].transpose(0, 1).flatten(1, 2),
        query_y=labels.repeat_interleave(n_images - 1).expand(n_images, -1),
    )


def sample_many_way(pixels: Tensor, n_way: int, n_images: int, generator: torch.Generator) -> Tensor:
    """Scaled images [W, K, H, W'] of W random classes, K random instances of each."""
    return scale(pick(pixels, 1, n_way, n_images, generator)[0])


def many_way_loss(theta: Parameters, images: Float[Tensor, "way image height width"]) -> Float[Tensor, ""]:
    """ProtoNet's loss on one many-way episode in which every image is the prototype in turn.

    theta: a convnet and "log_scale", the learned logarithm of the logits' scale (distances are per dimension).
    """
    n_way, n_images = images.shape[:2]
    z = conv_features(repeat(theta, 1), images.flatten(0, 1)[None])
    temperature = z.shape[-1] / theta["log_scale"].exp()
    logits = (proto_logits(z, z) / temperature).view(n_way * n_images, n_way, n_images)  # [query, class, task]
    label = torch.arange(n_way)[:, None, None].expand(n_way, n_images, n_images)
    own = torch.eye(n_images, dtype=torch.bool)  # in task k the k-th image of a class is no query
    return F.cross_entropy(logits, label.masked_fill(own, IGNORED).flatten(0, 1), ignore_index=IGNORED)


def meta_train(
    pixels: Tensor,
    steps: int,
    generator: torch.Generator,
    widths: tuple[int, ...] = (16, 32, 64, 64),
    n_way: int = 60,
    n_images: int = 4,
    report: Callable[[float], None] | None = None,
) -> Parameters:
    """A convnet and "log_scale", trained on `steps` many-way episodes: the course's recipe for few-shot images.

    pixels: uint8 [C, M, H, W], with rotations if they are to be classes of their own. Muon moves the filters and
    AdamW the rest, with a warm-up and a cosine decay to zero. report(loss) is called after every step.
    Raises FloatingPointError as soon as the loss is not finite.
    """
    theta = convnet(widths, generator) | {"log_scale": torch.tensor(1.0, requires_grad=True)}
    descend(
        lambda: many_way_loss(theta, sample_many_way(pixels, n_way, n_images, generator)),
        optimisers(theta), steps, report=report,
    )
    return theta


def optimisers(theta: Parameters, *groups: dict) -> tuple[Muon, torch.optim.AdamW]:
    """Muon for a convnet's filters, AdamW for its other parameters and for further groups, each with a rate."""
    filters = [p for name, p in theta.items() if name.startswith("conv")]
    others = [p for name, p in theta.items() if not name.startswith("conv")]
    rest = [{"params": others, "lr": 1e-2}, *groups]
    return Muon(filters, lr=0.1), torch.optim.AdamW(rest, weight_decay=1e-4, fused=True)


def embed(theta: Parameters, pixels: Tensor, training_pixels: Tensor) -> Float[Tensor, "cls instance dim"]:
    """Embed every image [C, M, H, W] on its own; normalisation statistics come from the training images."""
    statistics = conv_statistics(theta, scale(training_pixels[:, 0][:2000]))
    with torch.no_grad():
        parts = [conv_features(repeat(theta, 1), scale(part)[None], statistics)[0]
                 for part in pixels.flatten(0, 1).split(1000)]
    return torch.cat(parts).view(*pixels.shape[:2], -1)


def principal(z: Float[Tensor, "cls instance dim"], n: int) -> Callable[[Tensor], Tensor]:
    """A map [..., D] -> [..., n] to the directions in which the embeddings z differ most, in units of their spread."""
    centre = z.mean((0, 1))
    axes = torch.linalg.eigh((z - centre).flatten(0, 1).T.cov()).eigenvectors[:, -n:]
    unit = ((z - centre) @ axes).std()
    return lambda other: (other - centre) @ axes / unit


def few_shot_accuracy(
    embedded: Float[Tensor, "cls instance dim"],
    n_way: int,
    k_shot: int,
    n_episodes: int,
    generator: torch.Generator,
    n_query: int = 15,
    alphabet: Int[Tensor, " cls"] | None = None,
) -> Float[Tensor, " episode"]:
    """Share of right answers in each of `n_episodes` random episodes over images embedded beforehand.

    n_query per class, or as many as the instances allow. Nearest prototype decides. With `alphabet` (each class's
    own) the classes of an episode all come from one alphabet: letters that must be told from their own relatives.
    """
    n_query = min(n_query, embedded.shape[1] - k_shot)
    scores = []
    for some in torch.arange(n_episodes).split(100):
        z = pick(embedded, len(some), n_way, k_shot + n_query, generator, alphabet)
        logits = proto_logits(z[:, :, k_shot:].flatten(1, 2), z[:, :, :k_shot].mean(dim=2))
        labels = torch.arange(n_way).repeat_interleave(n_query)
        scores.append((logits.argmax(dim=2) == labels).float().mean(dim=1))
    return torch.cat(scores)
