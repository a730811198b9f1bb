"""What keeps the course running elsewhere: imports, encodings, paths, file names; Windows is played by elsewhere.py."""

import ast
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.error
from pathlib import Path, PurePosixPath

import pytest
from test_setup import committed

from utils.grading.importer import plain_python
from utils.grading.official import store
from utils.paths import course_root
from utils.tasks import download

ROOT = course_root()
LINUX_ONLY = {  # module of utils: why it may need Linux
    "utils.grading.sandbox.confine": "asks Linux for namespaces and limits",
    "utils.grading.sandbox.child": "confines itself",
    "utils.grading.sandbox.zygote": "forks children",
}
NEEDS_LINUX = "grading in isolation needs Linux: use a Linux machine, container or WSL"
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
ONE_SYSTEM_S = re.compile(r"/(?:tmp|var|dev/shm)\b|[A-Za-z]:\\|[\w.-]+\\[\w.\\-]+\Z")
OWN_PATHS = ("utils/grading/sandbox/", "tests/cheats", "tests/faults", "tests/test_grading_")  # Linux's, or hostile


def names(*endings: str) -> list[str]:
    """Files in git, by name from the checkout."""
    found = [path.relative_to(ROOT).as_posix() for path in committed()]
    return [name for name in found if name.endswith(endings or "")]


