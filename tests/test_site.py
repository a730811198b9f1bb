"""The web site: built once, every link followed, every page opened in a browser and read by axe."""

import json
import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from site_reading import Page, served, stored_alts, visit

from utils.grading.student_copy import leaks
from utils.paths import course_root
from utils.site.build import SiteError, build
from utils.site.docstrings import restructured
from utils.site.pages import Tree, picture, relinked

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
NO_BROWSER = f"BROWSER TESTS DID NOT RUN: none of {', '.join(NAMES)} is installed"
LECTURES = sorted((course_root() / "lectures").glob("*.ipynb"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder, before = tmp_path_factory.mktemp("site"), os.times()
    build(course_root(), folder / "out")
    assert os.times().children_user - before.children_user < 60  # about 30; seconds of this process's own children
    assert [path.name for path in folder.iterdir()] == ["out"]
    return folder / "out"


@pytest.fixture(scope="module")
def pages(site):
    """{address: Page} of the whole site."""
    paths = [path for path in site.rglob("*.html") if "_static" not in path.relative_to(site).parts]
    return {path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8")) for path in paths}


def page_of(path: Path) -> str:
    """The address of a notebook's page."""
    return "index.html" if path.stem == "00_start_here" else f"lectures/{path.stem}.html"


def test_every_link_and_anchor_leads_somewhere(site, pages):
    broken = []
    for name, page in pages.items():
        for address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme:
                good = parts.scheme == "https" and "." in parts.netloc and " " not in address
            else:
                target = (site / name).parent / unquote(parts.path) if parts.path else site / name
                other = pages.get(Path(os.path.relpath(target.resolve(), site.resolve())).as_posix())
                good = target.is_file() and (not parts.fragment or not other or unquote(parts.fragment) in other.ids)
            broken += [] if good else [f"{name}: {address}"]
    assert not broken


def test_every_lecture_and_homework_and_guide_has_a_page(pages):
    root = course_root()
    files = [*LECTURES[1:], *root.glob("homework/*/*.ipynb"), *root.glob("docs/*.md"), root / "CONTRIBUTING.md"]
    wanted = {path.relative_to(root).with_suffix(".html").as_posix() for path in files}
    assert wanted | {"index.html", "search.html", "README.html", "api/utils.learners.html"} <= pages.keys()
    assert wanted <= {address.partition("#")[0] for address in pages["index.html"].addresses}


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_every_stored_picture_is_shown_with_its_alt_text(pages, path):
    wanted = [alt.splitlines()[0] for alt in stored_alts(path)]
    assert [found["alt"] for found in pages[page_of(path)].pictures] == wanted and wanted


def test_all_pictures_have_alt_text(pages):
    assert all(found.get("alt") for page in pages.values() for found in page.pictures)


def test_no_line_of_a_solution_is_on_a_page_of_homework_or_a_guide(pages):
    texts = {name: "".join(page.words) for name, page in pages.items() if not name.startswith(("lectures/", "api/"))}
    assert "Replace each" in texts["homework/hw0_multitask/hw0_multitask.html"]
    for path in course_root().glob("solutions/*/*.ipynb"):
        assert not leaks(json.loads(path.read_text(encoding="utf-8")), texts)


def test_annotations_of_tensors_read_as_in_the_source(pages):
    words = "".join(pages["api/utils.learners.html"].words)
    assert "lstm_forward(theta: dict[str, Tensor], tokens: Float[Tensor, 'task step in'])" in words


@pytest.fixture
def small(tmp_path):
    """A checkout of one page, with the settings of this one."""
    shutil.copytree(course_root() / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("*.md"))
    for folder in ("lectures", "utils"):
        (tmp_path / folder).mkdir()
    (tmp_path / "utils/__init__.py").touch()

    def write(text: str) -> Path:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
        nbformat.write(notebook, tmp_path / "lectures/00_start_here.ipynb")
        return tmp_path

    return write


def test_a_broken_link_is_named_and_the_old_site_stays(small, tmp_path):
    out = tmp_path / "site"
    build(small("# One\n\nText."), out)
    before = (out / "index.html").read_bytes()
    with pytest.raises(SiteError, match=r"lectures/00_start_here.ipynb:\d+: WARNING: .*'lectures/99_nowhere.ipynb'"):
        build(small("# Two\n\n[gone](99_nowhere.ipynb)"), out)
    assert (out / "index.html").read_bytes() == before
    build(small("# Three\n\nText."), out)
    assert b"Three" in (out / "index.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs", "lectures", "site", "utils"]


@pytest.mark.parametrize("text, wanted", [
    ("[a](06_maml.ipynb#b)", "[a](lectures/06_maml.ipynb#b)"),
    ("[a](../homework/x.ipynb), [b](../LICENSE)", "[a](homework/x.ipynb), [b](LICENSE)"),
    ("[the list](../solutions/hw0/mistakes.py) in [`solutions/`](../solutions)", "the list in `solutions/`"),
    ("[a](https://arxiv.org/abs/1703.03400) [b](#here)", "[a](https://arxiv.org/abs/1703.03400) [b](#here)"),
    ("G [T, P] (tasks)", "G [T, P] (tasks)"),
])  # fmt: skip
def test_links_lead_to_pages_and_copies(tmp_path, text, wanted):
    tree = Tree(course_root(), tmp_path, {"lectures/00_start_here.ipynb": "index.ipynb"})
    assert relinked(tree, "lectures/00_start_here.ipynb", text) == wanted
    assert (tmp_path / "LICENSE").exists() == ("LICENSE" in text)


@pytest.mark.parametrize("text, wanted", [
    ("`steps` of N*K, x_t", r"``steps``\  of N\*K, x\_t"),
    ("the *whole* trial, T*C, T*D", r"the \ *whole*\  trial, T\*C, T\*D"),
    ("|a| [*B, T] -> [*B]", r"\|a\| [\*B, T] -> [\*B]"),
    ("First:\n    a  *b*\nlast", "First:\n\n::\n\n    a  *b*\n\nlast"),
])  # fmt: skip
def test_docstrings_keep_their_meaning(text, wanted):
    assert "\n".join(restructured(text.splitlines())) == wanted


def test_a_picture_shows_its_reading_and_escapes_it():
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x58\0\0\x01\x2c"
    made = picture("a.png", png, 'A "wave" & more\n3 < 4')
    assert 'alt="A &quot;wave&quot; &amp; more" width="600" height="300"' in made
    assert "<figcaption>3 &lt; 4</figcaption>" in made


@pytest.fixture(scope="module")
def browser():
    """A Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="BROWSER TESTS DID NOT RUN: no playwright")
    with playwright.sync_playwright() as driver:
        window = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield window
        window.close()


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason=NO_BROWSER)
def test_pages_ask_nobody_outside_and_axe_finds_nothing(browser, site, pages):
    with served(site) as base:
        found = visit(browser, base, sorted(pages))
    assert not [f"{name}: {problem}" for name, problems in found.items() for problem in problems]


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason=NO_BROWSER)
@pytest.mark.parametrize("offline", [False, True], ids=["served", "opened as a file"])
def test_search_finds_a_word(browser, site, offline):
    with served(site) as base:
        page = browser.new_page()
        page.goto(f"{site.as_uri() if offline else base}/search.html?q=prototypical")
        page.locator("#search-results li a").first.wait_for()
        links = page.locator("#search-results li a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        page.close()
    assert any("lectures/08_metric_learning.html" in link for link in links)
