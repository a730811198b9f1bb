"""What the README says is what was measured."""

import json

from utils.paths import course_root

README = (course_root() / "README.md").read_text(encoding="utf-8")
RESULTS = json.loads((course_root() / "benchmarks/results.json").read_text())["results"]


def values(benchmark: str, start: str) -> list[str]:
    """The figures of one benchmark whose names begin like this, to one decimal, without our own times."""
    return [f"{row['value']:.1f}" for row in RESULTS[benchmark]
            if row["what"].startswith(start) and not row["what"].endswith("ours")]


def test_ratios_are_those_of_the_last_benchmark():
    assert " / ".join(values("sinusoid", "1 inner step:")) in README
    assert " / ".join(values("sinusoid", "5 inner steps:")) in README
    assert " / ".join(values("omniglot_maml", "")) in README


def test_accuracies_are_those_of_the_last_benchmark():
    for seconds in (30, 60, 120):
        row = next(line for line in README.splitlines() if f"Omniglot, {seconds} CPU-s" in line)
        assert [cell.strip() for cell in row.split("|")[2:-1]] == values("protonet", f"{seconds} CPU-s")
    assert f"| {values('transfer', '')[0]} |" in README


def test_grading_is_as_fast_as_the_last_benchmark_says():
    rows = {row["what"]: row["value"] for name in ("grading", "grading_scale") for row in RESULTS[name]}
    assert f"| {rows['course grade, a submission']:.2f} |" in README
    assert f"| {rows['against nbgrader']:.1f} / {rows['against otter']:.1f} times" in README
    seconds, memory = rows["500 submissions of homework 2"], rows["memory of all processes at its largest"]
    assert f"| {seconds:.0f} s, {memory:.1f} GB |" in README


def test_every_link_to_a_file_leads_somewhere():
    targets = [part.split(")")[0] for part in README.split("](")[1:]]
    local = [target for target in targets if not target.startswith("http")]
    assert len(local) > 5 and all((course_root() / target).exists() for target in local)
