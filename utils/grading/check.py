"""`check(function)`: the instant answer in a homework notebook, and the points so far."""

import difflib
import inspect
from pathlib import Path

from utils.grading.attempt import attempt
from utils.grading.exercise import Exercise
from utils.grading.expected import fingerprint, load, same_inputs
from utils.grading.feedback import Feedback, Summary, show
from utils.grading.judge import Verdict, describe

UNUSABLE = ("not attempted", "missing", "raised", "type", "names")  # an experiment cannot run on these


class MissingExercise(Exception):
    """An experiment needs a function that is not there yet. Notebooks show it as one line."""

    def _render_traceback_(self):
        return [str(self)]


def checker(file: str, exercises: list[Exercise]) -> "Check":
    """The `check` of a homework: call it in checks.py with that module's own `__file__`."""
    return Check(Path(file), exercises)


class Check:
    """check(function) shows a verdict at once and keeps it in `check.results`; it raises for nothing a student does."""

    def __init__(self, file: Path, exercises: list[Exercise]):
        names = [exercise.name for exercise in exercises]
        if len(set(names)) != len(names):
            raise ValueError(f"every exercise needs a name of its own, found {names}")
        self.exercises = {exercise.name: exercise for exercise in exercises}
        self.results: dict[str, Feedback] = {}
        self._file = file.resolve()
        self._answers = None

    def __call__(self, function):
        complaint = self._not_ours(function)
        if complaint:
            return show(Feedback(_name(function) or "check", None, Verdict("type", complaint)))
        return show(self.judge(function.__name__, function))

    def judge(self, name: str, function, imported=None) -> Feedback:
        """The feedback on `function` as the exercise `name`, kept but not shown; imported as `attempt` takes it."""
        exercise = self.exercises[name]
        feedback = Feedback(name, exercise.points, self._verdict(exercise, function, imported))
        self.results[name] = feedback
        return feedback

    def needs(self, *names: str):
        """At the top of an experiment: raises MissingExercise unless each function was checked and runs."""
        unknown = [name for name in names if name not in self.exercises]
        if unknown:
            raise ValueError(f"no exercise is called {', '.join(unknown)}; there are {', '.join(self.exercises)}")
        missing = []
        for name in names:
            state = self.results[name].state if name in self.results else "not checked yet"
            if name not in self.results or self.results[name].verdict.kind in UNUSABLE:
                missing.append(f"{name} ({state})")
        if missing:
            listed = ", ".join(missing)
            raise MissingExercise(f"This experiment still needs {listed}. Run the check, then this cell again.")

    def summary(self):
        """Shows the points of every exercise and their sum."""
        absent = Verdict("not checked yet", "not checked yet")
        rows = [self.results.get(e.name, Feedback(e.name, e.points, absent)) for e in self.exercises.values()]
        show(Summary(rows))

    def _verdict(self, exercise: Exercise, function, imported=None) -> Verdict:
        try:
            answer = self._load()[exercise.name]
        except KeyError:
            return self._unavailable(f"{self._answer_file().name} does not know this exercise")
        except (OSError, ValueError) as error:
            return self._unavailable(str(error))
        got, inputs = {}, {seed: exercise.inputs(seed) for seed in answer["inputs"]}
        for seed in inputs:
            if not same_inputs(fingerprint(inputs[seed]), answer["inputs"][seed]):
                return self._unavailable(f"{self._answer_file().name} was made for other inputs")
            got[seed] = attempt(exercise, function, inputs[seed], imported)
            if isinstance(got[seed], Verdict):
                return got[seed]
        return exercise.verdict(got, answer, inputs)

    def _unavailable(self, why: str) -> Verdict:
        todo = f"Get the homework's files again; a course author runs: course release {self._file.parent.name}"
        return Verdict("unavailable", f"cannot be checked: {why}. {todo}")

    def _answer_file(self) -> Path:
        """Beside checks.py, or, in solutions/, in the homework folder of the same name."""
        folder = self._file.parent
        if folder.parent.name == "solutions":
            folder = folder.parent.parent / "homework" / folder.name
        return folder / "expected.safetensors"

    def _load(self) -> dict:
        """The answers, read once and again when the file has changed."""
        path = self._answer_file()
        if not path.is_file():
            raise FileNotFoundError(f"{path.name} is not beside checks.py")
        stamp = path.stat().st_mtime_ns, path.stat().st_size
        if self._answers is None or self._answers[0] != stamp:
            self._answers = stamp, load(path)
        return self._answers[1]

    def _not_ours(self, function) -> str | None:
        """A sentence about an argument that is no exercise's function, or None."""
        known = ", ".join(self.exercises)
        if isinstance(function, str):
            return f"pass the function itself, without quotes: check({function[:60]})"
        if inspect.isclass(function):
            return f"this is a class; check needs one of the functions {known}"
        name = _name(function)
        if not callable(function) or name is None:
            first = next(iter(self.exercises))
            return f"check needs a function, not its result: this is {describe(function)}. Write check({first})"
        if name == "<lambda>":
            return f"a lambda has no name; write the function with def, as one of {known}"
        if name not in self.exercises:
            near = difflib.get_close_matches(name, self.exercises, 1)
            hint = f"did you mean {near[0]}?" if near else f"the exercises are {known}."
            return f"no exercise has this name; {hint}"
        return None


def _name(function) -> str | None:
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else None
