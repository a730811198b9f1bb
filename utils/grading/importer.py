"""Importing a notebook without running it: definitions only, whatever else its cells do.

Kept from every code cell: imports, function and class definitions, UPPER_CASE constants, and names given to a
lambda or to another name (`F.relu`); also where they stand in a top-level `if` or `try` that holds nothing else
(statements.py decides). Answers are then found by function name, so copied, split, renamed or damaged cells do no
harm.
"""

import __future__

import ast
import linecache
import sys
from collections.abc import Callable, Collection
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from utils.grading.attempt import computed_elsewhere, say
from utils.grading.notebook_file import code_cells, read
from utils.grading.statements import DEFINITIONS, assigned, future_flags, is_definition, may_give

PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")  # their cell is Python; that of others is not


@dataclass(frozen=True)
class Imported:
    """namespace: what the definitions made; skipped: a sentence for every cell or statement that failed;
    not_run: (number of the cell, statement) for all that is no definition."""

    namespace: dict
    skipped: list[str]
    not_run: list[tuple[int, ast.stmt]]

    @property
    def left_out(self) -> dict[str, int]:
        """{name: number of the cell that computes it} for names that only running the notebook would make."""
        return {name: number for number, statement in self.not_run for name in assigned(statement)}


def import_notebook(
    notebook, before: Callable[[int, int], str | None] = lambda cell, line: None, wanted: Collection[str] = ()
) -> Imported:
    """Definitions of a notebook: a path, or its JSON as a dict (any notebook format, also nbformat's own nodes).

    before(cell, line) is called ahead of every cell (line 0) and of every statement that is kept; a text that it
    returns is why to skip it. wanted: names that may also come of a call, an attribute or an item, as in
    `scale = partial(power, 2)`, if that gives a function.
    Raises ValueError, with a sentence, if it is no notebook at all. Only a KeyboardInterrupt stops the import.
    """
    content, flags = read(notebook), 0
    notes = [content["note"]] if isinstance(content.get("note"), str) else []
    found = Imported({"__name__": "__main__", "__doc__": None}, notes, [])
    for number, source in enumerate(code_cells(content), start=1):
        for statement in _statements(found, number, source, before):
            if is_definition(statement, found.namespace):
                flags |= future_flags(statement)
                _keep(found, number, statement, before, flags)
            elif not (may_give(statement, wanted) and _keep_function(found, number, statement, before, flags)):
                found.not_run.append((number, statement))
    return found


def _statements(found: Imported, number: int, source: str, before: Callable) -> list[ast.stmt]:
    """The statements of a cell; none, and a note, where it cannot be read."""
    cell, reason = f"<cell {number}>", before(number, 0)
    if reason:
        found.skipped.append(f"cell {number} was skipped: {reason}")
        return []
    try:
        text = plain_python(source)
        statements = ast.parse(text, cell).body
    except Exception as error:  # SyntaxError, ValueError, RecursionError, MemoryError; RuntimeError from IPython
        found.skipped.append(f"cell {number} is not valid Python ({say(error)}) and was skipped")
        return []
    linecache.cache[cell] = (len(text), None, [line + "\n" for line in text.splitlines()], cell)
    return statements


def _keep(found: Imported, number: int, statement: ast.stmt, before: Callable, flags: int):
    """Executes one statement in the namespace; a note where that fails or `before` has a reason against it."""
    try:
        reason = before(number, statement.lineno)
        if not reason:
            _execute(statement, f"<cell {number}>", flags, found.namespace)
            return
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        reason = say(error) + computed_elsewhere(error, found)
    found.skipped.append(f"cell {number}, line {statement.lineno} was skipped: {reason}")


def _execute(statement: ast.stmt, cell: str, flags: int, namespace: dict):
    """Executes a statement; annotations that cannot be evaluated stay text."""
    as_text = flags | __future__.annotations.compiler_flag
    try:
        exec(compile(ast.Module([statement], []), cell, "exec", flags=flags, dont_inherit=True), namespace)
    except Exception:
        if as_text == flags or not isinstance(statement, (*DEFINITIONS, ast.AnnAssign)):
            raise
        exec(compile(ast.Module([statement], []), cell, "exec", flags=as_text, dont_inherit=True), namespace)


def _keep_function(found: Imported, number: int, statement: ast.Assign, before: Callable, flags: int) -> bool:
    """Keeps what the assignment gives if it is a function; else all is as before, also without a word."""
    names = {target.id for target in statement.targets}
    old = {name: found.namespace[name] for name in names & found.namespace.keys()}
    n_notes = len(found.skipped)
    _keep(found, number, statement, before, flags)
    failed = len(found.skipped) > n_notes
    if old:
        del found.skipped[n_notes:]  # `total = total(data)`: a result under the function's name
    if failed or all(callable(found.namespace[name]) for name in names):
        return not failed
    for name in names:
        del found.namespace[name]
    found.namespace.update(old)
    return False


def plain_python(source: str) -> str:
    """A cell without IPython's own syntax (magics, shell commands, help); lines keep their numbers."""
    source = "\n".join(source.splitlines())
    if source.lstrip().startswith("%%"):
        first, _, rest = source.lstrip().partition("\n")
        blank = "\n" * (source.count("\n") - rest.count("\n"))
        return plain_python(blank + rest) if first.split()[0] in PYTHON_MAGICS else ""
    try:
        ast.parse(source)
        return source
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        leading = len(source) - len(source.lstrip("\n"))  # the transformer drops leading empty lines
        return "\n" * leading + TransformerManager().transform_cell(source)


@contextmanager
def beside(folder: Path):
    """`import checks` finds this folder's own module; afterwards nothing of the folder stays imported."""
    folder = folder.resolve()
    before, path = dict(sys.modules), list(sys.path)
    for name in {"checks", "mistakes"} & sys.modules.keys():
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if before.get(name) is not module and file and Path(file).resolve().parent == folder:
                del sys.modules[name]
        sys.modules.update({name: before[name] for name in ("checks", "mistakes") if name in before})
