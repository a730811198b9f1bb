"""The intake against zips, files and names that were made to do harm."""

import os
import re
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from submissions_in_small import HW, graded, only, sentence, tree, zipped

from utils.grading.official import archives, choice, found, submissions
from utils.grading.official.names import clean, safe_id, safe_ids
from utils.grading.official.submissions import Submission, collect

SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}")
SYMLINK, FIFO = 0o120777, 0o010644


def beside(tmp_path, content: bytes, name="work.zip") -> tuple[str, dict]:
    """(the sentence about mallory's file, what bob gets), handed in to Canvas together."""
    path = zipped(tmp_path / "s.zip", {f"mallory_1_2_{name}": content, "bob_3_4_hw2_maml.ipynb": b"bob"})
    graded_ones, problems = collect([path], HW)
    assert [one.student for one in problems] == ["mallory_1"]
    assert [(one.student, one.read()) for one in graded_ones] == [("bob_3", b"bob")]
    return problems[0].sentence


def patched(content: bytes, **fields) -> bytes:
    """A zip of one member with other flags, sizes or checksums in both of its headers."""
    data = bytearray(content)
    for signature, shift in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
        start = data.rindex(signature)
        for field, offset, form in (("flags", 6, "<H"), ("method", 8, "<H"), ("crc", 14, "<L"), ("size", 22, "<L")):
            if field in fields:
                struct.pack_into(form, data, start + offset + shift, fields[field])
    return bytes(data)


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip", b"PK\5\6" + b"\0" * 10, b"PK\5\6" + b"\xff" * 18])
def test_a_broken_zip(tmp_path, content):
    words = "s.zip/mallory_1_2_work.zip is damaged, expected a zip that opens: ask for it again"
    assert beside(tmp_path, content) == words
    (tmp_path / "whole.zip").write_bytes(content)
    one = only(tmp_path / "whole.zip")
    assert (one.student, one.source) == ("whole", "whole.zip")
    assert one.sentence.startswith("whole.zip is damaged")
    (tmp_path / "w").mkdir()
    os.replace(tmp_path / "whole.zip", tmp_path / "w" / "jane.zip")
    assert only(tmp_path / "w").student == "jane"


@pytest.mark.parametrize("change, words", [
    ({"flags": 1}, "is encrypted"), ({"method": 14}, "is compressed in an"), ({"method": 99}, "is compressed in an"),
    ({"size": 400_000_000}, "is larger than 200 MB"), ({"size": 2}, "is damaged"), ({"crc": 5}, "is damaged"),
])  # fmt: skip
def test_headers_that_lie(tmp_path, change, words):
    content = patched(zipped(None, {"hw2_maml.ipynb": b"a notebook"}), **change)
    assert f"mallory_1_2_work.zip/hw2_maml.ipynb {words}" in beside(tmp_path, content)
    (tmp_path / "jane.zip").write_bytes(content)
    assert words in sentence(tmp_path / "jane.zip")


def test_a_header_that_promises_more_than_there_is(tmp_path):
    path = tmp_path / "jane.zip"
    path.write_bytes(patched(zipped(None, {"hw2_maml.ipynb": b"a notebook"}), size=100_000_000))
    assert graded(path) == {"jane": b"a notebook"}


def test_what_is_too_large_when_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 1000)
    folder = tree(tmp_path / "w", {"jane.ipynb": b"x" * 1001, "bob.ipynb": b"x" * 1000})
    graded_ones, problems = collect([folder], HW)
    assert [one.student for one in graded_ones] == ["bob"]
    assert problems[0].sentence.startswith("w/jane.ipynb is larger than 200 MB, expected a notebook")
    (folder / "bob.ipynb").write_bytes(b"x" * 1001)
    with pytest.raises(ValueError, match="^w/bob.ipynb is larger than 200 MB"):
        graded_ones[0].read()


def test_a_zip_bomb_is_stopped_on_the_way(tmp_path, monkeypatch):
    bomb = zipped(None, {"hw2_maml.ipynb": b"\0" * 30_000_000})
    assert "grows more than 200 times" in beside(tmp_path, bomb)
    assert "grows more than 200 times" in sentence(zipped(tmp_path / "t.zip", {"jane.ipynb": b"\0" * 30_000_000}))
    monkeypatch.setattr(archives, "SPARE", 1000)
    nested = zipped(None, {"inner.zip": zipped(None, {"a.ipynb": b"\0" * 3_000_000})})
    assert "is a zip within a zip, which is not opened" in beside(tmp_path, nested)
    repetitive = zipped(None, {"hw2_maml.ipynb": b'{"cells": []}' * 50})
    assert graded(tree(tmp_path / "w", {"jane.zip": repetitive})) == {"jane": b'{"cells": []}' * 50}


