"""The small networks of the course, as functions of (parameters, inputs).

Parameters are a dict {name: tensor}. As stored they have no task axis; `repeat` gives every task its own copy,
and the networks take parameters [T, ...] with inputs [T, N, ...], one set of weights for each task.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Parameters = dict[str, Tensor]


def repeat(theta: Parameters, n_tasks: int) -> Parameters:
    """One copy of theta for each of T tasks: {name: [...]} -> {name: [T, ...]}. A view, so it costs no memory."""
    return {name: p.expand(n_tasks, *p.shape) for name, p in theta.items()}


def trainable(theta: Parameters) -> Parameters:
    """A copy of theta made of leaves that an optimiser can change."""
    return {name: p.detach().clone().requires_grad_() for name, p in theta.items()}


def leaves(theta: Parameters) -> Parameters:
    """theta without its history, asking for gradients; shares its memory, unlike `trainable`."""
    return {name: p.detach().requires_grad_() for name, p in theta.items()}


def stack(thetas: list[Parameters]) -> Parameters:
    """T sets of parameters as one with a task axis {name: [T, ...]}, leaves that train side by side."""
    return {name: torch.stack([theta[name].detach() for theta in thetas]).requires_grad_() for name in thetas[0]}


def mlp(sizes: tuple[int, ...], generator: torch.Generator) -> Parameters:
    """Weights w1 [in, out], b1 [1, out], w2, ... of a ReLU network; uniform in +-1/sqrt(in), torch's own default."""
    theta = {}
    for layer, (fan_in, fan_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), start=1):
        bound = fan_in**-0.5
        theta[f"w{layer}"] = bound * (2 * torch.rand(fan_in, fan_out, generator=generator) - 1)
        theta[f"b{layer}"] = bound * (2 * torch.rand(1, fan_out, generator=generator) - 1)
    return trainable(theta)


def mlp_forward(phi: Parameters, x: Float[Tensor, "task point in"]) -> Float[Tensor, "task point out"]:
    """Each task's inputs through each task's own ReLU network: one batched product a layer."""
    n_layers = len(phi) // 2
    for layer in range(1, n_layers + 1):
        x = linear(x, phi[f"w{layer}"], phi[f"b{layer}"])
        if layer < n_layers:
            x = F.relu(x)
    return x


def forward(theta: Parameters, x: Float[Tensor, "*batch in"]) -> Float[Tensor, "*batch out"]:
    """One network of `mlp`, its parameters without a task axis, on inputs with any number of leading axes."""
    return mlp_forward(repeat(theta, 1), x.flatten(0, -2)[None])[0].view(*x.shape[:-1], -1)


def linear(
    x: Float[Tensor, "task point in"], w: Float[Tensor, "task in out"], b: Float[Tensor, "task 1 out"]
) -> Float[Tensor, "task point out"]:
    """x w + b with each task's own w and b."""
    return torch.baddbmm(b, x, w)


def gru(inputs: int, hidden: int, generator: torch.Generator) -> Parameters:
    """weight_ih, weight_hh, bias_ih, bias_hh of a GRU; uniform in +-1/sqrt(hidden), torch's own default."""
    shapes = {"weight_ih": (3 * hidden, inputs), "weight_hh": (3 * hidden, hidden),
              "bias_ih": (3 * hidden,), "bias_hh": (3 * hidden,)}  # fmt: skip
    return trainable({n: (2 * torch.rand(s, generator=generator) - 1) / hidden**0.5 for n, s in shapes.items()})


