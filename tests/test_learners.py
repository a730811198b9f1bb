"""Learners against finite differences, a plain one-task loop, closed forms and invariances."""

import pytest
import torch

from utils.learners import maml, protonet
from utils.learners.networks import conv_features, conv_statistics, convnet, linear, mlp, mlp_forward, repeat, trainable
from utils.tasks.episodes import Episodes
from utils.tasks.sinusoids import sinusoid_episodes


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def sine_loss(phi, x, y):
    return maml.mean_squared_error(torch.tanh(linear(x, phi["w1"], phi["b1"])) @ phi["w2"], y)


@pytest.fixture
def small():
    """A tanh network, its rates and four episodes, all in float64."""
    g = seeded()
    shapes = {"w1": (1, 5), "b1": (1, 5), "w2": (5, 1)}
    theta = trainable({name: torch.randn(shape, generator=g).double() for name, shape in shapes.items()})
    rates = {name: (0.05 + 0.1 * torch.rand(p.shape, generator=g)).double() for name, p in theta.items()}
    e = sinusoid_episodes(4, 6, 7, g)
    return theta, rates, Episodes(*(part.double() for part in (*e.support, *e.query)))


def plain_loop(theta, episodes, rates, steps, second_order=True):
    """MAML as most people write it: one task after the other."""
    total = 0
    for t in range(len(episodes)):
        phi = dict(theta)
        for _ in range(steps):
            hidden = torch.tanh(episodes.support_x[t] @ phi["w1"] + phi["b1"]) @ phi["w2"]
            loss = (hidden - episodes.support_y[t]).pow(2).mean()
            gradients = torch.autograd.grad(loss, list(phi.values()), create_graph=second_order)
            phi = {name: p - rates[name] * g for (name, p), g in zip(phi.items(), gradients, strict=True)}
        hidden = torch.tanh(episodes.query_x[t] @ phi["w1"] + phi["b1"]) @ phi["w2"]
        total = total + (hidden - episodes.query_y[t]).pow(2).mean()
    return total / len(episodes)


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("second_order", [True, False])
def test_meta_gradient_equals_a_plain_loop(small, steps, second_order):
    theta, rates, episodes = small
    ours = maml.meta_loss(sine_loss, theta, episodes, rates, steps, second_order)
    plain = plain_loop(theta, episodes, rates, steps, second_order)
    torch.testing.assert_close(ours, plain)
    for a, b in zip(
        torch.autograd.grad(ours, list(theta.values())), torch.autograd.grad(plain, list(theta.values())), strict=True
    ):
        torch.testing.assert_close(a, b)


def test_second_order_passes_finite_differences_and_first_order_does_not(small):
    theta, rates, episodes = small

    def value(*parameters, second_order):
        phi = dict(zip(theta, parameters, strict=True))
        return maml.meta_loss(sine_loss, phi, episodes, rates, 2, second_order)

    parameters = tuple(theta.values())
    assert torch.autograd.gradcheck(lambda *p: value(*p, second_order=True), parameters)
    assert not torch.autograd.gradcheck(
        lambda *p: value(*p, second_order=False), parameters, raise_exception=False
    )


def test_learned_rates_have_the_closed_form_gradient(small):
    """d L_Q(phi) / d rate = - grad L_Q(phi) * grad L_S(theta), elementwise, after one step."""
    theta, rates, episodes = small
    rates, one = trainable(rates), episodes[:1]
    loss = maml.meta_loss(sine_loss, theta, one, rates, 1)
    found = torch.autograd.grad(loss, list(rates.values()))
    start = repeat(theta, 1)
    inner = torch.autograd.grad(sine_loss(start, *one.support).sum(), list(start.values()))
    moved = {name: p - rates[name] * g for (name, p), g in zip(start.items(), inner, strict=True)}
    phi = {name: p.detach().requires_grad_() for name, p in moved.items()}
    outer = torch.autograd.grad(sine_loss(phi, *one.query).sum(), list(phi.values()))
    for f, i, o in zip(found, inner, outer, strict=True):
        torch.testing.assert_close(f, -(i * o)[0])


def test_parameters_without_a_rate_stay(small):
    theta, rates, episodes = small
    phi = maml.adapt(sine_loss, repeat(theta, 4), episodes.support, {"w2": 0.1}, 2)
    assert torch.equal(phi["w1"][3], theta["w1"]) and not torch.equal(phi["w2"][3], theta["w2"])


def test_tasks_at_once_equal_tasks_one_by_one(small):
    theta, rates, episodes = small
    together = maml.adaptation_curve(sine_loss, sine_loss, theta, episodes, rates, 3)
    alone = [maml.adaptation_curve(sine_loss, sine_loss, theta, episodes[t : t + 1], rates, 3) for t in range(4)]
    torch.testing.assert_close(together, torch.cat(alone, dim=1))


