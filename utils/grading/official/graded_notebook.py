"""The notebook that nbgrader's formgrader shows of a submission: the released one, and what its record says.

Nothing of the student's own notebook is in it but the written answers. These stand there as they were typed, in a <pre>
with every HTML character escaped: formgrader trusts the HTML, the links and the formulas of a notebook's text, and what
a student wrote must neither run in a grader's browser nor make it fetch anything. Names and paths are left out, because
formgrader hides from a grader whose work it is.
"""

from html import escape

from utils.grading.notebook_file import source
from utils.grading.official.report.text import line, lines, number

LONGEST = 20_000  # characters of an answer
WRAPPED = "white-space: pre-wrap; overflow-wrap: anywhere"
NO_ANSWER = "*No answer.*"
WAITS = "This submission was not graded automatically: the summary of `course grade` says what a person has to decide."
ELSEWHERE = "# The student's code stands in the submission; the cell below shows what the checks said of it."


def shown(released: dict, record: dict) -> dict:
    """The notebook to show for a record; `released` is the notebook that students get, in normal form."""
    import nbformat

    exercises = {f"check_{entry['name']}": entry for entry in record["exercises"]}
    typed = {question["name"]: question["answer"] for question in record["written"]}
    notebook = nbformat.from_dict(released)
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if is_written(cell):
            cell.source = literal(typed.get(about.grade_id), NO_ANSWER)
        elif cell.cell_type == "code" and about.get("solution"):
            cell.source = ELSEWHERE
        elif about.get("grade_id") in exercises and record["status"] == "graded":
            text = _verdict(exercises[about.grade_id])
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    if about := _about(record):
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell(about, id="about"))
    return notebook


def is_written(cell: dict) -> bool:
    """Whether a cell is a written answer, which a person grades."""
    about = cell["metadata"].get("nbgrader", {})
    return bool(cell["cell_type"] == "markdown" and about.get("grade") and about.get("solution"))


def answers(notebook: dict) -> dict[str, str]:
    """{question: what stands in its cell}."""
    return {cell["metadata"]["nbgrader"]["grade_id"]: source(cell) for cell in notebook["cells"] if is_written(cell)}


def literal(text: str | None, instead: str = "") -> str:
    """Markdown that shows a stranger's text as it was typed, and is nothing but text; `instead` for None or blanks."""
    text = lines(text, LONGEST)
    return f'<pre style="{WRAPPED}">\n{escape(text)}\n</pre>' if text.strip() else instead


def _verdict(entry: dict) -> str:
    return f"{entry['name']}  {number(entry['earned'])}/{number(entry['points'])}  {lines(entry['message'])}\n"


def _about(record: dict) -> str:
    """What is to be known of the whole submission; '' where there is nothing."""
    notes = literal("\n".join(line(note, 400) for note in record["notes"][:50]))
    waits = "" if record["status"] == "graded" else WAITS
    return "\n\n".join(filter(None, [waits, notes]))
