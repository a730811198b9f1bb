"""How homework is graded: exercises, instant checks with diagnoses, release and terminal checks. It moves arrays."""

from utils.grading.attempt import attempt
from utils.grading.check import Check, MissingExercise, checker
from utils.grading.exercise import PUBLIC_SEEDS, Exercise, Mistake, arrays, gradients, tensors
from utils.grading.judge import Verdict, judge

__all__ = [
    "PUBLIC_SEEDS",
    "Check",
    "Exercise",
    "MissingExercise",
    "Mistake",
    "Verdict",
    "arrays",
    "attempt",
    "checker",
    "gradients",
    "judge",
    "tensors",
]
