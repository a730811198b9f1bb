"""A causal transformer (Vaswani et al., 2017; layer norm first, as in GPT-2), as a function of (parameters, tokens).

A learner that reads its training set needs no task axis in its weights: all tasks share them, and what is learned
about one task lives in the activations.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from utils.learners.networks import Parameters, trainable

HEADS = 4


def transformer(inputs: int, outputs: int, width: int, layers: int, generator: torch.Generator) -> Parameters:
    """Weights: embed, then for each layer norm1, qkv, out, norm2, up, down, then norm and read."""

    def weight(fan_in: int, fan_out: int, gain: float = 1.0) -> Tensor:
        return gain * torch.randn(fan_in, fan_out, generator=generator) / fan_in**0.5

    small = (2 * layers) ** -0.5  # the residual stream keeps its size whatever the depth
    theta = {"embed": weight(inputs, width), "embed_b": torch.zeros(width)}
    for layer in range(1, layers + 1):
        theta |= {f"norm1_{layer}": torch.ones(width), f"qkv{layer}": weight(width, 3 * width),
                  f"out{layer}": weight(width, width, small), f"norm2_{layer}": torch.ones(width),
                  f"up{layer}": weight(width, 4 * width), f"up_b{layer}": torch.zeros(4 * width),
                  f"down{layer}": weight(4 * width, width, small)}
    return trainable(theta | {"norm": torch.ones(width), "read": torch.zeros(width, outputs)})


def transformer_forward(
    theta: Parameters, tokens: Float[Tensor, "task token in"], seen: Bool[Tensor, "token token"] | None = None
) -> Float[Tensor, "task token out"]:
    """What the network says at every token, having read the tokens up to and including it.

    With `seen`, token i reads the tokens j where seen[i, j] instead.
    """
    stream = tokens @ theta["embed"] + theta["embed_b"]
    width = stream.shape[-1]
    for layer in range(1, 1 + sum(name.startswith("qkv") for name in theta)):
        normed = F.layer_norm(stream, (width,), theta[f"norm1_{layer}"])
        stream = stream + attention(normed @ theta[f"qkv{layer}"], seen) @ theta[f"out{layer}"]
        normed = F.layer_norm(stream, (width,), theta[f"norm2_{layer}"])
        stream = stream + F.gelu(normed @ theta[f"up{layer}"] + theta[f"up_b{layer}"]) @ theta[f"down{layer}"]
    return F.layer_norm(stream, (width,), theta["norm"]) @ theta["read"]


def one_step_late(values: Float[Tensor, "task token feature"]) -> Float[Tensor, "task token feature"]:
    """What each token may know of the tokens before it: zeros at first, then the values of the token before."""
    return F.pad(values, (0, 0, 1, 0))[:, :-1]


def attention(
    qkv: Float[Tensor, "task token three"], seen: Bool[Tensor, "token token"] | None = None
) -> Float[Tensor, "task token width"]:
    """Attention with several heads: each token looks at itself and those before it, or at those that are `seen`."""
    q, k, v = qkv.unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=seen, is_causal=seen is None).transpose(1, 2).flatten(2)
