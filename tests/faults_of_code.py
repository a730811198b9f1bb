"""Broken cells and functions in the small homework that end no process."""

from faults import ALL, ONE, Fault, beside, fine, wrong
from grading_in_small import notebook, solved
from homework_in_small import SCALE, TOTAL

HOURS = "for step in range(10**12): loss = step\nwith open('log') as file: file.write(loss)\nmodel = train(10**12)"
MAGICS = "%load_ext autoreload\n!pip install torch\nfiles = !ls\nawait nothing()\nlen?"
SPLIT = "def mean_of(x):\n    return x.sum(0) / len(x)"
NO_NAME = "Cell 1 computes rate, but grading runs only imports, functions, classes and constants in CAPITALS"
DECORATED = """
import functools

def timed(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner

@timed
@torch.enable_grad()
def scale(x, factor): return factor * x.mean(0)"""
OBJECT = """
class Scale(torch.nn.Module):
    def forward(self, x, factor): return factor * x.mean(0)

scale = Scale()"""
CLASS = """
class scale:
    def __new__(cls, x, factor): return factor * x.mean(0)"""
PARTIAL = """
import functools
def weighted(power, x, factor): return (factor * x.mean(0)) ** power
scale = functools.partial(weighted, 1)"""

CELLS = {
    "a copied cell": beside(SCALE),
    "a copied check": beside("check(scale)"),
    "a first draft, then the answer": Fault(
        solved(imports=f"import torch\ndef scale(x, factor): return 7\n{TOTAL}"), ALL
    ),
    "redefined wrongly in a later cell": Fault(
        notebook("import torch", SCALE, TOTAL, "def scale(x, factor): return factor * x"), ONE, {"scale": "shape"}
    ),
    "overwritten by a number in a later cell": beside("scale = 3.0\ntotal = sum([1, 2])"),
    "overwritten by what only a run computes": Fault(
        notebook("import torch", SCALE, TOTAL, "scale = scale(data, 2)\ntotal = total(torch.ones(2, 3))"), ALL
    ),
    "a helper in another cell": Fault(
        solved(title=SPLIT, scale="def scale(x, factor): return factor * mean_of(x)"), ALL
    ),
    "a helper below": Fault(solved(scale="def scale(x, factor): return factor * mean_of(x)", later=SPLIT), ALL),
    "a helper that is missing": wrong(
        "def scale(x, factor): return mean(x)", "NameError: name 'mean' .*cell 2, line 1"
    ),
    "a global computed elsewhere": Fault(
        notebook("rate = max(1.0, 0.5)", SCALE, "def total(x): return rate * x.sum()"), 3, {"total": NO_NAME}
    ),
    "a default computed elsewhere": Fault(
        notebook("rate = max(1.0, 0.5)", SCALE, "def total(x, by=rate): return by * x.sum()"), 3, {"notes": NO_NAME}
    ),
    "an alias of a type": Fault(
        notebook("import torch\nTensor = torch.Tensor", SCALE, "def total(x: Tensor) -> Tensor: return x.sum()"), ALL
    ),
    "training for hours": beside(HOURS),
    "plots": beside("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"),
    "input": beside("name = input('Your name?')"),
    "sys.exit": beside("import sys\nsys.exit('done')", "exit()\nquit()\nraise SystemExit"),
    "magics, shell, await": beside(
        MAGICS, "%%bash\nrm -rf .", "%%time\nx = 1", "%%writefile scale.py\ndef scale(x): ?"
    ),
    "writefile holds the only answer": Fault(
        solved(scale=f"%%writefile scale.py\n{SCALE}"), ONE, {"scale": "defines no function scale"}
    ),
    "edits its own file": beside("from pathlib import Path\nPath('ada.ipynb').write_text('gone')"),
    "import of a missing package": beside(
        "import no_such_package", note="cell 1, line 1 was skipped: ModuleNotFoundError: No module named 'no_such_pack"
    ),
    "a star import of a missing package": beside("from no_such_package import *", note="ModuleNotFoundError"),
    "a syntax error": beside("def broken(:\n    pass", note="cell 1 is not valid Python .SyntaxError: invalid syntax"),
    "a syntax error with the answer": Fault(
        solved(scale="def scale(x, factor):\n    return (x"),
        ONE,
        {"scale": "defines no", "notes": "cell 2 .*never closed"},
    ),
    "tabs and spaces mixed": Fault(
        solved(scale="def scale(x, factor):\n        y = x\n\treturn y"), ONE, {"scale": "", "notes": "TabError"}
    ),
    "tabs": fine("def scale(x, factor):\n\ty = x.mean(0)\n\treturn factor * y"),
    "a million characters in a line": beside(f"WORD = '{'long ' * 200_000}'\nx = [{'1, ' * 30_000}]"),
    "nested too deeply": beside(f"x = {'(' * 5000}1{')' * 5000}", note="cell 1 is not valid Python"),
    "too many shell commands": Fault(
        notebook("import torch", "x = !ls\n" * 600, SCALE, TOTAL),
        ALL,
        {"notes": "cell 2 is not valid Python .RuntimeError"},
    ),
    "a null character": beside("x = '\0'", note="cell 1 is not valid Python .*null"),
    "half a character": beside("x = '\ud83d'", note="cell 1 is not valid Python .UnicodeEncodeError"),
    "emoji": beside("# \N{SMILING FACE WITH SUNGLASSES}\nSMILE = '\N{SNAKE}\u200f\u202e'"),
    "unicode identifiers": fine("def scale(x, factor):\n    µ, größe = x.mean(0), factor\n    return größe * μ"),
    "a name in fullwidth letters": fine("def ｓｃａｌｅ(x, factor): return factor * x.mean(0)"),
    "a stub": wrong("def scale(x, factor):\n    # YOUR CODE HERE\n    raise NotImplementedError()", "not att"),
    "no answer at all": Fault(notebook("x = 1", "print(x)"), 0, {"problem": "no function of this homework"}),
}

