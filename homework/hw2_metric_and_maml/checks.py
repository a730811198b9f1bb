"""What the checks of homework 2 give to each function, and what they look at in what comes back.

Reading this file is welcome: it holds no answers. Every exercise has two parts. `inputs(seed)` draws arrays
of random sizes and values; `drive(function, inputs)` builds what the function needs (a small network and its
loss), calls it, and returns what is compared: values, gradients, and arguments that must not change.
"""

import numpy as np
import torch

from utils.grading import Exercise, checker, gradients, tensors


def network_loss(theta, x, y):
    """Mean squared error of a network with one hidden layer of tanh units.

    One task: theta {"w1": [1, H], "b1": [1, H], "w2": [H, 1]}, x and y [S, 1] -> a scalar.
    T tasks at once: each tensor of theta with a leading T, x and y [T, S, 1] -> [T], one loss a task.
    """
    prediction = torch.tanh(x @ theta["w1"] + theta["b1"]) @ theta["w2"]
    return ((prediction - y) ** 2).mean(dim=(-2, -1))


def _float32(inputs):
    return {name: np.asarray(value, np.float32) for name, value in inputs.items()}


def _leaves(given, prefix):
    """The tensors named PREFIX_NAME as {NAME: a parameter that asks for gradients}."""
    return {name.removeprefix(prefix): value.requires_grad_()
            for name, value in given.items() if name.startswith(prefix)}


def _copies(theta):
    if not isinstance(theta, dict):
        raise TypeError("expected a dict {name: tensor} with the names of theta")
    return {name: value.detach().clone() for name, value in theta.items()}


# Exercises 1 to 3: embeddings of a support set with unequal numbers of shots, in shuffled order.


def _embedding_inputs(seed):
    rng = np.random.default_rng(seed)
    way, dim, n_query = int(rng.integers(3, 6)), int(rng.integers(5, 9)), int(rng.integers(6, 12))
    shots = np.concatenate([[1, 2, 4], rng.integers(1, 4, way - 3)])
    y_support = rng.permutation(np.repeat(rng.permutation(way), shots))
    y_query = rng.integers(0, way, n_query)
    centres = rng.normal(0, 0.3, (way, dim))
    z_support = centres[y_support] + rng.normal(0, 0.4, (len(y_support), dim))
    z_query = centres[y_query] + rng.normal(0, 0.4, (n_query, dim))
    labels = {"way": np.array(way), "y_support": y_support, "y_query": y_query}
    return labels | _float32({"z_support": z_support, "z_query": z_query})


def _prototypes_drive(prototypes, inputs):
    given = tensors(inputs)
    z = given["z_support"].requires_grad_()
    found = prototypes(z, given["y_support"], given["way"])
    return {"prototypes": found, "grad_z": gradients(found**2, [z])[0]}


def _logits_inputs(seed):
    rng = np.random.default_rng(seed)
    way, dim, n_query = int(rng.integers(3, 6)), int(rng.integers(5, 9)), int(rng.integers(6, 12))
    return _float32({"query": rng.normal(0, 0.7, (n_query, dim)), "prototypes": rng.normal(0, 0.7, (way, dim))})


def _logits_drive(proto_logits, inputs):
    given = tensors(inputs)
    logits = proto_logits(given["query"], given["prototypes"])
    return {"logits": logits, "logp": logits.log_softmax(-1)}


def _proto_loss_drive(proto_loss, inputs):
    given = tensors(inputs)
    embedded = {part: given[f"z_{part}"].requires_grad_() for part in ("support", "query")}
    loss = proto_loss(embedded["support"], given["y_support"], embedded["query"], given["y_query"], given["way"])
    return {"loss": loss, "grad": gradients(loss, embedded)}


# Exercises 4 to 8: a small tanh network; support and query sets have different sizes.


def _regression_inputs(seed):
    rng = np.random.default_rng(seed)
    hidden, tasks, shots = int(rng.integers(3, 6)), int(rng.integers(3, 6)), int(rng.integers(4, 7))
    inputs = {}
    for name, shape in {"w1": (1, hidden), "b1": (1, hidden), "w2": (hidden, 1)}.items():
        inputs[f"theta_{name}"] = rng.normal(0, 0.8, shape)
        inputs[f"rates_{name}"] = rng.uniform(0.05, 0.2, shape)
        inputs[f"rates_{name}"][0, 0] *= -1  # a learned rate may be negative
    amplitude, phase = rng.uniform(0.8, 2, (tasks, 1, 1)), rng.uniform(0, 3, (tasks, 1, 1))
    for part, size in (("support", shots), ("query", shots + 2)):
        x = rng.uniform(-2, 2, (tasks, size, 1))
        inputs |= {f"{part}_x": x, f"{part}_y": amplitude * np.sin(x + phase)}
    inputs |= {"lr": rng.uniform(0.06, 0.12), "outer_lr": rng.uniform(0.2, 0.4)}
    return _float32(inputs) | {"steps": np.array(rng.integers(3, 5))}


