"""What the checks of homework 0 give to each function, and what they look at in what comes back.

Reading this file is welcome: it holds no answers. Every exercise has two parts. `inputs(seed)` draws arrays
of random sizes and values; `drive(function, inputs)` calls the function, often on several cases, and returns
what is compared: values, gradients, and arguments that must not change.
"""

import numpy as np
import torch

from utils.grading import Exercise, checker, gradients, tensors


def _float32(inputs):
    return {name: np.asarray(value, np.float32) for name, value in inputs.items()}


def _many(rng, draw, count):
    """`count` draws of {name: array}, stacked along a new first axis."""
    drawn = [draw(rng) for _ in range(count)]
    return {name: np.stack([case[name] for case in drawn]) for name in drawn[0]}


def _number(value, what):
    """A 0-d float32 tensor from a number or a tensor that holds one."""
    value = torch.as_tensor(value)
    if value.numel() != 1:
        raise TypeError(f"your function gives {what} of shape {tuple(value.shape)}, expected a single number")
    return value.detach().reshape(()).float()


def _of_length(rng, size, low, high):
    """A vector in a random direction, with a length between low and high."""
    vector = rng.normal(size=size)
    return vector / np.linalg.norm(vector) * rng.uniform(low, high)


def _pair(rng, size, degrees, ratio):
    """Two vectors with this angle between them; the second is `ratio` times as long as the first."""
    first = _of_length(rng, size, 0.5, 1)
    other = rng.normal(size=size)
    other -= other @ first / (first @ first) * first
    other *= np.linalg.norm(first) / np.linalg.norm(other)
    angle = np.radians(degrees)
    return np.stack([first, ratio * (np.cos(angle) * first + np.sin(angle) * other)])


# Exercise 1: rows of several tasks in mixed order through one trunk and T heads.


def _forward_inputs(seed):
    rng = np.random.default_rng(seed)
    (tasks, inputs, hidden), classes = rng.integers(3, 6, 3), int(rng.integers(2, 5))
    rows = int(rng.integers(9, 14))
    task = rng.permutation(np.arange(rows) % tasks)
    task[:3] = [tasks - 1, 0, tasks - 1]  # never in order
    drawn = {"W": (inputs, hidden + 3), "b": (hidden + 3,), "V": (tasks, hidden + 3, classes),
             "c": (tasks, classes), "x": (rows, inputs)}
    return _float32({name: rng.normal(0, 0.7, shape) for name, shape in drawn.items()}) | {"task": task}


def _forward_drive(shared_forward, inputs):
    given = tensors(inputs)
    leaves = {name: given[name].requires_grad_() for name in ("W", "b", "V", "c")}
    outputs = shared_forward(*leaves.values(), given["x"], given["task"])
    return {"outputs": outputs, "grad": gradients(outputs**2, leaves)}


# Exercise 2: one batch in which every task has rows, and one in which a task has none.


def _weighted_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks = int(rng.integers(3, 6))
    weights = rng.uniform(0.4, 2, tasks)
    weights *= tasks * rng.uniform(1.2, 1.5) / weights.sum()
    absent, inputs = int(rng.integers(tasks)), {}
    for name, present in (("full", list(range(tasks))), ("gap", [t for t in range(tasks) if t != absent])):
        rows = np.repeat(present, 1 + rng.permutation(len(present)))
        inputs[f"task_{name}"] = rng.permutation(rows)
        inputs[f"losses_{name}"] = rng.uniform(0.2, 2, len(rows)).astype(np.float32)
    return inputs | _float32({"weights": weights})


def _weighted_drive(weighted_loss, inputs):
    given, found = tensors(inputs), {}
    for name, words in (("full", "all tasks present"), ("gap", "one task absent")):
        losses = given[f"losses_{name}"].requires_grad_()
        loss = weighted_loss(losses, given[f"task_{name}"], given["weights"])
        found |= {f"loss, {words}": loss, f"gradient, {words}": gradients(loss, [losses])[0]}
    return found


# Exercise 3: both kinds of loss, log-variances of both signs.


def _uncertainty_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks = int(rng.integers(4, 8))
    regression = rng.permutation(np.arange(tasks) % 3 == 0)
    log_var = rng.uniform(0.3, 1.2, tasks) * rng.permutation(np.where(np.arange(tasks) % 2, 1, -1))
    inputs = _float32({"losses": rng.uniform(0.3, 3, tasks), "log_var": log_var})
    return inputs | {"regression": regression.astype(np.int64)}


