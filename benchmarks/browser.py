"""JupyterLab in a real Chromium, for the browser tests and for times from slider to pixels."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
MISSING = f"none of {', '.join(NAMES)} is installed"

READY = """() => { const panel = window.jupyterapp?.shell?.currentWidget;
  return !!panel?.context?.isReady && panel.sessionContext?.session?.kernel?.status === 'idle' }"""
RUN_ALL = """async () => { const { commands } = window.jupyterapp;
  await commands.execute('notebook:clear-all-cell-outputs'); await commands.execute('notebook:run-all-cells') }"""
ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .filter(cell => cell.model.type === 'code').flatMap(cell => cell.model.outputs.toJSON())
  .filter(output => output.output_type === 'error').map(output => `${output.ename}: ${output.evalue}`)"""

PICTURE = "panel => [...panel.querySelectorAll('img')].map(i => i.complete && i.naturalWidth ? i.src : '~').join()"
CHANGED = f"([panel, before]) => {{ const now = ({PICTURE})(panel); return now !== before && !now.includes('~') }}"


@contextmanager
def lab(folder: Path, **environment):
    """A JupyterLab over `folder`, with settings of its own; yields its address.

    Raises RuntimeError when it does not answer within a minute.
    """
    port = free_port()
    options = [f"--port={port}", "--ip=127.0.0.1", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    options += ["--ServerApp.disable_check_xsrf=True", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url="]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *options]
    own = {**settings(folder), "COURSE_STRICT": "0", **environment}  # as a student has it
    url = f"http://127.0.0.1:{port}"
    with served(command, folder, own, url + "/api/status"):
        yield url


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(command: list, folder: Path, environment: dict, url: str):
    """Run a server in `folder` from the moment that `url` answers; raises RuntimeError when it does not."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, **quiet)
    try:
        wait_for(url, server)
        yield
    finally:
        server.terminate()
        server.wait(20)


def settings(folder: Path) -> dict:
    """The environment in which JupyterLab keeps all its settings in `folder`."""
    names = ("CONFIG", "DATA", "RUNTIME")
    folders = {f"JUPYTER_{name}_DIR": str(folder / name) for name in names} | {"IPYTHONDIR": str(folder / "ipython")}
    return folders | {f"JUPYTERLAB_{name}_DIR": str(folder / name) for name in ("SETTINGS", "WORKSPACES")}


def wait_for(url: str, server: subprocess.Popen, seconds: float = 60):
    """Return once the address answers. Raises RuntimeError when it does not, or the server ends."""
    end = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < end:
        try:
            return urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"JupyterLab did not answer within {seconds} s (exit status {server.poll()})")


@contextmanager
def chromium():
    """A Chromium without a window. Raises RuntimeError when none is installed."""
    from playwright.sync_api import sync_playwright

    if BROWSER is None:
        raise RuntimeError(f"No browser was found: {MISSING}.")
    with sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        window = driver.chromium.launch(executable_path=BROWSER, args=options)
        yield window
        window.close()


def opened(window, url: str, name: str, seconds: float):
    """A page with the notebook in JupyterLab; what goes wrong in the page is collected in `page.problems`."""
    page = window.new_page(viewport={"width": 1300, "height": 1600})
    page.set_default_timeout(seconds * 1000)
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(f"{url}/doc/tree/{name}?reset", wait_until="domcontentloaded")
    page.wait_for_function(READY)
    return page


def run_all(window, url: str, name: str, seconds: float = 60):
    """A page in which all cells of the notebook have run, and the errors that they gave."""
    page = opened(window, url, name, seconds)
    page.evaluate(RUN_ALL)
    page.wait_for_function(READY)
    return page, page.evaluate(ERRORS)


def panels(page):
    """The live figures of a page."""
    return page.locator(".course-live:has(.course-controls)")


def press(page, panel, control, key: str, seconds: float = 10):
    """Press a key on a control of a live figure and wait for another picture.

    Raises playwright's TimeoutError when the picture stays the same.
    """
    before = panel.evaluate(PICTURE)
    control.focus()
    page.keyboard.press(key)
    page.wait_for_function(CHANGED, arg=[panel.element_handle(), before], timeout=1000 * seconds)


def close(page):
    """Stop the page's kernel and close it."""
    page.evaluate("async () => { await window.jupyterapp.serviceManager.sessions.shutdownAll() }")
    page.close()
