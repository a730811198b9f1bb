"""The few-shot recipe: its first layer, its optimiser and its loss against the plain versions."""

import pytest
import torch

from utils.learners import protonet
from utils.learners.muon import Muon, orthogonal
from utils.learners.networks import _convolve, conv_features, convnet, repeat


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_many_way_loss_equals_the_one_shot_tasks_one_by_one():
    g = seeded()
    theta = convnet((4, 6), g) | {"log_scale": torch.tensor(0.7, requires_grad=True)}
    images = torch.randn(5, 3, 12, 12, generator=g)
    z = conv_features(repeat(theta, 1), images.flatten(0, 1)[None]).view(5, 3, -1)
    temperature = z.shape[-1] / theta["log_scale"].exp()
    expected = protonet.proto_loss(protonet.every_image_a_prototype(z), 5, temperature).mean()
    torch.testing.assert_close(protonet.many_way_loss(theta, images), expected)


@pytest.mark.parametrize("size", [(12, 12), (13, 10)])
def test_the_first_layer_is_a_strided_convolution(size):
    g = seeded()
    x, weight = torch.randn(4, 1, *size, generator=g), torch.randn(1, 5, 1, 3, 3, generator=g, requires_grad=True)
    found, expected = _convolve(x, weight), torch.nn.functional.conv2d(x, weight[0], stride=2, padding=1)
    torch.testing.assert_close(found, expected)
    upstream = torch.randn(found.shape, generator=g)
    gradients = [torch.autograd.grad(z, weight, upstream)[0] for z in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_muon_turns_filters_without_changing_their_length():
    g = seeded()
    gradient = torch.randn(6, 20, generator=g)
    u, _, v = torch.linalg.svd(gradient, full_matrices=False)
    for matrix, nearest in ((gradient, u @ v), (gradient.T, (u @ v).T)):
        assert (orthogonal(matrix, rounds=5) - nearest).norm() < 0.3 * nearest.norm()
    weight = torch.randn(6, 5, 2, 2, generator=g, requires_grad=True)
    before = weight.detach() / weight.detach().norm() * 6**0.5
    (weight * gradient.view_as(weight)).sum().backward()
    Muon([weight], lr=0.1).step()
    step = 0.1 * orthogonal(gradient).view_as(weight)
    torch.testing.assert_close(before - weight.detach(), step, rtol=1e-3, atol=1e-5)


def test_meta_train_learns_and_repeats_itself():
    g = seeded()
    shapes = (torch.rand(30, 1, 12, 12, generator=g) < 0.4).float()
    noisy = (200 * shapes + 50 * torch.rand(30, 8, 12, 12, generator=g)).to(torch.uint8)
    losses = []
    arguments = {"widths": (4, 8), "n_way": 15, "n_images": 3}
    theta = protonet.meta_train(noisy, 40, seeded(), report=losses.append, **arguments)
    assert len(losses) == 40 and losses[-1] < 0.4 * losses[0]
    again = protonet.meta_train(noisy, 40, seeded(), **arguments)
    assert all(torch.equal(theta[name], again[name]) for name in theta)


def test_principal_keeps_the_directions_that_vary_most():
    g = seeded()
    turn = torch.linalg.qr(torch.randn(6, 6, generator=g)).Q
    hidden = torch.randn(40, 9, 6, generator=g) * torch.tensor([5.0, 3.0, 1e-3, 1e-3, 1e-3, 1e-3])
    z = hidden @ turn + 7
    main = protonet.principal(z, 2)
    found = main(z)
    assert found.shape == (40, 9, 2)
    torch.testing.assert_close(found.std(), torch.tensor(1.0))
    torch.testing.assert_close(found.mean((0, 1)), torch.zeros(2), atol=1e-4, rtol=0)
    scale = torch.cdist(z[:5, 0], z[5:9, 0]) / torch.cdist(found[:5, 0], found[5:9, 0])
    assert scale.std() < 0.01 * scale.mean()
