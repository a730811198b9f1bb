"""What a statement of a notebook is, from its syntax: a definition to keep, or a part of the experiment."""

import __future__

import ast
from collections.abc import Collection
from types import ModuleType

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def is_definition(statement: ast.stmt, known: dict) -> bool:
    """Is it an import, a definition, a constant or a second name for a `known` function, or a block of these?"""
    if isinstance(statement, (ast.Import, ast.ImportFrom, *DEFINITIONS)):
        return True
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [name for target in targets for name in _names(target)]
        value = statement.value
        function = isinstance(value, ast.Lambda) or callable(_known(value, known))
        return (function and all(names)) or all(name and name.upper() == name and name.strip("_") for name in names)
    if isinstance(statement, (ast.If, ast.Try)):
        handlers = [line for handler in getattr(statement, "handlers", []) for line in handler.body]
        block = [*statement.body, *statement.orelse, *handlers, *getattr(statement, "finalbody", [])]
        return all(isinstance(line, ast.Pass) or is_definition(line, known) for line in block)
    return False


def _known(value: ast.expr | None, known: dict):
    """What a name or a dotted name of a module or a class (`torch.Tensor`) stands for; None for anything else."""
    if isinstance(value, ast.Attribute):
        owner = _known(value.value, known)
        try:
            return getattr(owner, value.attr) if isinstance(owner, (ModuleType, type)) else None
        except Exception:  # executing the statement will tell what is wrong
            return None
    return known.get(value.id) if isinstance(value, ast.Name) else None


def assigned(statement: ast.stmt) -> set[str]:
    """Every name that the statement would give outside of the functions in it."""
    nodes, found = [statement], set()
    while nodes:
        node = nodes.pop()
        if isinstance(node, (*DEFINITIONS, ast.Lambda)):
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


def future_flags(statement: ast.stmt) -> int:
    """The compiler flags of a `from __future__ import`: they hold for the statements after it."""
    if not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
        return 0
    features = [getattr(__future__, alias.name, None) for alias in statement.names]
    return sum(feature.compiler_flag for feature in features if feature is not None)


def may_give(statement: ast.stmt, wanted: Collection[str]) -> bool:
    """Is it an assignment to wanted names alone, of something that may be a function?"""
    value = statement.value if isinstance(statement, ast.Assign) else None
    if not isinstance(value, (ast.Call, ast.Attribute, ast.Subscript)):
        return False
    return all(isinstance(target, ast.Name) and target.id in wanted for target in statement.targets)
