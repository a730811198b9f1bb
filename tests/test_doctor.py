"""`course doctor` on healthy and on broken machines; the faults are injected."""

import importlib.metadata
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from utils import doctor
from utils.doctor import Line
from utils.paths import course_root, short


def version_of(installed: dict[str, str]):
    def version(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    return version


def test_this_machine_is_healthy_but_for_what_varies():
    lines = {line.name: line for line in doctor.report()}
    assert list(lines) == ["Python", "packages", "kernel", "widgets", "device", "data", "disk", "memory", "grading"]
    assert all(lines[name].ok for name in ("Python", "packages", "kernel", "widgets", "device", "data"))
    assert len(str(lines["packages"]).splitlines()) == 1


def test_old_python():
    line = doctor.python((3, 9, 2))
    assert not line.ok and "3.9.2" in line.text and "3.11" in line.text
    assert doctor.python((3, 12, 0)).ok


def test_packages_missing_and_out_of_range():
    requires = ["numpy>=2.0,<3", "psutil>=6,<8", 'pytest>=8; extra == "test"', 'colorama; sys_platform == "none"']
    assert doctor.packages(requires, version_of({"numpy": "2.4.6", "psutil": "7.2"})).ok
    line = doctor.packages(requires, version_of({"numpy": "1.26.4"}))
    assert not line.ok and "numpy is 1.26.4, needed <3,>=2.0" in line.text and "psutil is missing" in line.text
    assert "pytest" not in line.text and "colorama" not in line.text


def test_a_local_build_of_torch_is_the_same_version():
    assert doctor.packages(["torch==2.13.0"], version_of({"torch": "2.13.0+cpu"})).ok


def test_kernel_of_another_environment(tmp_path):
    other = tmp_path / "bin" / "python"
    line = doctor.kernel([str(other), "-m", "ipykernel_launcher"])
    assert not line.ok and str(other) in line.text and "ipykernel install --sys-prefix" in line.text
    assert doctor.kernel(["python", "-m", "ipykernel_launcher"]).ok
    assert doctor.kernel([sys.executable, "-m", "ipykernel_launcher"]).ok


def test_server_without_widgets(tmp_path, monkeypatch):
    monkeypatch.setattr("jupyter_core.paths.SYSTEM_JUPYTER_PATH", [])
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "user"))
    line = doctor.widgets(tmp_path)
    assert not line.ok and "lacks jupyterlab_widgets" in line.text
    package = tmp_path / "share/jupyter" / doctor.WIDGET_FOLDER / "package.json"
    package.parent.mkdir(parents=True)
    package.write_text("{}", encoding="utf-8")
    assert doctor.widgets(tmp_path).ok


def test_the_server_of_a_kernel_is_the_one_that_is_asked(tmp_path, monkeypatch):
    (tmp_path / "share/jupyter").mkdir(parents=True)
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    server = SimpleNamespace(cmdline=lambda: [str(tmp_path / "bin/python"), "-m", "jupyterlab"])
    monkeypatch.setattr("psutil.Process", lambda number: server)
    assert doctor.server_prefix() == tmp_path


@pytest.mark.parametrize("parent", [None, "not a number", "999999999"])
def test_without_a_server_this_environment_is_asked(monkeypatch, parent):
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    if parent:
        monkeypatch.setenv("JPY_PARENT_PID", parent)
    assert doctor.server_prefix() == Path(sys.prefix)


def fake_torch(cuda: bool, mps: bool):
    return SimpleNamespace(
        __version__="2.13.0", get_num_threads=lambda: 4,
        cuda=SimpleNamespace(is_available=lambda: cuda, get_device_name=lambda index: "H200"),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)))


def test_device_names_what_torch_can_use():
    assert doctor.device(fake_torch(False, False)).text == "torch 2.13.0 on CPU (4 threads)"
    assert "CUDA (H200)" in doctor.device(fake_torch(True, False)).text
    assert "MPS" in doctor.device(fake_torch(False, True)).text


def test_data_says_what_the_notebooks_will_use(tmp_path):
    assert "notebooks use Glyphs" in doctor.data(False, tmp_path).text
    assert "will be made on first use" in doctor.data(False, tmp_path).text
    (tmp_path / "glyphs-1.safetensors").touch()
    assert "Omniglot is here; Glyphs are in the cache" in doctor.data(True, tmp_path).text


def test_little_disk_and_memory():
    assert doctor.disk(50 * 10**9).ok and doctor.memory(8 * 10**9).ok
    assert not doctor.disk(10**9).ok and "make room" in doctor.disk(10**9).text
    assert not doctor.memory(10**9).ok and "close other programs" in doctor.memory(10**9).text


def test_a_check_that_breaks_is_a_line_of_the_report(monkeypatch):
    def broken():
        raise json.JSONDecodeError("bad kernel.json", "{", 0)

    monkeypatch.setattr(doctor, "kernel", broken)
    line = next(line for line in doctor.report() if line.name == "kernel")
    assert not line.ok and "bad kernel.json" in line.text


@pytest.mark.parametrize("ok, status", [(True, 0), (False, 1)])
def test_exit_status(monkeypatch, capsys, ok, status):
    monkeypatch.setattr(doctor, "report", lambda: [Line("Python", True, "3.12"), Line("disk", ok, "...")])
    assert doctor.doctor() == status
    assert capsys.readouterr().out.splitlines()[1].startswith("OK" if ok else "FIX")


def test_paths_are_shown_from_the_checkout_or_from_home(tmp_path):
    assert short(course_root() / ".venv") == ".venv"
    assert short(Path.home() / "somewhere" / "else") == "~/somewhere/else"
    assert short(tmp_path) == str(tmp_path)


@pytest.mark.parametrize(
    "offered, text",
    [
        (["sandbox", "container"], "level sandbox"),
        (["container"], "level container; for the better one, sandbox: no sandbox"),
        ([], "course grade will refuse to run here (course check works): no sandbox"),
    ],
)
def test_grading_names_the_best_isolation_and_how_to_get_it(offered, text):
    line = doctor.grading(lambda level: "" if level in offered else f"no {level}")
    assert line.ok and text in line.text
