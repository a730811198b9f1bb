"""In-context regression: the limit is the posterior mean, the transformer is causal, tokens hold what they say."""

import pytest
import torch

from utils.learners import in_context
from utils.learners.transformer import transformer, transformer_forward
from utils.tasks.regressions import linear_prompts


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def prompts():
    return linear_prompts(40, 9, seeded(), dim=3)


def test_prompts_have_the_spread_that_was_asked_for():
    p = linear_prompts(4000, 5, seeded(), dim=4, noise=0.5, x_scale=2.0, w_scale=3.0)
    assert p.x.shape == (4000, 5, 4) and p.y.shape == (4000, 5) and p.w.shape == (4000, 4)
    assert abs(p.x.std().item() - 2) < 0.05 and abs(p.w.std().item() - 3) < 0.1
    assert abs((p.y - p.clean).std().item() - 0.5) < 0.02
    assert torch.allclose(p.clean[7, 2], p.x[7, 2] @ p.w[7], atol=1e-5)
    assert torch.equal(p.y, linear_prompts(4000, 5, seeded(), 4, 0.5, 2.0, 3.0).y)


def test_ridge_is_the_posterior_mean_and_least_squares_its_limit(prompts):
    x, y = prompts.x.double(), prompts.y.double()
    guess, exact = in_context.ridge(x, y, 1.0), in_context.least_squares(x, y)
    for i in range(1, 9):  # Gaussian conditioning in the space of the points: no matrix of size dim appears
        seen, new = x[:, :i], x[:, i : i + 1]
        kernel = seen @ seen.mT + torch.eye(i, dtype=x.dtype)
        by_kernel = (new @ seen.mT @ torch.linalg.solve(kernel, y[:, :i, None]))[:, 0, 0]
        assert torch.allclose(guess[:, i], by_kernel)
    assert (guess[:, 0] == 0).all() and (exact[:, 0] == 0).all()
    assert torch.allclose(in_context.ridge(x, y, 1e-9)[:, 5:], exact[:, 5:], atol=1e-4)


def test_no_other_penalty_beats_noise_over_prior_variance():
    p = linear_prompts(20000, 7, seeded(1), dim=3, noise=1.5, w_scale=0.75)
    error = {each: (in_context.ridge(p.x, p.y, each) - p.clean).pow(2).mean().item() for each in (1.0, 4.0, 12.0)}
    assert min(error, key=error.get) == 4.0


def test_a_token_holds_its_question_and_the_pair_before(prompts):
    tokens = in_context.pair_tokens(prompts.x, prompts.y)
    assert tokens.shape == (40, 9, 8)
    assert torch.equal(tokens[:, :, :3], prompts.x)
    assert torch.equal(tokens[:, 1:, 3:6], prompts.x[:, :-1]) and torch.equal(tokens[:, 1:, 6], prompts.y[:, :-1])
    assert (tokens[:, 0, 3:] == 0).all() and (tokens[:, 1:, 7] == 1).all()


def test_the_prediction_of_a_point_depends_on_earlier_points_only(prompts):
    theta = transformer(8, 1, 16, 2, seeded())
    theta["read"] = torch.randn(16, 1, generator=seeded(1))
    before = in_context.predict(theta, prompts.x, prompts.y)
    y = prompts.y.clone()
    y[:, 4] += 1
    after = in_context.predict(theta, prompts.x, y)
    assert torch.equal(before[:, :5], after[:, :5])
    assert (before[:, 5:] != after[:, 5:]).any(1).all()


def test_a_token_sees_the_tokens_before_it_as_a_set(prompts):
    theta = transformer(8, 2, 16, 2, seeded())
    theta["read"] = torch.randn(16, 2, generator=seeded(1))
    tokens = torch.randn(5, 6, 8, generator=seeded(2))
    shuffled = tokens[:, [0, 1, 3, 2, 4, 5]]
    one_layer = {name: p for name, p in theta.items() if not name.endswith("2") or name == "norm"}
    read = [transformer_forward(one_layer, t)[:, 4:] for t in (tokens, shuffled)]
    assert torch.allclose(*read, atol=1e-5)  # no positions: with one layer the order of the past cannot matter


