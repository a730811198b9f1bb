"""Black-box meta-learning: a network reads labelled examples and answers; no weight changes (Santoro et al., 2016).

All three learners read a stream and say at every step which class the present example is, knowing the labels of
the earlier steps only: x [T, L, D], y [T, L] -> logits [T, L, N]. Tasks share the weights, so these carry no task axis.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from utils.learners.networks import Parameters, mlp, mlp_forward, repeat, trainable
from utils.learners.transformer import one_step_late, transformer_forward

Stream = Float[Tensor, "task step dim"]
Labels = Int[Tensor, "task step"]
Logits = Float[Tensor, "task step way"]


def late_labels(x: Stream, y: Labels, n_way: int, paired: bool = True) -> Float[Tensor, "task step feature"]:
    """What enters at step t: x_t and the label of step t-1 (one-hot, 0 at first); paired: also x_{t-1} beside it.

    Without x_{t-1} the network has to remember the last example just to find out what its label belongs to.
    """
    label = F.one_hot(y, n_way).to(x.dtype)
    before = torch.cat([x, label], dim=2) if paired else label
    return torch.cat([x, one_step_late(before)], dim=2)


def lstm(inputs: int, hidden: int, outputs: int, generator: torch.Generator, forget: float = 1.0) -> Parameters:
    """An LSTM's weights under torch's names, and "read" [hidden, outputs]; `forget` is the forget gate's bias."""
    shapes = {"weight_ih_l0": (4 * hidden, inputs), "weight_hh_l0": (4 * hidden, hidden)}
    theta = {n: (2 * torch.rand(s, generator=generator) - 1) / hidden**0.5 for n, s in shapes.items()}
    bias = torch.zeros(4 * hidden)
    bias[hidden : 2 * hidden] = forget
    theta |= {"bias_ih_l0": bias, "bias_hh_l0": torch.zeros(4 * hidden)}
    return trainable(theta | {"read": torch.randn(hidden, outputs, generator=generator) / hidden**0.5})


def lstm_forward(theta: Parameters, tokens: Float[Tensor, "task step in"]) -> Logits:
    """The LSTM's memory at every step, read out linearly: a bounded readout could not reach a small loss."""
    weights = [theta[name] for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")]
    blank = tokens.new_zeros(1, len(tokens), weights[1].shape[1])
    states, _, _ = torch.lstm(
        tokens, (blank, blank), weights, has_biases=True, num_layers=1, dropout=0.0, train=True,
        bidirectional=False, batch_first=True,
    )  # fmt: skip
    return states @ theta["read"]


def conditional_neural_process(
    dim: int, n_way: int, width: int, generator: torch.Generator
) -> Parameters:
    """An encoder of (x, label) pairs and a decoder of (x, what is known): two small networks with one name space."""
    encoder, decoder = mlp((dim + n_way, width, width), generator), mlp((dim + width, width, n_way), generator)
    parts = (("encode", encoder), ("decode", decoder))
    return {f"{part}.{name}": p for part, theta in parts for name, p in theta.items()}


def set_forward(theta: Parameters, x: Stream, y: Labels, n_way: int) -> Logits:
    """A conditional neural process (Garnelo et al., 2018): what is known is the mean code of the examples before.

    A mean does not see the order, so the answer at step t is the same however its past is shuffled.
    """
    encoder, decoder = (
        {name.split(".")[1]: p for name, p in theta.items() if name.startswith(part)} for part in ("encode", "decode")
    )
    pairs = torch.cat([x, F.one_hot(y, n_way).to(x.dtype)], dim=2)
    code = mlp_forward(repeat(encoder, 1), pairs.flatten(0, 1)[None]).view(*x.shape[:2], -1)
    count = torch.arange(x.shape[1], dtype=x.dtype)[:, None]
    known = (code.cumsum(1) - code) / count.clamp(min=1)
    return mlp_forward(repeat(decoder, 1), torch.cat([x, known], dim=2).flatten(0, 1)[None]).view(*x.shape[:2], -1)


def attention_forward(theta: Parameters, x: Stream, y: Labels, n_way: int) -> Logits:
    """A causal transformer (cf. SNAIL, Mishra et al., 2018) on paired inputs."""
    return transformer_forward(theta, late_labels(x, y, n_way))
