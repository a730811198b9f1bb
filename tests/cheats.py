"""Hostile submissions to the small homework. Each hands in something else than an answer as `scale`, and sees.

A cheat that reaches what it wants raises an error that says LEAK: on public cases that would stand in the record.
Where it only wants points, it returns something wrong and does what it can to have it taken for right.
"""

from cheats_of_messages import MESSAGES
from cheats_of_reach import REACHING, reaching

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
    "no number at all": "def scale(x, factor): return (x[0] * 0) / 0 * factor",
    "infinitely much": "def scale(x, factor): return x[0] / 0",
    "nothing to compare": "def scale(x, factor): return x[:0, :0].sum(0)",
    "one number for all": "def scale(x, factor): return (x.mean() * factor).expand(1)",
    "numbers of all kinds": """
import torch
def scale(x, factor): return (factor * x.mean(0)).to([torch.float64, torch.complex64, torch.float16][len(x) % 3])""",
    "names that answer to everything": """
class Meta(type):
    def __getattr__(cls, name): return cls
    def __call__(cls, *a, **k): return cls
    __mul__ = __eq__ = __iter__ = __call__
class scale(metaclass=Meta): pass
def __getattr__(name): return scale""",
    "a decorator that looks ahead": """
import checks, functools, torch
def answer(given): return given["factor"].item() * torch.tensor(given["x"]).mean(0)
KNOWN = {tuple(GIVEN["x"].shape): answer(GIVEN) for GIVEN in map(checks.EXERCISES[0].inputs, range(200))}
def seen(function):
    return functools.wraps(function)(lambda x, factor: KNOWN.get(tuple(x.shape), 0 * x[0]))
@seen
def scale(x, factor): return x""",
    "the frames of the caller": """
import ctypes, sys
def scale(x, factor):
    frame = sys._getframe(1)
    while frame:
        for name in ("outputs", "found", "function", "exercise", "request", "returned"):
            if name in frame.f_locals: frame.f_locals[name] = 1
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
        frame = frame.f_back
    return 0 * x[0]""",
    "words for the end": """
import atexit, sys
class Last:
    def __del__(self): sys.modules["__main__"].passed = True
KEPT = Last()
WAITS = atexit.register(print, "passed")
def scale(x, factor): return 0 * x[0]""",
    "well behaved where it is known": """
import checks
PUBLIC = [checks.EXERCISES[0].inputs(SEED)["x"] for SEED in (11, 23, 47)]
def scale(x, factor):
    known = any(p.shape == x.shape and abs(p - x.detach().numpy()).max() < 1e-6 for p in PUBLIC)
    return factor * x.mean(0) if known else factor * x.sum(0)""",
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

CHEATS = {
    **{f"comparison: {name}": source for name, source in COMPARISON.items()},
    **{f"message: {name}": source for name, source in MESSAGES.items()},
    **{f"reaching: {name}": source for name, source in REACHING.items()},
}
