"""Landlock: a process gives up writing outside of its own folder, for good and without namespaces (Linux 5.13).

`container` needs it: there, other folders than /tmp may be open to everyone, and what one visit left in them the next
one could read.
"""

import ctypes
import os
import struct

VERSION, CREATE, ADD, RESTRICT = 1, 444, 445, 446  # a flag, and system calls: the same numbers on every processor
WRITE_FILE, TRUNCATE, REFER = 1 << 1, 1 << 14, 1 << 13
CHANGE_FOLDERS = sum(1 << bit for bit in range(4, 13))  # remove or make whatever a folder can hold
NEWER = {2: REFER, 3: TRUNCATE}  # rights by the version that brought them


def version(libc: ctypes.CDLL) -> int:
    """Landlock's version on this machine; 0 where the kernel has none or keeps it switched off."""
    return max(0, libc.syscall(CREATE, None, 0, VERSION))


def write_only_in(folder: str, libc: ctypes.CDLL) -> bool:
    """From here on this thread and all it starts write below `folder` and to /dev/null only; False without Landlock.

    Raises OSError where there is Landlock and it does not do as it is told.
    """
    known = version(libc)
    if not known:
        return False
    rights = WRITE_FILE | CHANGE_FOLDERS | sum(right for since, right in NEWER.items() if since <= known)
    rules = _checked(libc.syscall(CREATE, struct.pack("=Q", rights), 8, 0))
    for path, allowed in ((folder, rights), ("/dev/null", rights & (WRITE_FILE | TRUNCATE))):
        below = os.open(path, os.O_PATH | os.O_CLOEXEC)
        _checked(libc.syscall(ADD, rules, 1, struct.pack("=Qi", allowed, below), 0))
        os.close(below)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    _checked(libc.syscall(RESTRICT, rules, 0))
    os.close(rules)
    return True


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"landlock: {os.strerror(number)}")
    return result
