"""The table and the file that a run leaves."""

import importlib.metadata
import json
import platform
from pathlib import Path

import psutil
import torch

from benchmarks import peers
from benchmarks.measure import Row

PACKAGES = ("torch", "numpy", "matplotlib", "ipywidgets")


def machine() -> dict:
    """Where and with what this run was measured."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES} | {"torch": str(torch.__version__)}
    return {
        "processor": processor(),
        "cores": psutil.cpu_count(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **versions,
        **peers.PINS["meta-gradients"],
    }


def processor() -> str:
    """The processor's name, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def rounded(value: float | None) -> float | None:
    """Four significant digits: more would be noise."""
    return None if value is None else float(f"{value:.4g}")


def table(name: str, rows: list[Row]) -> str:
    """Aligned lines: what, value, unit, target and whether it is met, note."""
    lines = [name]
    for row in rows:
        value = "-" if row.value is None else f"{row.value:.4g}"
        sign = "<=" if row.at_most else ">="
        target = "" if row.target is None else f"{sign} {row.target:g}"
        verdict = {True: "met", False: "MISSED", None: ""}[row.met]
        line = f"  {row.what:<46} {value:>7} {row.unit:<2} {target:>8} {verdict:<6} {row.note}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def write(path: Path, results: dict[str, list[Row]], where: dict) -> None:
    """Write the figures in one step. Those of other benchmarks stay if they come from the same machine."""
    kept = {}
    if path.is_file():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
            kept = before["results"] if before["machine"] == where else {}
        except (ValueError, KeyError):
            kept = {}
    new = {name: [record(row) for row in rows] for name, rows in results.items()}
    fresh = path.with_name(path.name + ".new")
    content = json.dumps({"machine": where, "results": kept | new}, indent=1, ensure_ascii=False)
    fresh.write_text(content + "\n", encoding="utf-8")
    fresh.replace(path)


def record(row: Row) -> dict:
    """One row as it stands in the file."""
    entry = {"what": row.what, "value": rounded(row.value), "unit": row.unit}
    if row.target is not None:
        entry |= {"target": row.target, "met": row.met}
    return entry | ({"note": row.note} if row.note else {})
