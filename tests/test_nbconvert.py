"""Without a kernel: each notebook as plain `jupyter nbconvert` shows it, from what is stored."""

import re

import pytest
from nbconvert import HTMLExporter
from site_reading import Page, stored_alts

from utils.notebooks import find, is_homework
from utils.paths import course_root

NOTEBOOKS = find([course_root() / folder for folder in ("lectures", "homework", "solutions")])
CODE = re.compile(r"<(style|script)\b.*?</\1>", re.DOTALL)
# What an object without a picture or a text of its own leaves behind.
WRECKAGE = re.compile(r"\b[VH]Box\(|<[\w.]+ object|\bat 0x[0-9a-f]+|Traceback|Loading widget|widget-view")


def converted(path, template):
    return Page(CODE.sub("", HTMLExporter(template_name=template).from_filename(str(path))[0]))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(course_root()).as_posix())
def test_a_stored_notebook_reads_well_as_html(path):
    page = converted(path, "classic")
    assert [found["alt"] for found in page.pictures] == stored_alts(path)
    assert all(found["src"].startswith("data:") for found in page.pictures)
    assert not WRECKAGE.search(" ".join(page.words))


def test_the_usual_template_shows_the_same_pictures_but_has_no_place_for_their_alt_texts():
    path = course_root() / "lectures/06_maml.ipynb"
    page = converted(path, "lab")
    assert len(page.pictures) == len(stored_alts(path)) and not WRECKAGE.search(" ".join(page.words))
    assert not any(found["alt"] in stored_alts(path) for found in page.pictures)


def test_lectures_and_solutions_store_pictures():
    assert all(bool(stored_alts(path)) != is_homework(path) for path in NOTEBOOKS)
