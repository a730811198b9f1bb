"""Importing a notebook without running it: what is kept, what is left out, and what is said about the rest."""

import json
import sys
import textwrap

import pytest

from utils.grading.importer import beside, import_notebook


def notebook(*cells):
    sources = [textwrap.dedent(source) for source in cells]
    return {"cells": [{"cell_type": "code", "source": s} for s in sources], "metadata": {}, "nbformat": 4}


def test_only_definitions_are_kept():
    found = import_notebook(
        notebook(
            """
            import math
            from functools import lru_cache
            WIDTH, DEPTH = 3, 2
            SIZES: list = [1]
            SIZES += [2]
            width = 4
            print("not run")
            raise SystemExit
            """,
            """
            @lru_cache
            def area(r): return math.pi * r ** WIDTH
            class Net:
                depth = DEPTH
            square = lambda x: x * x
            again = square
            lost = width
            math.pi = 3
            for k in range(3): LAST = k
            """,
            """
            try:
                import not_there_at_all
            except ImportError:
                not_there_at_all = lambda: None
                FALLBACK = True
            if WIDTH > 2:
                def chosen(): return "wide"
            else:
                def chosen(): return "narrow"
            """,
        )
    )
    names = found.namespace.keys() - {"__name__", "__doc__", "__builtins__", "__annotations__"}
    assert names == {"math", "lru_cache", "WIDTH", "DEPTH", "SIZES", "area", "Net", "square", "again",
                     "not_there_at_all", "FALLBACK", "chosen"}  # fmt: skip
    assert found.skipped == []
    assert found.namespace["SIZES"] == [1, 2]
    assert found.namespace["again"](3) == 9
    assert found.namespace["chosen"]() == "wide"
    assert found.namespace["__name__"] == "__main__"


def test_magics_shell_help_and_await_survive():
    found = import_notebook(
        notebook(
            "%matplotlib inline\n!pip install nothing\nlen?\nfiles = !ls\nX = 1\ndef one(): return 1",
            "await some_task()\nresult = await other()\ndef two(): return 2",
            "%%time\ndef three(): return 1 / 0",
            "%%bash\ndef four() { echo 4; }",
            "%%html\n<b>five</b>",
        )
    )
    assert found.skipped == []
    assert [found.namespace[name]() for name in ("one", "two")] == [1, 2]
    with pytest.raises(ZeroDivisionError) as caught:
        found.namespace["three"]()
    assert caught.traceback[-1].lineno + 1 == 2
    assert "four" not in found.namespace


def test_a_failing_cell_is_reported_and_the_rest_goes_on():
    found = import_notebook(
        notebook(
            "import not_there_at_all\ndef one(): return 1",
            "def broken(:\n    pass",
            "A = 1 / 0\nB = 2\n\ndef two(x=undefined): pass",
            "import sys\nC = sys.exit(4)\ndef three(): return B",
            "\x00",
        )
    )
    assert found.skipped[0] == "cell 1, line 1 was skipped: ModuleNotFoundError: No module named 'not_there_at_all'"
    assert found.skipped[1].startswith("cell 2 is not valid Python (SyntaxError: ")
    assert found.skipped[2:5] == [
        "cell 3, line 1 was skipped: ZeroDivisionError: division by zero",
        "cell 3, line 4 was skipped: NameError: name 'undefined' is not defined",
        "cell 4, line 2 was skipped: SystemExit: 4",
    ]
    assert found.skipped[5].startswith("cell 5 is not valid Python")
    assert (found.namespace["one"](), found.namespace["three"]()) == (1, 2)


def test_future_imports_hold_for_later_cells():
    cells = notebook("from __future__ import annotations", "def f(x: NoSuchType): return x")
    assert import_notebook(cells).skipped == []


def test_source_lines_are_in_tracebacks():
    import traceback

    function = import_notebook(notebook("X = 1", "def f():\n    return [][3]")).namespace["f"]
    try:
        function()
    except IndexError as error:
        text = "".join(traceback.format_exception(error))
    assert 'File "<cell 2>", line 2, in f\n    return [][3]' in text


def test_formats_and_damaged_files(tmp_path):
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["def f():\n", "    return 3"]}]}], "nbformat": 3}
    path = tmp_path / "old.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(old).replace("\n", "\r\n").encode())
    assert import_notebook(path).namespace["f"]() == 3
    assert import_notebook({"cells": [None, {"cell_type": "code"}, {"source": 3}]}).skipped == []
    for content, sentence in {
        b"": "odd.ipynb is not a notebook: its content is not JSON",
        b"{": "odd.ipynb is not a notebook: its content is not JSON",
        b"\xff\xfe": "odd.ipynb is not a notebook: its content is not JSON",
        b"[1]": "odd.ipynb is not a notebook: it has no cells",
        b"{}": "odd.ipynb is not a notebook: it has no cells",
        b'{"cells": 3}': "odd.ipynb is not a notebook: it has no cells",
    }.items():
        (tmp_path / "odd.ipynb").write_bytes(content)
        with pytest.raises(ValueError, match=sentence):
            import_notebook(tmp_path / "odd.ipynb")
    with pytest.raises(ValueError, match="none.ipynb cannot be read: No such file"):
        import_notebook(tmp_path / "none.ipynb")


def test_two_homeworks_have_checks_of_their_own(tmp_path):
    before, path = set(sys.modules), list(sys.path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "checks.py").write_text(f"import helper\ncheck = {name!r} + helper.SIGN", encoding="utf-8")
        (tmp_path / name / "helper.py").write_text(f"SIGN = {name[0]!r}", encoding="utf-8")
    found = []
    for name in ("one", "two", "one"):
        with beside(tmp_path / name):
            found.append(import_notebook(notebook("from checks import check")).namespace["check"])
    assert found == ["oneo", "twot", "oneo"]
    assert set(sys.modules) - before <= {"IPython"}
    assert sys.path == path
