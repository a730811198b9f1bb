"""The trusted side's end: a sandbox that is started once, and visits to it."""

import array
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from utils.grading.sandbox import isolation, wire

START = 120  # seconds to load torch and what the homework imports
READY = 30  # seconds until a forked child has confined itself


class Gone(Exception):
    """The child of a visit is lost; `kind` is 'time limit', 'died' or 'garbled'."""

    def __init__(self, kind: str):
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class Limits:
    """seconds: wall clock for an exercise, memory: MB beyond what torch itself takes."""

    seconds: float = 10.0
    memory: int = 1024


class Sandbox:
    """Student code runs in here. `with Sandbox(...) as sandbox, sandbox.visit() as visit: visit.tell(...)`.

    checks: the text of the public checks.py; preload: modules that notebooks import; secrets: paths that must be out
    of a child's reach. Raises IsolationError if the machine does not offer the level or something is in reach.
    """

    def __init__(self, level: str, checks: str, preload=(), limits: Limits | None = None, secrets=()):
        self.level, self.limits = level, limits or Limits()
        self._lock = threading.Lock()
        self._folder = Path(tempfile.mkdtemp(prefix="course-checks"))
        self._folder.chmod(0o755)
        (self._folder / "checks.py").write_text(checks, encoding="utf-8")
        self._settings = {
            "folder": isolation.FOLDER if level == "sandbox" else str(self._folder),
            "preload": sorted(preload), "secrets": [str(path) for path in secrets], "memory": self.limits.memory,
            "seconds": int(60 + 20 * self.limits.seconds),
        }  # fmt: skip
        self._control = self._process = None
        self._closed = False
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self):
        self._stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = ["-m", "utils.grading.sandbox.zygote", str(theirs.fileno()), self.level]
        said = (self._folder / "said").open("wb+")
        try:
            start = isolation.command(self.level, arguments, self._folder)
            quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": said}
            home = isolation.environment() if self.level == "sandbox" else isolation.environment(str(self._folder))
            self._process = subprocess.Popen(start, pass_fds=[theirs.fileno()], env=home, **quiet)
            theirs.close()
            ours.settimeout(START)
            ours.send(json.dumps(self._settings).encode())
            answer = ours.recv(1 << 16).decode()
        except OSError as error:
            answer = str(error)
        self._control = ours
        if answer != "ready":
            said.seek(0)
            lines = said.read(1 << 16).decode(errors="replace").strip().splitlines()
            raise isolation.IsolationError(f"the sandbox does not start: {answer or ' '.join(lines[-1:])}")

    def visit(self) -> "Visit":
        """A fresh child that has seen nothing yet. A zygote that has died is started again."""
        for patience in (0.2, 1.0):
            try:
                return self._visit()
            except isolation.IsolationError:
                if self._closed:
                    raise
                time.sleep(patience)  # a machine short of processes or memory for a moment
        return self._visit()

    def _visit(self) -> "Visit":
        ours, theirs = socket.socketpair()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))]
        with self._lock:
            if self._closed:
                raise isolation.IsolationError("the sandbox is closed")
            try:
                self._control.sendmsg([b"visit"], rights)
            except OSError:
                self._start()
                self._control.sendmsg([b"visit"], rights)
        theirs.close()
        return Visit(ours)

    def _stop(self):
        if self._control is not None:
            self._control.close()  # the zygote ends when nobody can ask it any more
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def close(self):
        """Ends the zygote and with it all that is left of visits."""
        with self._lock:
            self._closed = True
            self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class Visit:
    """One child. Its answers are data from a stranger."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        try:
            header, _ = wire.receive(connection, time.monotonic() + READY, most=0)
        except (EOFError, TimeoutError, wire.WireError) as error:
            self.close()
            raise isolation.IsolationError(f"a sandboxed child did not come up ({type(error).__name__})") from error
        why = _in_reach(header)
        if why:
            self.close()
            raise isolation.IsolationError(why)

    def tell(self, request: dict, body: bytes, seconds: float):
        """Generator of the headers and bodies that come back for one request, at most for `seconds`. Raises Gone."""
        until, number = time.monotonic() + seconds, secrets.token_hex(8)
        try:
            self._connection.settimeout(seconds)
            wire.send(self._connection, {"id": number, **request}, body)
            while True:
                header, found = wire.receive(self._connection, until)
                if header.get("id") != number:  # an answer to another request: forged, or sent too late
                    raise wire.WireError("out of turn")
                yield header, found
        except TimeoutError:
            raise Gone("time limit") from None
        except (EOFError, OSError):
            raise Gone("died") from None
        except wire.WireError:
            raise Gone("garbled") from None

    def close(self):
        """Hangs up: the child and all that it started are killed."""
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def _in_reach(header: dict) -> str:
    """What a child's first words, sent before it has seen any student code, say against going on."""
    if "refused" in header:
        return f"a child could not be confined: {header['refused']}"
    if header["reachable"]:
        return f"student code could read {', '.join(header['reachable'])}: make it unreadable for others (chmod go-rwx)"
    if not header["python"]:
        return f"the Python in {sys.base_prefix} is not readable for other users; install the course where all can read"
    return ""
