"""Learners that read their training set, on one CPU thread: in-context regression, and an LSTM on streams."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.measure import Row, over_seeds, seeded, within
from utils.learners import black_box, in_context, maml, protonet
from utils.learners.training import optimise
from utils.tasks import glyphs
from utils.tasks.images import split, with_rotations
from utils.tasks.regressions import linear_prompts
from utils.tasks.streams import at_instances, class_streams

N_WAY, N_INSTANCES = 5, 5
RATES = 0.002, 0.008
TARGETS = {(True, 1, 0.002, 2): 85, (True, 1, 0.002, 5): 92}  # paired, forget bias, rate, instance: percent


def run_in_context(quick: bool) -> list[Row]:
    """Linear regression, d = 5, noise 1, 90 CPU-s: how far from the prior to ridge at ten points."""
    test = linear_prompts(200 if quick else 20_000, 11, seeded(99))

    def error(prediction: Tensor) -> Tensor:
        return (prediction[:, 10] - test.clean[:, 10]).pow(2).mean()

    shares = []
    for seed in range(2 if quick else 3):
        train = lambda steps, seed=seed: in_context.meta_train(steps, seeded(seed))  # noqa: E731
        theta, cost = within(90, train, quick)
        with torch.no_grad():
            found = [error(y) for y in (in_context.predict(theta, test.x, test.y), torch.zeros_like(test.y),
                                        in_context.ridge(test.x, test.y, 1.0))]
        shares.append(100 * in_context.share_of_the_way(*found).item())
    if quick:  # after five steps the share is about nothing, of either sign
        return [Row("0 CPU-s: error at ten points", found[0].item(), "", note=cost)]
    return [over_seeds("in-context regression, 90 CPU-s: prior to ridge", shares, 96, f"the last: {cost}")]


def run_streams(quick: bool) -> list[Row]:
    """Held-out Glyphs, 5 ways x 5 instances, embedded: accuracy at the 2nd and 5th sight after 25 CPU-s."""
    z, unseen = embedded_glyphs(5 if quick else 450)
    rows, count = [], 2 if quick else 3
    for paired, forget, rate in itertools.product((True, False), (1, 0), RATES):
        scores = [stream_scores(z, unseen, paired, forget, rate, seed, quick) for seed in range(count)]
        label = f"LSTM, {'paired' if paired else 'classical'} input, forget bias {forget}, rate {rate}"
        for instance in (2, N_INSTANCES):
            target = None if quick else TARGETS.get((paired, forget, rate, instance))
            rows.append(over_seeds(f"{label}: instance {instance}", [s[instance - 1] for s in scores], target))
    return rows


def stream_scores(
    z: Tensor, unseen: Tensor, paired: bool, forget: float, rate: float, seed: int, quick: bool
) -> list[float]:
    """Accuracy in percent at the 1st, 2nd, ... sight of a class, on classes that training never saw."""
    def train(steps: int) -> Callable[[Tensor, Tensor], Tensor]:
        g = seeded(seed)
        theta = black_box.lstm(z.shape[2] * (1 + paired) + N_WAY, 128, N_WAY, g, forget)
        logits = lambda x, y: black_box.lstm_forward(theta, black_box.late_labels(x, y, N_WAY, paired))  # noqa: E731

        def objective() -> Tensor:
            x, y = class_streams(z, 32, N_WAY, N_INSTANCES, g)
            return maml.cross_entropy(logits(x, y), y).mean()

        optimise(objective, theta.values(), steps, lr=rate, warmup=50, clip=1.0)
        return logits

    logits, _ = within(25, train, quick)
    x, y = class_streams(unseen, 1000, N_WAY, N_INSTANCES, seeded(9))
    with torch.no_grad():
        hits = (logits(x, y).argmax(2) == y).float()
    return (100 * at_instances(hits, y, N_INSTANCES).mean(1)).tolist()


def embedded_glyphs(steps: int) -> tuple[Tensor, Tensor]:
    """Training and held-out glyphs as the 32 principal components of a narrow prototypical network's embedding."""
    training, test = split(glyphs.load())
    theta = protonet.meta_train(with_rotations(training.pixels), steps, seeded(), widths=(8, 16, 32, 32))
    z, unseen = (protonet.embed(theta, part.pixels, training.pixels) for part in (training, test))
    main = protonet.principal(z, 32)
    return main(z), main(unseen)
