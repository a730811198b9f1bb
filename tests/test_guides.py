"""What the guides show works: their example is a homework, their links lead somewhere, their commands exist."""

import re

import jupytext
import nbformat
import pytest

from utils.cli import build_parser
from utils.grading.homework import opened
from utils.grading.release import release
from utils.grading.terminal import check_folder
from utils.paths import course_root

ROOT = course_root()
START = "lectures/00_start_here.ipynb"
GUIDES = ("docs/student.md", "docs/instructor.md", "docs/grading.md", "CONTRIBUTING.md", START)
NAME = "hw9_lifelong"
TURNED = "    return (R.diagonal() - R[-1])[:-1].mean()"


def text(name: str) -> str:
    """All that a guide says; of the start page its text cells."""
    if name != START:
        return (ROOT / name).read_text(encoding="utf-8")
    cells = nbformat.read(ROOT / name, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A folder with the instructor's example in solutions/, written as the guide says, and released."""
    root = tmp_path_factory.mktemp("course")
    folder = root / "solutions" / NAME
    folder.mkdir(parents=True)
    checks, script, mistakes = re.findall(r"```python\n(.*?)```", text("docs/instructor.md"), re.DOTALL)
    (folder / "checks.py").write_text(checks, encoding="utf-8")
    (folder / "mistakes.py").write_text(mistakes, encoding="utf-8")
    jupytext.write(jupytext.reads(script, fmt="py:percent"), folder / f"{NAME}.ipynb")
    assert release([NAME], root=root) == 0
    return root


def test_the_example_is_a_homework(course, capsys):
    assert check_folder(course / "solutions" / NAME) == 0
    assert check_folder(course / "homework" / NAME) == 1
    said = capsys.readouterr().out
    assert "backward_transfer  2/2  passed" in said and "backward_transfer  0/2  not attempted" in said
    with opened(course / "solutions" / NAME) as homework:
        assert len(homework.mistakes["backward_transfer"]) >= 3


def test_a_wrong_answer_reads_as_the_guide_says(course, capsys):
    path = course / "homework" / NAME / f"{NAME}.ipynb"
    before = path.read_text(encoding="utf-8")
    stub = "    # YOUR CODE HERE\\n\",\n    \"    raise NotImplementedError()"
    assert TURNED.strip() in text("docs/instructor.md") and stub in before
    path.write_text(before.replace(stub, TURNED), encoding="utf-8")
    check_folder(path.parent)
    path.write_text(before, encoding="utf-8")
    sentence = " ".join(text("docs/instructor.md").split())
    assert " ".join(capsys.readouterr().out.splitlines()[0].split()) in sentence


@pytest.mark.parametrize("name", GUIDES)
def test_links_lead_somewhere(name):
    """Files exist, and an anchor is a heading, as GitHub, JupyterLab and the site write it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text(name)):
        file, _, anchor = target.partition("#")
        if file.startswith("http"):
            continue
        path = (ROOT / name).parent / file if file else ROOT / name
        assert path.exists(), target
        headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8") if file else text(name), re.MULTILINE)
        assert not anchor or anchor in {h.lower().replace(" ", "-") for h in headings}, target


def commands(name: str) -> set[str]:
    """The subcommands of `course` that a guide names in code."""
    code = re.findall(r"`([^`\n]+)`", text(name)) + re.findall(r"^    (.*)$", text(name), re.MULTILINE)
    return {found for part in code for found in re.findall(r"(?:^|/)course ([a-z]+)", part)}


@pytest.mark.parametrize("name", GUIDES)
def test_commands_exist(name):
    known = build_parser().format_help()
    assert commands(name)
    assert [found for found in commands(name) if f"    {found} " not in known] == []


@pytest.mark.parametrize("name", GUIDES)
def test_files_that_are_named_exist(name):
    folders = "lectures|homework|solutions|docs|utils|tests"
    for found in re.findall(rf"\b((?:{folders})/[\w/.]+\.(?:ipynb|py|md))\b", text(name)):
        assert (ROOT / found).exists() or NAME in found or "NN_" in found, found
