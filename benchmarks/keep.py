"""Train what lectures load and keep it in utils/trained: networks and learning curves that take too long to make live.

    python -m benchmarks.keep [NAME ...]      without a name: all of them
"""

import argparse
import os
import sys
from collections.abc import Callable

os.environ["OMP_NUM_THREADS"] = "1"

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from benchmarks import adaptation, bandits, beliefs, exploration, hindsight, mdps  # noqa: E402
from benchmarks.measure import cpu_seconds  # noqa: E402
from utils import trained  # noqa: E402

# name -> (seeds in words, function that trains and returns the tensors to keep)
RESULTS: dict[str, tuple[str, Callable[[], dict[str, Tensor]]]] = {
    "bandit_rl2": ("0, 1, 2", bandits.keep),
    "mdp_planner": ("0, 1, 2", mdps.keep),
    "her_race": ("0, 1, 2", hindsight.race),
    "her_sharing": ("0, 1, 2, and six for the widths", hindsight.sharing),
    "her_bridge": ("0 to 5", hindsight.bridge),
    "maml_rl": ("0, 1, 2", adaptation.keep_maml_rl),
    "grid_varibad": ("0, 1, 2", beliefs.keep_varibad),
    "grid_encoders": ("0, 1, 2", beliefs.keep_encoders),
    "city_dream": ("0, 1, 2", exploration.keep_dream),
    "city_rl2": ("0, 1, 2", exploration.keep_rl2),
    "city_variants": ("0, 1, 2", exploration.keep_variants),
}


def main(argv: list[str] | None = None) -> int:
    """Train and store each result that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keep", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RESULTS))
    names = parser.parse_args(argv).names
    if unknown := sorted(set(names) - set(RESULTS)):
        parser.error(f"there is no {', '.join(unknown)}; there is: {', '.join(RESULTS)}")
    torch.set_num_threads(1)
    for name in names or RESULTS:
        seeds, train = RESULTS[name]
        found = []
        seconds = cpu_seconds(lambda train=train, found=found: found.append(train()))
        path = trained.save(name, found[0], f"python -m benchmarks.keep {name}", seeds, seconds)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB, {seconds:.0f} CPU-s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
