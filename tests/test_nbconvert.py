"""Without a kernel: each notebook as plain `jupyter nbconvert` shows it, from what is stored."""

import re

import nbformat
import pytest
from nbconvert import HTMLExporter
from site_reading import Page

from utils.paths import course_root

NOTEBOOKS = sorted(path for folder in ("lectures", "homework", "solutions")
                   for path in (course_root() / folder).rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
CODE = re.compile(r"<(style|script)\b.*?</\1>", re.DOTALL)
# What an object without a picture or a text of its own leaves behind.
WRECKAGE = re.compile(r"\b[VH]Box\(|<[\w.]+ object|\bat 0x[0-9a-f]+|Traceback|Loading widget|widget-view")


def pictures(path):
    """The alt texts of the stored pictures, in order."""
    outputs = [o for cell in nbformat.read(path, as_version=4).cells for o in cell.get("outputs", [])]
    return [o.metadata["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", {})]


def converted(path, template):
    return Page(CODE.sub("", HTMLExporter(template_name=template).from_filename(str(path))[0]))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_a_stored_notebook_reads_well_as_html(path):
    page = converted(path, "classic")
    assert [found["alt"] for found in page.pictures] == pictures(path)
    assert all(found["src"].startswith("data:") for found in page.pictures)
    assert not WRECKAGE.search(" ".join(page.words))


def test_the_usual_template_shows_the_same_pictures_but_has_no_place_for_their_alt_texts():
    path = course_root() / "lectures/06_maml.ipynb"
    page = converted(path, "lab")
    assert len(page.pictures) == len(pictures(path)) and not WRECKAGE.search(" ".join(page.words))
    assert not any(found["alt"] in pictures(path) for found in page.pictures)


def test_lectures_and_solutions_store_pictures():
    assert all(bool(pictures(path)) == ("homework" not in path.parts) for path in NOTEBOOKS)