def trees():
    """(place, syntax tree) of every Python file and of every code cell."""
    for name in names(".py"):
        yield name, ast.parse((ROOT / name).read_text(encoding="utf-8"))
    for name in names(".ipynb"):
        cells = json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate(cells):
            if cell["cell_type"] == "code":
                yield f"{name}, cell {number}", ast.parse(plain_python("".join(cell["source"])))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> dict:
    """What elsewhere.py found, in a Python without anything that only POSIX has."""
    out = tmp_path_factory.mktemp("elsewhere") / "found.json"
    script = Path(__file__).with_name("elsewhere.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run([sys.executable, script, out], cwd=ROOT, env=environment, capture_output=True, timeout=300)
    assert result.returncode == 0, result.stderr.decode(errors="replace")
    return json.loads(out.read_text(encoding="utf-8"))


def test_every_module_but_the_sandbox_s_inside_is_imported_without_posix(elsewhere):
    assert elsewhere["unimportable"].keys() == LINUX_ONLY.keys(), elsewhere["unimportable"]


@pytest.mark.parametrize("command, status, words", [
    ("help", 0, "Everything the course can do"),
    ("check", 1, "total  0/"),
    ("release", 0, "is up to date"),
    ("notebooks", 0, "1 of 1 notebooks are as they should be"),
    ("data", 0, "letters are ready"),
    ("lab", 2, "is no notebook of this course"),
    ("grade", 2, f"course grade: {NEEDS_LINUX}\n"),
    ("grade on a cluster", 2, f"course grade: {NEEDS_LINUX}\n"),
    ("regrade", 2, f"course regrade: {NEEDS_LINUX}\n"),
])  # fmt: skip
def test_commands_without_posix(elsewhere, command, status, words):
    assert elsewhere[command][0] == status and words in elsewhere[command][1], elsewhere[command]
    assert status != 2 or len(elsewhere[command][1].splitlines()) == 1
    assert not (ROOT / "no_such_folder").exists()


def test_doctor_without_posix_names_what_works(elsewhere):
    lines = elsewhere["doctor"][1].splitlines()
    assert f"OK   grading   course grade will refuse to run here (course check works): {NEEDS_LINUX}" in lines
    assert not [line for line in lines if "could not be checked" in line]


def test_grades_are_refused_where_their_folder_cannot_be_held(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "fcntl", None)
    with pytest.raises(store.StoreError, match="needs Linux: use"):
        store.Store(tmp_path / "grades")
    assert not (tmp_path / "grades").exists()


def text_without_encoding(call: ast.Call) -> bool:
    """Does the call read or write text in whatever encoding the machine has?"""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if any(word.arg in ("encoding", None) for word in call.keywords):
        return False
    method = isinstance(call.func, ast.Attribute)
    if name in ("read_text", "write_text"):
        return method and len(call.args) == (name == "write_text")
    if name in ("open", "fdopen", "NamedTemporaryFile", "TemporaryFile"):
        owner = getattr(getattr(call.func, "value", None), "id", None) if method else None
        place = 0 if method and name == "open" else 1
        modes = call.args[place : place + 1] + [word.value for word in call.keywords if word.arg == "mode"]
        if owner == "os" and name == "open" or method and modes and not isinstance(modes[0], ast.Constant):
            return False  # no mode: descriptors, members of archives, pictures
        mode = modes[0].value if modes and isinstance(modes[0], ast.Constant) else "w+b" if "Temp" in name else "r"
        return isinstance(mode, str) and "b" not in mode
    return False


def test_text_names_its_encoding():
    """Windows reads and writes another one unless it is told."""
    calls = [(place, node) for place, tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not [f"{place}, line {call.lineno}: {ast.unparse(call)[:80]}" for place, call in calls
                if text_without_encoding(call)]  # fmt: skip


@pytest.mark.parametrize("code, wrong", [
    ("path.read_text()", True), ("path.write_text(text)", True), ("open(path)", True), ("open(path, 'a')", True),
    ("path.open()", True), ("os.fdopen(number, 'w')", True), ("NamedTemporaryFile('x', mode='w')", True),
    ("path.read_text(encoding='utf-8')", False), ("path.read_text('utf-8-sig')", False), ("open(path, 'rb')", False),
    ("path.open('ab')", False), ("archive.open(member)", False), ("os.open(path, flags)", False),
    ("write_text(path, text)", False), ("NamedTemporaryFile()", False), ("path.write_text(text, **how)", False),
])  # fmt: skip
def test_the_search_for_encodings_sees_what_it_should(code, wrong):
    assert text_without_encoding(ast.parse(code, mode="eval").body) == wrong


def test_no_path_is_one_system_s_own():
    found = []
    for place, tree in trees():
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if ONE_SYSTEM_S.match(text) and not place.startswith(OWN_PATHS):
                found.append(f"{place}, line {node.lineno}: {text[:60]!r}")
    assert not found


def test_file_names_suit_every_file_system():
    assert len({name.casefold() for name in names()}) == len(names())
    for name in names():
        assert len(name) <= 120 and not re.search(r'[<>:"\\|?*\x00-\x1f]|[ .](?:/|$)', name), name
        assert not any(RESERVED.match(part) for part in PurePosixPath(name).parts), name


def test_a_checkout_has_the_same_bytes_everywhere():
    """Homework is compared with a fresh release, and a key carries a digest of the solution's files."""
    texts = names(".ipynb", ".py", ".json", ".svg", ".css", ".yml", ".toml")
    asked = subprocess.run(["git", "check-attr", "-z", "eol", *texts], cwd=ROOT, capture_output=True).stdout.decode()
    assert set(asked.split("\0")[2::3]) == {"lf"}
    assert not [name for name in texts if b"\r" in (ROOT / name).read_bytes()]


def test_a_student_s_letters_do_not_stop_a_check_whose_output_lacks_them(homework):
    """As in `course check FOLDER > answers.txt` on Windows."""
    path = homework / "hw9_small.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][2]["source"] = "def scale(x, factor):\n    return x * \u03b8"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "utils.cli", "check", homework]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=100)
    assert result.returncode == 1 and b"name '\\u03b8' is not defined" in result.stdout, result


def test_a_mac_without_certificates_is_told_what_to_do(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise urllib.error.URLError(ssl.SSLCertVerificationError("certificate verify failed"))

    monkeypatch.setattr(download.urllib.request, "urlopen", refused)
    with pytest.raises(download.DownloadError, match="Install Certificates.command"):
        download.download("https://example.org/x.zip", tmp_path / "x.zip", "0" * 32)
