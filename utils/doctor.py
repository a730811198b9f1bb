"""`course doctor`: what works on this machine; for each thing OK, or what to do."""

import importlib.metadata
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from utils.paths import cache_dir, course_root, short

DISTRIBUTION = "metalearning-course"
START = "python bootstrap.py lab" if os.name == "nt" else "make lab"  # Windows has no make
INSTALL = f"run: {START}"
WIDGET_FOLDER = "labextensions/@jupyter-widgets/jupyterlab-manager"
DISK_GB, MEMORY_GB = 2, 3


@dataclass(frozen=True)
class Line:
    """One answer: the thing, whether it is as it should be, and what was found or what to do."""

    name: str
    ok: bool
    text: str

    def __str__(self) -> str:
        return f"{'OK ' if self.ok else 'FIX'}  {self.name:<9} {self.text}"


def doctor() -> int:
    """Print the report; returns 0 when everything is OK, else 1."""
    lines = report()
    print(*lines, sep="\n")
    return 0 if all(line.ok for line in lines) else 1


def report() -> list[Line]:
    """All checks, each on its own: one that fails unexpectedly becomes a line of the report."""
    checks = {"Python": python, "packages": packages, "kernel": kernel, "widgets": widgets, "device": device,
              "data": data, "disk": disk, "memory": memory, "grading": grading}
    lines = []
    for name, check in checks.items():
        try:
            lines.append(check())
        except Exception as error:  # the doctor must not need a doctor
            lines.append(Line(name, False, f"could not be checked ({type(error).__name__}: {error}); {INSTALL}"))
    return lines


def python(version: tuple = sys.version_info[:3], needed: tuple = (3, 11)) -> Line:
    """Is this Python new enough?"""
    found = ".".join(map(str, version))
    if tuple(version) >= needed:
        return Line("Python", True, found)
    return Line("Python", False, f"{found} is too old: install {'.'.join(map(str, needed))} or newer; {INSTALL}")


def packages(requires: list[str] | None = None, version=importlib.metadata.version) -> Line:
    """Is every package that the course needs there, in a version that its tests have run with?

    requires: requirement strings (default: the course's own); version: name -> installed version.
    """
    if requires is None:
        requires = importlib.metadata.requires(DISTRIBUTION)
    wrong, seen = [], 0
    for requirement in map(Requirement, requires):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        seen += 1
        try:
            found = version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} is {found}, needed {requirement.specifier}")
    if wrong:
        return Line("packages", False, f"{'; '.join(wrong)}; run: {sys.executable} -m pip install -e .")
    return Line("packages", True, f"{seen} found, all in the tested ranges")


def kernel(argv: list[str] | None = None, executable: str = sys.executable) -> Line:
    """Does the kernel named python3 run in this environment? argv: the command of its kernelspec."""
    if argv is None:
        from jupyter_client.kernelspec import KernelSpecManager

        argv = KernelSpecManager().get_kernel_spec("python3").argv
    # jupyter_client replaces a bare "python" by the Python that starts it
    here = Path(argv[0]).name == argv[0] or Path(argv[0]).absolute().parent == Path(executable).absolute().parent
    if here:
        return Line("kernel", True, "python3 runs in this environment")
    return Line("kernel", False, f"python3 starts {argv[0]}, not {executable}; "
                                 f"run: {executable} -m ipykernel install --sys-prefix")


def widgets(prefix: Path | None = None) -> Line:
    """Does the JupyterLab server's environment hold the widgets' half that draws in the browser?"""
    prefix = prefix or server_prefix()
    from jupyter_core.paths import SYSTEM_JUPYTER_PATH, jupyter_data_dir

    folders = [prefix / "share/jupyter", Path(jupyter_data_dir()), *map(Path, SYSTEM_JUPYTER_PATH)]
    if any((folder / WIDGET_FOLDER / "package.json").is_file() for folder in folders):
        return Line("widgets", True, f"JupyterLab in {short(prefix)} can show them")
    return Line("widgets", False, f"JupyterLab runs in {short(prefix)}, which lacks jupyterlab_widgets: "
                                  f"install it there and restart, or start JupyterLab with: {START}")


def server_prefix() -> Path:
    """The environment of the running JupyterLab if this is one of its kernels, else this environment."""
    import psutil

    try:
        command = psutil.Process(int(os.environ["JPY_PARENT_PID"])).cmdline()
        server = Path(command[0])
    except (KeyError, ValueError, IndexError, psutil.Error):
        return Path(sys.prefix)
    known = server.is_absolute() and (server.parent.parent / "share/jupyter").is_dir()
    return server.parent.parent if known else Path(sys.prefix)


def device(torch=None) -> Line:
    """Which devices torch can use; the CPU is enough for everything."""
    if torch is None:
        import torch
    found = [f"CPU ({torch.get_num_threads()} threads)"]
    if torch.cuda.is_available():
        found.append(f"CUDA ({torch.cuda.get_device_name(0)})")
    if torch.backends.mps.is_available():
        found.append("MPS (Apple)")
    return Line("device", True, f"torch {torch.__version__} on {', '.join(found)}")


def data(omniglot: bool | None = None, cache: Path | None = None) -> Line:
    """Which data sets are at hand. Without Omniglot the notebooks use Glyphs, so this is always OK."""
    cache = cache or cache_dir()
    if omniglot is None:
        from utils.tasks.omniglot import available

        omniglot = available()
    glyphs = any(cache.glob("glyphs*.safetensors"))
    first = "Omniglot is here" if omniglot else "no Omniglot (course data omniglot fetches it), so notebooks use Glyphs"
    second = "Glyphs are in the cache" if glyphs else "Glyphs will be made on first use (some seconds)"
    return Line("data", True, f"{first}; {second}; cache: {short(cache)}")


def disk(free: int | None = None) -> Line:
    """Is there room for caches beside the course? free: bytes."""
    free = min(shutil.disk_usage(p).free for p in (cache_dir(), course_root())) if free is None else free
    enough = free >= DISK_GB * 1e9
    return Line("disk", enough, f"{free / 1e9:.1f} GB free" + ("" if enough else f": make room, {DISK_GB} GB or more"))


def memory(available: int | None = None) -> Line:
    """Is there memory for one notebook? available: bytes."""
    if available is None:
        import psutil

        available = psutil.virtual_memory().available
    enough = available >= MEMORY_GB * 1e9
    advice = "" if enough else f": close other programs, a notebook takes up to {MEMORY_GB} GB"
    return Line("memory", enough, f"{available / 1e9:.1f} GB available{advice}")


def grading(lacks=None) -> Line:
    """Which isolation `course grade` has here, and how to get the best; nothing that a student needs.

    lacks: level -> why it is not offered, '' if it is.
    """
    if lacks is None:
        from utils.grading.sandbox.isolation import lacks
    best = lacks("sandbox")
    if not best:
        return Line("grading", True, "isolation level sandbox: bubblewrap and user namespaces")
    if not lacks("container"):
        return Line("grading", True, f"isolation level container; for the better one, sandbox: {best}")
    return Line("grading", True, f"course grade will refuse to run here (course check works): {best}")