def test_adaptation_curve_agrees_with_the_meta_loss_and_leaves_theta_alone(small):
    theta, rates, episodes = small
    before = {name: p.clone() for name, p in theta.items()}
    curve = maml.adaptation_curve(sine_loss, sine_loss, theta, episodes, 0.05, 2).mean(1)
    for steps in range(3):
        torch.testing.assert_close(curve[steps], maml.meta_loss(sine_loss, theta, episodes, 0.05, steps).detach())
    assert all(torch.equal(before[name], theta[name]) and theta[name].grad is None for name in theta)


def test_anil_is_maml_with_rates_for_the_head_alone():
    g = seeded()
    body, head = mlp((1, 8, 6), g), mlp((6, 1), g)
    episodes = sinusoid_episodes(3, 5, 5, g)
    anil = maml.anil_loss(mlp_forward, lambda p, z, y: maml.mean_squared_error(mlp_forward(p, z), y),
                          body, head, episodes, 0.1, 2)
    both = body | {"w3": head["w1"], "b3": head["b1"]}

    def whole(phi, x, y):
        z = mlp_forward({name: phi[name] for name in body}, x)
        return maml.mean_squared_error(linear(z, phi["w3"], phi["b3"]), y)

    torch.testing.assert_close(anil, maml.meta_loss(whole, both, episodes, {"w3": 0.1, "b3": 0.1}, 2))


def test_conv_features_of_many_tasks_equal_each_task_alone():
    g = seeded()
    theta, x = convnet((4, 6), g), torch.randn(3, 5, 28, 28, generator=g)
    phi = {name: p + 0.1 * torch.randn(3, *p.shape, generator=g) for name, p in theta.items()}
    together = conv_features(phi, x)
    assert together.shape == (3, 5, 6 * 7 * 7)
    for t in range(3):
        alone = conv_features({name: p[t : t + 1] for name, p in phi.items()}, x[t : t + 1])
        torch.testing.assert_close(together[t], alone[0], rtol=1e-4, atol=1e-4)


def test_with_statistics_an_image_does_not_see_its_neighbours():
    g = seeded()
    theta, x = convnet((4, 6), g), torch.randn(50, 28, 28, generator=g)
    statistics = conv_statistics(theta, x)
    many = conv_features(repeat(theta, 1), x[None], statistics)
    one = conv_features(repeat(theta, 1), x[None, :1], statistics)
    torch.testing.assert_close(many[:, :1], one, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(many, conv_features(repeat(theta, 1), x[None]), rtol=1e-2, atol=1e-2)


def test_prototypes_are_class_means_whatever_the_order_and_the_shots():
    g = seeded()
    y = torch.tensor([[2, 0, 1, 1, 2, 2], [0, 0, 1, 2, 2, 1]])
    z = torch.randn(2, 6, 3, generator=g)
    found = protonet.prototypes(z, y, 3)
    for t in range(2):
        for c in range(3):
            torch.testing.assert_close(found[t, c], z[t][y[t] == c].mean(0))
    order = torch.randperm(6, generator=g)
    torch.testing.assert_close(found, protonet.prototypes(z[:, order], y[:, order], 3))


def test_proto_logits_are_squared_distances():
    g = seeded()
    q, c = torch.randn(2, 7, 3, generator=g), torch.randn(2, 4, 3, generator=g)
    torch.testing.assert_close(protonet.proto_logits(q, c), -torch.cdist(q, c).pow(2), rtol=1e-4, atol=1e-5)


def test_every_image_is_the_prototype_once_and_a_query_elsewhere():
    z = torch.arange(12.0).view(3, 4, 1)
    tasks = protonet.every_image_a_prototype(z)
    assert len(tasks) == 4
    for k in range(4):
        assert tasks.support_x[k, :, 0].tolist() == z[:, k, 0].tolist()
        used = torch.cat([tasks.support_x[k], tasks.query_x[k]]).flatten().sort().values
        assert used.tolist() == list(range(12))
        assert (tasks.query_x[k, :, 0] // 4).long().tolist() == tasks.query_y[k].tolist()


def test_cross_entropy_and_accuracy_are_per_task():
    g = seeded()
    logits, y = torch.randn(3, 8, 5, generator=g), torch.randint(0, 5, (3, 8), generator=g)
    for t in range(3):
        torch.testing.assert_close(maml.cross_entropy(logits, y)[t], torch.nn.functional.cross_entropy(logits[t], y[t]))
        assert maml.accuracy(logits, y)[t] == (logits[t].argmax(1) == y[t]).float().mean()


def test_few_shot_accuracy_is_chance_on_noise_and_perfect_on_separate_classes():
    g = seeded()
    noise = protonet.few_shot_accuracy(torch.randn(30, 20, 8, generator=g), 5, 1, 250, g)
    assert noise.shape == (250,) and abs(noise.mean() - 0.2) < 0.02
    apart = 100 * torch.randn(30, 1, 8, generator=g) + torch.randn(30, 20, 8, generator=g)
    assert protonet.few_shot_accuracy(apart, 20, 5, 30, g).mean() > 0.999
