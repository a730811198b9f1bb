"""The `course` command: a fast map, and one sentence for what it does not understand."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from utils import cli, lab
from utils.paths import course_root

COMMANDS = ["lab", "doctor", "check", "release", "grade", "regrade", "gradescope", "data", "notebooks", "site", "bench"]


def call(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "utils.cli", *arguments], capture_output=True, text=True, timeout=60)


def test_help_names_every_command_and_is_fast():
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        result = call("--help")
        seconds.append(time.perf_counter() - start)
    assert result.returncode == 0
    assert [line.split()[0] for line in result.stdout.splitlines() if line.startswith("    ")] == COMMANDS
    assert min(seconds) < 0.5


def test_no_command_imports_torch_to_understand_its_arguments():
    code = "import sys; from utils.cli import build_parser; build_parser(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("arguments", [
    [], ["frobnicate"], ["data", "mnist"], ["lab", "--colour"], ["check", "/no/such/folder"], ["check"],
    ["lab", "no_such.ipynb"], ["notebooks", "no_such.ipynb"], ["lab", "--port", "many"],
])
def test_unknown_input_is_one_sentence(arguments):
    result = call(*arguments)
    said = result.stdout + result.stderr
    assert result.returncode == 2
    assert len(said.strip().splitlines()) == 1 and said.startswith("course")


def test_ctrl_c_ends_without_a_traceback(monkeypatch, capsys):
    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr("utils.doctor.doctor", stopped)
    assert cli.main(["doctor"]) == 130
    assert capsys.readouterr().err.strip() == "Stopped."


def lab_command(monkeypatch, uid: int, *arguments: str) -> list[str]:
    """What `course lab` would start, on a machine where this user has that number."""
    seen = []
    system = SimpleNamespace(name="posix", getuid=lambda: uid, chdir=lambda path: None, environ={}, pathsep=":",
                             execv=lambda path, command: seen.extend(command) or 0)
    monkeypatch.setattr(lab, "os", system)
    assert cli.main(["lab", *arguments]) == 0
    return seen


def test_lab_opens_the_named_notebook_and_allows_root_only_to_root(monkeypatch, tmp_path):
    notebook = tmp_path / "lectures" / "x.ipynb"
    notebook.parent.mkdir()
    notebook.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(lab, "course_root", lambda: tmp_path)
    user = lab_command(monkeypatch, 1000, str(notebook), "--no-browser", "--port", "8890")
    assert "--LabApp.default_url=/lab/tree/lectures/x.ipynb" in user
    assert f"--ServerApp.root_dir={tmp_path}" in user
    assert {"--no-browser", "--port=8890"} <= set(user) and "--allow-root" not in user
    assert "--allow-root" in lab_command(monkeypatch, 0, str(notebook))


def test_lab_asks_nothing_about_news_and_looks_for_no_updates():
    file = course_root() / "utils/jupyter/labconfig/default_setting_overrides.json"
    settings = json.loads(file.read_text(encoding="utf-8"))["@jupyterlab/apputils-extension:notification"]
    assert settings == {"fetchNews": "false", "checkForUpdates": False}


def test_lab_finds_notebooks_by_number_and_presents_them(monkeypatch):
    assert lab.find("6").name == lab.find("06").name == "06_maml.ipynb"
    assert lab.find("hw2").parent.name == lab.find("HW2").parent.name == "hw2_metric_and_maml"
    assert lab.find("99") is lab.find("hw99") is lab.find("README.md") is lab.find("hw") is None
    talk = lab_command(monkeypatch, 1000, "--present", "06")
    assert "--LabApp.default_url=/doc/tree/lectures/06_maml.ipynb" in talk
    assert any(option.startswith("--LabApp.extra_labextensions_path=") for option in talk)
    assert not any("labextensions" in option for option in lab_command(monkeypatch, 1000, "06"))


def test_check_takes_a_folder_a_notebook_or_a_number(monkeypatch):
    seen = []
    monkeypatch.setattr("utils.grading.terminal.check_folder", lambda folder: seen.append(folder.name) or 0)
    folder = course_root() / "homework/hw0_multitask"
    for name in (folder, folder / "hw0_multitask.ipynb", "hw0"):
        assert cli.main(["check", str(name)]) == 0
    assert seen == 3 * ["hw0_multitask"]
