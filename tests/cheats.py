"""Hostile submissions to the small homework. Each hands in something else than an answer as `scale`, and sees.

A cheat that reaches what it wants raises an error that says LEAK: on public cases that would stand in the record.
Where it only wants points, it returns something wrong and does what it can to have it taken for right.
"""

CONNECTION = """
import gc, json, socket, struct, sys, threading, time, os
import torch

def line():
    return next(o for o in gc.get_objects() if type(o) is socket.socket and o.fileno() > 2)

def asked():
    frame = sys._getframe()
    while frame:
        if "request" in frame.f_locals:
            return frame.f_locals["request"]["id"]
        frame = frame.f_back

def say(header, body=b"", sizes=None, text=None):
    text = json.dumps(header).encode() if text is None else text
    line().sendall(struct.pack("!II", *(sizes or (len(text), len(body)))) + text + body)

def file(header, data=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data
"""


def forged(lines: str) -> str:
    """A `scale` that talks to the grader itself before it returns nonsense."""
    indented = "".join(f"    {line}\n" for line in lines.strip().splitlines())
    return f"{CONNECTION}\ndef scale(x, factor):\n{indented}    return 0 * x[0]"


def reaching(lines: str, errors="Exception") -> str:
    """A `scale` that tries to reach something; the lines raise LEAK where it does."""
    indented = "".join(f"        {line}\n" for line in lines.strip().splitlines())
    return (
        f"import torch, os, sys, socket, ctypes\nclass Leak(BaseException): pass\n"
        f"def scale(x, factor):\n    try:\n{indented}    except {errors}:\n        pass\n    return 0 * x[0]"
    )


COMPARISON = {
    "an object that equals everything": """
class Same:
    shape, dtype, requires_grad = (3,), "float32", True
    __eq__ = __le__ = __ge__ = lambda self, other: True
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __array__(self, *a, **k): return self
    __mul__ = __rmul__ = __add__ = __sub__ = __call__
def scale(x, factor): return Same()""",
    "a tensor subclass that lies": """
import torch
class Lie(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None): return torch.ones(3, requires_grad=True)
    def __eq__(self, other): return True
    def numpy(self): return self
def scale(x, factor): return torch.zeros(3).as_subclass(Lie)""",
    "comparison functions replaced": """
import numpy as np, torch, builtins
for module in (np, torch):
    for name in ("allclose", "isclose", "array_equal", "equal", "abs", "where"):
        if hasattr(module, name): setattr(module, name, lambda *a, **k: True)
RIGHT = builtins
def scale(x, factor): return 0 * x[0]""",
    "the judge replaced": """
import utils.grading, utils.grading.judge, utils.grading.attempt, utils.grading.check, sys
def passed(*a, **k): return utils.grading.judge.Verdict("passed", "passed", 1.0)
class PATCH:
    for NAME, MODULE in list(sys.modules.items()):
        if NAME.startswith("utils.grading"):
            for FUNCTION in ("judge", "_complaint", "_values", "_difference"):
                if hasattr(MODULE, FUNCTION): setattr(MODULE, FUNCTION, passed)
def scale(x, factor): return 0 * x[0]""",
    "points changed in checks": """
import checks
class PATCH:
    for EXERCISE in checks.EXERCISES:
        for NAME, VALUE in (("points", 1000), ("drive", lambda f, i: {"means": i["x"][0], "grad_x": 0 * i["x"]}),
                            ("inputs", lambda seed: {})):
            object.__setattr__(EXERCISE, NAME, VALUE)
def scale(x, factor): return 0 * x[0]""",
    "autograd replaced": """
import torch, utils.grading.exercise, checks
torch.autograd.grad = lambda *a, **k: [torch.zeros(1)]
checks.gradients = utils.grading.exercise.gradients = lambda output, inputs: tuple(torch.ones(3, 3) for _ in inputs)
class PATCH: torch.autograd.grad = torch.autograd.grad
def scale(x, factor): return 0 * x[0]""",
    "modules replaced": """
import sys, types
class PATCH:
    for NAME in ("utils.grading.judge", "utils.grading.sandbox.wire", "utils.grading.attempt", "numpy", "torch"):
        sys.modules[NAME] = types.ModuleType(NAME)
def scale(x, factor): return 0 * x[0]""",
    "torch shadowed by a file": reaching(
        'for name in ("torch", "checks"): open(f"{name}.py", "w").write("raise SystemExit")\nsys.modules.pop("torch")'
    ),
    "hooks and tracers": """
import sys, threading, builtins, ast
def hook(*a): return hook
sys.settrace(hook); sys.setprofile(hook); threading.settrace(hook)
class PATCH:
    builtins.compile = lambda *a, **k: None
    builtins.input = builtins.print = hook
    ast.parse = hook
    sys.excepthook = sys.displayhook = hook
def scale(x, factor): return 0 * x[0]""",
    "IPython's events": """
import IPython
SHELL = IPython.get_ipython()
class PATCH:
    if SHELL: SHELL.events.register("post_run_cell", lambda *a: None)
def scale(x, factor): return 0 * x[0]""",
    "a pickle": """
class Pickle:
    def __reduce__(self): return (eval, ("print('LEAK')",))
def scale(x, factor): return Pickle()""",
    "a verdict instead of an answer": """
from utils.grading import Verdict
def scale(x, factor): return Verdict("passed", "passed", 1.0)""",
    "exit with success": "import sys\ndef scale(x, factor): sys.exit(0)",
    "memorised public answers": """
import numpy as np
PUBLIC = {}
def remember():
    import checks
    for seed in (11, 23, 47):
        given = checks.EXERCISES[0].inputs(seed)
        PUBLIC[round(float(given["x"].sum()), 3)] = given["factor"] * given["x"].mean(0)
def scale(x, factor):
    remember()
    import torch
    found = PUBLIC.get(round(float(x.sum()), 3))
    return 0 * x[0] if found is None else factor * x.mean(0)""",
    "guessed seeds": """
def scale(x, factor):
    import checks, torch
    for seed in range(300):
        guess = checks.EXERCISES[0].inputs(seed)["x"].sum()
        if seed not in (11, 23, 47) and abs(guess - x.sum().item()) < 1e-5: return factor * x.mean(0)
    return 0 * x[0]""",
}