def _all_tasks(given):
    """(support, query) of all T tasks, each a pair (x, y) of tensors [T, S, 1]."""
    return [(given[f"{part}_x"], given[f"{part}_y"]) for part in ("support", "query")]


def _first_task(given):
    """(support, query) of one task, each a pair (x, y) of tensors [S, 1]."""
    return [(x[0], y[0]) for x, y in _all_tasks(given)]


def _inner_step_drive(inner_step, inputs):
    given = tensors(inputs)
    theta, (support, query) = _leaves(given, "theta_"), _first_task(given)
    handed = dict(theta)
    phi = inner_step(network_loss, handed, support, given["lr"])
    found = {"phi": _copies(phi), "meta": gradients(network_loss(phi, *query), theta)}
    return found | {"theta_after": _copies(handed)}


def _outer_loss_drive(outer_loss, inputs):
    given = tensors(inputs)
    theta, (support, query) = _leaves(given, "theta_"), _all_tasks(given)
    handed = dict(theta)
    loss = outer_loss(network_loss, handed, support, query, given["lr"], given["steps"])
    return {"loss": loss, "meta": gradients(loss, theta), "theta_after": _copies(handed)}


def _first_order_drive(first_order_update, inputs):
    given = tensors(inputs)
    theta, (support, query) = _leaves(given, "theta_"), _all_tasks(given)
    new = first_order_update(network_loss, theta, support, query, given["lr"], given["steps"], given["outer_lr"])
    return {"new": _copies(new), "theta_after": _copies(theta)}


def _reptile_inputs(seed):
    rng = np.random.default_rng(seed)
    tasks, (rows, columns) = int(rng.integers(3, 7)), rng.integers(2, 5, 2).tolist()
    inputs = {"epsilon": rng.uniform(0.38, 0.46)}
    for name, shape in (("w", (rows, columns)), ("b", (columns,))):
        theta = rng.normal(0, 1, shape)
        inputs |= {f"theta_{name}": theta, f"phis_{name}": 0.5 * theta + rng.normal(0.4, 0.6, (tasks, *shape))}
    return _float32(inputs)


def _reptile_drive(reptile_update, inputs):
    given = tensors(inputs)
    theta, phis = ({name: given[f"{prefix}_{name}"] for name in "wb"} for prefix in ("theta", "phis"))
    new = reptile_update(theta, phis, given["epsilon"])
    return {"new": _copies(new), "theta_after": _copies(theta)}


def _learned_rates_drive(learned_inner_rates, inputs):
    given = tensors(inputs)
    theta, rates = _leaves(given, "theta_"), _leaves(given, "rates_")
    support, query = _first_task(given)
    handed = dict(theta)
    phi = learned_inner_rates(network_loss, handed, rates, support)
    loss = network_loss(phi, *query)
    found = {"phi": _copies(phi), "meta": gradients(loss, theta), "rate": gradients(loss, rates)}
    return found | {"theta_after": _copies(handed)}


EXERCISES = [
    Exercise("prototypes", points=2, minutes=10, inputs=_embedding_inputs, drive=_prototypes_drive),
    Exercise("proto_logits", points=2, minutes=10, inputs=_logits_inputs, drive=_logits_drive),
    Exercise("proto_loss", points=3, minutes=15, inputs=_embedding_inputs, drive=_proto_loss_drive),
    Exercise("inner_step", points=4, minutes=20, inputs=_regression_inputs, drive=_inner_step_drive),
    Exercise("outer_loss", points=4, minutes=25, inputs=_regression_inputs, drive=_outer_loss_drive),
    Exercise("first_order_update", points=4, minutes=20, inputs=_regression_inputs, drive=_first_order_drive),
    Exercise("reptile_update", points=2, minutes=10, inputs=_reptile_inputs, drive=_reptile_drive),
    Exercise("learned_inner_rates", points=3, minutes=15, inputs=_regression_inputs, drive=_learned_rates_drive),
]

check = checker(__file__, EXERCISES)
