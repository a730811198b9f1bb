"""The process in the sandbox that loads torch once and forks a confined child for each visit. It holds no secret.

    python -s -P -m utils.grading.sandbox.zygote DESCRIPTOR LEVEL

DESCRIPTOR is a socket of packets. The first packet is a JSON object: `folder` (of the public checks.py), `preload`
(modules that notebooks import), `memory` (MB), `seconds` (CPU time of a visit), `secrets` (paths that must be out of
reach). The answer is "ready" or what is wrong; then each packet brings the connection of one visit.
"""

import array
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile

from utils.grading.sandbox import child, confine


def main(descriptor: int, level: str):
    control = socket.socket(fileno=descriptor)
    settings = json.loads(control.recv(1 << 16))
    confine.die_with_parent()
    try:
        exercises = _preload(settings)
    except Exception as error:
        control.send(f"checks.py cannot be imported in the sandbox: {type(error).__name__}: {error}".encode()[:4000])
        return
    gc.collect()
    gc.freeze()  # what is loaded now stays shared between all children
    users = confine.reserve_users() if level == "container" else [0]
    control.send(b"ready")
    visits = 0
    while True:
        packet, rights, *_ = control.recvmsg(16, socket.CMSG_SPACE(4))
        _bury(wait=level == "container")  # there, one visit must be swept away before the next may look around
        if not packet:
            break
        connection = socket.socket(fileno=array.array("i", rights[0][2])[0])
        visits += 1
        if os.fork() == 0:
            os.closerange(3, connection.fileno())
            os.closerange(connection.fileno() + 1, 4096)
            supervise(connection, level, settings, exercises, users[visits % len(users)])
        connection.close()


def _bury(wait: bool):
    """Takes leave of supervisors that have ended; with `wait`, of all."""
    try:
        while os.waitpid(-1, 0 if wait else os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _preload(settings: dict) -> dict:
    """The exercises of the homework; with them everything is loaded that a typical notebook imports."""
    import torch

    torch.set_num_threads(1)
    for name in ("IPython.core.inputtransformer2", "safetensors.numpy", *settings["preload"]):
        try:
            importlib.import_module(name)
        except Exception:  # the notebook that needs it will say so
            continue
    sys.path.insert(0, settings["folder"])
    sys.dont_write_bytecode = True
    found = importlib.import_module("checks").check.exercises
    torch.ones(2, 2, requires_grad=True).matmul(torch.ones(2, 2)).sum().backward()  # starts what starts lazily
    return found


def _silence():
    """Prints of student code go nowhere: the only way out is the connection."""
    nowhere = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)


def supervise(connection, level: str, settings: dict, exercises: dict, uid: int):
    """Forks the child and waits until it ends or the trusted side hangs up; then nothing of it is left running."""
    confine.die_with_parent()
    _silence()
    folder = tempfile.mkdtemp(prefix="visit") if level != "sandbox" else None
    try:
        if level == "sandbox":
            confine.enter_namespaces()
        elif level == "container":
            os.chown(folder, uid, uid)
        process = os.fork()
        if process == 0:
            child.live(connection, level, settings, exercises, uid, folder)
        _wait(connection, process)
        os.kill(process, signal.SIGKILL)  # with it all of its namespace
        os.waitpid(process, 0)
    except OSError as error:
        child.refuse(connection, str(error))
    finally:
        if level == "container":
            _sweep(uid)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def _wait(connection, process: int):
    poll = select.poll()
    poll.register(connection, select.POLLHUP | select.POLLRDHUP)
    poll.register(os.pidfd_open(process), select.POLLIN)
    poll.poll()


def _sweep(uid: int):
    """Ends every process of this user and removes what it left where everyone may write."""
    killer = os.fork()
    if killer == 0:
        try:
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(killer, 0)
    for shared in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock"):
        for entry in os.scandir(shared) if os.path.isdir(shared) else ():
            try:
                if entry.stat(follow_symlinks=False).st_uid == uid:
                    remove = shutil.rmtree if entry.is_dir(follow_symlinks=False) else os.unlink
                    remove(entry.path)
            except OSError:  # somebody else's file that is gone by now
                continue


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
