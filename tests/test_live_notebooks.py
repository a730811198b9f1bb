"""Live figures must go on working after Run All: no later cell may rebind a name that a callback uses."""

import ast

import nbformat
import pytest

from utils.grading.importer import plain_python
from utils.notebooks import find
from utils.paths import course_root

NOTEBOOKS = find([course_root() / name for name in ("lectures", "solutions")])


def bound(tree: ast.AST) -> set[str]:
    """The names that a cell binds at its top level: assignments, loops, imports and definitions."""
    names, inside = set(), (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.DictComp)
    todo = list(ast.iter_child_nodes(tree))
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if not isinstance(node, inside):
            todo += ast.iter_child_nodes(node)
    return names - {"_"}


def globals_of(function: str, functions: dict) -> set[str]:
    """Names from outside that a function and the notebook's functions it calls refer to."""
    seen, found, todo = set(), set(), [function]
    while todo:
        name = todo.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        nodes = [node for node in ast.walk(functions[name]) if isinstance(node, ast.Name)]
        own = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
        inner = list(ast.walk(functions[name]))[1:]
        own |= {node.arg for node in inner if isinstance(node, ast.arg)}
        own |= {node.name for node in inner if isinstance(node, ast.FunctionDef)}
        used = {node.id for node in nodes} - own
        found |= used
        todo += used
    return found


def rebound(sources: list[str]) -> list[str]:
    """A sentence for each name that a live figure's callback uses and a later cell binds again."""
    trees = [ast.parse(source) for source in sources]
    functions = {n.name: n for tree in trees for n in tree.body if isinstance(n, ast.FunctionDef)}
    complaints = []
    for number, tree in enumerate(trees):
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "live"]
        for callback in (call.args[0].id for call in calls if call.args and isinstance(call.args[0], ast.Name)):
            for later, other in enumerate(trees[number + 1 :], start=number + 2):
                again = sorted(({callback} | globals_of(callback, functions)) & bound(other))
                complaints += [f"code cell {later} binds {name} again, which {callback} uses" for name in again]
    return complaints


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_later_cell_rebinds_what_a_live_figure_uses(path):
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert rebound([plain_python(source) for source in cells]) == []


def test_rebound_names_are_seen():
    figure = "line = 1\ndef helper(): return scale\ndef move(a): line.set(helper() * a)\nlive(move, alt='')"
    assert rebound([figure, "[line for line in []]\ndef f(line): pass"]) == []
    assert rebound([figure, "for line in []: pass"]) == ["code cell 2 binds line again, which move uses"]
    assert rebound([figure, "scale = 2"]) == ["code cell 2 binds scale again, which move uses"]
    assert rebound([figure, "def helper(): pass"]) == ["code cell 2 binds helper again, which move uses"]
