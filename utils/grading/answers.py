"""What the reference and each misconception give on some seeds: for the released file, and anew for grading."""

from collections.abc import Sequence

from utils.grading.attempt import attempt
from utils.grading.exercise import Exercise
from utils.grading.homework import Homework
from utils.grading.judge import Verdict, judge
from utils.grading.student_copy import ReleaseError


def answers_on(homework: Homework, exercise: Exercise, seeds: Sequence[int]) -> dict:
    """{"inputs": {seed: inputs}, "reference": {seed: outputs}, "mistakes": [(message, credit, {seed: outputs})]}.

    Raises ReleaseError if the reference fails or differs from itself, or if a misconception raises, passes, or
    cannot be told from one before it.
    """
    inputs = {seed: exercise.inputs(seed) for seed in seeds}
    values = exercise.values(inputs)
    reference = _outputs(exercise, homework.functions[exercise.name], inputs, "the reference")
    again = _outputs(exercise, homework.functions[exercise.name], inputs, "the reference")
    if judge(again, reference).kind != "passed":
        raise ReleaseError(f"{exercise.name}: the reference gives other values when it is called again")
    if judge(reference, reference, values=values).kind != "passed":
        raise ReleaseError(f"{exercise.name}: the reference does not reach the goal of {exercise.goal:g}")
    known = []
    for number, mistake in enumerate(homework.mistakes.get(exercise.name, []), start=1):
        who = f"misconception {number} ({mistake.message})"
        outputs = _outputs(exercise, mistake.function, inputs, who)
        verdict = judge(outputs, reference, known, values)
        if verdict.kind == "passed":
            raise ReleaseError(f"{exercise.name}: {who} passes the check")
        if verdict.misconception not in (None, mistake.message):
            raise ReleaseError(f"{exercise.name}: {who} cannot be told from: {verdict.misconception}")
        known.append((mistake.message, float(mistake.credit), outputs))
    return {"inputs": inputs, "reference": reference, "mistakes": known}


def _outputs(exercise: Exercise, function, inputs: dict, who: str) -> dict:
    outputs = {seed: attempt(exercise, function, values) for seed, values in inputs.items()}
    for found in outputs.values():
        if isinstance(found, Verdict):
            raise ReleaseError(f"{exercise.name}: {who} gives no outputs: {found.message}")
    return exercise.compared(outputs, inputs)
