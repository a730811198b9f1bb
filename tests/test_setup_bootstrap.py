"""bootstrap.py notices installs that failed, were interrupted, damaged, moved or outdated."""

import ast
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parent.parent


def module(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def boot(tmp_path):
    """bootstrap.py in a folder of its own, with a small complete environment."""
    for name in ("bootstrap.py", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    loaded = module(tmp_path / "bootstrap.py")
    venv.create(loaded.VENV, with_pip=False, symlinks=sys.platform != "win32")
    site = next(loaded.VENV.rglob("site-packages"))
    (site / "torch").mkdir()
    (site / "torch-2.13.0.dist-info").mkdir()
    loaded.site = site
    loaded.mark(complete=True)
    return loaded


def test_a_complete_install_is_ready_at_once(boot):
    start = time.perf_counter()
    assert boot.state() == "ready"
    assert time.perf_counter() - start < 2


def test_an_interrupted_install_is_made_anew(boot):
    boot.mark(complete=False)
    assert boot.state() == "broken"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"complete": true}', '{"complete": true, "files": 3}'])
def test_a_damaged_state_file_is_made_anew(boot, content):
    boot.STATE.write_text(content, encoding="utf-8")
    assert boot.state() == "broken"


@pytest.mark.parametrize("name", ["torch", "torch-2.13.0.dist-info"])
def test_a_deleted_package_is_noticed(boot, name):
    (boot.site / name).rmdir()
    assert boot.state() == "broken"


def test_a_package_added_by_hand_does_no_harm(boot):
    (boot.site / "mine").mkdir()
    assert boot.state() == "ready"


def test_a_python_that_does_not_start_is_noticed(boot):
    boot.PYTHON.unlink()
    assert boot.state() == "broken"
    boot.PYTHON.write_text("no program", encoding="utf-8")
    assert boot.state() == "broken"


def test_changed_requirements_are_installed_into_it(boot):
    with (boot.ROOT / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n# another line\n")
    assert boot.state() == "outdated"


def test_an_environment_made_by_hand_is_kept(boot):
    boot.STATE.unlink()
    assert boot.state() == "outdated"


def test_a_moved_folder_is_noticed(boot, tmp_path):
    there = tmp_path / "elsewhere"
    there.mkdir()
    for name in (".venv", "bootstrap.py", "pyproject.toml"):
        (tmp_path / name).rename(there / name)
    assert module(there / "bootstrap.py").state() == "broken"


def test_another_python_version_is_noticed(boot):
    content = json.loads(boot.STATE.read_text(encoding="utf-8"))
    boot.STATE.write_text(json.dumps({**content, "python": "3.10"}), encoding="utf-8")
    assert boot.state() == "broken"


def test_a_ready_environment_does_not_mind_the_python_that_asks(boot, monkeypatch):
    monkeypatch.setattr(boot, "sys", SimpleNamespace(version_info=(3, 9, 2), executable="python3", exit=pytest.fail))
    boot.prepare()


def test_bootstrap_can_be_read_by_old_pythons():
    ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize("system, start", [("posix", "make lab PYTHON="), ("nt", "py -3.12 bootstrap.py lab")])
def test_an_old_python_is_one_sentence(boot, monkeypatch, system, start):
    monkeypatch.setattr(boot, "os", SimpleNamespace(name=system))
    monkeypatch.setattr(boot.sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=rf"needs Python 3.11 or newer; .* is 3\.9\. Name a newer one: {start}"):
        boot.check_python()


@pytest.mark.parametrize("log, said", [
    ("OSError: [Errno 28] No space left on device", "The disk is full"),
    ("Temporary failure in name resolution", "The network could not be reached"),
    ("ERROR: No matching distribution found for torch", "Python 3.12 is a safe choice"),
    ("OSError: [WinError 5] Access is denied: 'c10.dll'", "close JupyterLab"),
    ("does not have Windows Long Path support enabled", "move the course to a short folder"),
    ("OSError: [WinError 126] The specified module could not be found", "Visual C++ Redistributable"),
    ("something else", "Run the same command again"),
])
def test_a_failing_step_shows_its_log_and_what_to_do(boot, capsys, log, said):
    code = f"import sys; print({log!r}); sys.exit(1)"
    with pytest.raises(SystemExit) as stopped:
        boot.step("[1/4] testing", [sys.executable, "-c", code], [])
    assert said in str(stopped.value) and "Run the same command again" in str(stopped.value)
    assert log in capsys.readouterr().out


def test_steps_of_an_install_and_where_torch_comes_from(boot, monkeypatch):
    steps = []
    monkeypatch.setattr(boot, "step", lambda text, command, hold: steps.append((text, list(map(str, command)))))
    monkeypatch.setenv("TORCH_INDEX", "https://example.org/cpu")
    boot.install("broken", [])
    assert [text[:5] for text, _ in steps] == ["[1/4]", "[2/4]", "[3/4]", "[4/4]"]
    with_index = [command for _, command in steps if "--index-url" in command]
    assert len(with_index) == 1 and "torch==2.13.0" in with_index[0] and with_index[0][-1] == "https://example.org/cpu"
    assert steps[2][1][-2:] == ["-e", ".[test]"]


def test_a_kill_in_the_middle_leaves_an_install_that_is_seen_as_broken(boot, monkeypatch):
    def killed(text, command, hold):
        raise KeyboardInterrupt

    monkeypatch.setattr(boot, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        boot.install("outdated", [])
    assert boot.state() == "broken"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such lock")
def test_a_second_install_waits_for_the_first(boot, capfd):
    code = "import time, bootstrap; bootstrap.lock(); print('held', flush=True); time.sleep(1)"
    first = subprocess.Popen([sys.executable, "-c", code], cwd=boot.ROOT, stdout=subprocess.PIPE, text=True)
    assert first.stdout.readline() == "held\n"
    boot.lock()
    assert first.wait(10) == 0
    assert "Another install is running" in capfd.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise on Windows")
def test_ctrl_c_lets_the_command_end_in_its_own_time(boot):
    slow = ("import time\ntry:\n    print('started', flush=True); time.sleep(30)\n"
            "except KeyboardInterrupt:\n    time.sleep(1); raise SystemExit(7)")
    code = f"import sys, bootstrap; sys.exit(bootstrap.call([sys.executable, '-c', {slow!r}]))"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=boot.ROOT, stdout=subprocess.PIPE, text=True,
                               start_new_session=True)
    assert process.stdout.readline() == "started\n"
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(10) == 7


def test_unknown_command_is_one_sentence_and_installs_nothing(boot, monkeypatch):
    monkeypatch.setattr(boot, "prepare", lambda: pytest.fail("installed"))
    with pytest.raises(SystemExit, match="lab | test | bench | notebooks"):
        boot.main(["frobnicate"])


def test_every_step_runs_and_one_failure_fails_all(monkeypatch, capfd):
    steps = module(ROOT / "tests" / "all.py")
    said = "import os; print(os.environ['COURSE_STRICT'], {!r}); raise SystemExit({})"
    first, last = said.format("first", 1), said.format("last", 0)
    monkeypatch.setattr(steps, "STEPS", {
        "style": [sys.executable, "-c", first], "tests": [sys.executable, "-c", last]})
    assert steps.main([]) == 1
    out = capfd.readouterr().out
    assert "1 first" in out and "1 last" in out and "Not passed: style" in out