def _uncertainty_drive(uncertainty_weights, inputs):
    given = tensors(inputs)
    losses, log_var = given["losses"].requires_grad_(), given["log_var"].requires_grad_()
    loss = uncertainty_weights(losses, log_var, given["regression"].bool())
    grads = gradients(loss, [losses, log_var])
    return {"loss": loss, "gradient of losses": grads[0], "gradient of log_var": grads[1]}


# Exercise 4: six cases; in the first one a weight would fall below zero.


def _gradnorm_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks = int(rng.integers(3, 6))

    def draw(rng):
        w = rng.uniform(0.4, 1.6, tasks)
        return {"w": w / w.mean(), "norms": rng.uniform(0.3, 3, tasks), "losses": rng.uniform(0.3, 1.5, tasks),
                "first": rng.uniform(1, 3, tasks), "alpha": rng.uniform(0.5, 1.5), "rate": rng.uniform(0.02, 0.05)}

    cases = _many(rng, draw, 6)
    cases["w"][0] = (tasks - 0.08) / (tasks - 1)
    cases["w"][0, 0] = 0.08
    cases["norms"][0, 0], cases["norms"][0, 1:] = 9, rng.uniform(0.3, 0.5, tasks - 1)
    cases["losses"][0, 0], cases["first"][0, 0] = 0.1, 3
    return _float32(cases)


def _gradnorm_drive(gradnorm_step, inputs):
    given, found = tensors(inputs), {"new w": [], "target": []}
    for w, norms, losses, first, alpha, rate in zip(*given.values(), strict=True):
        pair = gradnorm_step(w, norms, losses, first, alpha.item(), rate.item())
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError("your function should return two things, (new w, target)")
        for name, value in zip(found, pair, strict=True):
            if not isinstance(value, torch.Tensor) or value.shape != w.shape:
                shape = tuple(getattr(value, "shape", ()))
                raise TypeError(f"your function gives {name} of shape {shape}, expected {tuple(w.shape)}")
            found[name].append(value.detach())
    return {name: torch.stack(values) for name, values in found.items()} | {"w_after": given["w"]}


# Exercise 5: three or more tasks, so that the order of projections matters.


def _pcgrad_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks, size = int(rng.integers(3, 6)), int(rng.integers(3, 6))

    def draw(rng):
        others = [[j for j in rng.permutation(tasks) if j != i] for i in range(tasks)]
        return {"G": np.stack([_of_length(rng, size, 0.4, 1.6) for _ in range(tasks)]), "order": np.array(others)}

    cases = _many(rng, draw, 6)
    return _float32({"G": cases["G"]}) | {"order": cases["order"]}


def _pcgrad_drive(pcgrad, inputs):
    given = tensors(inputs)
    handed = [(G.clone(), order.clone()) for G, order in zip(given["G"], given["order"], strict=True)]
    updates = [pcgrad(G, order) for G, order in handed]
    return {"updates": torch.stack(updates), "G_after": torch.stack([G for G, _ in handed])}


# Exercise 6: pairs whose shortest mixture lies inside, pairs whose shortest mixture is an end, and equal gradients.


def _mgda_inputs(seed):
    rng = np.random.default_rng(seed)
    size, kinds = int(rng.integers(2, 7)), []
    for _ in range(3):
        kinds += [(rng.uniform(100, 160), rng.uniform(1.5, 3)), (rng.uniform(70, 85), rng.uniform(0.6, 0.9))]
        kinds += [(rng.uniform(10, 50), rng.uniform(2, 4)), (rng.uniform(10, 50), rng.uniform(0.2, 0.5))]
    pairs = np.stack([_pair(rng, size, *kinds[k]) for k in rng.permutation(len(kinds))])
    return _float32({"pairs": pairs, "equal": _of_length(rng, size, 0.5, 1)})


def _mgda_drive(mgda_two_tasks, inputs):
    given = tensors(inputs)
    alphas = [_number(mgda_two_tasks(*pair), "alpha") for pair in given["pairs"].double()]
    same = _number(mgda_two_tasks(given["equal"].double(), given["equal"].double()), "alpha")
    outside = (same - same.clamp(0, 1)).abs()  # any weight from 0 to 1 is right, a NaN is not
    return {"alpha": torch.stack(alphas), "equal gradients": outside}


# Exercise 7: short gradients, so that any careful one-dimensional search is close enough.


def _cagrad_inputs(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 7))

    def draw(rng):
        G = rng.uniform(0.08, 0.16) * _pair(rng, size, rng.uniform(100, 145), rng.uniform(1.15, 1.5))
        return {"G": G[rng.permutation(2)], "c": rng.uniform(0.4, 0.8)}

    return _float32(_many(rng, draw, 8))


