"""The promises around the code: one list of dependencies, a free import, licences, nothing private in git."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}  # all others have the same name there
PRIVATE = re.compile(r"(?<![\w.$}>-])/(?:root|work|home/\w+|Users/\w+|opt/\w+)/\w")
REGISTRY = re.compile(r"https?://[^\s\"')]+/simple\b|pythonhosted|extra-index-url|find-links", re.IGNORECASE)


def committed() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_environment_yml_says_the_same_as_pyproject():
    optional = PROJECT["optional-dependencies"]
    assert f"{PROJECT['name']}[site]" in optional["test"]
    requirements = map(Requirement, PROJECT["dependencies"] + optional["site"] + optional["test"])
    wanted = {CONDA_NAMES.get(r.name, r.name): r.specifier for r in requirements if r.name != PROJECT["name"]}
    wanted["python"] = SpecifierSet(PROJECT["requires-python"])
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    lines = [line for line in environment["dependencies"] if isinstance(line, str) and line != "pip"]
    (by_pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    found = {}
    for line in lines + by_pip[1:]:
        name, specifier = re.fullmatch(r"([\w.-]+)(.*)", line).groups()
        found[name] = SpecifierSet(re.sub(r"^=(?=\d)", "==", specifier))  # conda writes an exact version with one =
    assert found == wanted
    assert environment["name"] == PROJECT["name"]
    assert by_pip[0] == "-e ."


def test_torch_is_pinned_exactly_and_everything_else_is_a_range():
    for requirement in map(Requirement, PROJECT["dependencies"]):
        operators = {s.operator for s in requirement.specifier}
        assert operators == ({"=="} if requirement.name == "torch" else operators - {"=="}) and operators


def test_import_utils_is_free():
    code = ("import sys, time; start = time.perf_counter(); import utils; seconds = time.perf_counter() - start; "
            "assert not {'torch', 'numpy', 'matplotlib'} & set(sys.modules); print(seconds)")
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    assert min(float(run.stdout) for run in runs) < 0.1


def test_makefile_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split()) - {"help"}
    assert {"lab", "test", "bench", "notebooks", "site", "clean"} <= targets
    assert targets == set(re.findall(r'^\t@echo "make (\w+) ', makefile, re.MULTILINE))
    assert makefile.index("\nhelp:") < min(makefile.index(f"\n{t}") for t in ("lab ", "clean:"))  # the default


def test_ci_runs_the_newcomers_command():
    script = ROOT / ".ci" / "run"
    assert os.name == "nt" or os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").rstrip().splitlines()[-1] == "exec make test"


def test_nothing_private_and_no_registry_is_named_in_git():
    here = Path(__file__).resolve()
    found = []
    for path in committed():
        text = path.read_bytes().decode("utf-8", errors="ignore") if path != here else ""
        found += [f"{path.relative_to(ROOT)}: {match}" for match in (*PRIVATE.findall(text), *REGISTRY.findall(text))]
    assert not found


def test_the_patterns_for_private_names_see_what_they_should():
    assert all(PRIVATE.search(text) for text in ("File /root/x.py", '"/home/me/course"', "(/work/y)"))
    assert not any(PRIVATE.search(text) for text in ("lectures/work/x", "~/home", "$HOME/x", "a /home page"))
    assert REGISTRY.search("https://mirror.example/pypi/simple/") and REGISTRY.search("pip install --find-links x")


def test_no_lock_file_with_addresses():
    assert not {"uv.lock", "pylock.toml", "poetry.lock"} & {path.name for path in committed()}


def test_licences_for_code_and_text():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Permission is hereby granted, free of charge" in licence and 'PROVIDED "AS IS"' in licence
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in licence
    assert PROJECT["license"] == "MIT AND CC-BY-4.0" and PROJECT["license-files"] == ["LICENSE"]


def test_citation_agrees_with_pyproject():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"] and citation["title"].startswith(PROJECT["name"])
    assert citation["license"] == PROJECT["license"].split(" AND ")
