"""The student's notebook from the solution's: stubs for solutions, and no solution line left over."""

import copy

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")  # nbgrader's own stubs, so that it makes the same cells
TEXT_STUB = ("YOUR ANSWER HERE",)
SHORTEST = 16  # characters without blanks; shorter lines ('return loss') are no secret


class ReleaseError(Exception):
    """A homework that must not be released, and why, in one sentence."""


def student_copy(solution: dict) -> dict:
    """The notebook with stubs for solutions. Raises ReleaseError on cells that would leak or could not be graded."""
    notebook = copy.deepcopy(solution)
    for number, cell in enumerate(notebook["cells"], start=1):
        metadata = cell["metadata"]
        is_solution = metadata.get("nbgrader", {}).get("solution", False)
        cell["source"], regions = _replace(_text(cell), cell["cell_type"], number)
        if regions and not is_solution:
            raise ReleaseError(f"cell {number} has a solution region, but its nbgrader metadata say solution: false")
        if is_solution and not regions:
            raise ReleaseError(f"cell {number} is a solution cell without a ### BEGIN SOLUTION region to take out")
        if "experiment" in metadata.get("tags", []):
            metadata["tags"] = sorted({*metadata["tags"], "raises-exception"})
    return notebook


def solution_lines(solution: dict) -> set[str]:
    """The lines of every solution region that say something, blanks normalised."""
    found = set()
    for cell in solution["cells"]:
        inside = False
        for line in _text(cell).splitlines():
            if BEGIN in line or END in line:
                inside = BEGIN in line
            elif inside:
                found.add(" ".join(line.split()))
    return {line for line in found if len(line.replace(" ", "")) >= SHORTEST and not line.endswith(":")}


def leaks(solution: dict, files: dict[str, str]) -> list[str]:
    """'checks.py: the line' for every solution line within a line of the files' texts {name: text}."""
    secret = solution_lines(solution)
    found = set()
    for name, text in files.items():
        for line in {" ".join(line.split()) for line in text.splitlines()}:
            found |= {f"{name}: {part}" for part in secret if part in line}
    return sorted(found)


def readable(notebook: dict) -> str:
    """All of a notebook's sources, for searching."""
    return "\n".join(_text(cell) for cell in notebook["cells"])


def _text(cell: dict) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def _replace(source: str, cell_type: str, number: int) -> tuple[str, int]:
    """The source with each region replaced by a stub (as deep as its BEGIN), and how many there were."""
    stub = CODE_STUB if cell_type == "code" else TEXT_STUB
    lines, regions, inside = [], 0, False
    for line in source.splitlines():
        if BEGIN in line or END in line:
            if inside == (BEGIN in line):
                raise ReleaseError(f"cell {number}: a ### {BEGIN} or ### {END} has no partner")
            inside = not inside
            if inside:
                regions += 1
                indent = line[: len(line) - len(line.lstrip())]
                lines += [indent + part for part in stub]
        elif not inside:
            lines.append(line)
    if inside:
        raise ReleaseError(f"cell {number}: a ### {BEGIN} or ### {END} has no partner")
    return "\n".join(lines), regions