def test_training_goes_from_the_prior_towards_ridge():
    theta = in_context.meta_train(400, seeded(), dim=2, n_points=8)
    p = linear_prompts(2000, 8, seeded(5), dim=2)
    with torch.no_grad():
        error = (in_context.predict(theta, p.x, p.y) - p.clean).pow(2).mean(0)
    optimal, prior = (in_context.ridge(p.x, p.y, 1.0) - p.clean).pow(2).mean(0), p.clean.pow(2).mean(0)
    share = in_context.share_of_the_way(error, prior, optimal)[7]
    assert 0.7 < share < 1


def test_interleaved_tokens_alternate_questions_and_answers(prompts):
    tokens = in_context.interleaved_tokens(prompts.x, prompts.y)
    assert tokens.shape == (40, 18, 4)
    assert torch.equal(tokens[:, 0::2, :3], prompts.x) and torch.equal(tokens[:, 1::2, 3], prompts.y)
    assert (tokens[:, 0::2, 3] == 0).all() and (tokens[:, 1::2, :3] == 0).all()


def test_positions_number_the_tokens_and_refuse_more_than_they_can_count(prompts):
    tokens = in_context.with_positions(in_context.pair_tokens, 12)(prompts.x, prompts.y)
    assert torch.equal(tokens[:, :, :8], in_context.pair_tokens(prompts.x, prompts.y))
    assert torch.equal(tokens[7, :, 8:], torch.eye(12)[:9])
    with pytest.raises(ValueError, match="at most 17 tokens, found 18"):
        in_context.with_positions(in_context.interleaved_tokens, 17)(prompts.x, prompts.y)


@pytest.mark.parametrize("layout", [in_context.pair_tokens, in_context.interleaved_tokens])
def test_every_layout_is_read_before_the_answer_stands_there(prompts, layout):
    theta = transformer(layout(prompts.x, prompts.y).shape[2], 1, 16, 2, seeded())
    theta["read"] = torch.randn(16, 1, generator=seeded(1))
    y = prompts.y.clone()
    y[:, 4] += 1
    before, after = (in_context.predict(theta, prompts.x, values, layout) for values in (prompts.y, y))
    assert before.shape == prompts.y.shape
    assert torch.equal(before[:, :5], after[:, :5]) and (before[:, 5:] != after[:, 5:]).any(1).all()


def test_implicit_weights_of_a_linear_rule_are_its_weights(prompts):
    x, y = prompts.x.double(), prompts.y.double()
    with torch.no_grad():
        found = in_context.implicit_weights(lambda x, y: in_context.ridge(x, y, 2.0), x, y)
    seen = x[:, :-1]
    w = torch.linalg.solve(seen.mT @ seen + 2 * torch.eye(3, dtype=x.dtype), seen.mT @ y[:, :-1, None])[..., 0]
    assert torch.allclose(found, w)


def test_implicit_weights_of_a_network_are_its_slope_at_the_query(prompts):
    theta = transformer(8, 1, 16, 2, seeded())
    theta = {name: p.detach().double() for name, p in theta.items()}
    theta["read"] = torch.randn(16, 1, generator=seeded(1)).double()
    x, y, step = prompts.x.double(), prompts.y.double(), 1e-5
    found = in_context.implicit_weights(lambda x, y: in_context.predict(theta, x, y), x, y)
    for i in range(3):
        up, down = x.clone(), x.clone()
        up[:, -1, i] += step
        down[:, -1, i] -= step
        slope = (in_context.predict(theta, up, y) - in_context.predict(theta, down, y))[:, -1] / (2 * step)
        assert torch.allclose(found[:, i], slope, atol=1e-7)
    assert not x.requires_grad


def test_training_takes_the_size_and_the_layout_that_it_is_told():
    layout = in_context.with_positions(in_context.interleaved_tokens, 10)
    theta = in_context.meta_train(1, seeded(), dim=2, n_points=4, width=16, layers=1, layout=layout)
    assert theta["embed"].shape == (13, 16) and "qkv1" in theta and "qkv2" not in theta
