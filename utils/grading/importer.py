"""Importing a notebook without running it: definitions only, whatever else its cells do.

Kept from every code cell: imports, function and class definitions, UPPER_CASE constants, and names given to a
lambda or to another name; also where they stand in a top-level `if` or `try` that holds nothing else. Answers are
then found by function name, so copied, split, renamed or damaged cells do no harm.
"""

import __future__

import ast
import linecache
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from utils.grading.attempt import say
from utils.grading.notebook_file import code_cells, read

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
        return {name: number for number, statement in self.not_run for name in _assigned(statement)}


def import_notebook(notebook, before: Callable[[int, int], str | None] = lambda cell, line: None) -> Imported:
    """Definitions of a notebook: a path, or its JSON as a dict (any notebook format, also nbformat's own nodes).

    before(cell, line) is called ahead of every statement that is kept; a text that it returns is why to skip it.
    Raises ValueError, with a sentence, if it is no notebook at all. Only a KeyboardInterrupt stops the import.
    """
    namespace, skipped, not_run = {"__name__": "__main__", "__doc__": None}, [], []
    flags, content = 0, read(notebook)
    skipped += [content["note"]] if isinstance(content.get("note"), str) else []
    for number, source in enumerate(code_cells(content), start=1):
        cell = f"<cell {number}>"
        try:
            text = plain_python(source)
            statements = ast.parse(text, cell).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            skipped.append(f"cell {number} is not valid Python ({say(error)}) and was skipped")
            continue
        linecache.cache[cell] = (len(text), None, [line + "\n" for line in text.splitlines()], cell)
        for statement in statements:
            if not is_definition(statement, namespace):
                not_run.append((number, statement))
                continue
            flags |= _future(statement)
            try:
                reason = before(number, statement.lineno)
                if reason:
                    skipped.append(f"cell {number}, line {statement.lineno} was skipped: {reason}")
                    continue
                code = compile(ast.Module([statement], []), cell, "exec", flags=flags, dont_inherit=True)
                exec(code, namespace)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                skipped.append(f"cell {number}, line {statement.lineno} was skipped: {say(error)}")
    return Imported(namespace, skipped, not_run)


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


def is_definition(statement: ast.stmt, known: dict) -> bool:
    """Is it an import, a definition, a constant or a second name for a `known` function, or a block of these?"""
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return True
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [name for target in targets for name in _names(target)]
        value = statement.value
        function = isinstance(value, ast.Lambda) or (isinstance(value, ast.Name) and callable(known.get(value.id)))
        return (function and all(names)) or all(name and name.upper() == name and name.strip("_") for name in names)
    if isinstance(statement, (ast.If, ast.Try)):
        handlers = [line for handler in getattr(statement, "handlers", []) for line in handler.body]
        block = [*statement.body, *statement.orelse, *handlers, *getattr(statement, "finalbody", [])]
        return all(isinstance(line, ast.Pass) or is_definition(line, known) for line in block)
    return False


def _assigned(statement: ast.stmt) -> set[str]:
    """Every name that the statement would give outside of the functions in it."""
    nodes, found = [statement], set()
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            found |= {node.name} if hasattr(node, "name") else set()
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        nodes += ast.iter_child_nodes(node)
    return found


def _names(target: ast.expr) -> list[str]:
    """The names an assignment gives; '' stands for anything else (an attribute, an item)."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for part in target.elts for name in _names(part)]
    return [target.id if isinstance(target, ast.Name) else ""]


def _future(statement: ast.stmt) -> int:
    """The compiler flags of a `from __future__ import`: they hold for the statements after it."""
    if not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
        return 0
    features = [getattr(__future__, alias.name, None) for alias in statement.names]
    return sum(feature.compiler_flag for feature in features if feature is not None)


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
