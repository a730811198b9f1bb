"""From a key on a slider to new pixels in Chromium, for every live figure, beside `interact` on the same figure."""

import tempfile
from contextlib import suppress
from pathlib import Path
from statistics import median

import nbformat

from benchmarks.browser import BROWSER, MISSING, chromium, close, lab, run_all
from benchmarks.measure import Row
from utils.notebooks import read
from utils.paths import course_root

MOVES = 3  # steps of each slider, on each side
TARGETS = {"median": 100, "worst": 200, "ratio": 4}  # ms, ms, times as fast

# Times a key: from the browser's own time of the event to the end of the frame that paints the decoded picture.
WATCH = """node => { const pictures = () => [...node.querySelectorAll('img')]
  const seen = () => pictures().map(i => i.src).join()
  let start = 0, before = seen()
  node.moves = []
  node.addEventListener('keydown', event => { start = event.timeStamp; before = seen() }, true)
  new MutationObserver(async () => {
    if (!start || !pictures().length || seen() === before) return
    const begun = start; start = 0
    await Promise.all(pictures().map(i => i.decode().catch(() => 0)))
    requestAnimationFrame(() => { const painted = new MessageChannel()
      painted.port1.onmessage = () => node.moves.push(performance.now() - begun)
      painted.port2.postMessage(0) })
  }).observe(node, { subtree: true, childList: true, attributes: true, attributeFilter: ['src'] }) }"""


def start() -> None:
    """In a notebook's kernel: show each live figure twice from here on, by `live` and by ipywidgets' `interact`."""
    from IPython import get_ipython

    import utils.live

    get_ipython().run_line_magic("matplotlib", "inline")
    ours = utils.live.live
    utils.live.live = lambda update, figure, artists=None, *, alt, **controls: both(
        ours(update, figure, artists, alt=alt, **controls), update, figure)


def both(panel, update, figure):
    """The panel with an `interact` of the same figure, callback and controls below it.

    There the figure lays itself out in each update, as `new_figure` makes it and as it does without `live`.
    """
    import ipywidgets
    from IPython.display import display

    def show(**values):
        update(**values)
        figure.set_layout_engine("constrained")
        display(figure)
        figure.set_layout_engine("none")

    settings = ("value", "min", "max", "step", "options", "description")
    twins = {name: type(control)(**{key: getattr(control, key) for key in settings if hasattr(control, key)})
             for name, control in panel.controls.items()}
    peer = ipywidgets.interactive(show, **twins).add_class("course-peer")
    panel.box = ipywidgets.VBox([panel.box, peer]).add_class("course-both")
    return panel


# `interact` as its documentation shows it: the callback makes a new pyplot figure and shows it.
DOCUMENTED = """
%matplotlib inline
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from utils.live import live, new_figure, slider
x = np.linspace(-5, 5, 200)
words = dict(title="A sinusoid", xlabel="x", ylabel="y", ylim=(-5, 5))
figure, axes = new_figure()
(line,) = axes.plot(x, np.sin(x))
axes.set(**words)
panel = live(lambda a: line.set_ydata(a * np.sin(x)), figure, [line], alt="A sine", a=slider(1.0, 0.0, 4.0, 0.1, "a"))
def anew(a):
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    axes.plot(x, a * np.sin(x))
    axes.set(**words)
    plt.show()
peer = ipywidgets.interactive(anew, a=ipywidgets.FloatSlider(1.0, min=0.0, max=4.0, step=0.1))
ipywidgets.VBox([panel.box, peer.add_class("course-peer")]).add_class("course-both")
"""


def prepared(path: Path, folder: Path) -> str:
    """A copy of the lecture that shows each live figure twice; its name."""
    notebook = read(path)
    source = f"import sys\nsys.path.append({str(course_root())!r})\nfrom benchmarks import pixels\npixels.start()"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(source))
    nbformat.write(notebook, folder / path.name)
    return path.name


def presses(node) -> list[tuple]:
    """(control, keys) for every control of a figure: a slider from its lower end, each button once, a box twice."""
    sliders = [(handle, ["Home", *MOVES * ["ArrowRight"]]) for handle in node.locator(".noUi-handle").all()]
    buttons = [(button, ["Enter"]) for button in node.locator("button.widget-toggle-button").all()]
    return sliders + buttons + [(box, ["Space", "Space"]) for box in node.locator("input[type=checkbox]").all()]


def documented(folder: Path) -> str:
    """A notebook with one sine in both ways; its name."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(DOCUMENTED.strip())])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "documented.ipynb")
    return "documented.ipynb"


def times(page, node) -> list[float]:
    """Milliseconds of each move of each control of a figure; those that leave the picture as it is do not count."""
    from playwright.sync_api import TimeoutError

    node.evaluate(WATCH)
    for control, keys in presses(node):
        control.focus()
        for key in keys:
            before = node.evaluate("node => node.moves.length")
            page.keyboard.press(key)
            with suppress(TimeoutError):
                page.wait_for_function("([node, n]) => node.moves.length > n", arg=[node.element_handle(), before],
                                       timeout=1000)
            page.wait_for_timeout(100)
    return node.evaluate("node => node.moves")


def figures(window, url: str, name: str) -> list[tuple[list[float], list[float]]]:
    """(ours, interact's) milliseconds of every live figure of a lecture. Raises RuntimeError when a cell fails."""
    page, errors = run_all(window, url, name, seconds=400)
    try:
        if errors:
            raise RuntimeError(f"{name}: {errors[0]}")
        return [(times(page, node.locator(".course-live")), times(page, node.locator(".course-peer")))
                for node in page.locator(".course-both").all()]
    finally:
        close(page)


def run(quick: bool) -> list[Row]:
    """Wall-clock times: each lecture's slowest figure; over all figures median and worst; `interact` against them."""
    if BROWSER is None:
        return [Row("slider to pixels, median over figures", None, "ms", note=MISSING)]
    rows, ours, ratios = [], [], []
    lectures = sorted((course_root() / "lectures").glob("*.ipynb"))[: 1 if quick else None]
    with tempfile.TemporaryDirectory() as name, lab(Path(name)) as url, chromium() as window:
        folder = Path(name)
        for path in lectures:
            found = medians(window, url, prepared(path, folder))
            ours += [mine for mine, _ in found]
            ratios += [peer / mine for mine, peer in found]
            note = f"{len(found)} live figures / interact: " + ", ".join(f"{a:.0f} / {b:.0f}" for a, b in found) + " ms"
            rows.append(Row(f"{path.stem}: slowest figure", max(mine for mine, _ in found), "ms", note=note))
        ((mine, peer),) = medians(window, url, documented(folder))
    targets = dict.fromkeys(TARGETS) if quick else TARGETS
    return rows + [
        Row("slider to pixels, median over figures", median(ours), "ms", targets["median"], at_most=True),
        Row("slider to pixels, slowest figure", max(ours), "ms", targets["worst"], at_most=True),
        Row("one sine, `interact` as documented (a new figure each time)", peer / mine, "times", targets["ratio"],
            note=f"{peer:.0f} against {mine:.0f} ms"),
        Row("the lectures' figures by `interact`, kept and drawn again, median", median(ratios), "times",
            targets["ratio"], note=f"{min(ratios):.1f} to {max(ratios):.1f}"),
    ]


def medians(window, url: str, name: str) -> list[tuple[float, float]]:
    """(ours, interact's) median milliseconds of every live figure of a notebook."""
    return [(median(mine), median(peer)) for mine, peer in figures(window, url, name)]
