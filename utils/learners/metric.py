"""Learning to compare: four ways to classify a query by its support set, and the bridge from prototypes to MAML.

All of them work on embeddings [T, N, D] of T tasks at once; `prototypes` and `proto_logits` stand in protonet.py.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from utils.learners.networks import Parameters, linear, mlp_forward
from utils.tasks.episodes import Episodes


def cosine(
    query: Float[Tensor, "task query dim"], support: Float[Tensor, "task support dim"]
) -> Float[Tensor, "task query support"]:
    """The cosine of the angle between every query and every support embedding, in -1..1."""
    return F.normalize(query, dim=2) @ F.normalize(support, dim=2).mT


def matching_logits(
    similarity: Float[Tensor, "task query support"], y: Int[Tensor, "task support"], n_way: int
) -> Float[Tensor, "task query way"]:
    """Log-probabilities of matching networks (Vinyals et al., 2016, eq. 1): attention over the support set.

    Each query attends to the support examples by a softmax of `similarity` (a cosine over a temperature, say), and
    a class gets the attention that its examples get together. Shots may differ, order does not matter.
    """
    member = F.one_hot(y, n_way).to(similarity.dtype).log()  # 0 for a class's own examples, else -inf
    attention = similarity.log_softmax(dim=2)
    return (attention[..., None] + member[:, None]).logsumexp(dim=2)


def siamese_logits(
    phi: Parameters, query: Float[Tensor, "task query dim"], support: Float[Tensor, "task support dim"]
) -> Float[Tensor, "task query support"]:
    """Is it the same class? Koch et al. (2015): a weighted L1 distance between the two embeddings of a pair.

    phi: {"w": [T, D, 1], "b": [T, 1, 1]}; the logit of "same" for every query with every support example.
    """
    difference = (query[:, :, None] - support[:, None]).abs()
    return linear(difference.flatten(1, 2), phi["w"], phi["b"]).view(difference.shape[:3])


def siamese_loss(phi: Parameters, embedded: Episodes) -> Float[Tensor, " task"]:
    """Each task's cross-entropy of "same or different?" over all its pairs; both kinds weigh one half together."""
    same = embedded.query_y[:, :, None] == embedded.support_y[:, None]
    logits = siamese_logits(phi, embedded.query_x, embedded.support_x)
    losses = F.binary_cross_entropy_with_logits(logits, same.to(logits.dtype), reduction="none")
    mean_of = lambda kind: (losses * kind).sum((1, 2)) / kind.sum((1, 2)).clamp(min=1)  # noqa: E731
    return (mean_of(same) + mean_of(~same)) / 2


def relation_scores(
    phi: Parameters, query: Float[Tensor, "task query dim"], centres: Float[Tensor, "task way dim"]
) -> Float[Tensor, "task query way"]:
    """Relation networks (Sung et al., 2018): a learned score in 0..1 of every query with every class.

    phi: an MLP [2 D, ..., 1] that reads the query's embedding beside the class's.
    """
    pair = torch.broadcast_tensors(query[:, :, None], centres[:, None])
    return mlp_forward(phi, torch.cat(pair, dim=3).flatten(1, 2)).view(pair[0].shape[:3]).sigmoid()


def relation_loss(scores: Float[Tensor, "task query way"], y: Int[Tensor, "task query"]) -> Float[Tensor, " task"]:
    """Each task's mean squared error of the scores against 1 for the true class and 0 for the others (eq. 2)."""
    error = scores - F.one_hot(y, scores.shape[2])
    return (error * error).mean(dim=(1, 2))


def proto_head(centres: Float[Tensor, "task way dim"]) -> Parameters:
    """The linear layer that classifies as the nearest prototype does: w = 2 c [T, D, W], b = -|c|^2 [T, 1, W].

    Proto-MAML (Triantafillou et al., 2020) starts its inner steps from it; gradients flow on into the prototypes.
    """
    return {"w": 2 * centres.mT, "b": -centres.pow(2).sum(dim=2)[:, None]}
