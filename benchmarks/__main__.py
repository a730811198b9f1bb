"""Run the benchmarks: a table on the screen, the figures in benchmarks/results.json.

    python -m benchmarks [--only NAME ...] [--quick] [--output FILE]
"""

import argparse
import os
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # one thread on every side, decided before torch starts

import psutil  # noqa: E402
import torch  # noqa: E402

from benchmarks import (  # noqa: E402
    adaptation,
    bandits,
    bandits_peer,
    beliefs,
    exploration,
    few_examples,
    grading,
    grading_scale,
    hindsight,
    live_figures,
    mdps,
    memory,
    multitask,
    omniglot_maml,
    pixels,
    protonet,
    report,
    responsiveness,
    sequences,
    sinusoid,
    worlds,
)

RESULTS = Path(__file__).with_name("results.json")
BENCHMARKS = {
    "sinusoid": sinusoid.run,
    "omniglot_maml": omniglot_maml.run,
    "multitask": multitask.run,
    "import": responsiveness.run_import,
    "live": responsiveness.run_live,
    "live_figures": live_figures.run_lectures,
    "pixels": pixels.run,
    "protonet": protonet.run,
    "transfer": protonet.run_transfer,
    "one_alphabet": few_examples.run_one_alphabet,
    "few_shot": few_examples.run_few_shot,
    "in_context": sequences.run_in_context,
    "streams": sequences.run_streams,
    "memory": memory.run,
    "worlds": worlds.run,
    "hindsight": hindsight.run_her,
    "rl2": bandits.run_rl2,
    "rl2_peer": bandits_peer.run_peer,
    "maml_rl": adaptation.run_maml_rl,
    "mdps": mdps.run,
    "beliefs": beliefs.run_beliefs,
    "dream": exploration.run_dream,
    "grading": grading.run,
    "grading_scale": grading_scale.run,
}


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS), metavar="NAME",
                        help=f"these benchmarks only: {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that everything runs")
    parser.add_argument("--output", type=Path, help="where the figures go (a quick run keeps them only if given)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run what was asked for; the exit status is 1 when a target was missed."""
    arguments = parse(argv)
    torch.set_num_threads(1)
    where = report.machine()
    print(f"{where['processor']}, {where['cores']} cores, one thread, torch {where['torch']}; process CPU time")
    load = psutil.getloadavg()[0]
    if load > 1.5:
        print(f"Other jobs are running (load {load:.1f}): times and what fits a budget will suffer.")
    output = arguments.output or (None if arguments.quick else RESULTS)
    results = {}
    for name in arguments.only:
        results[name] = BENCHMARKS[name](arguments.quick)
        print(report.table(name, results[name]), flush=True)
        if output:
            report.write(output, results, where)
    missed = [row.what for rows in results.values() for row in rows if row.met is False]
    print(f"Missed: {'; '.join(missed)}" if missed else "No target was missed.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
