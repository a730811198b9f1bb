"""Build the site beside the old one, then swap the two."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from utils.paths import course_root, short
from utils.site import pages

NEEDED = {"sphinx": "sphinx", "myst_nb": "myst-nb", "sphinx_book_theme": "sphinx-book-theme",
          "sphinx-mathjax-offline": "sphinx-mathjax-offline"}  # {module: package}


class SiteError(Exception):
    """The pages have problems; the text lists them."""


def site() -> int:
    """`course site`: build site/ in the checkout and say how to open it."""
    root, start = course_root(), time.monotonic()
    if missing := [package for module, package in NEEDED.items() if not importlib.util.find_spec(module)]:
        print(f"course site needs {', '.join(missing)}. In the checkout: {short(Path(sys.executable))} -m pip install "
              '-e ".[site]"', file=sys.stderr)
        return 2
    try:
        build(root, root / "site")
    except SiteError as error:
        print(f"course site: these pages have to be mended; site/ is as it was.\n{error}", file=sys.stderr)
        return 1
    count = len([path for path in (root / "site").rglob("*.html") if "_static" not in path.parts])
    seconds = time.monotonic() - start
    print(f"{count} pages in {seconds:.0f} s. Open site/index.html in a browser, or serve the folder:\n"
          "    python -m http.server --directory site        # http://localhost:8000")
    return 0


def build(root: Path, out: Path) -> None:
    """Build the site of the checkout `root` as the folder `out`; raises SiteError, and then `out` is as it was."""
    work = Path(tempfile.mkdtemp(prefix=".site-", dir=out.parent))  # one file system: the swap is a rename
    try:
        pages.write(root, work / "source")
        run_sphinx(root, work)
        if out.exists():
            out.rename(work / "old")
        (work / "html").rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run_sphinx(root: Path, work: Path) -> None:
    """Sphinx from work/source to work/html, with docs/conf.py; every warning is an error."""
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", root / "docs", "-d", work / "doctrees"]
    command = [sys.executable, "-m", "sphinx", *options, work / "source", work / "html"]
    result = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        said = result.stdout.replace(f"{work / 'source'}{os.sep}", "").replace("index.ipynb", pages.START)
        raise SiteError(said.strip())