def test_more_members_than_anybody_hands_in(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 20)
    monkeypatch.setattr(found, "MAX_MEMBERS", 20)
    many = {f"{number}.txt": b"" for number in range(21)}
    assert "lists more than 20 files" in beside(tmp_path, zipped(None, many))
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 5)  # so that zip64 is written
    assert "lists more than 20 files" in beside(tmp_path, zipped(None, many))
    many.popitem()
    assert "found 0.txt, 1.txt" in beside(tmp_path, zipped(None, many))
    monkeypatch.undo()
    monkeypatch.setattr(found, "MAX_MEMBERS", 20)
    with pytest.raises(ValueError, match="w holds more than 20 files"):
        collect([tree(tmp_path / "w", {f"{number}.ipynb": b"" for number in range(21)})], HW)


def test_more_to_compare_than_is_worth_it(tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "MAX_COMPARED", 100)
    files = {f"jane/{number}.ipynb": b"x" * 60 for number in range(3)}
    assert graded(tree(tmp_path / "small", dict.fromkeys(["jane/a.ipynb", "jane/b.ipynb"], b"x"))) == {"jane": b"x"}
    assert "that differ" in sentence(tree(tmp_path / "large", files))
    files = {f"jane/{number}.ipynb": b"" for number in range(choice.MAX_NOTEBOOKS + 1)}
    assert "found 21 that differ" in sentence(tree(tmp_path / "many", files))
    assert len(only(tree(tmp_path / "many", {"jane/hw2_maml.ipynb": b"x"})).others) == submissions.LISTED + 1


@pytest.mark.parametrize("mode, words", [(SYMLINK, "is a symbolic link"), (FIFO, "is a device or a pipe")])
def test_special_members(tmp_path, mode, words):
    content = zipped(None, {"hw2_maml.ipynb": b"/etc/passwd"}, mode=mode)
    assert words in beside(tmp_path, content)
    assert words in sentence(zipped(tmp_path / "t.zip", {"jane/hw2_maml.ipynb": b"/etc/passwd"}, mode=mode))


def test_special_files_on_disk_are_never_opened(tmp_path):
    secret = tree(tmp_path, {"secret/hw2_maml.ipynb": b"secret"}) / "secret"
    folder = tree(tmp_path / "w", {"jane/hw2_maml.ipynb": b"jane", "ann/x.png": b""})
    (folder / "bob.ipynb").symlink_to(secret / "hw2_maml.ipynb")
    (folder / "kim").symlink_to(secret)
    (folder / "ann" / "deep").symlink_to(secret)
    (folder / "jane" / "more").symlink_to(folder)
    os.mkfifo(folder / "wei.ipynb")
    graded_ones, problems = collect([folder], HW)
    assert [(one.student, one.read()) for one in graded_ones] == [("jane", b"jane")]
    assert "w/jane/more is a symbolic link, which is not followed" in graded_ones[0].others[0]
    assert [(one.student, one.sentence.split(",")[0]) for one in problems] == [
        ("ann", "w/ann/deep is a symbolic link"), ("bob", "w/bob.ipynb is a symbolic link"),
        ("kim", "w/kim is a symbolic link"), ("wei", "w/wei.ipynb is a device or a pipe"),
    ]  # fmt: skip


def test_a_file_that_becomes_a_link_after_it_was_listed(tmp_path):
    folder = tree(tmp_path / "w", {"jane.ipynb": b"jane", "other": b"secret"})
    one = only(folder)
    (folder / "jane.ipynb").unlink()
    (folder / "jane.ipynb").symlink_to(folder / "other")
    with pytest.raises(ValueError, match="w/jane.ipynb cannot be read"):
        one.read()
    one = only(zipped(tmp_path / "bob.zip", {"a.txt": b"", "hw2_maml.ipynb": b"x"}))
    zipped(tmp_path / "bob.zip", {"a.txt": b"", "other.ipynb": b"y"})
    with pytest.raises(ValueError, match="has changed since it was listed"):
        one.read()


@pytest.mark.parametrize(
    "name", ["../x.ipynb", "/x.ipynb", "a/../../x.ipynb", "C:\\x.ipynb", "..\\x.ipynb", "\\x.ipynb"]
)
def test_paths_that_lead_out(tmp_path, name):
    before = sorted(tmp_path.parent.iterdir())
    assert "has a path that leads out of its folder" in beside(tmp_path, zipped(None, {name: b"x"}))
    assert "leads out" in sentence(zipped(tmp_path / "t.zip", {f"jane/{name}": b"x"}) if ".." in name else tree(
        tmp_path / "w", {"jane.zip": zipped(None, {name: b"x"})}))  # fmt: skip
    assert sorted(tmp_path.parent.iterdir()) == before


def test_backslashes_are_folders(tmp_path):
    path = zipped(tmp_path / "t.zip", {"jane\\hw2_maml.ipynb": b"jane", "bob\\sub\\hw2_maml.ipynb": b"bob"})
    assert graded(path) == {"jane": b"jane", "bob": b"bob"}


