"""The kept file of Glyphs: damaged, unwritable, half-written."""

import warnings

import pytest
import torch

from utils.tasks import cache, glyphs


@pytest.fixture
def small(monkeypatch):
    """Glyphs with two letters, made at once; returns a list that grows with each making."""
    made = []

    def make():
        made.append(1)
        tensors = {"pixels": torch.zeros(2, 20, 28, 28, dtype=torch.uint8), "alphabet": torch.tensor([0, 1]),
                   "face": torch.zeros(2, 20, dtype=torch.int64), "case": torch.tensor([0, 1])}
        return tensors, {"alphabets": ["Greek", "Latin"], "characters": ["GREEK SMALL LETTER PSI", "b"]}

    monkeypatch.setattr(glyphs, "make", make)
    return made


def flip(data):
    return data[:-5000] + bytes([data[-5000] ^ 1]) + data[-4999:]


@pytest.mark.parametrize("damage", [flip, lambda data: data[:-100], lambda data: b"", lambda data: b"x" * 5000])
def test_damaged_file_is_made_anew(course_cache, small, damage):
    glyphs.load()
    (path,) = course_cache.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert glyphs.load().alphabets == ("Greek", "Latin")
    assert len(small) == 2
    assert path.read_bytes() == whole
    glyphs.load()
    assert len(small) == 2


@pytest.mark.parametrize("trouble", ["no folder", "no file"])
def test_unwritable_cache_costs_only_time(course_cache, small, monkeypatch, trouble):
    if trouble == "no folder":
        (course_cache / "file").write_text("in the way", encoding="utf-8")
        monkeypatch.setenv("COURSE_CACHE", str(course_cache / "file" / "cache"))
    else:
        monkeypatch.setattr(cache.os, "replace", refuse)
    with pytest.warns(UserWarning, match="COURSE_CACHE") as caught:
        assert len(glyphs.load()) == 2
    assert len(caught) == 1
    assert not list(course_cache.glob("*.safetensors*"))


def refuse(source, target):
    raise PermissionError(13, "Permission denied", str(target))


def test_leftovers_of_killed_processes_go(course_cache, small):
    old, new = course_cache / "a.safetensors.1-2.part", course_cache / "b.safetensors.3-4.part"
    for path in (old, new):
        path.write_text("half", encoding="utf-8")
    cache.os.utime(old, (0, 0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        glyphs.load()
    assert not old.exists()
    assert new.exists()
