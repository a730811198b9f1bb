"""The points so far, what an experiment still needs, a homework in a kernel, and answer files that do not fit."""

import nbclient
import nbformat
import pytest
from homework_in_small import GOOD, student, write

from utils.grading import Exercise, MissingExercise, checker
from utils.grading.homework import opened
from utils.grading.release import release


def test_summary_and_needs(check, capsys):
    check(student(GOOD))
    with pytest.raises(MissingExercise, match=r"^This experiment still needs total \(not checked yet\)\.") as caught:
        check.needs("scale", "total")
    check.summary()
    assert capsys.readouterr().out.endswith("scale    3/3  passed\ntotal  0/1.5  not checked yet\ntotal  3/4.5\n")
    assert caught.value._render_traceback_() == [str(caught.value)]
    check(student("def total(x): raise NotImplementedError", "total"))
    with pytest.raises(MissingExercise, match=r"needs total \(not attempted\)"):
        check.needs("scale", "total")
    check(student("def total(x): return x / 0 + {}", "total"))
    with pytest.raises(MissingExercise, match=r"needs total \(raises an error\)"):
        check.needs("total")
    check(student("def total(x): return x.mean()", "total"))
    check.needs("scale", "total")
    with pytest.raises(ValueError, match="no exercise is called nothing; there are scale, total"):
        check.needs("nothing")
    capsys.readouterr()
    check.summary()
    assert capsys.readouterr().out == "scale    3/3  passed\ntotal  0/1.5  known misconception\ntotal  3/4.5\n"


def test_an_unsolved_homework_runs_to_its_end_in_a_kernel(homework):
    notebook = nbformat.read(homework / "hw9_small.ipynb", 4)
    notebook.cells[2].source = "def scale(x, factor):\n    wrong = x.mean(9)\n    return wrong"
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(homework)}}).execute()
    shown = [made.outputs for made in notebook.cells if made.cell_type == "code"]
    assert shown[2][0].data["text/plain"].endswith("but got 9) (line 2: wrong = x.mean(9))")
    assert "not attempted" in shown[4][0].data["text/html"]
    line = "This experiment still needs scale (raises an error), total (not attempted)."
    assert shown[5][0].traceback == [f"{line} Run the check, then this cell again."]
    assert shown[6][0].data["text/plain"].endswith("total  0/4.5")


def test_html_is_escaped_and_says_it_in_words(check):
    check(student("def scale(x, factor):\n    raise ValueError('<script>alert(1)</script>')"))
    page = check.results["scale"]._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "0/3" in page
    assert "color: inherit" in page


def test_a_missing_damaged_or_stale_answer_file_says_what_to_do(tmp_path, capsys):
    folder = write(tmp_path)
    assert release([], root=tmp_path) == 0
    answers = tmp_path / "homework" / folder.name / "expected.safetensors"
    content = answers.read_bytes()

    def said(checks=None):
        if checks:
            (folder / "checks.py").write_text(checks, encoding="utf-8")
        with opened(folder) as homework:
            capsys.readouterr()
            homework.check(homework.functions["scale"])
            assert homework.check.results["scale"].verdict.kind in ("unavailable", "passed")
            return capsys.readouterr().out

    todo = "Get the homework's files again; a course author runs: course release hw9_small\n"
    assert said() == "scale  3/3  passed\n"
    answers.unlink()
    assert said() == f"scale  0/3  cannot be checked: expected.safetensors is not beside checks.py. {todo}"
    answers.write_bytes(content[:50])
    assert said().startswith("scale  0/3  cannot be checked: expected.safetensors is damaged")
    answers.write_bytes(content)
    source = (folder / "checks.py").read_text(encoding="utf-8")
    other = source.replace("rng.uniform(2, 3)", "rng.uniform(2, 4)")
    assert said(other) == f"scale  0/3  cannot be checked: expected.safetensors was made for other inputs. {todo}"


def test_a_new_exercise_is_not_known_to_an_old_answer_file(homework, capsys):
    def inputs(seed):
        return {}

    check = checker(str(homework / "checks.py"), [Exercise("scale2", 1, 1, inputs, inputs)])
    check(student("def scale2(): pass", "scale2"))
    assert "expected.safetensors does not know this exercise" in capsys.readouterr().out
