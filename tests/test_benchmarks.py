"""The benchmarks run, compare equal work, and leave a readable record; nothing here depends on the clock."""

import json
import math
import os
import subprocess
import sys

import pytest
import torch

from benchmarks import measure, multitask, omniglot_maml, peers, report, sinusoid
from benchmarks.__main__ import BENCHMARKS
from utils.learners.multitask import uniform
from utils.paths import course_root
from utils.tasks import omniglot


def test_a_quick_run_measures_everything_and_writes_it_down(tmp_path):
    output = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(output)]
    run = subprocess.run(command, cwd=course_root(), env=os.environ, capture_output=True, text=True, timeout=400)
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(output.read_text(encoding="utf-8"))
    assert list(found["results"]) == list(BENCHMARKS)
    assert found["machine"]["threads"] == 1 and found["machine"]["torch"] == torch.__version__
    for name, rows in found["results"].items():
        assert rows and name in run.stdout
        for row in rows:
            assert row["what"] in run.stdout
            assert row["value"] is None or math.isfinite(row["value"])
            if row["unit"] not in ("return", "%", ""):  # times, ratios and sizes
                assert row["value"] is None or row["value"] > 0
    present = found["results"]["protonet"][0]["value"] is not None
    assert present == omniglot.available()
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("module", [sinusoid, omniglot_maml])
def test_the_plain_loop_computes_the_same_meta_gradient(module, steps):
    entries = module.contenders(3, steps, False if module is sinusoid else torch.float64)
    assert set(entries) == {"ours", "plain loop"}
    assert measure.largest_difference(entries) < measure.TOLERANCE


def test_contenders_that_compute_something_else_are_not_timed():
    one = (torch.tensor(1.0), [torch.ones(3)])
    first_order = (torch.tensor(1.0), [torch.tensor([1.0, 1.0, 1.01])])
    with pytest.raises(AssertionError, match="a cheat computes something else"):
        measure.compare("ours", {"ours": lambda: one, "a cheat": lambda: first_order}, 1, "", {})


def test_ratios_are_of_medians_and_targets_have_a_direction(monkeypatch):
    taken = iter([1, 4, 1, 6, 3, 5])
    monkeypatch.setattr(measure, "cpu_seconds", lambda function: function() or next(taken))
    seconds = measure.medians({"a": lambda: None, "b": lambda: None}, 3)
    assert seconds == {"a": 1, "b": 5}
    assert measure.Row("", 5.0, "x", 5).met and not measure.Row("", 4.9, "x", 5).met
    assert measure.Row("", 5.0, "ms", 5, at_most=True).met and not measure.Row("", 5.1, "ms", 5, at_most=True).met
    assert measure.Row("", None, "x", 5).met is None and measure.Row("", 1.0, "x").met is None


def test_results_of_one_machine_are_kept_and_of_another_replaced(tmp_path):
    path = tmp_path / "results.json"
    row = measure.Row("a", 1.23456, "x", 1.0)
    report.write(path, {"first": [row]}, {"cores": 2})
    report.write(path, {"second": [row]}, {"cores": 2})
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    assert results["second"] == [{"what": "a", "value": 1.235, "unit": "x", "target": 1.0, "met": True}]
    assert list(results) == ["first", "second"]
    report.write(path, {"third": [row]}, {"cores": 4})
    assert list(json.loads(path.read_text(encoding="utf-8"))["results"]) == ["third"]
    path.write_text("{", encoding="utf-8")
    report.write(path, {"first": [row]}, {"cores": 2})
    assert list(json.loads(path.read_text(encoding="utf-8"))["results"]) == ["first"]


def test_a_group_of_peers_that_cannot_be_installed_leaves_a_reason_and_nothing_else(course_cache, monkeypatch):
    monkeypatch.setitem(peers.PINS, "nbgrader", {"nbgrader": "no version"})
    assert peers.prepare("nbgrader").startswith("could not be installed: ")
    assert list((course_cache / "bench-env").iterdir()) == []
    monkeypatch.setattr(sys, "path", list(sys.path))
    peers.folder("nbgrader").mkdir()
    monkeypatch.setitem(peers.MODULES, "nbgrader", ("nbgrader_is_not_here",))
    assert peers.prepare("nbgrader") == "could not be imported: No module named 'nbgrader_is_not_here'"
    assert peers.environment("nbgrader")["PYTHONPATH"].split(os.pathsep)[0] == str(peers.folder("nbgrader"))
    (course_cache / "bench-env").rename(course_cache / "was")
    (course_cache / "bench-env").touch()
    assert peers.prepare("nbgrader").startswith("could not be installed: ")


def test_another_environment_has_other_folders(monkeypatch):
    mine = peers.folder("nbgrader")
    monkeypatch.setattr(sys, "executable", "/gone/bin/python")
    assert peers.folder("nbgrader") != mine


def test_the_commands_of_a_group_start_with_the_python_of_this_environment():
    """A folder of an environment that is gone held an `alembic` that nothing could start."""
    if reason := peers.prepare("nbgrader"):
        pytest.skip(f"no peers: {reason}")
    run = subprocess.run(["alembic", "--version"], env=peers.environment("nbgrader"), capture_output=True, text=True)
    assert run.stdout.strip() == f"alembic {peers.PINS['nbgrader']['alembic']}"


@pytest.mark.parametrize("name", multitask.DIRECTIONS)
def test_torchjd_makes_the_same_multi_task_update_and_a_plain_mean_does_not(name):
    if "TorchJD" in (why := multitask.missing(name, "")):
        pytest.skip(why["TorchJD"])
    n_tasks = 2 if name in multitask.TWO_TASKS else multitask.N_TASKS
    entries = multitask.contenders(name, n_tasks, torch.float64, {"TorchJD"})
    assert set(entries) == {"ours", "TorchJD"} and measure.largest_difference(entries) < measure.TOLERANCE
    plain, scale = multitask.Tasks(n_tasks, torch.float64), n_tasks if name == "PCGrad" else 1
    entries["plain"] = lambda: multitask.ours(plain, lambda M: scale * uniform.weights(M))
    with pytest.raises(AssertionError, match="plain computes something else"):
        measure.largest_difference(entries)
