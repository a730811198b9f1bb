"""What the checks of homework 1 give to each function, and what they look at in what comes back.

Reading this file is welcome: it holds no answers. Every exercise has two parts. `inputs(seed)` draws arrays of random
sizes and values; `drive(function, inputs)` builds what the function needs (a small network), calls it, and returns
what is compared: values, gradients, and arguments that must not change. A sampler has no right values; it is called
some hundred times, and a fault that `_episode_findings` sees in its episodes is one more output, which no right sampler
has. In grading that function runs where no student's code is.
"""

import numpy as np
import torch

from utils.grading import Exercise, checker, gradients, tensors

PARTS = "support_x", "support_y", "query_x", "query_y"
N_EPISODES, N_AGAIN = 400, 3
FAULTS = (  # the gravest first: it alone is reported
    "episodes that do not change", "labels other than 0 to way - 1", "one class under two labels",
    "images without their labels", "unequal numbers for each label", "an image twice in one set",
    "query images in the support set", "classes drawn unequally", "labels that can be memorised",
    "labels that follow from the position", "queries in blocks by class", "queries in rounds of all classes",
    "instances drawn unequally", "the same instances for all classes", "draws beside the generator",
)


def _float32(inputs):
    return {name: np.asarray(value, np.float32) for name, value in inputs.items()}


# Exercise 1: every image carries its own number, class * M + instance, in all of its pixels.


def _episode_inputs(seed):
    rng = np.random.default_rng(seed)
    n_classes, n_instances, way = rng.integers(8, 12), rng.integers(6, 9), rng.integers(3, 6)
    numbers = np.arange(n_classes * n_instances).reshape(n_classes, n_instances, 1, 1)
    shot, query = ((2, 3), (3, 2))[rng.integers(2)]
    sizes = {"way": way, "shot": shot, "query": query, "seed": rng.integers(10**6)}
    return _float32({"images": np.tile(numbers, (1, 1, 2, 3))}) | {n: np.array(v) for n, v in sizes.items()}


def _episode_drive(sample_episode, inputs):
    given = tensors(inputs)
    images, way, shot, query = (given[name] for name in ("images", "way", "shot", "query"))

    def draw(count):
        generator = torch.Generator().manual_seed(given["seed"])
        return [_parts(sample_episode(images.clone(), way, shot, query, generator)) for _ in range(count)]

    first = draw(1)[0]
    outputs = dict(zip(PARTS, first, strict=True))
    if [tuple(part.shape) for part in first] == _wanted(inputs):  # else their shapes say it
        for of, count in (("all", N_EPISODES), ("again", N_AGAIN)):
            outputs |= {f"{of} {name}": part for name, part in zip(PARTS, _numbers(draw(count), images), strict=True)}
    return outputs


def _episode_findings(outputs, inputs):
    """Zeros in the shapes of one episode, and the gravest fault of all episodes, if they have one."""
    found = {name: np.zeros_like(outputs[name]) for name in PARTS}
    if [part.shape for part in found.values()] != _wanted(inputs):
        return found
    numbers, again = ([outputs[f"{of} {name}"] for name in PARTS] for of in ("all", "again"))
    n_images, way = inputs["images"][..., 0, 0].size, int(inputs["way"])
    sizes = [shape[0] for shape in _wanted(inputs)]
    for count, parts in ((N_EPISODES, numbers), (N_AGAIN, again)):
        if [(part.shape, part.dtype) for part in parts] != [((count, size), np.int64) for size in sizes]:
            raise ValueError("these are not the numbers that the drive makes")
    if not all(((part >= 0) & (part < n_images)).all() for part in numbers[::2]):
        raise ValueError("these are not numbers of images")
    faults = _faults(numbers, inputs["images"].shape, way, int(inputs["shot"]), int(inputs["query"]))
    faults["draws beside the generator"] = any((a[:N_AGAIN] != b).any() for a, b in zip(numbers, again, strict=True))
    return found | {name: np.array(1) for name in [name for name in FAULTS if faults.get(name)][:1]}


def _wanted(inputs):
    """The shapes of an episode's four parts."""
    way, size = int(inputs["way"]), inputs["images"].shape[2:]
    return [shape for n in (int(inputs["shot"]), int(inputs["query"])) for shape in ((way * n, *size), (way * n,))]


def _parts(episode):
    if not isinstance(episode, (tuple, list)) or len(episode) != 4 or not all(map(torch.is_tensor, episode)):
        raise TypeError("your function should return four tensors: support_x, support_y, query_x, query_y")
    return tuple(episode)


def _numbers(episodes, images):
    """support images [E, S], support labels [E, S], query images [E, Q], query labels [E, Q], as whole numbers."""
    try:
        parts = [torch.stack(part) for part in zip(*episodes, strict=True)]
    except RuntimeError:
        raise TypeError("your function returns tensors whose shapes change from episode to episode") from None
    numbers = [part[..., 0, 0] if part.ndim > 2 else part for part in parts]
    if not torch.isin(torch.cat([n.flatten() for n in numbers[::2]]), images[:, :, 0, 0]).all():
        raise TypeError("your function returns images that are not among the images it was given")
    return [n.detach().long() for n in numbers]


