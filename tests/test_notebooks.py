"""Notebooks in git: one normal form, faults found, execution that is safe to interrupt and to repeat."""

import base64

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from utils.cli import main
from utils.normal_form import dumps, normalise

PRINTS = """import sys
class Thing: pass
print("to stdout"); print("to stderr", file=sys.stderr); print(Thing())
print("\\x1b[31mred\\x1b[0m"); print("10%\\r100%")
Thing()"""


def executed(*cells):
    """A notebook as JupyterLab leaves it, with counts and all the clutter."""
    notebook = new_notebook(cells=list(cells), metadata={"widgets": {"state": {}}, "jupytext": {"a": 1}})
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Mine", "language": "python"}
    for number, cell in enumerate(c for c in notebook.cells if c.cell_type == "code"):
        cell.execution_count = 40 + 3 * number
    return notebook


def save(path, notebook):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


ALT = {"image/png": {"alt": "A figure"}}


def cluttered():
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "abc"}, "text/plain": "A figure",
              "image/png": base64.b64encode(b"png").decode() + "\n"}
    outputs = [
        new_output("stream", name="stdout", text="\x1b[3"),
        new_output("stream", name="stderr", text="a warning"),
        new_output("stream", name="stdout", text="1mred\x1b[0m\n50%\r100%\n<A at 0x7f00>\n"),
        new_output("display_data", data=widget, metadata={"application/vnd.jupyter.widget-view+json": {}, **ALT}),
        new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {"model_id": "def"}}),
        new_output("execute_result", data={"text/plain": "<B object at 0xFF12>"}, execution_count=40),
        new_output("error", ename="ValueError", evalue="no <C at 0x1>", traceback=["File /somewhere/private.py"]),
    ]
    metadata = {"tags": ["measured"], "slideshow": {"slide_type": "slide"}, "nbgrader": {"points": 3},
                "execution": {"iopub.execute_input": "2026"}, "lines_to_next_cell": 2, "collapsed": True}
    return executed(new_markdown_cell("# Title", metadata={"jp-MarkdownHeadingCollapsed": True}),
                    new_code_cell("f()", outputs=outputs, metadata=metadata), new_code_cell("1 + 1"))


def test_clutter_goes_and_meaning_stays():
    normal = normalise(cluttered())
    title, cell, last = normal.cells
    assert [c.id for c in normal.cells] == ["cell-000", "cell-001", "cell-002"]
    assert (cell.execution_count, last.execution_count) == (1, 2)
    assert set(cell.metadata) == {"tags", "slideshow", "nbgrader"} and not title.metadata
    assert set(normal.metadata) == {"kernelspec", "language_info"}
    stdout, figure, result, error = cell.outputs
    assert stdout.text == "red\n100%\n<A>\n"
    assert dict(figure.data) == {"text/plain": "A figure", "image/png": "cG5n"} and figure.metadata == ALT
    assert result.data["text/plain"] == "<B object>" and result.execution_count == 1
    assert error.traceback == ["ValueError: no <C>"]
    nbformat.validate(normal)


def test_normal_form_is_idempotent_and_leaves_its_argument_alone():
    notebook = cluttered()
    before = dumps(notebook)
    normal = normalise(notebook)
    assert dumps(notebook) == before
    assert dumps(normalise(nbformat.reads(dumps(normal), 4))) == dumps(normal)


def test_homework_has_no_outputs_and_no_counts():
    for cell in normalise(cluttered(), homework=True).cells[1:]:
        assert cell.outputs == [] and cell.execution_count is None


def test_a_cell_that_was_never_executed_keeps_its_empty_count():
    notebook = executed(new_code_cell("1"), new_code_cell("2"))
    notebook.cells[0].execution_count = None
    assert [c.execution_count for c in normalise(notebook).cells] == [None, 2]


def test_two_executions_give_the_same_bytes(tmp_path, capsys):
    path = save(tmp_path / "lectures" / "a.ipynb", new_notebook(cells=[
        new_code_cell(PRINTS), new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})]))
    assert main(["notebooks", str(path), "--execute"]) == 0
    first = path.read_bytes()
    assert main(["notebooks", str(path), "--execute", "--check"]) == 0
    assert main(["notebooks", str(path), "--execute"]) == 0
    assert path.read_bytes() == first
    cells = nbformat.reads(first.decode(), 4).cells
    assert cells[0].outputs[0].text == "to stdout\n<__main__.Thing object>\nred\n100%\n"
    assert cells[1].outputs[0].traceback == ["ZeroDivisionError: division by zero"]
    assert "2 cells in" in capsys.readouterr().out


