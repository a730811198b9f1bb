"""Notebooks in JupyterLab in a real browser: Run All, every slider by keyboard, pictures, alt text.

By default a small generated notebook and lectures/00; COURSE_BROWSER_ALL=1 opens every lecture (minutes).
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from utils.paths import course_root

playwright = pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS DID NOT RUN: no playwright")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason=f"BROWSER TESTS DID NOT RUN: none of {', '.join(NAMES)} is installed"),
]
LECTURES = sorted((course_root() / "lectures").glob("*.ipynb"))
if os.environ.get("COURSE_BROWSER_ALL", "0") in ("", "0"):
    LECTURES = [path for path in LECTURES if path.name.startswith("00")]

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

READY = """() => { const panel = window.jupyterapp?.shell?.currentWidget;
  return !!panel?.context?.isReady && panel.sessionContext?.session?.kernel?.status === 'idle' }"""
RUN_ALL = """async () => { const { commands } = window.jupyterapp;
  await commands.execute('notebook:clear-all-cell-outputs'); await commands.execute('notebook:run-all-cells') }"""
OUTPUTS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .filter(cell => cell.model.type === 'code').flatMap(cell => cell.model.outputs.toJSON())"""
PICTURE = "panel => [...panel.querySelectorAll('img')].map(i => i.complete && i.naturalWidth ? i.src : '~').join()"
CHANGED = f"([panel, before]) => {{ const now = ({PICTURE})(panel); return now !== before && !now.includes('~') }}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab with settings of its own over a copy of the notebooks; yields its address."""
    work = tmp_path_factory.mktemp("lab")
    small = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in SMALL])
    small.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(small, work / "small.ipynb")
    for path in LECTURES:
        shutil.copy(path, work / path.name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(_command(port), cwd=work, env=_environment(work), **quiet)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url + "/api/status", server)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def _command(port):
    options = [f"--port={port}", "--ip=127.0.0.1", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    options += ["--ServerApp.disable_check_xsrf=True", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url="]
    return [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *options]


def _environment(work):
    names = ("CONFIG", "DATA", "RUNTIME")
    folders = {f"JUPYTER_{name}_DIR": str(work / name) for name in names} | {"IPYTHONDIR": str(work / "ipython")}
    folders |= {f"JUPYTERLAB_{name}_DIR": str(work / name) for name in ("SETTINGS", "WORKSPACES")}
    return {**os.environ, **folders, "COURSE_STRICT": "0"}  # as a student has it


def _wait_for(url, server, seconds=60):
    end = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < end:
        try:
            return urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"JupyterLab did not answer within {seconds} s (exit status {server.poll()})")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        window = driver.chromium.launch(executable_path=BROWSER, args=options)
        yield window
        window.close()


def run_all(lab, browser, name, seconds=60):
    """Open a notebook and run all its cells; the page and its panels (a live figure each)."""
    page = browser.new_page(viewport={"width": 1300, "height": 1600})
    page.set_default_timeout(seconds * 1000)
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(f"{lab}/doc/tree/{name}?reset", wait_until="domcontentloaded")
    page.wait_for_function(READY)
    page.evaluate(RUN_ALL)
    page.wait_for_function(READY)
    errors = [f"{o['ename']}: {o['evalue']}" for o in page.evaluate(OUTPUTS) if o["output_type"] == "error"]
    assert not errors
    return page


def press(page, panel, control, key):
    """Press a key on a control and wait for another picture."""
    before = panel.evaluate(PICTURE)
    control.focus()
    page.keyboard.press(key)
    page.wait_for_function(CHANGED, arg=[panel.element_handle(), before], timeout=10_000)


def close(page):
    page.evaluate("async () => { await window.jupyterapp.serviceManager.sessions.shutdownAll() }")
    page.close()


@pytest.fixture(scope="module")
def small(lab, browser):
    page = run_all(lab, browser, "small.ipynb")
    yield page
    close(page)


def panels(page):
    return page.locator(".course-live:has(.noUi-handle)")


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


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_lecture(lab, browser, path):
    page = run_all(lab, browser, path.name, seconds=400)
    try:
        for panel in panels(page).all():
            assert all(panel.evaluate("e => [...e.querySelectorAll('img')].map(i => i.alt)"))
            changed = [_slides(page, panel, handle) for handle in panel.locator(".noUi-handle").all()]
            assert any(changed), panel.inner_text()
        assert not page.problems
    finally:
        close(page)


def _slides(page, panel, handle):
    """Whether the picture changes when the handle goes to either end (a second control may switch it off)."""
    for key in ("End", "Home"):
        try:
            press(page, panel, handle, key)
            return True
        except playwright.TimeoutError:
            continue
    return False
