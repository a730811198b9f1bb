"""ProtoNet: accuracy after a fixed amount of CPU time on one thread, on real Omniglot and from Glyphs to Omniglot."""

from torch import Tensor

from benchmarks.measure import Row, seeded, within
from utils.learners.protonet import embed, few_shot_accuracy, meta_train
from utils.tasks import glyphs, omniglot
from utils.tasks.images import split, with_rotations

EPISODES = 1000
SETTINGS = ((5, 1), (5, 5), (20, 1), (20, 5))
TARGETS = {30: (None,) * 4, 60: (98.2, 99.5, 94.5, 98.5), 120: (98.6, 99.6, 95.5, 98.8)}
TRANSFER_BUDGET, TRANSFER_TARGET = 60, 91.5


def percent(embedded: Tensor, n_way: int, k_shot: int, quick: bool) -> tuple[float, str]:
    """Mean accuracy in percent over the episodes, and its 95% interval as a note."""
    scores = 100 * few_shot_accuracy(embedded, n_way, k_shot, 20 if quick else EPISODES, seeded(1))
    return scores.mean().item(), f"+- {1.96 * scores.std().item() / len(scores) ** 0.5:.2f}"


def run(quick: bool) -> list[Row]:
    """Random split with rotations, widths 16-32-64-64: accuracies after 30, 60 and 120 CPU-s of training."""
    if not omniglot.available():
        return [absent()]
    train_images, test_images = split(omniglot.load(), "random")
    pixels = with_rotations(train_images.pixels)
    rows = []
    for budget, targets in {0: (None,) * 4}.items() if quick else TARGETS.items():
        theta, cost = within(budget, lambda steps: meta_train(pixels, steps, seeded()), quick)
        embedded = embed(theta, test_images.pixels, pixels)
        for (n_way, k_shot), target in zip(SETTINGS, targets, strict=True):
            value, interval = percent(embedded, n_way, k_shot, quick)
            note = f"{interval}; {cost}" if (n_way, k_shot) == SETTINGS[0] else interval
            rows.append(Row(f"{budget} CPU-s: {n_way}-way {k_shot}-shot", value, "%", target, note=note))
    return rows


def run_transfer(quick: bool) -> list[Row]:
    """Trained on 74% of the Glyphs with rotations, tested on Omniglot's evaluation set."""
    if not omniglot.available():
        return [absent()]
    images = omniglot.load()
    pixels = with_rotations(split(glyphs.load(), "random")[0].pixels)
    theta, cost = within(TRANSFER_BUDGET, lambda steps: meta_train(pixels, steps, seeded()), quick)
    embedded = embed(theta, images.pixels[images.held_out], pixels)
    value, interval = percent(embedded, 5, 1, quick)
    target = None if quick else TRANSFER_TARGET
    label = f"{0 if quick else TRANSFER_BUDGET} CPU-s on Glyphs: Omniglot 5-way 1-shot"
    return [Row(label, value, "%", target, note=f"{interval}; {cost}")]


def absent() -> Row:
    """The line that stands in for a figure when Omniglot is missing."""
    return Row("skipped: Omniglot is not here (`course data omniglot`, or COURSE_DATA)", None, "%")
