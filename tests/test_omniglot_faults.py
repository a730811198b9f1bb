"""Whatever happens to Omniglot's archives, the answer is one clear sentence and never a half-made cache."""

import errno
import os
import signal

import pytest
from omniglot_in_small import archives, in_a_child, members, needs_fork, pack, png

from utils.tasks import cache, omniglot, omniglot_archives
from utils.tasks.images import few_shot_images
from utils.tasks.omniglot import DataError

__all__ = ["archives"]


def kept(folder):
    return sorted(path.name for path in folder.glob("omniglot-*"))


def rewrite(folder, name, change):
    contents = members(name)
    change(contents)
    pack(folder / f"{name}.zip", contents)


def truncate(folder):
    path = folder / "images_background.zip"
    path.write_bytes(path.read_bytes()[:-1000])


def swap(folder):
    one, two = folder / "images_background.zip", folder / "images_evaluation.zip"
    one.rename(folder / "x")
    two.rename(one)
    (folder / "x").rename(two)


def flip_a_byte(folder):
    path = folder / "images_evaluation.zip"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 255
    path.write_bytes(data)


def break_an_image(folder):
    def change(contents):
        name = next(iter(contents))
        contents[name] = contents[name][:60]
    rewrite(folder, "images_background", change)


def another_size(folder):
    rewrite(folder, "images_background", lambda c: c.update({next(iter(c)): png(0, side=100)}))


def lose_an_image(folder):
    rewrite(folder, "images_background", lambda c: c.pop(next(iter(c))))


def lose_a_character(folder):
    rewrite(folder, "images_background", lambda c: [c.pop(name) for name in list(c) if "New_Script" in name])


def bomb(folder):
    rewrite(folder, "images_background", lambda c: c.update({next(iter(c)): bytes(5_000_000)}))


def climb_out(folder):
    rewrite(folder, "images_background",
            lambda c: c.update({"images_background/../character01/0001_01.png": png(0)}))


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (truncate, "images_background.zip is damaged or incomplete"),
        (swap, "the two archives are swapped"),
        (flip_a_byte, "images_evaluation.zip is damaged or incomplete"),
        (break_an_image, "is no readable PNG image"),
        (another_size, "has 100 x 100 pixels, expected 105 x 105"),
        (lose_an_image, "holds 19 images of Old_Script/character01, expected 20"),
        (lose_a_character, "holds 2 characters, expected 3"),
        (bomb, "has 5,000,000 bytes, expected under 20,000"),
        (climb_out, "holds 4 characters, expected 3"),
        (lambda folder: (folder / "images_evaluation.zip").unlink(), "images_evaluation.zip is missing"),
        (lambda folder: (folder / "images_background.zip").write_bytes(b""), "damaged or incomplete"),
    ],
)
def test_wrong_archives(archives, course_cache, monkeypatch, capsys, fault, sentence):
    """`load` raises the sentence, `course data omniglot` prints it and fails; nothing is kept."""
    monkeypatch.setenv("COURSE_DATA", str(archives))
    fault(archives)
    with pytest.raises(DataError) as caught:
        omniglot.load()
    message = str(caught.value)
    assert sentence in message
    assert "\n" not in message
    assert "get " in message or "put " in message or "rename" in message
    assert omniglot.fetch() == 1
    assert sentence in capsys.readouterr().out
    assert not list(course_cache.rglob("*"))
    assert not list(archives.parent.rglob("*.png"))


def test_course_data_names_no_folder(archives, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(archives / "nowhere"))
    with pytest.raises(DataError, match="nowhere.*is missing: expected.*COURSE_DATA"):
        few_shot_images()


def test_absent(archives):
    assert not omniglot.available()
    with pytest.raises(DataError, match="course data omniglot"):
        omniglot.load()


def test_other_archives_are_not_taken_for_the_kept_ones(archives, course_cache, monkeypatch):
    """The kept conversion belongs to its archives; the same archives elsewhere share it."""
    monkeypatch.setenv("COURSE_DATA", str(archives))
    first = omniglot.load()
    copy = archives.parent / "copy"
    copy.mkdir()
    for path in archives.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("COURSE_DATA", str(copy))
    omniglot.load()
    assert len(kept(course_cache)) == 1
    rewrite(copy, "images_evaluation", lambda c: c.update({next(iter(c)): png(99)}))
    assert not omniglot.load().pixels.equal(first.pixels)
    assert len(kept(course_cache)) == 2


def test_damaged_conversion_is_made_anew(archives, course_cache, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(archives))
    first = omniglot.load()
    (path,) = course_cache.glob("omniglot-*")
    whole = path.read_bytes()
    for damaged in (whole[:-10], b"", whole[:-5000] + bytes([whole[-5000] ^ 1]) + whole[-4999:]):
        path.write_bytes(damaged)
        assert omniglot.load().pixels.equal(first.pixels)
        assert path.read_bytes() == whole


def test_full_disk(archives, course_cache, monkeypatch, capsys):
    """The images are there, one warning says what it costs, no part of a file stays."""
    def half(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("COURSE_DATA", str(archives))
    monkeypatch.setattr(cache, "save_file", half)
    with pytest.warns(UserWarning, match="No space left on device.*COURSE_CACHE") as caught:
        assert len(omniglot.load()) == 5
    assert len(caught) == 1
    assert omniglot.fetch() == 1
    assert "free some space" in capsys.readouterr().out
    assert not list(course_cache.iterdir())


def test_unwritable_cache(archives, course_cache, monkeypatch, capsys):
    (course_cache / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("COURSE_CACHE", str(course_cache / "file" / "cache"))
    assert not omniglot.available()
    assert omniglot.fetch() == 1
    assert "set COURSE_CACHE" in capsys.readouterr().out
    with pytest.raises(DataError, match="set COURSE_DATA"):
        omniglot.load()
    monkeypatch.setenv("COURSE_DATA", str(archives))
    with pytest.warns(UserWarning, match="COURSE_CACHE"):
        assert len(omniglot.load()) == 5


@needs_fork
@pytest.mark.parametrize("moment", ["converting", "renaming"])
def test_killed(archives, course_cache, monkeypatch, moment):
    """kill -9 while the images are read, and when the file is written but not yet in its place."""
    monkeypatch.setenv("COURSE_DATA", str(archives))
    shrink, count = omniglot_archives.shrink, []

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def work():
        if moment == "converting":
            omniglot_archives.shrink = lambda ink: die() if len(count) == 2 else (count.append(1), shrink(ink))[1]
        else:
            cache.os.replace = die
        omniglot.load()

    _, status = os.waitpid(in_a_child(work), 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert not list(course_cache.glob("omniglot-*.safetensors"))
    assert len(omniglot.load()) == 5
    assert len(list(course_cache.glob("omniglot-*.safetensors"))) == 1
