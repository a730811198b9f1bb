"""nbgrader's formgrader, as a server: it shows records, takes a person's points, and runs nothing of a student's."""

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

import homework_in_small
import pytest
from gradebook_in_small import NAME, book, class_of_four, grades

from benchmarks import peers
from utils.grading.official.gradebook import fill


@pytest.fixture(scope="module")
def solution(tmp_path_factory):
    if reason := peers.prepare("nbgrader"):
        pytest.skip(f"NBGRADER TESTS DID NOT RUN: nbgrader {reason}")
    return homework_in_small.write(tmp_path_factory.mktemp("solutions"))


@pytest.fixture(scope="module")
def formgrader(tmp_path_factory, solution):
    """nbgrader's server extension on a filled gradebook: request(path, body=None) -> (status, text), and the url."""
    course, token = tmp_path_factory.mktemp("course"), secrets.token_hex()
    url = f"sqlite:///{course / 'gradebook.db'}"
    fill(url, class_of_four(), solution)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", f"--ServerApp.port={port}", "--allow-root"]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", "--ServerApp.ip=127.0.0.1"]
    command += ["--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True"]
    settings = {name: str(course / "jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    with open(course / "log", "wb") as log:
        server = subprocess.Popen(
            command, cwd=course, env=peers.environment("nbgrader") | settings, stdout=log, stderr=log
        )

    def request(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {token}"}
        wanted = urllib.request.Request(f"http://127.0.0.1:{port}/formgrader/{path}", data, headers)
        wanted.method = "GET" if body is None else "PUT"
        with urllib.request.urlopen(wanted, timeout=20) as answer:
            return answer.status, answer.read().decode()

    try:
        _wait(request, server, course / "log")
        yield request, url
    finally:
        server.terminate()
        server.wait(20)


def _wait(request, server, log: Path):
    until = time.monotonic() + 40
    while True:
        try:
            return request("api/status")
        except OSError:
            assert server.poll() is None and time.monotonic() < until, log.read_text(encoding="utf-8")
            time.sleep(0.1)


def submission_id(url, student):
    with book(url) as found:
        return found.find_submission_notebook(NAME, NAME, student).id


def test_formgrader_shows_answers_and_points_and_takes_a_persons(formgrader, solution):
    request, url = formgrader
    for path in ("manage_assignments", "gradebook", f"gradebook/{NAME}", f"gradebook/{NAME}/{NAME}", "manage_students"):
        assert request(path)[0] == 200
    listed = json.loads(request(f"api/submitted_notebooks/{NAME}/{NAME}")[1])
    assert {row["student"]: row["code_score"] for row in listed} == {"ada": 4.5, "bob": 2.75, "eve": 1.5, "mia": 0}
    assert {row["student"] for row in json.loads(request(f"api/submissions/{NAME}")[1])} == {"ada", "bob", "eve", "mia"}
    number = submission_id(url, "bob")
    status, text = request(f"submissions/{number}/")
    assert status == 200 and "scale  1.25/3" in text and "No answer." in text
    number = submission_id(url, "ada")
    status, text = request(f"submissions/{number}/")
    assert status == 200 and "Because $e^x$ grows, &amp; fast." in text and "Doe, Ada" in text
    shown = {row["name"]: row for row in json.loads(request(f"api/grades?submission_id={number}")[1])}
    assert shown["check_scale"]["auto_score"] == 3 and shown["why"]["needs_manual_grade"]
    status, text = request(f"api/grade/{shown['why']['id']}", {"manual_score": 1.75, "extra_credit": None})
    assert status == 200 and not json.loads(text)["needs_manual_grade"]
    assert grades(url, "ada")["why"] == (None, 1.75, False)
    fill(url, class_of_four(), solution)
    again = {row["name"]: row for row in json.loads(request(f"api/grades?submission_id={number}")[1])}
    assert again["why"]["manual_score"] == 1.75 and again == shown | {"why": again["why"]}


def test_nothing_of_a_student_becomes_markup_in_the_graders_browser(formgrader):
    request, url = formgrader
    plain, nasty = (Elements(request(f"submissions/{submission_id(url, name)}/")[1]) for name in ("ada", "eve"))
    assert "document.title='owned'" in nasty.text and "[here](javascript:alert(1))" in nasty.text
    only = [one for one in nasty.found if one not in plain.found]
    assert all(tag in ("a", "span", "script") for tag, _ in only), only  # the links, name and number of a submission
    assert {tag: nasty.count(tag) for tag in ("script", "a", "img", "pre")} == {
        tag: plain.count(tag) for tag in ("script", "a", "img", "pre")
    }
    assert not [one for one in only if "owned" in str(one) or "alert" in str(one) or "path=" in str(one)]


class Elements(HTMLParser):
    """A page's elements with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, attributes))

    def handle_data(self, data):
        self.text += data

    def count(self, tag):
        return sum(name == tag for name, _ in self.found)
