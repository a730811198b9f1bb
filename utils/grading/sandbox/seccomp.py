"""A seccomp filter in plain BPF: system calls that no exercise needs fail (Linux on x86-64 and arm64).

No new process or program, no network, no mounts or namespaces, no memory shared beyond the process, no locks, watches
or terminals by which two processes could talk. Threads are fine. A filter can only be made stricter afterwards, so
student code cannot take it off.
"""

import ctypes
import errno
import platform
import struct

DENIED = {  # name: number on x86-64, on arm64; None where there is no such call
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "process_madvise": (440, 440),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
    "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "open_by_handle_at": (304, 265), "personality": (135, 92),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "syslog": (103, 116), "flock": (73, 32),
    "inotify_init": (253, None), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
}  # fmt: skip
DENIED_BY_ARGUMENT = {  # name: numbers as above, which argument, its values that are denied
    "prctl": (157, 167, 0, (1,)),  # PR_SET_PDEATHSIG: to outlive the grader
    "fcntl": (72, 25, 1, (5, 6, 7, 36, 37, 38, 1024, 1026)),  # locks, leases and notices on files that others see too
    "ioctl": (16, 29, 1, (0x5412, 0x541C, 0x40045431)),  # typing into a terminal, opening a new one to others
}
CLONE, CLONE3 = (56, 220), 435
CLONE_THREAD = 0x10000
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, FAIL, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def program(
    machine: str | None = None, denied=(*DENIED, *DENIED_BY_ARGUMENT), clone_bit=CLONE_THREAD, must=True
) -> bytes:
    """The filter's instructions for this processor, or b'' where it is not known.

    `clone` passes only with the bit set in its flags (with must=False: only without it). clone3, which hides its
    flags in memory, does not exist for the filtered process: libraries fall back to clone.
    """
    column, architecture = ARCHITECTURES.get(machine or platform.machine(), (None, None))
    if column is None:
        return b""
    refuse = (RETURN, 0, 0, FAIL | errno.EPERM)
    steps = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]
    if column == 0:  # the x32 calls of x86-64 are the same ones by other numbers
        steps += [(AT_LEAST, 0, 1, 0x40000000), refuse]
    for number in [DENIED[name][column] for name in denied if name in DENIED]:
        steps += [] if number is None else [(EQUAL, 0, 1, number), refuse]
    for *numbers, place, values in [DENIED_BY_ARGUMENT[name] for name in denied if name in DENIED_BY_ARGUMENT]:
        tests = [step for value in values for step in ((EQUAL, 0, 1, value), refuse)]
        steps += [(EQUAL, 0, 2 + len(tests), numbers[column]), (LOAD, 0, 0, ARGUMENTS + 8 * place), *tests]
        steps += [(RETURN, 0, 0, ALLOW)]
    steps += [(EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, FAIL | errno.ENOSYS)]
    jumps = (1, 0) if must else (0, 1)
    steps += [(EQUAL, 0, 3, CLONE[column]), (LOAD, 0, 0, ARGUMENTS), (ANY_BIT, *jumps, clone_bit), refuse]
    steps += [(RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def install(libc: ctypes.CDLL, code: bytes | None = None) -> bool:
    """Put the filter on this thread and all it will start; False where this machine has no seccomp."""
    code = program() if code is None else code
    if not code:
        return False
    buffer = ctypes.create_string_buffer(code, len(code))
    filled = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p).value)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    return libc.prctl(22, 2, ctypes.byref(filled), 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
