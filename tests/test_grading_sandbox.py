"""The parts of the sandbox, each for itself: messages, levels, and a zygote that dies."""

import signal
import socket
import struct
import subprocess
import threading
import time

import numpy as np
import pytest
from grading_in_small import need, solved

from utils.grading.sandbox import isolation, wire
from utils.grading.sandbox.client import Gone, Limits, Sandbox, Visit


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_arrays_come_back_as_they_were_sent(pair):
    arrays = {"z": np.array(3, np.float32), "a": np.arange(6).reshape(2, 3).T, "empty": np.zeros((0, 4))}
    arrays[""] = np.array(True)
    wire.send(pair[0], {"order": list(arrays)}, wire.pack(arrays))
    header, body = wire.receive(pair[1])
    found = wire.unpack(body, header["order"])
    assert list(found) == list(arrays)
    for name, value in arrays.items():
        assert found[name].dtype == value.dtype and found[name].shape == value.shape and (found[name] == value).all()


def test_sizes_are_refused_before_anything_is_read(pair):
    for sizes in ((wire.HEADER_MOST + 1, 0), (2, wire.REPLY_MOST + 1), (2**32 - 1, 2**32 - 1)):
        pair[0].sendall(struct.pack("!II", *sizes))
        with pytest.raises(wire.WireError, match="more than is allowed"):
            wire.receive(pair[1], time.monotonic() + 1)


def test_a_slow_sender_does_not_stretch_the_deadline(pair):
    pair[0].sendall(struct.pack("!II", 1000, 0))

    def drip():
        for _ in range(100):
            try:
                pair[0].send(b"\0")
            except OSError:
                return
            time.sleep(0.02)

    threading.Thread(target=drip, daemon=True).start()
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        wire.receive(pair[1], start + 0.3)
    assert time.monotonic() - start < 1


def test_the_end_is_no_message(pair):
    pair[0].sendall(struct.pack("!II", 10, 0) + b"{")
    pair[0].close()
    with pytest.raises(EOFError):
        wire.receive(pair[1])


@pytest.mark.parametrize(
    "reply, kind",
    [
        (lambda number: {"id": number, "kind": "arrays"}, None),
        (lambda number: {"id": "of an earlier request", "kind": "arrays"}, "garbled"),
        (lambda number: {"kind": "arrays"}, "garbled"),
        (lambda number: None, "died"),
    ],
)
def test_an_answer_counts_for_its_own_request_alone(pair, reply, kind):
    def child():
        request, _ = wire.receive(pair[1])
        answer = reply(request["id"])
        if answer:
            wire.send(pair[1], answer)
        pair[1].close()

    wire.send(pair[1], {"ready": "sandbox", "reachable": [], "python": True})
    visit = Visit(pair[0])
    threading.Thread(target=child, daemon=True).start()
    try:
        found = next(visit.tell({"do": "drive"}, b"", 5))[0]["kind"], None
    except Gone as gone:
        found = None, gone.kind
    assert found == ((None, kind) if kind else ("arrays", None))


@pytest.mark.parametrize("body", [b"", b"x" * 100, struct.pack("<Q", 2**62), struct.pack("<Q", 2) + b"{}" + b"rest"])
def test_bytes_that_are_no_arrays(body):
    with pytest.raises(wire.WireError):
        wire.unpack(body, [])


def test_what_cannot_travel_is_said():
    with pytest.raises(ValueError, match="dtype <U1 are not expected"):
        wire.pack({"a": np.array(["x"])})


@pytest.mark.parametrize(
    "offered, wanted, level",
    [
        (["sandbox", "container"], "auto", "sandbox"),
        (["container"], "auto", "container"),
        (["sandbox"], "sandbox", "sandbox"),
        (["none"], "none", "none"),
    ],
)
def test_the_best_level_is_chosen(monkeypatch, offered, wanted, level):
    monkeypatch.setattr(isolation, "lacks", lambda level: "" if level in offered else f"no {level}")
    assert isolation.choose(wanted) == level


