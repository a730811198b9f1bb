"""Small results of long training, stored beside the code: networks and learning curves that a lecture shows.

Each file NAME.safetensors says in its metadata which command made it, with which seeds, at what cost.
"""

from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

FOLDER = Path(__file__).parent
LARGEST = 300_000  # bytes of one file


def load(name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of NAME.safetensors, and how they were made: {"command": ..., "seeds": ..., "cpu_seconds": ...}.

    Raises FileNotFoundError with the names that there are.
    """
    path = FOLDER / f"{name}.safetensors"
    if not path.exists():
        there = ", ".join(sorted(p.stem for p in FOLDER.glob("*.safetensors"))) or "nothing"
        raise FileNotFoundError(f"no stored result called {name!r}; there is: {there}. "
                                f"`python -m benchmarks.keep {name}` makes those that the benchmarks know.")
    with safe_open(path, "pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata())  # noqa: SIM118


def save(name: str, tensors: dict[str, Tensor], command: str, seeds: str, cpu_seconds: float) -> Path:
    """Write NAME.safetensors at once or not at all. Raises ValueError if it would be larger than 300 kB."""
    size = sum(t.numel() * t.element_size() for t in tensors.values())
    if size > LARGEST:
        raise ValueError(f"{name}: {size} bytes of tensors, at most {LARGEST} are stored: use float16 or keep less")
    path, part = FOLDER / f"{name}.safetensors", FOLDER / f"{name}.part"
    how = {"command": command, "seeds": seeds, "cpu_seconds": f"{cpu_seconds:.0f}"}
    save_file({key: t.detach().contiguous() for key, t in tensors.items()}, part, how)
    part.chmod(0o644)
    part.replace(path)
    return path