def gru_weights(theta: Parameters) -> list[Tensor]:
    """The four tensors of `gru` among the parameters of a larger network, as torch.gru_cell takes them."""
    return [theta[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def gru_sequence(weights: list[Tensor], x: Float[Tensor, "batch step in"]) -> Float[Tensor, "batch step hidden"]:
    """The states of a GRU after each step of whole sequences, from a blank start."""
    start = x.new_zeros(1, len(x), weights[1].shape[1])
    return torch.gru(x, start, weights, True, 1, 0.0, False, False, True)[0]


def convnet(widths: tuple[int, ...], generator: torch.Generator, channels: int = 1) -> Parameters:
    """conv1 [out, in, 3, 3], scale1, shift1, conv2, ...: strided 3 x 3 convolutions with batch normalisation."""
    theta = {}
    for layer, (fan_in, fan_out) in enumerate(zip((channels, *widths[:-1]), widths, strict=True), start=1):
        std = (2 / (9 * fan_in)) ** 0.5
        theta[f"conv{layer}"] = std * torch.randn(fan_out, fan_in, 3, 3, generator=generator)
        theta[f"scale{layer}"] = torch.ones(fan_out)
        theta[f"shift{layer}"] = torch.zeros(fan_out)
    return trainable(theta)


def conv_features(
    phi: Parameters, x: Float[Tensor, "task image height width"], statistics: Parameters | None = None
) -> Float[Tensor, "task image feature"]:
    """Each task's images through each task's own convolutional network.

    The task axis becomes the groups of a grouped convolution. Each layer halves the image. Without
    `statistics` the batch normalisation uses the mean and variance of each task's own images; with them
    (from `conv_statistics`, one shared network, T = 1) an image's features do not depend on its neighbours.
    """
    n_tasks = len(x)
    x = x.transpose(0, 1)
    for layer in range(1, _n_conv(phi) + 1):
        mean, var = (statistics[f"mean{layer}"], statistics[f"var{layer}"]) if statistics else (None, None)
        x = _conv_layer(phi, layer, x, mean, var, training=statistics is None)
    return x.reshape(len(x), n_tasks, -1).transpose(0, 1)


def conv_statistics(theta: Parameters, x: Float[Tensor, "image height width"]) -> Parameters:
    """Mean and variance of every layer's channels over some training images, for use at test time."""
    statistics, phi = {}, repeat(theta, 1)
    x = x[:, None]
    with torch.no_grad():
        for layer in range(1, _n_conv(theta) + 1):
            mean, var = torch.zeros_like(theta[f"shift{layer}"]), torch.ones_like(theta[f"scale{layer}"])
            x = _conv_layer(phi, layer, x, mean, var, training=True)
            statistics |= {f"mean{layer}": mean, f"var{layer}": var}
    return statistics


def _n_conv(theta: Parameters) -> int:
    return sum(name.startswith("conv") for name in theta)


def _conv_layer(phi: Parameters, layer: int, x: Tensor, mean, var, training: bool) -> Tensor:
    """x [N, T*C, H, W] -> [N, T*C', H/2, W/2]; while training, `mean` and `var` receive the batch's own."""
    x = _convolve(x, phi[f"conv{layer}"]).permute(0, 2, 3, 1)
    pixels = x.flatten(0, 2)  # [N*H/2*W/2, T*C']: a CPU normalises rows much faster than images
    scale, shift = phi[f"scale{layer}"].flatten(), phi[f"shift{layer}"].flatten()
    pixels = F.relu(F.batch_norm(pixels, mean, var, scale, shift, training=training, momentum=1.0))
    return pixels.view(x.shape).permute(0, 3, 1, 2)


def _convolve(x: Tensor, weight: Tensor) -> Tensor:
    """x [N, T*C, H, W], weight [T, C', C, 3, 3] -> [N, T*C', H/2, W/2], strided.

    Grouped convolutions of the library are slow for one input channel (above all their gradient) and for many
    groups on few pixels; there a batched product of the 3 x 3 patches with the filters is two to four times faster.
    """
    n_tasks, height, width = len(weight), (x.shape[2] + 1) // 2, (x.shape[3] + 1) // 2
    few_pixels = n_tasks > 1 and height * width <= 4
    if weight.shape[2] > 1 and not few_pixels:
        return F.conv2d(x, weight.flatten(0, 1), stride=2, padding=1, groups=n_tasks)
    x = F.pad(x.permute(0, 2, 3, 1).unflatten(3, (n_tasks, -1)), (0, 0, 0, 0, 1, 1, 1, 1))
    parts = [x[:, i : i + 2 * height - 1 : 2, j : j + 2 * width - 1 : 2] for i in range(3) for j in range(3)]
    patches = torch.stack(parts).permute(4, 1, 2, 3, 0, 5).flatten(4).flatten(1, 3)  # [T, N*H/2*W/2, 9*C]
    filters = weight.permute(0, 3, 4, 2, 1).flatten(1, 3)  # [T, 9*C, C']
    z = (patches @ filters).unflatten(1, (-1, height, width))
    return z.permute(1, 2, 3, 0, 4).flatten(3).permute(0, 3, 1, 2)
