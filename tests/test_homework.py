"""The tests of every homework's tests: each folder in solutions/, now and later, is found here by itself.

The reference earns all points, each stub is 'not attempted', each misconception loses points and is recognised by
its own sentence on seeds that no student has seen, and nothing of the solution reaches homework/.
"""

import json

import pytest

from utils.grading import PUBLIC_SEEDS, Verdict, attempt, judge
from utils.grading.homework import HomeworkError, opened
from utils.grading.release import release
from utils.grading.terminal import check_folder
from utils.paths import course_root

FRESH_SEEDS = (1001, 1002, 1003, 1004)
ROOT = course_root()
FOLDERS = sorted(path for path in ROOT.glob("solutions/*") if path.is_dir() and path.name[0] not in "._")

if not FOLDERS:
    pytest.skip("solutions/ holds no homework yet", allow_module_level=True)


def cases():
    """(folder, exercise, number of the misconception) for all of them."""
    found = []
    for folder in FOLDERS:
        try:
            with opened(folder) as homework:
                for exercise in homework.check.exercises:
                    found += [(folder, exercise, k) for k in range(len(homework.mistakes.get(exercise, [])))]
        except HomeworkError:
            continue  # the tests of the folder itself fail, and say why
    return found


CASES = cases()
EXERCISES = sorted({case[:2] for case in CASES})
EACH_FOLDER = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@pytest.fixture(scope="module")
def outputs():
    """outputs(folder, exercise) -> (reference, [misconceptions as judge takes them]) on fresh seeds, made once."""
    made = {}

    def get(folder, name):
        if (folder, name) not in made:
            with opened(folder) as homework:
                exercise = homework.check.exercises[name]
                inputs = {seed: exercise.inputs(seed) for seed in FRESH_SEEDS}

                def run(function):
                    found = {seed: attempt(exercise, function, values) for seed, values in inputs.items()}
                    return exercise.compared(found, inputs)

                reference = run(homework.functions[name])
                known = [(m.message, m.credit, run(m.function)) for m in homework.mistakes.get(name, [])]
                made[folder, name] = reference, known
        return made[folder, name]

    return get


@EACH_FOLDER
def test_the_reference_earns_all_points(folder, capsys):
    assert check_folder(folder) == 0, capsys.readouterr().out


@EACH_FOLDER
def test_each_stub_is_not_attempted(folder, capsys):
    assert check_folder(ROOT / "homework" / folder.name) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].split()[1].startswith("0/")
    assert [line for line in lines[:-1] if not line.endswith("  not attempted")] == []


@EACH_FOLDER
def test_homework_is_up_to_date(folder, capsys):
    assert release([folder.name], check=True) == 0, capsys.readouterr().out


@pytest.mark.parametrize("folder, name", EXERCISES, ids=lambda part: getattr(part, "name", part))
def test_each_exercise_is_well_made(folder, name):
    with opened(folder) as homework:
        exercise = homework.check.exercises[name]
        assert len(homework.mistakes[name]) >= 3, f"{name} needs at least three known misconceptions in mistakes.py"
        assert exercise.points > 0
        assert exercise.minutes > 0
        sizes = set()
        for seed in (*PUBLIC_SEEDS, *FRESH_SEEDS):
            first, second = exercise.inputs(seed), exercise.inputs(seed)
            assert all((first[key] == second[key]).all() for key in first), "the same seed, other inputs"
            sizes.add(tuple(value.shape for value in first.values()))
        assert len(sizes) > 1, "inputs should differ in size from seed to seed"


@EACH_FOLDER
def test_every_exercise_has_misconceptions(folder):
    with opened(folder) as homework:
        assert homework.mistakes.keys() == homework.check.exercises.keys()


@pytest.mark.parametrize("folder, name, number", CASES, ids=lambda part: getattr(part, "name", str(part)))
def test_each_misconception_is_recognised_by_its_own_sentence(outputs, folder, name, number):
    reference, known = outputs(folder, name)
    message, credit, wrong = known[number]
    assert not [found for found in wrong.values() if isinstance(found, Verdict)]
    verdict = judge(wrong, reference, known)
    assert (verdict.kind, verdict.misconception, verdict.credit) == ("misconception", message, credit)
    assert verdict.credit < 1


@EACH_FOLDER
def test_no_solution_line_reaches_homework(folder):
    """Written apart from the release, so that a slip there is seen here."""
    solution = json.loads((folder / f"{folder.name}.ipynb").read_text(encoding="utf-8"))
    files = [path for path in sorted((ROOT / "homework" / folder.name).iterdir()) if path.is_file()]  # no __pycache__
    released = b"".join(path.read_bytes() for path in files)
    text = " ".join(released.decode("utf-8", "ignore").replace("\\n", " ").replace('\\"', '"').split())
    regions = [part.split("### END SOLUTION")[0] for cell in solution["cells"]
               for part in "".join(cell["source"]).split("### BEGIN SOLUTION")[1:]]  # fmt: skip
    assert regions
    lines = {" ".join(line.split()) for region in regions for line in region.splitlines()}
    assert [line for line in lines if len(line) > 24 and not line.endswith(":") and line in text] == []


@EACH_FOLDER
def test_only_the_three_files_are_released(folder):
    found = sorted(path.name for path in (ROOT / "homework" / folder.name).iterdir() if path.name[0] not in "._")
    assert found == ["checks.py", "expected.safetensors", f"{folder.name}.ipynb"]
