"""Bytes that a meta-gradient keeps for its backward pass: counted, so the same on every machine."""

from benchmarks.measure import Row, seeded
from utils.learners import imaml, maml
from utils.learners.memory import bytes_kept
from utils.learners.networks import mlp, mlp_forward
from utils.tasks.sinusoids import sinusoid_episodes


def run(quick: bool) -> list[Row]:
    """Bytes kept for the meta-gradient of 25 sinusoid tasks at 100 inner steps, as a multiple of those at 1."""
    theta, episodes = mlp((1, 40, 40, 1), seeded()), sinusoid_episodes(25, 10, 10, seeded())
    loss = lambda phi, x, y: maml.mean_squared_error(mlp_forward(phi, x), y)  # noqa: E731
    methods = {
        "iMAML": (lambda k: imaml.implicit_gradient(loss, theta, episodes, 0.01, k, 1.0), 1.2),
        "first-order MAML": (lambda k: maml.meta_loss(loss, theta, episodes, 0.01, k, second_order=False), None),
        "MAML": (lambda k: maml.meta_loss(loss, theta, episodes, 0.01, k), None),
    }
    rows, many = [], 5 if quick else 100
    for name, (work, target) in methods.items():
        kept = [bytes_kept(lambda k=k, work=work: work(k)) for k in (1, many)]
        note = f"{kept[0] / 1e6:.3g} and {kept[1] / 1e6:.3g} MB"
        rows.append(Row(f"{name}: memory at {many} inner steps against 1", kept[1] / kept[0], "x", target, True, note))
    return rows
