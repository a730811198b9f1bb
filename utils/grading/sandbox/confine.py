"""Confining a freshly forked child before it sees a submission (Linux). Each step raises OSError when it fails.

`sandbox`: its own user, mount, pid, network, ipc and uts namespaces inside bubblewrap's read-only system; nobody's
user id, no capabilities, a private folder to work in, nothing in /proc and /dev/shm, and no other place to write.
`container`: a user id that no other process has, and its own folder (landlock.py). Both: limits and a seccomp filter.
"""

import ctypes
import fcntl
import os
import resource
from pathlib import Path

from utils.grading.sandbox import BOX, seccomp

NEW_NAMESPACES = 0x20000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000  # ns uts ipc user pid net
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC = 1, 2, 4, 8
NOBODY = 65534
FIRST_UID = 61000  # container: one fresh user id a visit, above those of people and below nobody
UIDS, BLOCKS = 500, 8  # of each grader, and graders on one machine

libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """SIGKILL for this process when its parent ends; to be asked for again after a change of user."""
    libc.prctl(1, 9)


def enter_namespaces():
    """Leave all of the parent's namespaces; the next fork is process 1 of its own."""
    uid, gid = os.getuid(), os.getgid()
    _checked(libc.unshare(NEW_NAMESPACES), "unshare")
    for file, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {uid} 1"), ("gid_map", f"{NOBODY} {gid} 1")):
        Path("/proc/self", file).write_text(text, encoding="utf-8")


def private_folders():
    """Empty folders of this child alone in the place of all that visits could share; nothing else can be written."""
    _checked(libc.mount(None, b"/", None, 0x4000 | 0x40000, None), "mount private")  # MS_REC, MS_PRIVATE
    _tmpfs(BOX, NO_SUID | NO_DEV, "size=64m,nr_inodes=4k,mode=700")
    for folder in ("/dev/shm", "/proc"):
        _tmpfs(folder, NO_SUID | NO_DEV | NO_EXEC | READ_ONLY, "size=4k,nr_inodes=8")
    os.chdir(BOX)


def _tmpfs(folder: str, flags: int, options: str):
    _checked(libc.mount(b"tmpfs", folder.encode(), b"tmpfs", flags, options.encode()), f"mount {folder}")


def reserve_users() -> range:
    """User ids that no other grader on this machine takes as long as this process lives."""
    for block in range(BLOCKS):
        lock = os.open(f"/run/course-grade-{block}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return range(FIRST_UID + block * UIDS, FIRST_UID + (block + 1) * UIDS)
    raise OSError(f"{BLOCKS} graders are running on this machine already")


def become(uid: int):
    """Another user for good, without any group of the old one."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def drop_capabilities():
    """No capability, now or by any later program."""
    for capability in range(64):
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; fails beyond the last one
    libc.prctl(47, 4, 0, 0, 0)  # PR_CAP_AMBIENT_CLEAR_ALL
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _checked(libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def limit(memory: int, seconds: int, vm: int):
    """Caps on memory (MB beyond the `vm` bytes that are mapped already), CPU time, threads, files and descriptors."""
    caps = {"AS": vm + (memory << 20), "CPU": seconds, "FSIZE": 16 << 20, "NOFILE": 64, "CORE": 0, "NPROC": 256,
            "MEMLOCK": 0, "MSGQUEUE": 0, "STACK": 64 << 20}  # fmt: skip
    for name, value in caps.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (value, value))


def mapped() -> int:
    """Bytes of this process's address space."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()


def filter_calls() -> bool:
    """The seccomp filter, from here to the end; False where the machine has none."""
    return seccomp.install(libc)


def _checked(result: int, what: str):
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
