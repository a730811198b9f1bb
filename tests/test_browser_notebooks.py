"""Every lecture in JupyterLab in a real browser, and a student's first exercise."""

import shutil

import nbformat
import pytest
from test_readme import live_figures

from benchmarks.browser import BROWSER, ERRORS, MISSING, READY, chromium, close, lab, panels, press, run_all
from utils.paths import course_root

playwright = pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS DID NOT RUN: no playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason=f"BROWSER TESTS DID NOT RUN: {MISSING}"),
]
LECTURES = sorted((course_root() / "lectures").glob("*.ipynb"))
KEYS = {"noUi-handle": ("ArrowRight", "ArrowLeft"), "BUTTON": ("Enter",), "": ("Space",)}
ANSWER = """async ([start, source]) => { const panel = window.jupyterapp.shell.currentWidget
  const cells = panel.content.widgets.map(cell => cell.model.sharedModel)
  cells.find(cell => cell.source.startsWith(start)).setSource(source)
  await window.jupyterapp.commands.execute('notebook:run-all-cells') }"""
OUTPUT_OF = """start => { const cell = window.jupyterapp.shell.currentWidget.content.widgets
  .find(cell => cell.model.sharedModel.source.startsWith(start))
  return JSON.stringify(cell.model.outputs.toJSON()) }"""


@pytest.fixture(scope="module")
def window():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """JupyterLab over copies of the lectures and of homework 0 as students get it."""
    folder = tmp_path_factory.mktemp("lab")
    for path in LECTURES:
        shutil.copy(path, folder / path.name)
    shutil.copytree(course_root() / "homework/hw0_multitask", folder, dirs_exist_ok=True)
    with lab(folder) as url:
        yield url


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_lecture(address, window, path):
    page, errors = run_all(window, address, path.name, seconds=400)
    try:
        assert not errors
        assert panels(page).count() == live_figures(path)
        for panel in panels(page).all():
            assert all(panel.evaluate("e => [...e.querySelectorAll('img')].map(i => i.alt)"))
            sliders = panel.locator(".noUi-handle").all()
            for number, handle in enumerate(sliders):
                rest = [(other, ()) for other in others(panel)]
                rest += [(other, (key,)) for other in sliders if other is not handle for key in ("End", "ArrowLeft")]
                moved = slides(page, panel, handle) or any(  # one may switch the slider on
                    moves(page, panel, other, *keys) and slides(page, panel, handle) for other, keys in rest)
                assert moved, f"slider {number} changes nothing in: {panel.inner_text()}"
            assert sliders or any(moves(page, panel, other) for other in others(panel)), panel.inner_text()
        assert not page.problems
    finally:
        close(page)


def others(panel) -> list:
    """The controls of a live figure that are no sliders: boxes, buttons."""
    return panel.locator("input[type=checkbox], button.widget-toggle-button").all()


def moves(page, panel, control, *keys: str) -> bool:
    """Whether one of the keys, pressed on the control, changes the picture; without keys, those of its kind."""
    if not keys:
        kind = control.evaluate("e => e.tagName + e.className")
        keys = next(keys for part, keys in KEYS.items() if part in kind)
    for key in keys:
        try:
            press(page, panel, control, key, seconds=3)
            return True
        except playwright.TimeoutError:
            continue
    return False


def slides(page, panel, handle) -> bool:
    """Whether the picture changes when a slider goes one step, and back; or else when it goes to an end."""
    for there, back, end in (("ArrowRight", "ArrowLeft", "max"), ("ArrowLeft", "ArrowRight", "min")):
        before = handle.get_attribute("aria-valuenow")
        if before == handle.get_attribute(f"aria-value{end}"):
            continue
        moved = moves(page, panel, handle, there)
        if handle.get_attribute("aria-valuenow") != before:
            page.keyboard.press(back)
        if moved:
            return True
    return moves(page, panel, handle, "End", "Home")


def solution_of(name: str) -> str:
    """The solution's cell that defines a function."""
    notebook = nbformat.read(course_root() / "solutions/hw0_multitask/hw0_multitask.ipynb", as_version=4)
    return next(cell.source for cell in notebook.cells if cell.source.startswith(f"def {name}("))


def test_a_student_solves_the_first_exercise(address, window):
    page, errors = run_all(window, address, "hw0_multitask.ipynb", seconds=200)
    try:
        assert errors and all(error.startswith("Missing") for error in errors), errors
        check = "check(shared_forward)"
        assert "not attempted" in page.evaluate(OUTPUT_OF, check).lower()
        page.evaluate(ANSWER, ["def shared_forward(", solution_of("shared_forward")])
        page.wait_for_function(READY)
        assert "2/2" in page.evaluate(OUTPUT_OF, check)
        left = page.evaluate(ERRORS)
        assert "shared_forward" in errors[0] and not any("shared_forward" in error for error in left)
        assert not page.problems
    finally:
        close(page)
