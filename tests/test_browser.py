"""Live figures in JupyterLab in a real browser: keyboard, screen reader, slow callbacks, errors."""

import nbformat
import pytest

from benchmarks.browser import BROWSER, CHANGED, MISSING, PICTURE, chromium, close, lab, panels, press, run_all

pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS DID NOT RUN: no playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason=f"BROWSER TESTS DID NOT RUN: {MISSING}"),
]

SMALL = [
    """
import time
import numpy as np
from utils.live import LossPlot, choice, live, new_figure, slider, still, toggle
x = np.linspace(-5, 5, 200)
figure, axes = new_figure()
(line,) = axes.plot(x, np.sin(x), label="guess")
axes.set(ylim=(-5, 5), xlabel="x", ylabel="y")
def update(a, shape, up):
    line.set_ydata(a * getattr(np, shape)(x) + up)
    axes.set_title(f"height {a:.1f}")
    return f"height {a:.1f}"
live(update, figure, [line], alt="A wave & its height", a=slider(1.0, 0.0, 4.0, 0.1, "height a"),
     shape=choice("sin", ["sin", "cos"], "shape"), up=toggle(False, "one up"))
""",
    """
calls = []
slow_figure, slow_axes = new_figure()
(dot,) = slow_axes.plot([0], [0], "o")
slow_axes.set(xlim=(-5, 105), ylim=(-1, 1))
def slowly(k):
    calls.append(k)
    time.sleep(0.2)
    dot.set_xdata([k])
    if k == 100:
        raise ValueError("k < 100 expected")
live(slowly, slow_figure, [dot], alt="A dot", k=slider(0, 0, 100, 1, "place k"))
""",
    """
with LossPlot(30, alt="The loss falls", limit=0.1) as plot:
    for step in range(30):
        plot(0.1 + np.exp(-step / 5))
        time.sleep(0.02)
""",
]

OUTPUTS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .filter(cell => cell.model.type === 'code').flatMap(cell => cell.model.outputs.toJSON())"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The page of the small notebook, all cells run."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in SMALL])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "small.ipynb")
    with lab(folder) as url, chromium() as window:
        page, errors = run_all(window, url, "small.ipynb")
        assert not errors
        yield page
        close(page)


def test_keyboard_moves_the_picture(small):
    panel = panels(small).nth(0)
    press(small, panel, panel.locator(".noUi-handle"), "ArrowRight")
    panel.get_by_text("height 1.1").wait_for()
    press(small, panel, panel.locator(".noUi-handle"), "Home")
    panel.get_by_text("height 0.0").wait_for()
    press(small, panel, panel.locator(".noUi-handle"), "End")
    press(small, panel, panel.get_by_role("button", name="cos"), "Enter")
    press(small, panel, panel.get_by_role("checkbox"), "Space")
    assert not small.problems


def test_tab_goes_from_control_to_control(small):
    panel = panels(small).nth(0)
    panel.locator(".noUi-handle").focus()
    seen = []
    for _ in range(4):
        small.keyboard.press("Tab")
        seen.append(small.evaluate("() => document.activeElement.textContent || document.activeElement.type"))
    assert seen[-1] == "checkbox" and seen[-3:-1] == ["sin", "cos"], seen


def test_a_screen_reader_finds_alt_text_and_reading(small):
    panel = panels(small).nth(0)
    assert panel.get_by_role("img", name="A wave & its height").count() == 1
    assert panel.get_by_role("status").inner_text().startswith("height ")
    assert panel.get_by_text("height a").is_visible()


def test_letters_are_large_and_nothing_is_cut_off(small):
    panel = panels(small).nth(0)
    sizes = "e => [...e.querySelectorAll('.widget-label, .widget-readout, button')].map(l => [l.textContent, parseFloat(getComputedStyle(l).fontSize), l.scrollWidth - l.clientWidth])"  # noqa: E501
    for text, size, hidden in panel.evaluate(sizes):
        assert size >= 14 and hidden <= 1, text
    label, button = (panel.get_by_text(text, exact=True).bounding_box() for text in ("shape", "sin"))
    assert label["x"] + label["width"] <= button["x"] and abs(label["y"] - button["y"]) < 20  # beside, not above


def test_slow_callbacks_do_not_queue_and_errors_show(small):
    panel = panels(small).nth(1)
    before = panel.evaluate(PICTURE)
    panel.locator(".noUi-handle").focus()
    for _ in range(20):
        small.keyboard.press("ArrowRight")
    small.wait_for_function(CHANGED, arg=[panel.element_handle(), before])
    small.wait_for_timeout(1500)  # 20 callbacks of 0.2 s would still run
    at_rest = panel.evaluate(PICTURE)
    small.wait_for_timeout(600)
    assert panel.evaluate(PICTURE) == at_rest
    small.keyboard.press("End")
    panel.get_by_text("ValueError: k < 100 expected").wait_for()
    assert panel.evaluate(PICTURE) == at_rest


def test_loss_plot_leaves_one_picture_and_its_words(small):
    (output,) = small.evaluate(OUTPUTS)[-1:]
    assert output["data"]["text/plain"] == "The loss falls" == output["metadata"]["image/png"]["alt"]
    assert "image/png" in output["data"] and small.locator(".widget-hprogress").count() == 0
