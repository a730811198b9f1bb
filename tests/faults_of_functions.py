"""Broken functions in the small homework: what they return, raise, print and leave behind."""

from faults import ALL, body, leaves, total, wrong

RETURNED = {
    "numpy": total("x.sum().numpy()"),
    "numpy without its gradient": body("return (factor * x.mean(0)).detach().numpy()", "the gradient does not", 3),
    "a Python float": total("float(x.sum())"),
    "a tensor that asks for gradients": total("x.sum().requires_grad_()"),
    "a sparse layout": body("return factor * x.mean(0).to_sparse()", "passed", ALL),
    "a tuple": total("(x.sum(), 3)", "'total' is a tuple of 2, expected a tensor"),
    "a list": total("[x.sum()]", "'total' is a list of 1, expected a tensor"),
    "nothing": total("None", "returned None: did you forget return"),
    "nothing, by an early return": body("return", "returned None: did you forget return"),
    "NaN": total("x.sum() * float('nan')", "a NaN where a number was expected"),
    "infinity": total("x.sum() / 0", "an infinity"),
    "float64": total("x.double().sum()", "'total' is float64, expected float32"),
    "float16": total("x.half().sum()", "'total' is float16, expected float32"),
    "bfloat16": total("x.bfloat16().sum()", "values do not agree"),
    "float8": total("x.to(torch.float8_e4m3fn).float().sum().to(torch.float8_e4m3fn)", "could not use"),
    "complex": total("x.sum() * 1j", "'total' is complex64, expected float32"),
    "an integer": total("x.sum().long()", "'total' is int64, expected float32"),
    "a huge integer": total("10**400", "'total' is an int, expected a tensor"),
    "a bool": total("True", "'total' is bool, expected float32"),
    "a string": total("'the sum'", "'total' is a str, expected a tensor"),
    "a function": total("lambda: x.sum()", "'total' is a function, expected a tensor"),
    "on the meta device": total("x.sum().to('meta')", "which the check could not use: NotImplementedError"),
    "a nested dict": total("{'a': {'b': x.sum()}}", "'total' is missing; 'total_a_b' was not expected"),
    "a dict in itself": total("(lambda d: d.update(d=d) or d)({})", "could not use: RecursionError"),
    "an array of objects": total(
        "__import__('numpy').array([x, None], dtype=object)", "objects|could not|not expected"
    ),
    "a large array": total("torch.zeros(2**24)", "the outputs are far larger than expected .'total': .16777216"),
    "too many dimensions": total("x.sum().reshape((1,) * 60)", "has shape .*expected .. .a single number|could not"),
    "the wrong shape": total("x.sum(0)", "known misconception|has shape"),
    "changed arguments": total("(x.sum().clone(), x.zero_())[0]"),
    "changed arguments that ask for gradients": body(
        "x.mul_(factor)", "RuntimeError: a leaf Variable .*line 2: x.mul_"
    ),
    "a view of its argument": total("x.sum(dim=(0, 1), keepdim=True).squeeze()"),
}

