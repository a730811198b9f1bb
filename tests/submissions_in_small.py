"""Small downloads for the tests of the intake, and short ways to say what comes out of one."""

import io
import zipfile

from utils.grading.official.submissions import Problem, collect

HW = "hw2_maml"


def zipped(path, members: dict, **attributes):
    """A zip at `path` (or its bytes, without one) with {name: bytes}; 'date' or 'mode' hold for every member."""
    target = io.BytesIO() if path is None else path
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, attributes.get("date", (2026, 2, 3, 4, 5, 6)))
            info.external_attr = attributes.get("mode", 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return target.getvalue() if path is None else path


def tree(root, files: dict):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def graded(*paths, homework=HW) -> dict:
    """{student: the bytes that count}; nothing may need a person."""
    found, problems = collect(list(paths), homework)
    assert not problems
    return {one.student: one.read() for one in found}


def only(*paths, homework=HW):
    """The only thing that came out, be it a submission or a problem."""
    found, problems = collect(list(paths), homework)
    (one,) = found + problems
    return one


def sentence(*paths) -> str:
    one = only(*paths)
    assert isinstance(one, Problem)
    return one.sentence
