"""`course release`: homework/NAME/ from solutions/NAME/, and the check that it is up to date."""

import shutil
import tempfile
from pathlib import Path

from utils.grading.answers import answers_on
from utils.grading.exercise import PUBLIC_SEEDS, Exercise
from utils.grading.expected import fingerprint, load, same_inputs, save
from utils.grading.homework import Homework, HomeworkError, opened
from utils.grading.judge import judge
from utils.grading.notebook_file import read
from utils.grading.student_copy import ReleaseError, leaks, readable, student_copy
from utils.paths import course_root

IGNORED = ("__pycache__", ".ipynb_checkpoints")


def release(names: list[str], check: bool = False, root: Path | None = None) -> int:
    """Writes homework/NAME for each of `names` (or a unique beginning of one); all of solutions/ if none is given.

    With `check` nothing is written: it says what is stale. 0: all well; 1: stale or refused; 2: no such homework.
    """
    root = root or course_root()
    try:
        chosen = [find(root, name) for name in names] or list(_folders(root).values())
    except ReleaseError as error:
        print(error)
        return 2
    status = 0
    if not chosen:
        print("there is nothing to release: solutions/ is empty")
    for solution in chosen:
        target = root / "homework" / solution.name
        try:
            complaints = _compare(solution, target) if check else _write(solution, target)
        except (ReleaseError, HomeworkError) as error:
            complaints = [f"{solution.name} cannot be released: {error}"]
        print("\n".join(complaints) or f"homework/{solution.name} is {'up to date' if check else 'written'}")
        status = max(status, bool(complaints))
    return status


def find(root: Path, name: str) -> Path:
    folders, name = _folders(root), Path(name).name
    near = [folder for folder in folders if folder.startswith(name)]
    if name in folders or len(near) == 1:
        return folders.get(name) or folders[near[0]]
    raise ReleaseError(f"no homework is called {name!r}; solutions/ holds {', '.join(folders) or 'none'}")


def _folders(root: Path) -> dict[str, Path]:
    found = [path for path in sorted(root.glob("solutions/*")) if path.is_dir() and path.name[0] not in "._"]
    return {path.name: path for path in found}


def _write(solution: Path, target: Path) -> list[str]:
    """Builds beside the target and swaps the folders, so that a half-written homework is never seen."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new, old = (target.with_name(f".{target.name}.{word}") for word in ("new", "old"))
    try:
        _tidy(target, new, old)
        new.mkdir()
        build(solution, new)
        if target.exists():
            target.rename(old)
        new.rename(target)
    finally:
        _tidy(target, new, old)
    return []


def _tidy(target: Path, new: Path, old: Path):
    """Removes what a release leaves behind, also one that was killed between its two renames."""
    if old.exists() and not target.exists():
        old.rename(target)
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)


def _compare(solution: Path, target: Path) -> list[str]:
    """A sentence for every file of the target that differs from what a release would write."""
    with tempfile.TemporaryDirectory() as folder:
        build(solution, Path(folder))
        fresh = {path.name: path for path in Path(folder).iterdir()}
        there = {path.name: path for path in target.glob("*") if path.name not in IGNORED}
        stale = [f"{name} is missing" for name in sorted(fresh.keys() - there.keys())]
        stale += [f"{name} does not belong there" for name in sorted(there.keys() - fresh.keys())]
        for name in sorted(fresh.keys() & there.keys()):
            same = _same_answers if name.endswith(".safetensors") else _same_bytes
            stale += [] if same(fresh[name], there[name]) else [f"{name} is stale"]
    return [f"homework/{target.name}/{line}: run course release {target.name}" for line in stale]


def _same_bytes(one: Path, two: Path) -> bool:
    return one.read_bytes() == two.read_bytes()


def _same_answers(fresh: Path, there: Path) -> bool:
    """Equal sentences and inputs, and arrays that agree: another processor may differ in the last digit."""
    try:
        one, two = load(fresh), load(there)
    except ValueError:
        return False
    return one.keys() == two.keys() and all(_same_answer(one[name], two[name]) for name in one)


def _same_answer(one: dict, two: dict) -> bool:
    inputs = one["inputs"].keys() == two["inputs"].keys() and all(
        same_inputs(print_, two["inputs"][seed]) for seed, print_ in one["inputs"].items()
    )
    sentences = [m[:2] for m in one["mistakes"]] == [m[:2] for m in two["mistakes"]]
    pairs = [(one["reference"], two["reference"])]
    pairs += [(mine[2], theirs[2]) for mine, theirs in zip(one["mistakes"], two["mistakes"], strict=False)]
    return inputs and sentences and all(judge(a, b).kind == "passed" for a, b in pairs)


def build(solution: Path, folder: Path):
    """Writes the notebook, checks.py and expected.safetensors of one homework into an empty folder.

    Raises ReleaseError or HomeworkError, with the reason, if the homework must not be released.
    """
    import nbformat

    from utils.normal_form import dumps, normalise

    with opened(solution) as homework:
        original = read(homework.notebook)
        _agree(homework, original)
        released = student_copy(original)
        checks = (solution / "checks.py").read_bytes()
        answers = {name: _public(homework, exercise) for name, exercise in homework.check.exercises.items()}
        texts = {homework.notebook.name: readable(released), "checks.py": checks.decode()}
        texts["a message in mistakes.py"] = "\n".join(m[0] for a in answers.values() for m in a["mistakes"])
        found = leaks(original, texts)
        if found:
            raise ReleaseError("students would read a line of the solution in " + "; ".join(found))
        text = dumps(normalise(nbformat.from_dict(released), homework=True))
        (folder / homework.notebook.name).write_bytes(text.encode())
        (folder / "checks.py").write_bytes(checks)
        save(folder / "expected.safetensors", answers)


def _public(homework: Homework, exercise: Exercise) -> dict:
    """The answers on the public seeds, with fingerprints in the place of inputs."""
    found = answers_on(homework, exercise, PUBLIC_SEEDS)
    return found | {"inputs": {seed: fingerprint(values) for seed, values in found["inputs"].items()}}


def _agree(homework: Homework, notebook: dict):
    """Notebook, checks.py and mistakes.py must speak of the same exercises and points."""
    exercises = homework.check.exercises
    if homework.imported.skipped:
        raise ReleaseError("; ".join(homework.imported.skipped))
    for name in exercises.keys() - homework.functions.keys():
        raise ReleaseError(f"the notebook defines no function {name}, which checks.py asks for")
    for name in homework.mistakes.keys() - exercises.keys():
        raise ReleaseError(f"mistakes.py speaks of {name}, which checks.py does not ask for")
    grading = [cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"]]
    cells = {about["grade_id"]: about for about in grading if "grade_id" in about}
    for name, exercise in exercises.items():
        if not cells.get(name, {}).get("solution"):
            raise ReleaseError(f"no solution cell has the grade_id {name}")
        points = cells.get(f"check_{name}", {}).get("points")
        if points != exercise.points:
            raise ReleaseError(f"the cell check_{name} says {points} points, checks.py {exercise.points:g}")
