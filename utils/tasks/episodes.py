"""Episodes: the one shape in which tasks reach every learner of the course.

An episode is one small learning problem: a support set to learn from and a query set to be judged on
(Vinyals et al., 2016). Episodes always come as a batch with a leading task axis T, because learning T tasks
at once costs little more than learning one.
"""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int, Shaped, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Episodes:
    """T tasks: support_x [T, S, ...], support_y [T, S, ...], query_x [T, Q, ...], query_y [T, Q, ...]."""

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor

    def __post_init__(self):
        sizes = {f.name: tuple(getattr(self, f.name).shape[:2]) for f in fields(self)}
        if len({size[0] for size in sizes.values()}) != 1:
            raise ValueError(f"every part needs the same number of tasks in axis 0, found {sizes}")
        for part in ("support", "query"):
            if sizes[part + "_x"] != sizes[part + "_y"]:
                raise ValueError(f"{part} x and y need the same tasks and examples, found {sizes}")

    @property
    def support(self) -> tuple[Tensor, Tensor]:
        return self.support_x, self.support_y

    @property
    def query(self) -> tuple[Tensor, Tensor]:
        return self.query_x, self.query_y

    def __len__(self) -> int:
        return len(self.support_x)

    def __getitem__(self, tasks) -> "Episodes":
        """Some of the tasks: a slice, a list or an index tensor (one task keeps its axis: `episodes[3:4]`)."""
        return Episodes(*(getattr(self, f.name)[tasks] for f in fields(self)))

    def to(self, device) -> "Episodes":
        return Episodes(*(getattr(self, f.name).to(device) for f in fields(self)))


MEAN, SPREAD = 0.08, 0.27  # about Omniglot's own at 28 x 28


def scale(pixels: UInt8[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Ink 0..255 to roughly zero mean and unit variance."""
    return (pixels.float() / 255 - MEAN) / SPREAD


def ink(scaled: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """The inverse of `scale` for drawing: 0 is paper, 1 is ink."""
    return (scaled * SPREAD + MEAN).clamp(0, 1)


def coarse(pixels: UInt8[Tensor, "*image height width"]) -> Float[Tensor, "*image feature"]:
    """Means of 2 x 2 pixels, scaled and flattened (28 x 28 -> 196): what the course's smallest networks see."""
    small = torch.nn.functional.avg_pool2d(pixels.reshape(-1, 1, *pixels.shape[-2:]).float(), 2)
    return ((small / 255 - MEAN) / SPREAD).reshape(*pixels.shape[:-2], -1)


def sample_classes(
    n_classes: int, n_tasks: int, n_way: int, generator: torch.Generator
) -> Int[Tensor, "task way"]:
    """`n_way` different classes for each task, in random order."""
    if n_way > n_classes:
        raise ValueError(f"{n_way}-way episodes need at least {n_way} classes, found {n_classes}")
    return torch.rand(n_tasks, n_classes, generator=generator).topk(n_way, dim=1).indices


def same_alphabet_classes(
    alphabet: Int[Tensor, " cls"], n_tasks: int, n_way: int, generator: torch.Generator
) -> Int[Tensor, "task way"]:
    """As `sample_classes`, but all classes of a task share one alphabet, as in Lake et al. (2015).

    alphabet: each class's alphabet (`images.alphabet`). Every alphabet with at least n_way classes is equally likely.
    """
    sizes = alphabet.bincount()
    large = (sizes >= n_way).nonzero()[:, 0]
    if not len(large):
        raise ValueError(f"{n_way}-way episodes within one alphabet need an alphabet with {n_way} classes, "
                         f"found at most {sizes.max().item()}: ask for fewer ways")
    chosen = large[torch.randint(len(large), (n_tasks, 1), generator=generator)]
    chance = torch.rand(n_tasks, len(alphabet), generator=generator)
    return chance.masked_fill(alphabet != chosen, -1).topk(n_way, dim=1).indices


def pick(
    x: Shaped[Tensor, "cls instance *data"],
    n_tasks: int,
    n_way: int,
    n_images: int,
    generator: torch.Generator,
    alphabet: Int[Tensor, " cls"] | None = None,
) -> Shaped[Tensor, "task way image *data"]:
    """`n_images` different instances of each of `n_way` different classes for each task; x: images or embeddings.

    With `alphabet` (each class's own) the classes of a task all come from one alphabet.
    Raises ValueError when there are too few classes or instances.
    """
    if n_images > x.shape[1]:
        raise ValueError(f"these episodes need {n_images} images of each class, found {x.shape[1]}")
    if alphabet is None:
        classes = sample_classes(len(x), n_tasks, n_way, generator)
    else:
        classes = same_alphabet_classes(alphabet, n_tasks, n_way, generator)
    order = torch.rand(n_tasks, n_way, x.shape[1], generator=generator).argsort(dim=2)
    return x[classes[..., None], order[..., :n_images]]


def image_episodes(
    pixels: UInt8[Tensor, "cls instance height width"],
    n_tasks: int,
    n_way: int,
    k_shot: int,
    n_query: int,
    generator: torch.Generator,
    alphabet: Int[Tensor, " cls"] | None = None,
) -> Episodes:
    """N-way K-shot episodes: x [T, N*K, H, W] scaled, y [T, N*K] in 0..N-1; queries in random order.

    n_query is the number of queries per class. Support and query images never overlap, labels are drawn anew
    for each task, and the order of the queries tells nothing about their labels. With `alphabet` (each class's
    own) the classes of a task all come from one alphabet.
    Raises ValueError when there are too few classes or instances.
    """
    images = scale(pick(pixels, n_tasks, n_way, k_shot + n_query, generator, alphabet))
    labels = torch.arange(n_way)
    shuffle = torch.rand(n_tasks, n_way * n_query, generator=generator).argsort(dim=1)
    task = torch.arange(n_tasks)[:, None]
    return Episodes(
        support_x=images[:, :, :k_shot].flatten(1, 2),
        support_y=labels.repeat_interleave(k_shot).expand(n_tasks, -1),
        query_x=images[:, :, k_shot:].flatten(1, 2)[task, shuffle],
        query_y=labels.repeat_interleave(n_query)[shuffle],
    )
