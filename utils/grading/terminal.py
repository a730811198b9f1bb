"""`course check FOLDER`: the notebook's checks in a terminal, without running the notebook."""

from pathlib import Path

from utils.grading.feedback import Feedback, Summary
from utils.grading.homework import HomeworkError, opened
from utils.grading.judge import Verdict


def check_folder(folder: Path) -> int:
    """A line for each exercise and the total. 0: all points; 1: some are missing; 2: nothing could be checked."""
    folder = Path(folder)
    try:
        with opened(folder) as homework:
            for sentence in homework.imported.skipped:
                print(sentence)
            rows = [_row(homework, name) for name in homework.check.exercises]
    except HomeworkError as error:
        print(f"cannot check: {error}")
        return 2
    for row in rows:
        print(row)
    print("total ", Summary(rows).total)
    kinds = {row.verdict.kind for row in rows}
    if "unavailable" in kinds and kinds <= {"unavailable", "missing"}:
        return 2
    return 0 if kinds == {"passed"} else 1


def _row(homework, name: str) -> Feedback:
    if name in homework.functions:
        return homework.check.judge(name, homework.functions[name], homework.imported)
    points = homework.check.exercises[name].points
    return Feedback(name, points, Verdict("missing", f"the notebook defines no function {name}"))
