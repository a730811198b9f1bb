"""Few-shot images on one CPU thread: black-box and gradient-based learners, and printed letters against handwriting."""

from benchmarks.measure import Row, over_seeds, seeded, within
from benchmarks.protonet import absent
from utils.learners import few_shot, protonet
from utils.tasks import glyphs, omniglot
from utils.tasks.images import split, with_rotations

WIDTHS, N_WAY = (16, 32, 64, 64), 5
HEADS = {
    "transformer": (few_shot.set_logits, few_shot.set_transformer, 93),
    "ANIL": (few_shot.anil_logits, lambda n_features, n_way, _: few_shot.anil_head(n_features, n_way), 94),
}


def run_few_shot(quick: bool) -> list[Row]:
    """Omniglot, random split with rotations: 5-way 1-shot after 60 CPU-s of a transformer and of ANIL."""
    if not omniglot.available():
        return [absent()]
    training, test = split(omniglot.load(), "random")
    pixels, rows = with_rotations(training.pixels), []
    for name, (logits, start, target) in HEADS.items():
        def once(steps, seed, logits=logits, start=start):
            g = seeded(seed)
            head = start(4 * WIDTHS[-1], N_WAY, g)
            return head, few_shot.meta_train(logits, head, pixels, steps, g, WIDTHS, N_WAY)

        scores = []
        for seed in range(2 if quick else 3):
            (head, body), cost = within(60, lambda steps, seed=seed, once=once: once(steps, seed), quick)
            z = protonet.embed(body, test.pixels, pixels)
            hits = few_shot.accuracy(logits, head, z, N_WAY, 1, 20 if quick else 1000, seeded(1))
            scores.append(100 * hits.mean().item())
        label = f"{name}, {0 if quick else 60} CPU-s: 5-way 1-shot"
        rows.append(over_seeds(label, scores, None if quick else target, f"the last: {cost}"))
    return rows


def run_one_alphabet(quick: bool) -> list[Row]:
    """A narrow network trained on Glyphs for 20 CPU-s, on Omniglot's evaluation set: any classes, or one alphabet."""
    if not omniglot.available():
        return [absent()]
    handwriting = omniglot.load()
    handwriting, scores = handwriting.select(handwriting.held_out), {}
    pixels = with_rotations(split(glyphs.load())[0].pixels)
    for seed in range(2 if quick else 3):
        train = lambda steps, seed=seed: protonet.meta_train(pixels, steps, seeded(seed), (8, 16, 32, 32))  # noqa: E731
        theta, _ = within(20, train, quick)
        z = protonet.embed(theta, handwriting.pixels, pixels)
        for kind, alphabet in (("any classes", None), ("one alphabet", handwriting.alphabet)):
            for n_way in (5, 20):
                hits = protonet.few_shot_accuracy(z, n_way, 1, 20 if quick else 1000, seeded(1), alphabet=alphabet)
                what = f"Glyphs to Omniglot, {kind}: {n_way}-way 1-shot"
                scores.setdefault(what, []).append(100 * hits.mean().item())
    return [over_seeds(what, values) for what, values in scores.items()]
