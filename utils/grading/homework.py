"""A homework folder read from disk: its notebook's definitions, its exercises, and in solutions/ its mistakes."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from utils.grading.attempt import say
from utils.grading.check import Check
from utils.grading.importer import Imported, beside, import_notebook


class HomeworkError(Exception):
    """Something about a homework folder that a person has to put right, in one sentence."""


@dataclass(frozen=True)
class Homework:
    """notebook: the path; imported: its definitions; check: the folder's own; mistakes: {} outside solutions/."""

    notebook: Path
    imported: Imported
    check: Check
    mistakes: dict

    @property
    def functions(self) -> dict:
        """The functions that the notebook defines for the exercises."""
        found = {name: self.imported.namespace.get(name) for name in self.check.exercises}
        return {name: function for name, function in found.items() if callable(function)}


@contextmanager
def opened(folder: Path) -> Iterator[Homework]:
    """The homework in `folder`. Inside the block its functions can still import the folder's modules.

    Raises HomeworkError if the notebook, checks.py or mistakes.py cannot be used.
    """
    notebook = find_notebook(folder)
    with beside(folder):
        checks = _module(folder, "checks")
        check = getattr(checks, "check", None)
        if not isinstance(check, Check):
            raise HomeworkError(f"{folder / 'checks.py'} does not define check = checker(__file__, EXERCISES)")
        mistakes = getattr(_module(folder, "mistakes"), "MISTAKES", None) if _has_mistakes(folder) else {}
        if not isinstance(mistakes, dict):
            raise HomeworkError(f"{folder / 'mistakes.py'} does not define MISTAKES = {{exercise: [Mistake, ...]}}")
        try:
            imported = import_notebook(notebook, wanted=check.exercises)
        except ValueError as error:
            raise HomeworkError(str(error)) from error
        yield Homework(notebook, imported, check, mistakes)


def _has_mistakes(folder: Path) -> bool:
    return (folder / "mistakes.py").is_file()


def find_notebook(folder: Path) -> Path:
    """FOLDER/FOLDER.ipynb, or the only notebook there is."""
    if not folder.is_dir():
        raise HomeworkError(f"there is no folder {folder}")
    found = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    named = folder / f"{folder.resolve().name}.ipynb"
    if named in found:
        return named
    if len(found) != 1:
        listed = ", ".join(path.name for path in found) or "none"
        raise HomeworkError(f"expected one notebook in {folder}, best called {named.name}; found {listed}")
    return found[0]


def _module(folder: Path, name: str) -> ModuleType:
    if not (folder / f"{name}.py").is_file():
        raise HomeworkError(f"there is no {name}.py in {folder}")
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    except Exception as error:
        raise HomeworkError(f"{folder / name}.py cannot be imported: {say(error)}") from error
    finally:
        sys.dont_write_bytecode = bytecode