SHAPES = {
    "a lambda": fine("scale = lambda x, factor: factor * x.mean(0)"),
    "a class": fine(CLASS),
    "an object": fine(OBJECT),
    "a partial": fine(PARTIAL),
    "a chain of names": fine("def a(x, factor): return factor * x.mean(0)\nb = a\nscale = b"),
    "a method": fine("class My:\n    @staticmethod\n    def s(x, factor): return factor * x.mean(0)\nscale = My.s"),
    "decorated by hand": fine(
        "def a(x, factor): return factor * x.mean(0)\nscale = torch.no_grad()(torch.enable_grad()(a))"
    ),
    "an item": fine("PARTS = [lambda x, factor: factor * x.mean(0)]\nscale = PARTS[0]"),
    "decorated": fine(DECORATED),
    "inside an if": fine(
        "if torch.cuda.is_available():\n    pass\nelse:\n    def scale(x, factor): return factor * x.mean(0)"
    ),
    "async": wrong("async def scale(x, factor): return factor * x.mean(0)", "returned a coroutine, which the"),
    "a generator": wrong("def scale(x, factor): yield factor * x.mean(0)", "returned a generator, which the"),
    "default arguments": fine("def scale(x, factor=1, *more, dim=0, **kw): return factor * x.mean(dim)"),
    "names of arguments": fine("def scale(data, by): return by * data.mean(0)"),
    "keyword-only": wrong("def scale(x, *, factor): return factor * x.mean(0)", "could not be called .* 1 positional"),
    "one argument too many": wrong("def scale(x, factor, z): return x", "could not be called as .*missing 1 required"),
    "annotations of nothing": fine("def scale(x: NoSuchType, factor: 1 / 0) -> np.ndarray: return factor * x.mean(0)"),
    "shadowed builtins": Fault(solved(imports="import torch\nsum = len = list = dict = max = 3\nLEN = len"), ALL),
}
