"""From a slider to new pixels in Chromium, for every live figure, beside `interact` on the same figure.

Two times: from one key on a control to the picture that answers it, and from the last move of a dragged slider to
the last picture, with all that has queued up on the way.
"""

import tempfile
from contextlib import suppress
from pathlib import Path
from statistics import median

import nbformat

from benchmarks import interact
from benchmarks.browser import BROWSER, MISSING, chromium, close, lab, run_all
from benchmarks.measure import Row
from utils.notebooks import read
from utils.paths import course_root

MOVES = 3  # steps of each slider by key, on each side
DRAGS = 2  # drags of each figure's first slider, on each side
TARGETS = {"median": 100, "worst": 200, "ratio": 4}  # ms, ms, times as fast

# Shared by both: `heard` is called with each new picture, `painted` at the end of the frame that shows it, decoded.
PICTURES = """const pictures = () => [...node.querySelectorAll('img')]
  const seen = () => pictures().map(i => i.src).join()
  const painted = async told => { await Promise.all(pictures().map(i => i.decode().catch(() => 0)))
    requestAnimationFrame(() => { const frame = new MessageChannel()
      frame.port1.onmessage = told
      frame.port2.postMessage(0) }) }
  let last = seen()
  const changes = heard => new MutationObserver(() => {
    if (!pictures().length || seen() === last) return
    last = seen()
    heard() }).observe(node, { subtree: true, childList: true, attributes: true, attributeFilter: ['src'] })"""
# Times a key, from the browser's own time of the event.
WATCH = f"""node => {{ {PICTURES}
  let start = 0
  node.moves = []
  node.addEventListener('keydown', event => {{ start = event.timeStamp }}, true)
  changes(() => {{ const begun = start
    start = 0
    if (begun) painted(() => node.moves.push(performance.now() - begun)) }}) }}"""
# Notes when the first slider last took a new value, and when the last picture was painted.
FOLLOW = f"""node => {{ {PICTURES}
  node.drag = [0, 0]
  changes(() => painted(() => {{ node.drag[1] = performance.now() }}))
  new MutationObserver(() => {{ node.drag[0] = performance.now() }})
    .observe(node.querySelector('.noUi-handle'), {{ attributes: true, attributeFilter: ['aria-valuenow'] }}) }}"""


def prepared(path: Path, folder: Path) -> str:
    """A copy of the lecture that shows each live figure twice; its name."""
    notebook = read(path)
    source = f"import sys\nsys.path.append({str(course_root())!r})\nfrom benchmarks import interact\ninteract.start()"
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
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(interact.DOCUMENTED.strip())])
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


def lags(page, node) -> list[float]:
    """Milliseconds from the last value of a dragged slider to the last picture; none if that shows nothing new."""
    handle, found = node.locator(".noUi-handle").first, []
    if not handle.count():
        return found
    node.evaluate(FOLLOW)
    for _ in range(DRAGS):
        handle.focus()
        page.keyboard.press("Home")
        page.wait_for_timeout(500)
        track, box = node.locator(".noUi-target").first.bounding_box(), handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        for part in range(1, 41):
            page.mouse.move(x + 0.8 * track["width"] * part / 40, y)
            page.wait_for_timeout(16)
        page.mouse.up()
        page.wait_for_timeout(800)
        value, picture = node.evaluate("node => node.drag")
        found += [picture - value] if picture > value else []
    return found


def medians(window, url: str, name: str) -> list[tuple[list[float], list[float]]]:
    """Of every live figure of a notebook, median ms of (ours, interact): by key, and by drag (where both change).

    Raises RuntimeError when a cell fails.
    """
    page, errors = run_all(window, url, name, seconds=400)
    try:
        if errors:
            raise RuntimeError(f"{name}: {errors[0]}")
        found = []
        for node in page.locator(".course-both").all():
            sides = [node.locator(side) for side in (".course-live", ".course-peer")]
            keys = [median(times(page, side)) for side in sides]
            drags = [lags(page, side) for side in sides]
            found.append((keys, list(map(median, drags)) if all(drags) else []))
        return found
    finally:
        close(page)


def run(quick: bool) -> list[Row]:
    """Wall-clock times: each lecture's slowest figure; over all figures median and worst; `interact` against them."""
    if BROWSER is None:
        return [Row("slider to pixels, median over figures", None, "ms", note=MISSING)]
    rows, keys, drags = [], [], []
    lectures = sorted((course_root() / "lectures").glob("*.ipynb"))[: 1 if quick else None]
    with tempfile.TemporaryDirectory() as name, lab(Path(name)) as url, chromium() as window:
        folder = Path(name)
        for path in lectures:
            found = medians(window, url, prepared(path, folder))
            keys += [key for key, _ in found]
            drags += [drag for _, drag in found if drag]
            pairs = ", ".join(f"{mine:.0f} / {peer:.0f}" for (mine, peer), _ in found)
            note = f"{len(found)} live figures / interact: {pairs} ms"
            rows.append(Row(f"{path.stem}: slowest figure", max(mine for (mine, _), _ in found), "ms", note=note))
        (((mine, peer), _),) = medians(window, url, documented(folder))
    targets = dict.fromkeys(TARGETS) if quick else TARGETS
    sine = "one sine, `interact` as documented (a new figure each time)"
    return rows + [
        Row("slider to pixels, median over figures", median(a for a, _ in keys), "ms", targets["median"], at_most=True),
        Row("slider to pixels, slowest figure", max(a for a, _ in keys), "ms", targets["worst"], at_most=True),
        Row(sine, peer / mine, "times", targets["ratio"], note=f"{peer:.0f} against {mine:.0f} ms"),
        against("the lectures' figures by `interact`, kept and drawn again, median", keys, targets["ratio"]),
        against("the lectures' figures by `interact`, last picture of a drag, median", drags, targets["ratio"]),
    ]


def against(what: str, pairs: list, target: float | None) -> Row:
    """The row of how many times longer `interact` takes, from (ours, interact) of each figure."""
    ratios = [peer / mine for mine, peer in pairs]
    ours, theirs = zip(*pairs, strict=True)
    note = f"{len(pairs)} figures, {min(ratios):.1f} to {max(ratios):.1f} times; "
    note += f"medians {median(theirs):.0f} against {median(ours):.0f} ms"
    return Row(what, median(ratios), "times", target, note=note)
