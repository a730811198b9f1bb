"""What one child does for one visit: it confines itself, imports the notebook, and drives functions on inputs.

From the import on, the submission's code runs in this very process and may do to it whatever it likes. So nothing
that is sent from here is believed: arrays are compared on the other side, and words are shown to their author only.
"""

import os
import random
import sys
import tempfile

import numpy as np

from utils.grading.attempt import attempt, say
from utils.grading.importer import Imported, import_notebook
from utils.grading.judge import Verdict
from utils.grading.notebook_file import read, written_answers
from utils.grading.sandbox import confine, landlock, wire

LONGEST_ANSWER = 20_000  # characters of a written answer
MOST_NOTES = 50


def live(connection, level: str, settings: dict, exercises: dict, uid: int, folder: str | None):
    """From the fork to the end; never returns."""
    try:
        os.setsid()  # a signal to its group reaches nobody else
        try:
            _confine(level, settings, uid, folder)
        except Exception as error:
            refuse(connection, f"{type(error).__name__}: {error}")
            return
        reachable = [path for path in settings["secrets"] if level != "none" and os.access(path, os.R_OK)]
        wire.send(connection, {"ready": level, "reachable": reachable, "python": os.access(os.__file__, os.R_OK)})
        serve(connection, exercises)
    finally:
        os._exit(0)


def refuse(connection, why: str):
    """Tells the trusted side that no visit is possible here."""
    wire.send(connection, {"refused": why[:2000]})


def _confine(level: str, settings: dict, uid: int, folder: str | None):
    vm = confine.mapped()
    confine.die_with_parent()
    if level == "sandbox":
        confine.private_folders()
    else:
        os.chdir(folder)
    os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = os.getcwd()
    if level == "container":
        confine.become(uid)
        confine.die_with_parent()
        landlock.write_only_in(folder, confine.libc)  # where the kernel has it; what else is written is swept away
    if level != "none":
        confine.drop_capabilities()
    confine.limit(settings["memory"], settings["seconds"], vm)
    if level != "none" and not confine.filter_calls() and level == "container":
        raise OSError("seccomp is not available, and without namespaces nothing else closes the network")


def serve(connection, exercises: dict):
    """Answers requests until the trusted side hangs up."""
    imported = Imported({}, [], [])
    while True:
        try:
            request, body = wire.receive(connection, most=1 << 30)
        except EOFError:
            return
        try:
            if request["do"] == "import":
                imported = _import(connection, request, body, exercises)
            else:
                _drive(connection, request, body, exercises[request["exercise"]], imported)
        except BaseException as error:  # also SystemExit and KeyboardInterrupt
            wire.send(connection, {"id": request["id"], "kind": "raised", "message": say(error)[:400]})


def _import(connection, request: dict, body: bytes, exercises: dict) -> Imported:
    """The notebook's definitions; every statement is announced, so that a deadly one can be skipped next time."""
    skip = {tuple(place): why for *place, why in request["skip"]}

    def before(cell: int, line: int) -> str | None:
        wire.send(connection, {"id": request["id"], "at": [cell, line]})
        return skip.get((cell, line))

    try:
        notebook = read(body)
        answers = written_answers(notebook, request["questions"])
        imported = import_notebook(notebook, before, wanted=exercises)
    except ValueError as error:
        wire.send(connection, {"id": request["id"], "unreadable": say(error).partition(": ")[2]})
        return Imported({}, [], [])
    functions = [name for name in exercises if callable(imported.namespace.get(name))]
    notes = [note[:400] for note in imported.skipped[:MOST_NOTES]]
    answers = {name: text[:LONGEST_ANSWER] for name, text in answers.items()}
    wire.send(connection, {"id": request["id"], "functions": functions, "notes": notes, "answers": answers})
    return imported


def _drive(connection, request: dict, body: bytes, exercise, imported: Imported):
    """One function on one case: arrays, or the kind and the words of a verdict."""
    _level_ground()
    inputs = wire.unpack(body, request["order"])
    found, order = attempt(exercise, imported.namespace.get(exercise.name), inputs, imported), []
    if not isinstance(found, Verdict):
        order = [str(name) for name in found]
        found, body = _packed(found)
    if isinstance(found, Verdict):
        wire.send(connection, {"id": request["id"], "kind": found.kind, "message": found.message[:1000]})
    else:
        wire.send(connection, {"id": request["id"], "kind": "arrays", "order": order}, body)


def _packed(outputs: dict) -> tuple[Verdict | None, bytes]:
    """The body with the outputs, or a verdict on outputs that cannot be sent."""
    if sum(array.nbytes for array in outputs.values()) > wire.REPLY_MOST - (1 << 16):
        shapes = ", ".join(f"{str(name)[:60]!r}: {array.shape}" for name, array in list(outputs.items())[:6])
        return Verdict("shape", f"the outputs are far larger than expected ({shapes})"), b""
    try:
        return None, wire.pack({str(name): array for name, array in outputs.items()})
    except ValueError as error:
        return Verdict("dtype", str(error)), b""


def _level_ground():
    """The same start for every function, whatever an earlier one has left behind: seeds, dtype, device, gradients."""
    torch = sys.modules["torch"]
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
