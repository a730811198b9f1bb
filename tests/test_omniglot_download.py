"""`course data omniglot` against a web server that does its worst."""

import errno
import os

import pytest
from omniglot_in_small import archives, in_a_child, needs_fork, server

from utils.tasks import download, omniglot
from utils.tasks.images import few_shot_images

__all__ = ["archives", "server"]


@needs_fork
def test_two_processes_at_once(archives, course_cache, server):
    """Both download and convert; both succeed, and what they leave is whole."""
    children = [in_a_child(lambda: os._exit(omniglot.fetch())) for _ in range(2)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert len(list(course_cache.glob("omniglot-*"))) == 1
    assert not list(course_cache.rglob("*.part"))
    assert len(omniglot.load()) == 5


def test_download(archives, course_cache, server, capsys):
    assert omniglot.fetch() == 0
    assert "Omniglot is ready: 5 characters of 3 alphabets." in capsys.readouterr().out
    assert omniglot.available()
    assert few_shot_images().name == "Omniglot"
    assert server.asked == [None, None]
    assert omniglot.fetch() == 0
    assert len(server.asked) == 2


@pytest.mark.parametrize("then", [None, "no ranges"])
def test_interrupted_download_goes_on(archives, course_cache, server, capsys, then):
    """A second call asks for the missing bytes only, and copes with a server that sends all again."""
    server.trouble = "breaks off"
    assert omniglot.fetch() == 1
    said = capsys.readouterr().out
    assert "broke off" in said
    assert "again" in said
    assert not omniglot.available()
    (part,) = course_cache.rglob("*.part")
    have = part.stat().st_size
    assert have == (archives / "images_background.zip").stat().st_size // 2
    server.trouble = then
    assert omniglot.fetch() == 0
    assert server.asked == [None, f"bytes={have}-", None]
    assert not list(course_cache.rglob("*.part"))


def test_complete_part_is_recognised(archives, course_cache, server):
    """The process died between the last byte and the renaming."""
    (course_cache / "omniglot").mkdir()
    data = (archives / "images_background.zip").read_bytes()
    (course_cache / "omniglot" / "images_background.zip.part").write_bytes(data)
    assert omniglot.fetch() == 0


@pytest.mark.parametrize(("trouble", "sentence"), [(404, "answered 404"), (500, "answered 500"),
                                                   ("wrong bytes", "not send the published file (MD5")])
def test_wrong_answers(archives, course_cache, server, capsys, trouble, sentence):
    server.trouble = trouble
    assert omniglot.fetch() == 1
    said = capsys.readouterr().out
    assert sentence in said
    assert "images_evaluation.zip" in said
    assert "Glyphs" in said
    assert "COURSE_DATA" in said
    assert not omniglot.available()
    assert not [path for path in course_cache.rglob("*") if path.is_file()]
    server.trouble = None
    assert omniglot.fetch() == 0


def test_no_network(archives, course_cache, server, capsys):
    server.shutdown()
    server.server_close()
    assert omniglot.fetch() == 1
    said = capsys.readouterr()
    assert "could not be fetched" in said.out
    assert "by hand" in said.out
    assert "Glyphs" in said.out
    assert "Traceback" not in said.out + said.err
    assert not omniglot.available()


def test_full_disk_while_downloading(archives, course_cache, server, capsys, monkeypatch):
    def no_space(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "open", no_space, raising=False)
    assert omniglot.fetch() == 1
    assert "could not be written (No space left on device)" in capsys.readouterr().out
    assert not omniglot.available()
