"""Small archives in Omniglot's form, and a web server that gives them out, for the tests of the loader."""

import hashlib
import http.server
import io
import os
import threading
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from utils.tasks import omniglot, omniglot_archives
from utils.tasks.omniglot_archives import Archive

ALPHABETS = {"images_background": {"Old_Script": 2, "New_Script": 1}, "images_evaluation": {"Far_Script": 2}}


def png(seed, side=105):
    ink = np.random.default_rng(seed).random((side // 5, side // 5)) < 0.2
    out = io.BytesIO()
    Image.fromarray(~ink.repeat(5, 0).repeat(5, 1)).save(out, "PNG")
    return out.getvalue()


def members(name, side=105):
    """{member name: bytes} of an archive."""
    keys = [f"{alphabet}/character{i + 1:02}" for alphabet, n in ALPHABETS[name].items() for i in range(n)]
    return {f"{name}/{key}/{at:04}_{drawer:02}.png": png([at, drawer], side)
            for at, key in enumerate(keys) for drawer in range(1, 21)}


def pack(path, contents):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in contents.items():
            file.writestr(zipfile.ZipInfo(name), data)
    return path


@pytest.fixture
def archives(tmp_path, monkeypatch, course_cache):
    """A folder with two small archives that the loader takes for Omniglot; COURSE_DATA is not set."""
    folder = tmp_path / "data"
    folder.mkdir()
    expected = []
    for name, alphabets in ALPHABETS.items():
        data = pack(folder / f"{name}.zip", members(name)).read_bytes()
        expected.append(Archive(name, sum(alphabets.values()), hashlib.md5(data).hexdigest()))
    monkeypatch.setattr(omniglot_archives, "ARCHIVES", tuple(expected))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    return folder


class Handler(http.server.BaseHTTPRequestHandler):
    """Gives out the server's folder; its `trouble` says what goes wrong, its `asked` holds the Range headers."""

    def do_GET(self):
        name, wanted = self.path.rsplit("/", 1)[1], self.headers["Range"]
        self.server.asked.append(wanted)
        trouble = self.server.trouble
        if trouble in (404, 500):
            return self.send_error(trouble)
        data = (self.server.folder / name).read_bytes()
        begin = int(wanted.split("=")[1][:-1]) if wanted and trouble != "no ranges" else 0
        if begin >= len(data):
            return self.send_error(416)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        rest = data[begin:]
        if trouble == "wrong bytes":
            rest = rest[::-1]
        self.wfile.write(rest[: len(rest) // 2] if trouble == "breaks off" else rest)
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def server(archives, monkeypatch):
    """A web server on this machine in the place of the official one."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.folder, server.trouble, server.asked = archives, None, []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(omniglot, "URL", f"http://127.0.0.1:{server.server_port}/python")
    yield server
    server.shutdown()
    server.server_close()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the test starts its processes by fork")


def in_a_child(work):
    """Run `work` in a forked process; returns its process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about forking beside other threads
        child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child
