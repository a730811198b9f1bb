"""What a student sees for every kind of answer, and that nothing a student does stops the check."""

import subprocess
import sys
import time

import pytest
from homework_in_small import GOOD, student

KNOWN = "This matches a known misconception: "

ANSWERS = {
    GOOD: "3/3  passed",
    "def scale(x, factor): return print('hello') or factor * x.mean(0)": "3/3  passed",
    "def scale(x, factor):\n    raise NotImplementedError()": "0/3  not attempted",
    "def scale(x, factor):\n    y = x\n    raise NotImplementedError('later')": "0/3  not attempted",
    "def scale(x, factor):\n    return helper(x)": "0/3  it calls helper, which is not written yet",
    "def scale(x, factor):\n    m = x.mean(7)\n    return m": "0/3  IndexError: Dimension out of range (expected to be "
    "in range of [-2, 1], but got 7) (cell 2, line 2: m = x.mean(7))",
    "def inner(x):\n    return x / 'a'\ndef scale(x, factor):\n    return inner(x)": "0/3  TypeError: unsupported "
    "operand type(s) for /: 'Tensor' and 'str' (in inner, cell 2, line 2: return x / 'a')",
    "def scale(x, factor):\n    raise SystemExit(3)": "0/3  SystemExit: 3 (cell 2, line 2: raise SystemExit(3))",
    "def scale(x, factor):\n    raise Odd": "0/3  Odd (cell 2, line 2: raise Odd)",
    "def scale(x, factor):\n    raise ValueError('a\\nb\\udc80\\x1b[0m')": "0/3  ValueError: a b??[0m "
    "(cell 2, line 2: raise ValueError('a\\nb\\udc80\\x1b[0m'))",
    "def scale(x): return x": "0/3  could not be called as the exercise says: TypeError: scale() takes 1 positional "
    "argument but 2 were given",
    "def scale(x, factor): factor * x.mean(0)": "0/3  your function returned None: did you forget return?",
    "def scale(x, factor): return (x,)": "0/3  your function returned a tuple of 1, which the check could not use: "
    "TypeError: can't multiply sequence by non-int of type 'tuple'",
    "def scale(x, factor): return {'a': x}": "0/3  your function returned a dict with keys 'a', which the check could "
    "not use: TypeError: unsupported operand type(s) for *: 'dict' and 'dict'",
    "def scale(x, factor): yield x": "0/3  your function returned a generator, which the check could not use: "
    "TypeError: unsupported operand type(s) for *: 'generator' and 'generator'",
    "def scale(x, factor):\n    return scale(x, factor)": "0/3  RecursionError: maximum recursion depth exceeded "
    "(cell 2, line 2: return scale(x, factor))",
    "def scale(x, factor, /, *, axis): return x": "0/3  could not be called as the exercise says: "
    "TypeError: scale() missing 1 required keyword-only argument: 'axis'",
    "def scale(x, factor): return (factor * x.mean(0)).double()": "0/3  'means' is float64, expected float32",
    "def scale(x, factor): return factor * x.mean(0, keepdim=True)": "0/3  'means' has shape (1, 3), expected (3,)",
    "def scale(x, factor): return factor * x.mean(0) + 100 * x.mean(0).detach().sign() * 0 + 1e9": None,
    "def scale(x, factor): return factor * x.mean(0) * float('nan')": "0/3  no output agrees: a NaN where a number was "
    "expected in 'means'",
    "def scale(x, factor): return factor * x.detach().mean(0)": "1.5/3  'means' agrees; the gradient does not: largest "
    f"difference 11 in 'grad_x'. {KNOWN}The graph is cut before the mean.",
    "def scale(x, factor): return factor * x.sum(0)": f"{KNOWN}A mean is asked for, not a sum.",
    "def scale(x, factor): return factor * x.mean(1)": f"{KNOWN}Examples are rows: average over axis 0.",
}


@pytest.mark.parametrize("source, text", ANSWERS.items())
def test_every_answer(check, capsys, source, text):
    assert check(student(source)) is None
    shown = capsys.readouterr().out.splitlines()[-1]
    assert shown == repr(check.results["scale"])
    assert shown.startswith("scale  ")
    if text and text.startswith(KNOWN):
        assert shown.endswith(text)
    elif text:
        assert shown == f"scale  {text}"
    else:
        assert "0/3  no output agrees: largest difference" in shown


@pytest.mark.parametrize(
    "given, text",
    [
        ("3", "check  check needs a function, not its result: this is an int. Write check(scale)"),
        ("None", "check  check needs a function, not its result: this is None. Write check(scale)"),
        ("'scale'", "check  pass the function itself, without quotes: check(scale)"),
        ("lambda x: x", "<lambda>  a lambda has no name; write the function with def, as one of scale, total"),
        ("Odd", "Odd  this is a class; check needs one of the functions scale, total"),
        ("helper", "helper  no exercise has this name; the exercises are scale, total."),
        ("len", "len  no exercise has this name; the exercises are scale, total."),
    ],
)
def test_arguments_that_are_no_exercise(check, capsys, given, text):
    check(eval(given, {"helper": student(GOOD, "helper"), "Odd": student(GOOD, "Odd")}))
    assert capsys.readouterr().out == text + "\n"
    assert check.results == {}


def test_a_near_name_is_proposed(check, capsys):
    check(student("def scales(x): return x", "scales"))
    assert capsys.readouterr().out == "scales  no exercise has this name; did you mean scale?\n"


def test_keyboard_interrupt_passes(check):
    with pytest.raises(KeyboardInterrupt):
        check(student("def scale(x, factor): raise KeyboardInterrupt"))


def test_inputs_are_fresh_and_warnings_silent(check, capfd, recwarn):
    body = "    warnings.warn('look')\n    x.data.zero_()\n    return x.sum(0)"
    source = f"import warnings\ndef scale(x, factor):\n{body}"
    check(student(source))
    check(student(GOOD))
    assert check.results["scale"].verdict.kind == "passed"
    assert capfd.readouterr().err == ""
    assert not [warning for warning in recwarn if "look" in str(warning.message)]


def test_gradients_are_on_even_when_the_notebook_has_switched_them_off(check):
    import torch

    with torch.no_grad():
        check(student(GOOD))
    assert check.results["scale"].verdict.kind == "passed"


def test_an_answer_takes_milliseconds(check):
    check(student(GOOD))
    start = time.process_time()
    check(student(GOOD))
    assert time.process_time() - start < 0.5


def test_importing_grading_does_not_import_torch():
    code = "import sys, utils.grading; sys.exit('torch' in sys.modules or 'IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