def _cagrad_drive(cagrad, inputs):
    given = tensors(inputs)
    updates = [cagrad(G.double(), c.item()) for G, c in zip(given["G"], given["c"], strict=True)]
    return {"updates": torch.stack(updates).float()}


# Exercise 8: eight pairs of gradients, each of another kind, in random order.


def _stationary_inputs(seed):
    rng = np.random.default_rng(seed)
    size, tol = int(rng.integers(2, 7)), rng.uniform(0.01, 0.05)
    kinds = {
        "opposite": _pair(rng, size, 180, rng.uniform(2, 4)),
        "opposite and equally long": _pair(rng, size, 180, 1),
        "long, nearly opposite": 50 * _pair(rng, size, 180 - 10 * tol, rng.uniform(1, 2)),
        "one nearly zero": _pair(rng, size, rng.uniform(60, 85), tol / 20),
        "150 degrees apart": _pair(rng, size, 150, rng.uniform(0.7, 1.4)),
        "parallel": _pair(rng, size, 0, rng.uniform(2, 4)),
        "short, 60 degrees apart": tol / 10 * _pair(rng, size, 60, rng.uniform(0.7, 1.4)),
        "not quite opposite": _pair(rng, size, 180 - np.degrees(tol**0.5), rng.uniform(0.8, 1.25)),
    }
    return _float32(kinds | {"tol": tol}) | {"order": rng.permutation(len(kinds))}


def _stationary_drive(pareto_stationary, inputs):
    given = tensors(inputs)
    tol, order = given.pop("tol"), given.pop("order").tolist()
    kinds, found = list(given), {}
    for kind in (kinds[k] for k in order):
        found[kind] = bool(pareto_stationary(given[kind].clone(), tol))
    return {kind: np.array(found[kind]) for kind in kinds}


# Exercise 9: a tiny network with a shared layer and a head for each task, some steps of plain gradient descent.


def tiny_loss(theta, x, y, task):
    """Mean squared error of tanh(x w) v_task; theta {"w": [D, H], "v": [T, H]}, x [N, D], y [N] -> a scalar."""
    return ((torch.tanh(x @ theta["w"]) @ theta["v"][task] - y) ** 2).mean()


def _training_inputs(seed):
    rng = np.random.default_rng(seed)
    (tasks, steps, size), hidden = rng.integers(3, 6, 3), int(rng.integers(3, 6))
    rows = int(rng.integers(4, 8))
    weights = rng.uniform(0.5, 2, tasks)
    weights *= tasks * rng.uniform(1.2, 1.4) / weights.sum()
    drawn = {"w": rng.normal(0, 0.5, (size, hidden)), "v": rng.normal(0, 0.7, (tasks, hidden)),
             "x": rng.normal(0, 1, (steps, tasks, rows, size)), "y": rng.normal(0, 1, (steps, tasks, rows))}
    return _float32(drawn | {"weights": weights, "rate": rng.uniform(0.05, 0.1)})


def _training_drive(train_together, inputs):
    given = tensors(inputs)
    theta = {name: given[name].requires_grad_() for name in ("w", "v")}
    batches = [list(zip(x, y, strict=True)) for x, y in zip(given["x"], given["y"], strict=True)]
    opt = torch.optim.SGD(theta.values(), lr=given["rate"])
    trained = train_together(theta, tiny_loss, batches, given["weights"], opt)
    if not isinstance(trained, dict) or trained.keys() != theta.keys():
        raise TypeError("your function should return theta, the dict of parameters that it has trained")
    return {f"theta_{name}": value.detach() for name, value in trained.items()}


EXERCISES = [
    Exercise("shared_forward", points=2, minutes=10, inputs=_forward_inputs, drive=_forward_drive),
    Exercise("weighted_loss", points=2, minutes=10, inputs=_weighted_inputs, drive=_weighted_drive),
    Exercise("uncertainty_weights", points=3, minutes=15, inputs=_uncertainty_inputs, drive=_uncertainty_drive),
    Exercise("gradnorm_step", points=3, minutes=20, inputs=_gradnorm_inputs, drive=_gradnorm_drive),
    Exercise("pcgrad", points=3, minutes=20, inputs=_pcgrad_inputs, drive=_pcgrad_drive),
    Exercise("mgda_two_tasks", points=3, minutes=15, inputs=_mgda_inputs, drive=_mgda_drive),
    Exercise("cagrad", points=3, minutes=25, inputs=_cagrad_inputs, drive=_cagrad_drive),
    Exercise("pareto_stationary", points=2, minutes=10, inputs=_stationary_inputs, drive=_stationary_drive),
    Exercise("train_together", points=3, minutes=15, inputs=_training_inputs, drive=_training_drive),
]

check = checker(__file__, EXERCISES)