RAISED = {
    "an error": body("x.no_such_thing()", "AttributeError: 'Tensor' .* .<?cell 2>?, line 2: x.no_such_thing"),
    "BaseException": body("raise BaseException('no')", "BaseException: no .*line 2"),
    "KeyboardInterrupt": body("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "SystemExit": body("import sys\nsys.exit('done')", "SystemExit: done .*line 3: sys.exit"),
    "StopIteration": body("next(iter([]))", "StopIteration .*line 2"),
    "GeneratorExit": body("raise GeneratorExit", "GeneratorExit .*line 2"),
    "assert": body("assert len(x) > 100, 'too\\nshort'", "AssertionError: too short .*line 2"),
    "a group": body("raise ExceptionGroup('two', [ValueError(1), TypeError(2)])", "ExceptionGroup: two"),
    "no text": body("class Odd(Exception):\n    __str__ = None\nraise Odd", "Odd .*line 4: raise Odd"),
    "a text that raises": body("class Odd(Exception):\n    def __str__(self): 1 / 0\nraise Odd", "Odd .*line 4"),
    "a text that interrupts": body(
        "class Odd(Exception):\n    def __str__(self): raise KeyboardInterrupt\nraise Odd", "Odd .*line 4"
    ),
    "a text that ends it all": body(
        "class Odd(BaseException):\n    def __str__(self): raise SystemExit(self)\nraise Odd", "Odd .*line 4"
    ),
    "a long text": body("raise ValueError('long ' * 10**7)", r"ValueError: long .* \.\.\. .*line 2"),
    "half a character in an error": body("raise ValueError('\\ud83d')", "ValueError.*line 2"),
    "recursion in Python": body("return scale(x, factor)", "RecursionError: maximum recursion depth exceeded .*line 2"),
    "recursion in a helper": wrong(
        "def go(x): return go(x)\ndef scale(x, factor): return go(x)", "in go, cell 2, line 1"
    ),
    "input in a function": body(
        "name = input('Your name? ')", "EOFError: EOF when reading a line .*line 2: name = input"
    ),
    "a missing file": body("open('data.csv')", "FileNotFoundError: .*line 2: open"),
    "a download": body("import urllib.request as u\nu.urlopen('http://example.org')", "URLError|PermissionError"),
    "CUDA": body("x = x.to('cuda')", "line 2: x = x.to"),
    "calls a stub": wrong(
        "def mean(x): raise NotImplementedError()\ndef scale(x, factor): return mean(x)",
        "calls mean, which is not written",
    ),
}

LEFT = {
    "prints": leaves("print('x' * 10**7)\nfor _ in range(10**3): print(x)"),
    "stderr and warnings": leaves(
        "import sys, warnings, logging\nprint('odd', file=sys.stderr)\nwarnings.warn('odd')\nlogging.error('odd')"
    ),
    "warnings as errors": leaves("import warnings\nwarnings.simplefilter('error')"),
    "closed standard files": leaves("import sys\nsys.stdout.close(); sys.stdin.close(); sys.stderr = None"),
    "default dtype": leaves("torch.set_default_dtype(torch.float64)"),
    "default device": leaves("torch.set_default_device('meta')"),
    "no gradients": wrong(
        "def scale(x, factor):\n    y = factor * x.mean(0)\n    torch.set_grad_enabled(False)\n    return y",
        "The graph is cut before the mean",
        3,
    ),
    "inference mode": leaves("torch.inference_mode().__enter__()\ntorch.inference_mode(False).__enter__()"),
    "anomaly detection": leaves("torch.autograd.set_detect_anomaly(True)"),
    "threads": leaves("torch.set_num_threads(64)"),
    "print options": leaves("torch.set_printoptions(profile='full')"),
    "seeds": leaves("import random, numpy as np\ntorch.manual_seed(1); random.seed(1); np.random.seed(1)"),
    "numpy's error state": leaves("import numpy as np\nnp.seterr(all='raise')"),
    "recursion limit": leaves("import sys\nsys.setrecursionlimit(max(60, len(__import__('inspect').stack()) + 20))"),
    "a tracer": leaves("import sys\nsys.settrace(lambda *a: None)"),
    "garbage collection off": leaves("import gc\ngc.disable(); gc.set_threshold(1)"),
    "temporary files": leaves("import tempfile\nwith tempfile.NamedTemporaryFile('w') as file: file.write('x')"),
    "working folder": leaves("import os\nos.chdir('/')"),
    "environment": leaves("import os\nos.environ.clear()\nos.environ['OMP_NUM_THREADS'] = 'many'"),
    "path and modules": leaves("import sys\nsys.path.clear(); sys.modules.pop('math', None)"),
    "locale and time zone": leaves("import os, time\nos.environ['TZ'] = 'Mars'\ntime.tzset()"),
    "a full disk": leaves(
        "try:\n    with open('big', 'wb') as file:\n        while file.write(bytes(2**20)): pass\nexcept OSError: pass"
    ),
    "a signal handler": leaves("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.alarm(1)"),
    "an atexit hook": leaves("import atexit, os\natexit.register(os._exit, 1)"),
    "memory that is kept": leaves("scale.kept = torch.zeros(2**24)"),
}