@pytest.mark.parametrize("wanted", ["auto", "sandbox", "container"])
def test_no_level_is_worse_than_what_was_asked_for(monkeypatch, wanted):
    monkeypatch.setattr(isolation, "lacks", lambda level: "" if level == "none" else f"no {level}")
    with pytest.raises(isolation.IsolationError, match="no "):
        isolation.choose(wanted)


def test_what_a_machine_lacks_comes_with_what_to_do(monkeypatch):
    monkeypatch.setattr(isolation.shutil, "which", lambda name: None)
    assert "apt install bubblewrap" in isolation.lacks("sandbox")
    monkeypatch.setattr(isolation.os, "geteuid", lambda: 1000)
    assert isolation.lacks("container") == "the level 'container' needs root"
    monkeypatch.setattr(isolation.sys, "platform", "darwin")
    assert "needs Linux" in isolation.lacks("sandbox") and "needs Linux" in isolation.lacks("none")


def test_a_broken_bubblewrap_is_told_from_a_missing_one(monkeypatch):
    monkeypatch.setattr(isolation, "command", lambda *a: ["false"])
    monkeypatch.setattr(isolation.shutil, "which", lambda name: "/usr/bin/bwrap")
    assert "namespaces are not to be had" in isolation.lacks("sandbox")
    monkeypatch.setattr(isolation, "command", lambda *a: ["/no/such/program"])
    assert "bubblewrap does not start" in isolation.lacks("sandbox")


@pytest.mark.parametrize("level", ["sandbox", "container"])
def test_it_refuses_where_students_could_read_a_secret(key, level, monkeypatch, tmp_path):
    need(level, monkeypatch, tmp_path)
    refusal = pytest.raises(isolation.IsolationError, match="could read /usr/bin/env: make it unreadable for others")
    with Sandbox(level, key.checks, secrets=["/usr/bin/env"]) as sandbox, refusal:
        sandbox.visit()
    (tmp_path / "solutions").mkdir(mode=0o700)
    with Sandbox(level, key.checks, secrets=[tmp_path / "solutions"]) as sandbox, sandbox.visit():
        pass


def test_a_zygote_that_was_killed_is_started_again(key, monkeypatch, tmp_path):
    need("sandbox", monkeypatch, tmp_path)
    with Sandbox("sandbox", key.checks, limits=Limits(seconds=5)) as sandbox:
        with sandbox.visit() as visit:
            sandbox._process.send_signal(signal.SIGKILL)
            sandbox._process.wait()
            with pytest.raises(Gone):
                list(visit.tell({"do": "import", "skip": [], "questions": {}}, solved(), 5))
        with sandbox.visit() as visit:
            headers = [h for h, _ in zip_until(visit.tell({"do": "import", "skip": [], "questions": {}}, solved(), 5))]
        assert headers[-1]["functions"] == ["scale", "total"]
    with pytest.raises(isolation.IsolationError, match="closed"):
        sandbox.visit()


def zip_until(messages):
    """Messages up to the one that ends an import."""
    for header, body in messages:
        yield header, body
        if "functions" in header:
            return


def test_checks_that_cannot_be_imported_are_said(monkeypatch, tmp_path):
    need("sandbox", monkeypatch, tmp_path)
    with pytest.raises(isolation.IsolationError, match="checks.py cannot be imported in the sandbox: ZeroDivision"):
        Sandbox("sandbox", "1 / 0")


def test_a_checkout_below_tmp_is_seen_and_nothing_else_there(monkeypatch, tmp_path):
    need("sandbox", monkeypatch, tmp_path)
    for name in ("course", "beside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("here", encoding="utf-8")
    real = isolation._shown()
    monkeypatch.setattr(isolation, "_shown", lambda: [*real, tmp_path / "course"])
    code = f"import os; print(open({str(tmp_path / 'course/file')!r}).read(), os.listdir({str(tmp_path)!r}))"
    start = isolation.command("sandbox", ["-c", code], tmp_path / "course")
    result = subprocess.run(start, env=isolation.environment(), capture_output=True, text=True)
    assert result.stdout == "here ['course']\n", result.stderr
