"""Reading the web site: a page's links and words without a browser, and what a browser and axe find on it."""

import functools
import http.server
import threading
from contextlib import contextmanager
from html.parser import HTMLParser

from utils.notebooks import read

LATE = """async () => {
  await window.MathJax?.startup?.promise;
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
OTHERS = {"rules": {"color-contrast": {"enabled": False}}, "resultTypes": ["violations"]}
# Contrast costs axe the most and depends on an element's place in the tree, not on its words: an element whose
# like (its tags, classes and styles up to the body, and the stripe of a table's row) was tested before is taken out.
NEW_ONLY = """known => {
  const seen = new Set(known);
  document.head.insertAdjacentHTML('beforeend', '<style>* { transition: none !important }</style>');
  document.querySelectorAll('mjx-container').forEach(formula => formula.remove());
  for (const element of [...document.querySelectorAll('main *, .bd-sidebar *')].reverse()) {
    let kind = '';
    for (let at = element; at !== document.body; at = at.parentElement)
      kind += [at.localName, at.className, at.getAttribute('style'), at.rowIndex % 2].join() + ';';
    if (seen.has(kind) && !element.children.length) element.remove();
    seen.add(kind);
  }
  return [...seen];
}"""


class Page(HTMLParser):
    """What a page holds: its ids, its addresses, its pictures and its words."""

    def __init__(self, text: str):
        super().__init__()
        self.ids, self.addresses, self.pictures, self.words = set(), [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids.add(found.get("id"))
        self.addresses += [found[name] for name in ("href", "src") if found.get(name)]
        self.pictures += [found] * (tag == "img")

    def handle_data(self, data):
        self.words.append(data)


def stored_alts(path) -> list[str]:
    """The alt texts of the pictures that a notebook stores, in order."""
    outputs = [o for cell in read(path).cells for o in cell.get("outputs", [])]
    return [o.metadata["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", {})]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *arguments):
        pass


@contextmanager
def served(folder):
    """The address at which a folder is served."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def visit(browser, base, names):
    """{page: what is wrong with it}: requests that leave the site, errors, formulas, axe's violations, width."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    said, known, found = [], [], {}

    def asked(request):
        said.extend([] if request.url.startswith((base, "data:")) else [f"asks {request.url}"])

    def told(message):
        said.extend([f"{message.text} {message.location['url']}"] if message.type == "error" else [])

    page.on("request", asked)
    page.on("console", told)
    page.on("pageerror", lambda error: said.append(str(error)))
    for name in names:
        said.clear()
        page.goto(base + name)
        page.evaluate(LATE)
        formulas = ["a formula fails"] * page.locator("mjx-merror").count()
        found[name] = said + formulas  # before axe, which asks for style sheets of its own accord
        found[name] += _violations(page, OTHERS) + _too_wide(page)
        known = page.evaluate(NEW_ONLY, known)
        for theme in ("light", "dark"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            found[name] += [f"{theme}: {problem}" for problem in _violations(page, CONTRAST)]
    page.close()
    return found


def _violations(page, options):
    """What axe finds, an element a line."""
    from axe_playwright_python.sync_playwright import Axe

    rules = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in rules for node in rule["nodes"]]


def _too_wide(page):
    """Whether one has to scroll sideways on a phone."""
    page.set_viewport_size({"width": 390, "height": 800})
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    return [f"is {width} pixels wide on a phone of 390"] * (width > 390)
