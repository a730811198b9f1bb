"""What the kernel does for the sandbox, tried in a forked process: the filter of system calls, and Landlock."""

import ctypes
import errno
import fcntl
import os
import threading

import pytest

from utils.grading.sandbox import landlock, seccomp


def filtered(act) -> str:
    """What `act` returns in a forked process under the filter."""
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            assert seccomp.install(libc)
            os.write(write, str(act(libc)).encode())
        except BaseException as error:
            os.write(write, repr(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        found = file.read().decode()
    os.wait()
    return found


def test_every_denied_call_fails_with_eperm():
    if not seccomp.program():
        pytest.skip("NOT TESTED HERE: no filter is known for this processor")
    column = seccomp.ARCHITECTURES[os.uname().machine][0]
    numbers = {name: both[column] for name, both in seccomp.DENIED.items() if both[column] is not None}

    def act(libc):
        odd = []
        for name, number in numbers.items():
            ctypes.set_errno(0)
            if libc.syscall(number, -1, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != errno.EPERM:
                odd.append(name)
        return odd

    assert filtered(act) == "[]"
    assert {"socket", "execve", "ptrace", "unshare", "mount", "keyctl", "bpf"} <= set(numbers)


def test_some_calls_are_denied_by_an_argument():
    if not seccomp.program():
        pytest.skip("NOT TESTED HERE: no filter is known for this processor")
    column = seccomp.ARCHITECTURES[os.uname().machine][0]

    def act(libc):
        odd = []
        for *numbers, place, values in seccomp.DENIED_BY_ARGUMENT.values():
            for value in values:
                ctypes.set_errno(0)
                result = libc.syscall(numbers[column], *[-1] * place, value, 0, 0, 0)
                if result != -1 or ctypes.get_errno() != errno.EPERM:
                    odd.append((numbers[column], value))
        file = os.open(os.__file__, os.O_RDONLY)  # F_DUPFD; and prctl's PR_GET_DUMPABLE
        return odd, fcntl.fcntl(file, 0) > file, libc.prctl(3, 0, 0, 0, 0) >= 0

    assert filtered(act) == "([], True, True)"


def test_landlock_leaves_one_folder_to_write_in(tmp_path):
    if not landlock.version(ctypes.CDLL(None)):
        pytest.skip("NOT TESTED HERE: the kernel has no Landlock")
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    (other / "file").write_bytes(b"old")

    def works(act) -> bool:
        try:
            act()
        except PermissionError:
            return False
        return True

    def act(libc):
        assert landlock.write_only_in(str(own), libc)
        inside = [lambda: (own / "a").mkdir(), lambda: (own / "b").write_bytes(b"b"), lambda: os.truncate(own / "b", 0),
                  lambda: (own / "b").rename(own / "a" / "c"), lambda: (own / "a" / "c").unlink(),
                  lambda: os.open("/dev/null", os.O_RDWR), lambda: (other / "file").read_bytes()]  # fmt: skip
        outside = [lambda: (other / "a").mkdir(), lambda: (other / "file").write_bytes(b"new"), (other / "file").unlink,
                   lambda: os.truncate(other / "file", 0), lambda: (other / "l").symlink_to(own),
                   lambda: os.mkfifo(other / "pipe"), lambda: os.open("/dev/ptmx", os.O_RDWR)]  # fmt: skip
        return all(map(works, inside)), any(map(works, outside))

    assert filtered(act) == "(True, False)"
    assert (other / "file").read_bytes() == b"old"


def test_threads_work_and_processes_do_not():
    def thread(libc):
        found = []
        worker = threading.Thread(target=found.append, args=(3,))
        worker.start()
        worker.join()
        return found

    assert filtered(thread) == "[3]"
    assert "PermissionError" in filtered(lambda libc: os.fork())
    assert filtered(lambda libc: (libc.prctl(22, 2, 0, 0, 0), os.getpid() > 0)[1]) == "True"


def test_an_unknown_processor_has_no_filter():
    assert seccomp.program("riscv64") == b"" and len(seccomp.program("aarch64")) % 8 == 0
