"""`course check` on a small homework: the notebook's checks without running the notebook."""

import json

from homework_in_small import write

from utils.grading.release import release
from utils.grading.terminal import check_folder

NAME = "hw9_small"


def edit(root, index, source):
    """The student writes `source` into a cell of the released notebook."""
    path = root / "homework" / NAME / f"{NAME}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][index]["source"] = source
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_the_same_checks_in_a_terminal(tmp_path, capsys):
    folder = write(tmp_path)
    release([], root=tmp_path)
    capsys.readouterr()
    homework = tmp_path / "homework" / NAME

    def said(folder=homework):
        return check_folder(folder), capsys.readouterr().out

    lines = "scale  {}/3  {}\ntotal  {}/1.5  {}\ntotal  {}/4.5\n".format
    assert said(folder) == (0, lines(3, "passed", 1.5, "passed", 4.5))
    assert said() == (1, lines(0, "not attempted", 0, "not attempted", 0))
    edit(tmp_path, 2, "def scale(x, factor):\n    return factor * x.mean(0)")
    edit(tmp_path, 4, "import nowhere")
    skipped = "cell 4, line 1 was skipped: ModuleNotFoundError: No module named 'nowhere'\n"
    assert said() == (1, skipped + lines(3, "passed", 0, "the notebook defines no function total", 3))
    (homework / "expected.safetensors").unlink()
    assert said()[0] == 2
    (homework / "checks.py").write_text("1 / 0", encoding="utf-8")
    assert said() == (2, f"cannot check: {homework / 'checks.py'} cannot be imported: ZeroDivisionError: "
                         "division by zero\n")  # fmt: skip
    (homework / "checks.py").unlink()
    assert said() == (2, f"cannot check: there is no checks.py in {homework}\n")
    (homework / f"{NAME}.ipynb").unlink()
    assert said()[0] == 2
    assert said(tmp_path / "nothing") == (2, f"cannot check: there is no folder {tmp_path / 'nothing'}\n")