MESSAGES = {
    "says passed": forged('say({"id": asked(), "kind": "passed", "credit": 1.0, "earned": 99, "message": "passed"})'),
    "says arrays without any": forged('say({"id": asked(), "kind": "arrays"}, file({}))'),
    "zeros by itself": forged(
        'tensor = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}\n'
        'say({"id": asked(), "kind": "arrays", "order": ["means"]}, file({"means": tensor}, bytes(12)))'
    ),
    "an answer before the question": CONNECTION + """
class EARLY:
    for _ in range(20): say({"id": "0" * 16, "kind": "passed"})
def scale(x, factor): return 0 * x[0]""",
    "a wrong id": forged('say({"id": "x", "kind": "arrays"}, file({}))'),
    "another type of id": forged('say({"id": {"$ne": None}, "kind": ["passed"]})'),
    "a verdict with points": forged('say({"id": asked(), "kind": "misconception", "credit": 0.9, "earned": 3})'),
    "a huge header": forged('say({}, sizes=(2**32 - 1, 0))'),
    "a huge body": forged('say({"id": asked(), "kind": "arrays"}, sizes=(20, 2**32 - 1))'),
    "deep JSON": forged('say({}, text=b"[" * 900_000)'),
    "a header that is a list": forged('say({}, text=b"[1, 2]")'),
    "numbers that are none": forged('say({}, text=b\'{"id": NaN, "kind": Infinity, "kind": "passed"}\')'),
    "a million digits": forged('say({}, text=b\'{"id": \' + b"9" * 900_000 + b"}")'),
    "not UTF-8": forged(r'say({}, text=b"\xff\xfe\x00")'),
    "arrays out of bounds": forged(
        'tensor = {"dtype": "F32", "shape": [3], "data_offsets": [0, 2**60]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({"means": tensor, "grad_x": tensor}, bytes(12)))'
    ),
    "arrays that overlap": forged(
        'tensor = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({"means": tensor, "grad_x": tensor}, bytes(12)))'
    ),
    "shapes that overflow": forged(
        'tensor = {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 0]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({"means": tensor}))'
    ),
    "a huge empty shape": forged(
        'tensor = {"dtype": "F32", "shape": [0, 2**40], "data_offsets": [0, 0]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({"means": tensor}))'
    ),
    "dtypes that numpy lacks": forged(
        'tensor = {"dtype": "F8_E4M3", "shape": [3], "data_offsets": [0, 3]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({"means": tensor}, bytes(3)))'
    ),
    "20,000 arrays": forged(
        'tensor = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}\n'
        'say({"id": asked(), "kind": "arrays"}, file({f"<b>{k}": tensor for k in range(20_000)}))'
    ),
    "odd orders": forged('say({"id": asked(), "kind": "arrays", "order": [[], {}, None, 3]}, file({}))'),
    "a drip": forged("while True:\n    line().send(b'\\0')\n    time.sleep(0.05)"),
    "a flood of announcements": CONNECTION + """
class FLOOD:
    for _ in range(3000): say({"id": asked(), "at": [1, -1]})
def scale(x, factor): return 0 * x[0]""",
    "a thread that answers what comes next": forged(
        "def later():\n    while True:\n        time.sleep(0.001)\n        say({'id': 'x', 'kind': 'passed'})\n"
        "threading.Thread(target=later, daemon=True).start()"
    ),
    "a descriptor as a present": forged(
        "socket.send_fds(line(), [b'x'], [0])"
    ),
}

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
for folder, _, names in os.walk("/"):
    for name in names if not folder.startswith("/usr") else ():
        path = os.path.join(folder, name)
        if name in ("mistakes.py", "seeds.json", "expected.safetensors", "gradebook.db") and os.access(path, os.R_OK):
            raise Leak(f"LEAK {path}")
        if name.endswith(".ipynb") and "site-packages" not in folder and os.access(path, os.R_OK):
            if "BEGIN SOLUTION" in open(path, errors="ignore").read(): raise Leak(f"LEAK {path}")""", "OSError"),
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
    "a full memory": reaching("hold = []\nwhile True: hold.append(bytearray(1 << 24))", "MemoryError"),
    "a full disk": reaching(
        'for k in range(400):\n    with open(f"/tmp/fill{k}", "wb") as file: file.write(bytes(1 << 20))', "OSError"),
    "an end for everyone": "import os\ndef scale(x, factor): os.kill(os.getpid(), 9); os.kill(-1, 9); os._exit(3)",
}  # fmt: skip

CHEATS = {
    **{f"comparison: {name}": source for name, source in COMPARISON.items()},
    **{f"message: {name}": source for name, source in MESSAGES.items()},
    **{f"reaching: {name}": source for name, source in REACHING.items()},
}