def test_execution_is_strict_and_in_the_notebooks_own_folder(tmp_path):
    code = "import os, pathlib; (os.environ['COURSE_STRICT'], pathlib.Path('beside.txt').read_text())"
    path = save(tmp_path / "lectures" / "a.ipynb", new_notebook(cells=[new_code_cell(code)]))
    (path.parent / "beside.txt").write_text("here", encoding="utf-8")
    assert main(["notebooks", str(path), "--execute"]) == 0
    assert nbformat.read(path, 4).cells[0].outputs[0].data["text/plain"] == "('1', 'here')"


@pytest.mark.parametrize("code, said", [
    ("1 / 0", "cell 2 raised ZeroDivisionError: division by zero"),
    ("import os; os._exit(3)", "the kernel died in cell 2"),
])
def test_a_failing_cell_is_named_and_the_file_left_alone(tmp_path, capsys, code, said):
    path = save(tmp_path / "lectures" / "a.ipynb", new_notebook(cells=[new_markdown_cell("x"), new_code_cell(code)]))
    before = path.read_bytes()
    assert main(["notebooks", str(path), "--execute"]) == 1
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]
    said_lines = [line for line in capsys.readouterr().out.splitlines() if said in line]
    assert len(said_lines) == 1 and "a.ipynb" in said_lines[0]


def test_only_measured_cells_may_change_between_executions(tmp_path, capsys):
    clock = new_code_cell("import time; print(time.perf_counter_ns())")
    measured = new_code_cell(clock.source, metadata={"tags": ["measured"]})
    path = save(tmp_path / "lectures" / "a.ipynb", new_notebook(cells=[measured]))
    assert main(["notebooks", str(path), "--execute"]) == main(["notebooks", str(path), "--execute", "--check"]) == 0
    save(path, new_notebook(cells=[measured, clock]))
    assert main(["notebooks", str(path), "--execute"]) == 0
    assert main(["notebooks", str(path), "--execute", "--check"]) == 1
    said = capsys.readouterr().out
    assert "cell 2 gave other outputs" in said and "cell 1 gave other outputs" not in said


def image_cell(size: int):
    data = {"image/png": base64.b64encode(bytes(size)).decode()}
    return new_code_cell("f()", execution_count=1, outputs=[new_output("display_data", data=data)])


FAULTS = {
    "not in normal form": ("lectures", cluttered()),
    "cells not executed: 1 (": ("solutions/hw1", normalise(new_notebook(cells=[new_code_cell("1")]))),
    "cell 1 has 31 lines": ("lectures", normalise(executed(new_code_cell("\n".join("a" * 31))))),
    "an image of 41 kB": ("lectures", normalise(executed(image_cell(41_000)))),
    "cell 1 shows a picture without alt": ("lectures", normalise(executed(image_cell(10)))),
    "cell 1 has outputs; homework": ("homework/hw1", normalise(executed(image_cell(10)))),
}


@pytest.mark.parametrize("said", FAULTS)
def test_check_finds_each_fault_and_writes_nothing(tmp_path, capsys, said):
    folder, notebook = FAULTS[said]
    path = tmp_path / folder / "a.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(dumps(notebook), encoding="utf-8")
    before = path.read_bytes()
    assert main(["notebooks", "--check", str(tmp_path)]) == 1
    assert said in capsys.readouterr().out
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["", "{", "[]", "\ufeff# percent script", '{"cells": 3, "nbformat": 4}'])
def test_a_file_that_is_no_notebook_is_one_sentence(tmp_path, capsys, content):
    path = tmp_path / "a.ipynb"
    path.write_text(content, encoding="utf-8")
    assert main(["notebooks", str(path)]) == 1
    assert "is no readable notebook" in capsys.readouterr().out
    assert path.read_text(encoding="utf-8") == content


def test_check_passes_what_the_command_wrote(tmp_path):
    for folder in ("lectures", "homework/hw1"):
        save(tmp_path / folder / "a.ipynb", cluttered())
    assert main(["notebooks", str(tmp_path)]) == 0
    assert main(["notebooks", "--check", str(tmp_path)]) == 0


def test_homework_is_not_executed(tmp_path):
    path = save(tmp_path / "homework" / "hw1" / "a.ipynb", new_notebook(cells=[new_code_cell("1 / 0")]))
    assert main(["notebooks", "--execute", str(path)]) == 0
    assert nbformat.read(path, 4).cells[0].outputs == []
