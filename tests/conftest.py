"""Every test runs strictly: shapes are checked at run time, live figures raise, torch uses one thread."""

import os
import sys

os.environ["COURSE_STRICT"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402

# The annotations of these packages become checks; notebooks run in kernels of their own, without them.
install_import_hook(["utils.tasks", "utils.learners"], "beartype.beartype")

import torch  # noqa: E402

torch.set_num_threads(1)

NEED_LINUX = ["cheats", "sandbox_kernel", "submissions", "submissions_hostile"]  # they ask the system for what it has
collect_ignore = [f"test_grading_{name}.py" for name in NEED_LINUX if not sys.platform.startswith("linux")]


@pytest.fixture
def course_cache(tmp_path, monkeypatch):
    """An empty cache folder for one test; all others share the user's, where Glyphs are made once."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("COURSE_CACHE", str(folder))
    return folder


@pytest.fixture(scope="module")
def homework(tmp_path_factory):
    """The folder of the small released homework in homework_in_small.py."""
    from homework_in_small import write

    from utils.grading.release import release

    root = tmp_path_factory.mktemp("course")
    write(root)
    assert release(["hw9_small"], root=root) == 0
    return root / "homework" / "hw9_small"


@pytest.fixture
def check(homework):
    """Its `check`, as the notebook has it."""
    from utils.grading.homework import opened

    with opened(homework) as found:
        yield found.check


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """The key to the small homework, with fresh seeds."""
    from homework_in_small import write

    from utils.grading.official.key import make_key

    return make_key(write(tmp_path_factory.mktemp("key")))


@pytest.fixture(scope="module", params=["sandbox", "container"])
def sandbox(request, key, tmp_path_factory):
    """A sandbox of each level for the small homework."""
    from grading_in_small import need

    from utils.grading.sandbox.client import Limits, Sandbox

    with pytest.MonkeyPatch.context() as monkeypatch:
        need(request.param, monkeypatch, tmp_path_factory.mktemp("python"))
        with Sandbox(request.param, key.checks, key.preload, Limits(seconds=2, memory=512)) as made:
            yield made


@pytest.fixture(scope="module")
def one_key(folder):
    """The key to a test module's own homework of one exercise, released into its fixture `folder`."""
    from utils.grading.official.key import make_key

    return make_key(folder / "solutions" / "hw9_small")


@pytest.fixture(scope="module")
def graded(one_key, tmp_path_factory):
    """A function that grades that exercise, handed in as source, in a sandbox."""
    from grading_in_small import one_exercise_graded

    with one_exercise_graded(one_key, tmp_path_factory.mktemp("python")) as graded:
        yield graded


@pytest.fixture(scope="module")
def hw2(tmp_path_factory):
    """(key, sandbox) for homework 2."""
    from fuzz import HW
    from grading_in_small import need

    from utils.grading.official.key import make_key
    from utils.grading.sandbox.client import Limits, Sandbox

    with pytest.MonkeyPatch.context() as monkeypatch:
        need("sandbox", monkeypatch, tmp_path_factory.mktemp("python"))
        key = make_key(HW)
        with Sandbox("sandbox", key.checks, key.preload, Limits(seconds=5)) as made:
            yield key, made


@pytest.fixture(scope="module")
def whole(hw2):
    """{exercise: points} of homework 2."""
    return {case.name: case.points for case in hw2[0].cases}


def pytest_terminal_summary(terminalreporter):
    """Seconds of each notebook that ran, all cells together: what the tables of the README and of lecture 00 say."""
    seconds = {}
    for report in (report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])):
        notebook = report.nodeid.split("::")[0]
        if notebook.endswith(".ipynb"):
            seconds[notebook] = seconds.get(notebook, 0) + report.duration
    if seconds:
        terminalreporter.section("seconds of each notebook")
    for notebook, taken in sorted(seconds.items()):
        terminalreporter.write_line(f"{taken:5.0f}  {notebook}")
