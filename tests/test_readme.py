"""What the README says is what was measured."""

import ast
import json

import nbformat

from utils.grading.homework import opened
from utils.grading.importer import plain_python
from utils.paths import course_root

README = (course_root() / "README.md").read_text(encoding="utf-8")
START = nbformat.read(course_root() / "lectures/00_start_here.ipynb", as_version=4)
MAP = "\n".join(cell.source for cell in START.cells)
RESULTS = json.loads((course_root() / "benchmarks/results.json").read_text(encoding="utf-8"))["results"]


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


def test_few_examples_are_those_of_the_last_benchmark():
    rows = {row["what"]: row["value"] for name in ("few_shot", "one_alphabet", "in_context", "streams", "memory")
            for row in RESULTS[name]}
    pairs = (("transformer, 60 CPU-s: 5-way 1-shot", "ANIL, 60 CPU-s: 5-way 1-shot"),
             ("Glyphs to Omniglot, any classes: 5-way 1-shot", "Glyphs to Omniglot, one alphabet: 5-way 1-shot"),
             *([f"LSTM, {kind} input, forget bias 1, rate {rate}: instance 2" for kind in ("paired", "classical")]
               for rate in (0.002, 0.008)))
    for pair in pairs:
        assert "| " + " / ".join(f"{rows[what]:.1f}" for what in pair) + " % |" in README
    assert f"| {rows['in-context regression, 90 CPU-s: prior to ridge']:.1f} % |" in README
    memory = [rows[f"{name}: memory at 100 inner steps against 1"] for name in ("iMAML", "MAML")]
    assert "| " + " / ".join(f"{value:.1f}" for value in memory) + " times |" in README


def test_reinforcement_learning_is_as_good_as_the_last_benchmark_says():
    rows = {row["what"]: row["value"] for name in ("rl2", "mdps", "maml_rl", "beliefs", "dream", "hindsight")
            for row in RESULTS[name]}
    one, two = "{:.1f}", "{:.2f}"
    lines = (
        (one, " %", "RL², gru, 5 arms, 10 pulls", "RL², gru, 10 arms, 10 pulls"),
        (one, " %", "RL², arms, 5 arms, 100 pulls", "RL², arms, 10 arms, 100 pulls"),
        (one, "", "PSRL", "learned planning, 15 CPU-s", "optimum, knowing the MDP"),
        (one, "", *(f"three inner steps: return after {step}" for step in range(4))),
        (one, "", "PPO on a learned belief (VariBAD)", "PPO on the exact belief", "Bayes-optimal, exact"),
        (two, "", "City, RL², within 60 CPU-s: return", "City, DREAM, within 60 CPU-s: return",
         "City: best return knowing the lines"),
        (one, " %", "bit flipping, 15 bits, no hindsight, 120 iterations",
         "bit flipping, 15 bits, hindsight k = 4, 60 iterations"),
    )  # fmt: skip
    for form, unit, *whats in lines:
        assert "| " + " / ".join(form.format(rows[what]) for what in whats) + unit + " |" in README
    slowest = min(row["value"] for row in RESULTS["worlds"] if "against" in row["what"])
    assert f"| {slowest:.0f} times as fast |" in README


def test_sliders_are_as_fast_as_the_last_benchmark_says():
    rows = {row["what"]: row["value"] for row in RESULTS["pixels"]}
    middle, slowest = (rows[f"slider to pixels, {what}"] for what in ("median over figures", "slowest figure"))
    figures = sum(map(live_figures, (course_root() / "lectures").glob("*.ipynb")))
    said = " ".join(README.split())
    times = f"take {middle:.0f} ms (median; the slowest {slowest:.0f} ms)"
    assert f"the {figures} live figures of the lectures {times}" in said
    kept = rows["the lectures' figures by `interact`, kept and drawn again, median"]
    assert f"the same figures take {kept:.1f} times as long" in said


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


def live_figures(path) -> int:
    """How many times a notebook calls `live`."""
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    nodes = [node for source in cells for node in ast.walk(ast.parse(plain_python(source)))]
    return sum(isinstance(node, ast.Call) and getattr(node.func, "id", "") == "live" for node in nodes)


def row_of(table: str, link: str) -> list[str]:
    """The cells after the first of the table row that links to a file."""
    line = next((line for line in table.splitlines() if line.startswith("|") and f"({link})" in line), None)
    assert line, f"no table row links to {link}: README.md and lectures/00_start_here.ipynb each need one"
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_every_lecture_stands_in_both_tables_with_its_live_figures():
    for path in sorted((course_root() / "lectures").glob("*.ipynb")):
        question, count, seconds = row_of(README, f"lectures/{path.name}")
        live = live_figures(path)
        assert int(count) == live, f"{path.name}: {live} live figures, the table says {count}"
        assert question in path.read_text(encoding="utf-8") or path.stem == "00_start_here"
        if path.stem != "00_start_here":
            assert row_of(MAP, path.name) == [question, count, seconds]


def test_every_homework_stands_in_both_tables_with_its_exercises_and_misconceptions():
    for folder in sorted(path.parent for path in (course_root() / "solutions").glob("*/mistakes.py")):
        with opened(folder) as homework:
            exercises, mistakes = homework.check.exercises, homework.mistakes
        notebook = f"homework/{folder.name}/{folder.name}.ipynb"
        cells = row_of(README, notebook)
        assert cells[0].startswith(f"{len(exercises)}, and ")
        assert int(cells[1]) == sum(map(len, mistakes.values()))
        assert row_of(MAP, f"../{notebook}")[2] == cells[2]
