"""The normal form of a notebook in git: the same notebook, executed twice, gives the same bytes."""

import copy
import re

import nbformat

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("tags", "slideshow", "nbgrader", "jupyter", "editable", "deletable")
WIDGETS = "application/vnd.jupyter.widget-view+json"
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
OVERWRITTEN = re.compile(r"^[^\n]*\r(?!\n)", re.MULTILINE)  # what a terminal would have written over


def normalise(notebook, homework: bool = False):
    """A copy of the notebook in normal form; in homework outputs and counts are cleared.

    Cell ids count the cells, execution counts the code cells. A code cell that was never executed keeps its
    empty count, so that the check still sees it. Widget state, stderr, addresses and colours go away.
    """
    notebook = copy.deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for index, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{index:03d}"
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in CELL_METADATA})
        if cell.cell_type != "code":
            continue
        count += 1
        executed = cell.execution_count is not None and not homework
        cell.execution_count = count if executed else None
        cell.outputs = [] if homework else _outputs(cell.outputs, cell.execution_count)
    return notebook


def dumps(notebook) -> str:
    """The bytes of a notebook as they stand in git: JSON with one space of indent and a last newline."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _plain(text: str) -> str:
    """Text without memory addresses, colours and overwritten lines."""
    return OVERWRITTEN.sub("", ADDRESS.sub("", ANSI.sub("", text)))


def _outputs(outputs: list, count: int | None) -> list:
    """One cell's outputs in normal form; pieces of stdout that follow each other become one."""
    kept = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                continue
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
            else:
                kept.append(output)
        elif output.output_type == "error":
            last = _plain(f"{output.ename}: {output.evalue}")  # frames name folders of this machine
            kept.append(nbformat.v4.new_output("error", ename=output.ename, evalue=_plain(output.evalue),
                                               traceback=[last]))
        elif data := {mime: _value(mime, value) for mime, value in output.data.items() if mime != WIDGETS}:
            result = nbformat.v4.new_output(output.output_type, data=data)
            result.metadata = nbformat.from_dict({k: v for k, v in output.metadata.items() if k in data})
            if output.output_type == "execute_result":
                result.execution_count = count
            kept.append(result)
    for output in kept:
        if output.output_type == "stream":  # only now: a colour or a carriage return may have been cut in two
            output.text = _plain(output.text)
    return kept


def _value(mime: str, value):
    """One representation of an output: text made plain, images without the last newline, JSON as it is."""
    if not isinstance(value, str):
        return value
    return _plain(value) if mime.startswith("text/") else value.rstrip("\n")
