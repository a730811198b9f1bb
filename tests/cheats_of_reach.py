"""Cheats that try to reach what they must not; each raises an error that says LEAK where it does."""


def reaching(lines: str, errors="Exception") -> str:
    """A `scale` that tries to reach something; the lines raise LEAK where it does."""
    indented = "".join(f"        {line}\n" for line in lines.strip().splitlines())
    return (
        f"import torch, os, sys, socket, ctypes\nclass Leak(BaseException): pass\n"
        f"def scale(x, factor):\n    try:\n{indented}    except {errors}:\n        pass\n    return 0 * x[0]"
    )


REACHING = {
    "expected values on the stack": reaching("""
frame = sys._getframe()
while frame:
    found = [name for name in frame.f_locals if name in ("want", "reference", "mistakes", "expected", "fresh", "seed")]
    if found: raise Leak(f"LEAK {found}")
    frame = frame.f_back"""),
    "expected values in memory": reaching("""
import gc
for thing in gc.get_objects():
    if type(thing) is dict and {"reference", "mistakes"} <= thing.keys(): raise Leak("LEAK answers")
    if type(thing).__name__ in ("Key", "Case", "Mistake", "Trial"): raise Leak("LEAK key")"""),
    "solutions on disk": reaching("""
for folder, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if name not in ("usr", "proc", "sys", "site-packages", "test")]
    for name in names:
        path = os.path.join(folder, name)
        if name in ("mistakes.py", "seeds.json", "gradebook.db", "journal.jsonl") and os.access(path, os.R_OK):
            raise Leak(f"LEAK {path}")
        if name.endswith(".ipynb") and "BEGIN SOLUTION" in open(path, errors="ignore").read():
            raise Leak(f"LEAK {path}")""", "OSError"),
    "other processes": reaching("""
mine = {os.getpid(), os.getppid(), 1}
for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
    if name.isdigit() and int(name) not in mine:
        for part in ("environ", "mem", "maps", "fd"):
            try:
                found = (os.listdir if part == "fd" else lambda p: open(p, "rb").read(1))(f"/proc/{name}/{part}")
            except OSError: continue
            if not found: continue
            owner = os.stat(f"/proc/{name}").st_uid
            raise Leak(f"LEAK {name}/{part} of {owner}, I am {os.getuid()}")"""),
    "the environment": reaching("""
odd = [name for name in os.environ if any(word in name for word in ("TOKEN", "KEY", "SECRET", "COURSE", "PASS"))]
if odd: raise Leak(f"LEAK {odd}")"""),
    "open descriptors": reaching("""
kinds = {}
for number in range(3, 256):
    try: kinds[number] = os.fstat(number).st_mode
    except OSError: continue
if len(kinds) > 1: raise Leak(f"LEAK descriptors {kinds}")"""),
    "being root": reaching("""
if os.getuid() == 0 or os.geteuid() == 0: raise Leak("LEAK I am root")
os.setuid(0)
raise Leak("LEAK became root")"""),
    "capabilities": reaching("""
libc, header, data = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
if libc.capget(header, data) == 0 and any(data): raise Leak(f"LEAK {list(data)}")"""),
    "the network inside": reaching('socket.create_connection(("127.0.0.1", 22), 1)\nraise Leak("LEAK connected")'),
    "any socket": reaching('socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nraise Leak("LEAK a socket")'),
    "an abstract socket": reaching('socket.socket(socket.AF_UNIX).bind("\\\\0course")\nraise Leak("LEAK bound")'),
    "names on the network": reaching('socket.gethostbyname("example.org")\nraise Leak("LEAK resolved")'),
    "a new process": reaching('if os.fork() == 0: os._exit(0)\nraise Leak("LEAK forked")'),
    "a program": reaching('import subprocess\nsubprocess.run(["/bin/true"])\nraise Leak("LEAK ran")'),
    "another program in its place": reaching('os.execv("/bin/true", ["true"])'),
    "a daemon": reaching('os.posix_spawn("/bin/sleep", ["sleep", "60"], {})\nraise Leak("LEAK spawned")'),
    "the parent's end": reaching(
        'import signal\nfor who in (os.getppid(), -1):\n    if who: os.kill(who, signal.SIGTERM)', "OSError"),
    "tracing the parent": reaching(
        'if ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0: raise Leak("LEAK traced")'),
    "mounts": reaching('if ctypes.CDLL(None).mount(b"x", b"/tmp", b"tmpfs", 0, None) == 0: raise Leak("LEAK mounted")'),
    "namespaces": reaching('if ctypes.CDLL(None).unshare(0x10000000) == 0: raise Leak("LEAK a namespace")'),
    "another root folder": reaching('os.chroot("/usr")\nraise Leak("LEAK chroot")'),
    "higher limits": reaching("""
import resource
for kind in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
    most = resource.getrlimit(kind)[1]
    try: resource.setrlimit(kind, (2 * most, 2 * most))
    except (OSError, ValueError): continue
    raise Leak("LEAK limit")"""),
    "shared memory": reaching("""
if ctypes.CDLL(None).shmget(0x1234, 4096, 0o1666) >= 0: raise Leak("LEAK shm")
if ctypes.CDLL(None).msgget(0x1234, 0o1666) >= 0: raise Leak("LEAK msg")"""),
    "a keyring": reaching('if ctypes.CDLL(None).syscall(250, 0, -4, 1) >= 0: raise Leak("LEAK keyring")'),
    "the courses own files": reaching(
        'import utils\nopen(utils.__file__.replace("__init__", "cheat"), "w")\nraise Leak("LEAK wrote utils")'),
    "the public checks": reaching(
        'import checks\nopen(checks.__file__, "a").write("#")\nraise Leak("LEAK wrote checks")'),
    "a full memory": reaching("hold = []\nwhile True: hold.append(bytearray(1 << 28))", "MemoryError"),
    "a full disk": reaching(
        'for k in range(400):\n    with open(f"/tmp/fill{k}", "wb") as file: file.write(bytes(1 << 20))', "OSError"),
    "many threads": reaching("""
import threading, time
threading.stack_size(32768)
def rest():
    while True: time.sleep(1)
for _ in range(2000): threading.Thread(target=rest, daemon=True).start()""", "(RuntimeError, MemoryError)"),
    "a terminal for two": reaching('os.openpty()\nraise Leak("LEAK a terminal")'),
    "a pair of sockets": reaching('socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\nraise Leak("LEAK sockets")'),
    "a lock that others see": reaching("""
import fcntl
file = open(os.__file__)
for lock in (lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB),
             lambda: fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)):
    try: lock()
    except OSError: continue
    raise Leak("LEAK locked")"""),
    "watching what others read": reaching('if ctypes.CDLL(None).inotify_init1(0) >= 0: raise Leak("LEAK a watch")'),
    "a life after the grader": reaching('if ctypes.CDLL(None).prctl(1, 0) == 0: raise Leak("LEAK outlives")'),
    "the kernels log": reaching('if ctypes.CDLL(None).klogctl(10, None, 0) >= 0: raise Leak("LEAK a log")'),
    "a name for everyone": reaching('socket.sethostname("eve")\nraise Leak("LEAK renamed")'),
    "other peoples folders": reaching("""
import glob
for place in ("/", *glob.glob("/*"), *glob.glob("/*/*")):
    if os.path.realpath(place) in ("/tmp", "/box", os.getcwd()): continue
    try: open(os.path.join(place, "eve"), "w")
    except OSError: continue
    raise Leak(f"LEAK wrote into {place}")"""),
    "an end for everyone": "import os\ndef scale(x, factor): os.kill(os.getpid(), 9); os.kill(-1, 9); os._exit(3)",
}  # fmt: skip