def _faults(numbers, shape, way, shot, query):
    """{fault: is it there?}; a share is at fault only far beyond what chance does to a right sampler."""
    if all((part == part[0]).all() for part in numbers):
        return {"episodes that do not change": True}
    support, y_support, queries, y_query = numbers
    if min(y_support.min(), y_query.min()) < 0 or max(y_support.max(), y_query.max()) >= way:
        return {"labels other than 0 to way - 1": True}
    n_classes, n_instances = shape[:2]
    pairs, query_pairs = (_table(images // n_instances, labels, n_classes, way)
                          for images, labels in ((support, y_support), (queries, y_query)))
    two_labels, two_classes = (pairs.sum(2) > 1).any(), (pairs.sum(1) > 1).any()
    share = pairs.any(2).mean(0)
    numbered = ((y_support, shot), (y_query, query))
    return _order(y_query, way, query) | _instances(support, n_classes, n_instances) | {
        "unequal numbers for each label": any((_counts(y, way) != n).any() for y, n in numbered),
        "an image twice in one set": any((np.diff(np.sort(part, axis=1)) == 0).any() for part in (support, queries)),
        "query images in the support set": any(np.isin(s, q).any() for s, q in zip(support, queries, strict=True)),
        "one class under two labels": two_labels and not two_classes,  # both at once: a mix-up
        "images without their labels": two_classes or (query_pairs & ~pairs).any(),
        "labels that can be memorised": _fixed_labels(pairs),
        "classes drawn unequally": (np.abs(share - way / n_classes) > 0.15).any(),
    }


def _counts(labels, way):
    return (labels[:, :, None] == np.arange(way)).sum(1)


def _table(classes, labels, n_classes, way):
    """[E, C, way]: does this class come with this label?"""
    table = np.zeros((len(classes), n_classes, way), bool)
    table[np.arange(len(classes))[:, None], classes, labels] = True
    return table


def _fixed_labels(pairs):
    """Does knowing the class say much about its label?"""
    share = pairs.sum(0) / np.maximum(pairs.sum((0, 2)), 1)[:, None]
    return (share > 1 / pairs.shape[2] + 0.3).any()


def _order(labels, way, query):
    """What the order of the queries tells about their labels."""
    at_position = (labels[:, :, None] == np.arange(way)).mean(0)
    neighbours = (labels[:, 1:] == labels[:, :-1]).mean()
    first_round = (np.diff(np.sort(labels[:, :way], axis=1), axis=1) > 0).all(1).mean()
    by_chance = (query - 1) / (way * query - 1)
    return {"labels that follow from the position": (np.abs(at_position - 1 / way) > 0.15).any(),
            "queries in blocks by class": neighbours > by_chance + 0.15,
            "queries in rounds of all classes": first_round > 0.8}


def _instances(support, n_classes, n_instances):
    """Which instances of a class serve as support images, and are they the same ones for all classes?"""
    instance = support % n_instances
    share = (instance[:, :, None] == np.arange(n_instances)).mean((0, 1))
    used = np.zeros((len(support), n_classes, n_instances), bool)
    used[np.arange(len(support))[:, None], support // n_instances, instance] = True
    present, number = used.any(2), used.any(1).sum(1)
    same = number * present.sum(1) == used.sum((1, 2))
    return {"instances drawn unequally": (np.abs(share - 1 / n_instances) > 0.07).any(),
            "the same instances for all classes": same.mean() > 0.5}


# Exercises 2 and 3: a network that reads a sequence; the order of its tokens matters.


def _rounds_inputs(seed):
    rng = np.random.default_rng(seed)
    batch, rounds, way, dim = rng.integers(3, 6), rng.integers(3, 6), rng.integers(3, 6), rng.integers(6, 9)
    labels = np.eye(way)[rng.permuted(np.tile(np.arange(way), (batch, rounds, 1)), axis=2)]
    return _float32({
        "x": rng.normal(0, 1, (batch, rounds, way, dim)), "y": labels,
        "logits": rng.normal(0, 1.5, (batch, rounds, way, way)),
        "inner": rng.normal(0, 0.5, (dim + way, 7)), "outer": rng.normal(0, 0.7, (7, way)),
    })


def sequence_network(tokens, inner, outer):
    """tokens [B, L, D + N] -> [B, L, N]: what is said at step t depends on the tokens up to t and on their order."""
    weight = 0.9 ** torch.arange(tokens.shape[1])[:, None]
    return (torch.tanh(tokens @ inner) * weight).cumsum(1).sin() @ outer


def _mann_drive(mann_forward, inputs):
    given = tensors(inputs)
    weights = given["inner"].requires_grad_(), given["outer"].requires_grad_()
    y = given["y"].clone()
    logits = mann_forward(lambda tokens: sequence_network(tokens, *weights), given["x"], y)
    return {"logits": logits, "grad": gradients(logits**2, weights)[0], "y afterwards": y}


def _query_loss_drive(query_loss, inputs):
    given = tensors(inputs)
    logits = given["logits"].requires_grad_()
    loss = query_loss(logits, given["y"])
    return {"loss": loss, "grad": gradients(loss, [logits])[0]}


# Exercise 4: tasks with different numbers of points, one of them with none; the encoder of zeros is not zero.


def _points_inputs(seed):
    rng = np.random.default_rng(seed)
    batch, points, dx, dy, width = rng.integers(4, 7), rng.integers(5, 8), *rng.integers(2, 5, 2), rng.integers(3, 6)
    sizes = np.concatenate([[0, 1, 3, points - 1], rng.integers(2, points, batch - 4)])
    mask = rng.permuted(np.arange(points) < sizes[:, None], axis=1)
    x, y = rng.normal(0, 1, (batch, points, dx)), rng.normal(0, 1, (batch, points, dy))
    weights = rng.normal(0, 0.7, (dx + dy, width)), rng.uniform(0.5, 1, width)
    order = rng.permutation(batch)
    return _float32({"x": x[order], "y": y[order], "mask": mask[order], "weight": weights[0], "bias": weights[1]})


def _cnp_drive(cnp_aggregate, inputs):
    given = tensors(inputs)
    weight, bias = given["weight"].requires_grad_(), given["bias"].requires_grad_()
    r = cnp_aggregate(lambda pairs: torch.tanh(pairs @ weight + bias), given["x"], given["y"], given["mask"])
    return {"r": r, "grad": gradients(r**2, [weight])[0]}


# Exercises 5 to 7: prompts of a linear regression.


def _prompt_inputs(seed):
    rng = np.random.default_rng(seed)
    batch, n, dim = rng.integers(2, 6), rng.integers(3, 7), rng.integers(2, 6)
    x, y = rng.normal(0, 1, (batch, n, dim)), rng.normal(0, 1.5, (batch, n))
    tokens = rng.normal(0, 1, (batch, 2 * n, dim + 1))  # for the loss: any tokens will do
    return _float32({"x": x, "y": y, "tokens": tokens, "weight": rng.normal(0, 0.7, dim + 1)})


def _prompt_drive(make_prompt, inputs):
    given = tensors(inputs)
    return {"tokens": make_prompt(given["x"], given["y"])}


def _causal_drive(causal_regression_loss, inputs):
    given = tensors(inputs)
    weight = given["weight"].requires_grad_()
    loss = causal_regression_loss(lambda t: 1.5 * (t @ weight).cumsum(1).sin(), given["tokens"], given["y"])
    return {"loss": loss, "grad": gradients(loss, [weight])[0]}


def _ridge_inputs(seed):
    rng = np.random.default_rng(seed)
    batch, dim = int(rng.integers(3, 6)), int(rng.integers(3, 6))
    inputs = {"query": rng.normal(0, 1, (batch, dim))}
    for name, n in (("few", dim - 1), ("many", dim + int(rng.integers(2, 5)))):
        w = rng.normal(0, 1.5, (batch, dim, 1))
        x = rng.normal(0, 1, (batch, n, dim))
        inputs |= {f"x_{name}": x, f"y_{name}": (x @ w)[..., 0] + rng.normal(0.7, 0.5, (batch, n))}
    return _float32(inputs | {"noise_var": rng.uniform(0.3, 0.6), "prior_var": rng.uniform(1.7, 2.5)})


def _ridge_drive(ridge_predictor, inputs):
    given = tensors(inputs)
    rest = given["query"], given["noise_var"], given["prior_var"]
    return {f"prediction from {name} points": ridge_predictor(given[f"x_{name}"], given[f"y_{name}"], *rest)
            for name in ("few", "many")}


EXERCISES = [
    Exercise("sample_episode", points=5, minutes=30, inputs=_episode_inputs, drive=_episode_drive,
             findings=_episode_findings),
    Exercise("mann_forward", points=4, minutes=25, inputs=_rounds_inputs, drive=_mann_drive),
    Exercise("query_loss", points=3, minutes=10, inputs=_rounds_inputs, drive=_query_loss_drive),
    Exercise("cnp_aggregate", points=3, minutes=15, inputs=_points_inputs, drive=_cnp_drive),
    Exercise("make_prompt", points=3, minutes=15, inputs=_prompt_inputs, drive=_prompt_drive),
    Exercise("causal_regression_loss", points=3, minutes=15, inputs=_prompt_inputs, drive=_causal_drive),
    Exercise("ridge_predictor", points=3, minutes=15, inputs=_ridge_inputs, drive=_ridge_drive),
]

check = checker(__file__, EXERCISES)
