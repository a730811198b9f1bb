"""The intake: which of several files counts, and what a person has to decide."""

import os
import pickle
import warnings
import zipfile

import pytest
from submissions_in_small import HW, graded, only, sentence, tree, zipped

from utils.grading.official.submissions import collect


def test_plain_folders(tmp_path):
    folder = tree(tmp_path / "week5", {
        "jane.ipynb": b"jane", "bob/solution.ipynb": b"bob", "bob/plot.png": b"", "wei/a/b/hw2_maml.ipynb": b"wei",
        "kim.zip": zipped(None, {"x/anything.ipynb": b"kim"}), "README.md": b"", "grades.csv": b"",
        ".git/config": b"", "__MACOSX/a.ipynb": b"", ".DS_Store": b"", "ann/sub.zip": zipped(None, {"a.ipynb": b"ann"}),
    })  # fmt: skip
    expected = {"jane": b"jane", "bob": b"bob", "wei": b"wei", "kim": b"kim", "ann": b"ann"}
    assert graded(folder) == expected
    everything = {str(path.relative_to(tmp_path)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert graded(zipped(tmp_path / "week5.zip", everything)) == expected


def test_one_students_own_file_folder_or_zip(tmp_path):
    folder = tree(tmp_path / "jane", {"hw2_maml.ipynb": b"j", "checks.py": b"", "expected.safetensors": b""})
    assert graded(folder) == {"jane": b"j"}
    assert graded(folder / "hw2_maml.ipynb") == {"jane": b"j"}
    assert graded(tree(tmp_path / "x", {"bob.ipynb": b"b"}) / "bob.ipynb") == {"bob": b"b"}
    for number, name in enumerate(["hw2_maml.ipynb", "solution.ipynb", "project/solution.ipynb", "hw2_maml/x.ipynb"]):
        path = zipped(tmp_path / f"kim{number}.zip", {name: b"k", "checks.py": b"", ".ipynb_checkpoints/x.ipynb": b""})
        assert graded(path) == {f"kim{number}": b"k"}
    one = only(zipped(tmp_path / "ann.zip", {"ann/hw2_maml.ipynb": b"a", "ann/scratch.ipynb": b"s"}))
    assert (one.student, one.read(), one.others) == ("ann", b"a", ("ann.zip/ann/scratch.ipynb (not counted)",))


def test_folders_with_one_notebook_of_the_same_name_are_students(tmp_path):
    """Nobody is dropped where the shell named every student's folder, or every notebook."""
    for name in ("jane", "bob"):
        tree(tmp_path / name, {"solution.ipynb": name.encode(), "plot.png": b"", ".ipynb_checkpoints/x.ipynb": b""})
    folders = [tmp_path / "jane", tmp_path / "bob"]
    expected = {"jane": b"jane", "bob": b"bob"}
    assert graded(*folders) == graded(*[folder / "solution.ipynb" for folder in folders]) == expected


def test_dates_decide_where_the_platform_says_nothing(tmp_path):
    old = zipped(tmp_path / "a.zip", {"jane/x.ipynb": b"old", "bob/x.ipynb": b"bob"}, date=(2026, 1, 1, 0, 0, 0))
    new = zipped(tmp_path / "b.zip", {"jane/x.ipynb": b"new", "wei/x.ipynb": b"wei"}, date=(2026, 1, 2, 0, 0, 0))
    assert graded(new, old) == graded(old, new) == {"jane": b"new", "bob": b"bob", "wei": b"wei"}
    folders = [tree(tmp_path / name, {"jane/x.ipynb": name.encode(), f"{name}.ipynb": b""}) for name in ("one", "two")]
    os.utime(folders[0] / "jane" / "x.ipynb", (2e9, 2e9))
    assert graded(*folders)["jane"] == b"one"
    os.utime(folders[1] / "jane" / "x.ipynb", (2e9, 2e9))
    _, problems = collect(folders, HW)
    assert [one.student for one in problems] == ["jane"]


def test_which_notebook_of_one_attempt_counts(tmp_path):
    folder = tree(tmp_path / "w", {"jane/hw2_maml.ipynb": b"this", "jane/scratch.ipynb": b"not this"})
    one = only(folder)
    assert (one.read(), one.others) == (b"this", ("w/jane/scratch.ipynb (not counted)",))
    tree(folder, {"jane/deep/HW2_MAML (1).ipynb": b"this"})
    assert only(folder).read() == b"this"  # the same bytes twice
    tree(folder, {"jane/deep/hw2_maml-Copy1.ipynb": b"or this"})
    assert "found 2 that differ: HW2_MAML (1).ipynb, hw2_maml-Copy1.ipynb" in sentence(folder)
    assert "found 2 that differ" in sentence(tree(tmp_path / "v", {"jane/a.ipynb": b"a", "jane/b.ipynb": b"b"}))
    assert graded(tree(tmp_path / "u", {"jane/a.ipynb": b"a", "jane/b.ipynb": b"a"})) == {"jane": b"a"}


def test_a_notebook_beside_a_zip_of_it(tmp_path):
    files = {"jane/hw2_maml.ipynb": b"x", "jane/all.zip": zipped(None, {"hw2_maml.ipynb": b"x"})}
    assert graded(tree(tmp_path / "same", files)) == {"jane": b"x"}
    files["jane/all.zip"] = zipped(None, {"hw2_maml.ipynb": b"y"})
    assert "found 2 that differ" in sentence(tree(tmp_path / "different", files))
    files["jane/all.zip"] = b"broken"
    one = only(tree(tmp_path / "broken", files))
    assert one.read() == b"x" and "broken/jane/all.zip is damaged" in one.others[0]


@pytest.mark.parametrize("files", [
    {"report.pdf": b"", "a.png": b""}, {"checks.py": b"", "expected.safetensors": b""}, {".hidden.ipynb": b""},
    {".ipynb_checkpoints/x.ipynb": b""}, {"__MACOSX/x.ipynb": b""}, {"hw2.ipynb.txt": b""}, {"x.ipynb/y.txt": b""},
    {"empty.zip": zipped(None, {})}, {"pdf.zip": zipped(None, {"a.pdf": b"", "__MACOSX/a.ipynb": b""})},
])  # fmt: skip
def test_no_notebook(tmp_path, files):
    one = only(tree(tmp_path / "w", {f"jane/{name}": content for name, content in files.items()}))
    assert one.student == "jane" and one.sentence.startswith("expected a notebook, best called hw2_maml.ipynb; found ")
    assert "jane" in {one.student for one in collect([zipped(tmp_path / "z.zip", {
        f"jane/{name}": content for name, content in files.items()} | {"bob/b.ipynb": b""})], HW)[1]}  # fmt: skip


def test_nothing_at_all(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "w" / "jane").mkdir(parents=True)
    assert "found nothing" in sentence(tmp_path / "empty")
    assert only(tmp_path / "empty").student == "empty"
    assert only(tmp_path / "w").student == "jane"
    assert only(zipped(tmp_path / "bob.zip", {"a.pdf": b""})).student == "bob"
    assert collect([], HW) == ([], [])


def test_a_path_that_is_no_submission(tmp_path):
    tree(tmp_path, {"a.py": b""})
    for path, words in [(tmp_path / "none.zip", "there is no"), (tmp_path / "a.py", "is neither a notebook")]:
        with pytest.raises(ValueError, match=words):
            collect([path], HW)
    os.mkfifo(tmp_path / "pipe.ipynb")
    with pytest.raises(ValueError, match="is neither a notebook"):
        collect([tmp_path / "pipe.ipynb"], HW)


def test_what_comes_out_is_small_and_lazy(tmp_path):
    folder = tree(tmp_path / "w", {"jane.ipynb": b"import os  # a script: judged later, elsewhere"})
    one = pickle.loads(pickle.dumps(only(folder)))
    assert b"import" in one.read() and not any(isinstance(value, bytes) for value in vars(one).values())
    (folder / "jane.ipynb").unlink()
    with pytest.raises(ValueError, match="w/jane.ipynb cannot be read"):
        one.read()


def test_the_same_file_named_twice(tmp_path):
    folder = tree(tmp_path / "w", {"jane.ipynb": b"x", "bob.ipynb": b"y"})
    assert graded(folder, folder, folder / "jane.ipynb", folder / "." / "jane.ipynb") == {"jane": b"x", "bob": b"y"}


def test_inside_of_a_students_zip_says_nothing_about_who_they_are(tmp_path):
    inner = zipped(None, {"roebob_222_999_hw2_maml.ipynb": b"mallory", "submission_metadata.yml": b"{"})
    path = zipped(tmp_path / "s.zip", {"mallory_1_2_w.zip": inner, "roebob_222_333_hw2_maml.ipynb": b"bob"})
    assert graded(path) == {"mallory_1": b"mallory", "roebob_222": b"bob"}


def test_duplicate_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for content in (b"first", b"second"):
            archive.writestr("jane/hw2_maml.ipynb", content)
        for _ in range(2):
            archive.writestr("bob/hw2_maml.ipynb", b"same")
    found, problems = collect([tmp_path / "s.zip"], HW)
    assert [(one.student, one.read()) for one in found] == [("bob", b"same")]
    assert "found 2 that differ" in problems[0].sentence