def test_names_that_deceive_a_reader(tmp_path):
    name = "a\u202ebypni.\u200b\x07\x1b[31m.ipynb"
    one = only(zipped(tmp_path / "s.zip", {f"doe\u202e_1_2_{name}": b"x", f"doe\u202e_1_3_z{name}": b"y"}))
    for text in (one.sentence, one.source, one.identity["name"], one.student):
        assert not re.search("[\u202e\u200b\x00-\x1f]", text)
    members = {"j" * 300 + "/" + "x" * 300 + ".ipynb": b"x", "bob/": b""}
    long = collect([zipped(tmp_path / "t.zip", members)], HW)[0][0]
    assert long.student == "j" * 80 and len(long.source) <= 300


def test_zip_names_without_a_character_set(tmp_path):
    """macOS writes UTF-8 into zips and does not say so; decomposed, what is more."""
    path = zipped(tmp_path / "t.zip", {"Jose\u0301/hw2_maml.ipynb": b"1", "Zoe\u0308/hw2_maml.ipynb": b"2"})
    path.write_bytes(patched_flags(path.read_bytes()))
    assert graded(path) == {"Jose": b"1", "Zoe": b"2"}


def patched_flags(content: bytes) -> bytes:
    """The same zip without the flag that its names are UTF-8."""
    data = bytearray(content)
    for signature, offset in ((b"PK\3\4", 7), (b"PK\1\2", 9)):
        at = -1
        while (at := data.find(signature, at + 1)) >= 0:
            data[at + offset] &= ~0x08
    return bytes(data)


def test_names_that_are_the_same_somewhere(tmp_path):
    names = ["Jane", "jane", "Jos\u00e9", "Jose", "CON", "nul.x", "a b", "a\tb", "\u738b", "..."]
    path = zipped(tmp_path / "t.zip", {f"{name}/hw2_maml.ipynb": name.encode() for name in names[:-1]})
    got = graded(path)
    assert sorted(got.values()) == sorted(name.encode() for name in names[:-1])
    assert len({student.casefold() for student in got}) == len(got)
    assert {"student_CON", "student_nul.x"} < set(got) and not {"Jane", "jane", "Jose"} & set(got)
    assert got == graded(zipped(tmp_path / "t.zip", {f"{n}/hw2_maml.ipynb": n.encode() for n in names[-2::-1]}))
    both = zipped(tmp_path / "u.zip", {"Jos\u00e9/a.ipynb": b"x", "Jose\u0301/a.ipynb": b"x", "bob/a.ipynb": b""})
    assert graded(both) == {"Jose": b"x", "bob": b""}


@given(st.text(max_size=400))
def test_any_text_gives_a_safe_id(text):
    name = safe_id(text)
    assert SAFE.fullmatch(name) and not name.endswith(".")
    assert name.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
    assert not re.search("[\n\r\u202e\u200b]", clean(text)) and len(clean(text)) <= 160


NAMES = st.text(st.sampled_from("aAbé\u0301 ._-0f\u200b王")) | st.text(max_size=100)


@given(st.dictionaries(NAMES, NAMES, max_size=8))
def test_different_students_get_different_ids(wishes):
    ids = safe_ids(wishes)
    assert ids.keys() == wishes.keys() and all(map(SAFE.fullmatch, ids.values()))
    assert len({name.casefold() for name in ids.values()}) == len(wishes)
    assert ids == safe_ids(dict(reversed(wishes.items())))
    again = safe_ids({name: name for name in ids.values()} | {key + "'": name for key, name in ids.items()})
    assert len({name.casefold() for name in again.values()}) == len(again)


@settings(max_examples=60, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=5, unique=True))
def test_members_of_any_name(names):
    with tempfile.TemporaryDirectory() as folder:
        path = zipped(Path(folder) / "t.zip", {f"{n.encode('utf-8', 'replace').decode()}.ipynb": b"x" for n in names})
        graded_ones, problems = collect([path], HW)
        ids = [one.student for one in graded_ones + problems]
        assert ids and all(map(SAFE.fullmatch, ids)) and len({name.casefold() for name in ids}) == len(ids)
        assert all(one.read() == b"x" for one in graded_ones)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6), st.integers(0, 400))
def test_no_damage_to_a_zip_stops_the_others(changes, cut):
    data = bytearray(zipped(None, {"a/hw2_maml.ipynb": b"the notebook" * 9, "b.txt": b"text"}))
    for at, value in changes:
        data[at % len(data)] = value
    with tempfile.TemporaryDirectory() as folder:
        path = tree(Path(folder) / "w", {"jane.zip": bytes(data[: len(data) - max(0, cut - 300)]), "bob.ipynb": b"bob"})
        graded_ones, problems = collect([path], HW)
        everybody = {one.student: one for one in graded_ones + problems}
        assert set(everybody) == {"bob", "jane"} and everybody["bob"].read() == b"bob"
        jane = everybody["jane"]
        assert jane.read() == b"the notebook" * 9 if isinstance(jane, Submission) else jane.sentence
