"""Lectures as talks: which cells are slides, and the talk view in a real browser."""

import sys

import nbformat
import pytest

from benchmarks.browser import BROWSER, MISSING, chromium, free_port, panels, press, served, settings
from utils.paths import course_root

LECTURES = sorted((course_root() / "lectures").glob("*.ipynb"))
STATUS = ".course-talk-bar.top [role=status]"
LAYOUT = """() => { const outer = document.querySelector('.jp-WindowedPanel-outer')
  const cells = [...document.querySelectorAll('.jp-Notebook .jp-Cell:not(.course-away)')]
  const size = getComputedStyle(document.body).getPropertyValue('--talk-size')
  return { shown: cells.length, bottom: Math.max(...cells.map(c => c.getBoundingClientRect().bottom)),
           wide: outer.scrollWidth - outer.clientWidth, letters: parseFloat(size) } }"""


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_every_section_and_every_live_figure_is_on_a_slide(path):
    cells = nbformat.read(path, as_version=4).cells
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type", "-") for cell in cells]
    assert kinds[0] == "slide", "the first cell needs the slide type Slide"
    assert set(kinds) <= {"slide", "subslide", "-", "skip", "notes"}
    slide = []  # the cells of one slide that call `live`
    for cell, kind in zip(cells, kinds, strict=True):
        if cell.source.startswith("## ") and "References" not in cell.source:
            assert kind == "slide", f"needs the slide type Slide: {cell.source.splitlines()[0]}"
        slide = [] if kind in ("slide", "subslide") else slide
        if cell.cell_type == "code" and "\nlive(" in f"\n{cell.source}":
            slide.append(cell)
            assert kind not in ("skip", "notes") and len(slide) == 1, cell.source.splitlines()[-1]


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    """The page that `course lab --present 00` opens; what it asks of other machines is in `page.outside`."""
    pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS DID NOT RUN: no playwright")
    if BROWSER is None:
        pytest.skip(f"BROWSER TESTS DID NOT RUN: {MISSING}")
    folder = tmp_path_factory.mktemp("settings")
    port = free_port()
    command = [sys.executable, "-m", "utils.cli", "lab", "--present", "00", "--no-browser", "--port", str(port)]
    own = {**settings(folder), "JUPYTER_TOKEN": "talk"}
    with served(command, course_root(), own, f"http://localhost:{port}/api?token=talk"), chromium() as window:
        page = window.new_page(viewport={"width": 1280, "height": 720})
        page.outside, page.problems = [], []
        page.on("request", lambda r: "//localhost" in r.url or r.url[:5] in ("data:", "blob:")
                or page.outside.append(r.url))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(f"http://localhost:{port}/?token=talk", wait_until="domcontentloaded")
        page.locator(STATUS).wait_for(timeout=60_000)
        yield page


@pytest.mark.browser
def test_a_talk_goes_from_slide_to_slide_by_keyboard_and_its_figures_live(talk):
    first, last = talk.locator(STATUS).inner_text().split(" / ")
    assert first == "1" and int(last) >= 5
    talk.keyboard.press("PageDown")
    figure = panels(talk).first
    figure.wait_for(timeout=60_000)
    press(talk, figure, figure.locator(".noUi-handle"), "End")
    code = figure.locator("xpath=ancestor::*[contains(@class, 'jp-CodeCell')]").locator(".cm-content")
    assert not code.is_visible()
    talk.keyboard.press("c")
    code.wait_for()
    talk.keyboard.press("c")
    code.wait_for(state="hidden")
    talk.keyboard.press("PageDown")  # a clicker's key: it wins over the slider that has the focus
    assert talk.locator(STATUS).inner_text() == f"3 / {last}"
    talk.keyboard.press("ArrowLeft")
    assert talk.locator(STATUS).inner_text() == f"2 / {last}" and figure.is_visible()
    talk.keyboard.press("End")
    talk.keyboard.press("PageDown")
    assert talk.locator(STATUS).inner_text() == f"{last} / {last}"
    talk.locator(".jp-OutputArea-output", has_text="torch").wait_for(timeout=60_000)  # the last slide's cell has run
    assert not talk.problems and not talk.outside


@pytest.mark.browser
def test_slides_fit_the_window_in_large_letters(talk):
    talk.keyboard.press("Home")
    for _ in range(int(talk.locator(STATUS).inner_text().split(" / ")[1])):
        talk.wait_for_timeout(400)
        layout = talk.evaluate(LAYOUT)
        assert layout["shown"] and layout["wide"] <= 0 and layout["bottom"] <= 720 and layout["letters"] >= 18, layout
        talk.keyboard.press("PageDown")


@pytest.mark.browser
def test_escape_leaves_the_notebook_as_it_was(talk):
    before = LECTURES[0].read_bytes()
    talk.keyboard.press("Escape")
    talk.locator(".jp-NotebookPanel-toolbar").wait_for(timeout=5000)
    assert talk.locator(".course-away").count() == 0 == talk.locator(STATUS).count()
    assert LECTURES[0].read_bytes() == before
