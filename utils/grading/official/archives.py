"""Zips listed and files read without extracting, following or believing anything."""

import io
import os
import re
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from utils.grading.official.found import MAX_MEMBERS, Found, Refused, special

MAX_BYTES = 200 * 1000 * 1000  # of one file, as it is read and not as its header says
MAX_RATIO = 200  # bytes out for a byte in, beyond the first SPARE; notebooks reach 20, the format allows 1,032
SPARE = 10 * 1000 * 1000
PIECE = 1 << 20
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others can ask for gigabytes of memory in their header
TOO_LARGE = f"is larger than {MAX_BYTES // 1_000_000} MB, expected a notebook: ask for one without its large outputs"
DAMAGED = "is damaged, expected a zip that opens: ask for it again"


def nothing(size: int) -> None:
    """Where nobody counts the bytes that are read."""


def in_zip(zipped: Found) -> list[Found]:
    """The members of a zip, in its order: below its own `parts`, or as `inner` where it has some.

    Raises Refused if it is not a zip that can be listed.
    """
    if zipped.fault:
        raise Refused(zipped.fault)
    with _refusing(), ExitStack() as stack:
        file, _ = _open(zipped, stack, nothing, whole=True)
        archive = stack.enter_context(_archive(file))
        return [_member(zipped, index, member) for index, member in enumerate(archive.infolist())]


def pieces(found: Found, spend: Callable[[int], None] = nothing, limit: int | None = None) -> Iterator[bytes]:
    """The bytes of a file, piece by piece; `spend` hears of all that is read on the way, and may raise Refused.

    Raises Refused if it cannot be read, is larger than `limit` (MAX_BYTES) or grows as only a zip bomb does.
    """
    if found.fault:
        raise Refused(found.fault)
    with _refusing(), ExitStack() as stack:
        file, packed = _open(found, stack, spend)
        yield from _counted(file, packed, spend, MAX_BYTES if limit is None else limit)


@contextmanager
def _refusing():
    """Whatever a hostile file does to the library becomes Refused."""
    try:
        yield
    except Refused:
        raise
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror or error}") from error
    except Exception as error:
        raise Refused(DAMAGED) from error


def _open(found: Found, stack: ExitStack, spend, whole: bool = False) -> tuple[BinaryIO, int | None]:
    """The file, opened, and the bytes it takes in its zip; `whole`: read into memory, if it lies in a zip."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file, packed = stack.enter_context(os.fdopen(os.open(found.path, flags), "rb")), None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        raise Refused("is not a file, expected a notebook or a zip")
    for step, (index, name) in enumerate(found.members, 1):
        archive = stack.enter_context(_archive(file))
        member = archive.infolist()[index]
        if member.orig_filename != name:
            raise Refused("has changed since it was listed: start again")
        if _unusable(member):
            raise Refused(_unusable(member))
        file, packed = stack.enter_context(archive.open(member)), member.compress_size
        if whole or step < len(found.members):
            file = io.BytesIO(b"".join(_counted(file, packed, spend, MAX_BYTES)))
    return file, packed


def _counted(file: BinaryIO, packed: int | None, spend, limit: int) -> Iterator[bytes]:
    size = 0
    while piece := file.read(PIECE):
        size += len(piece)
        spend(len(piece))
        if size > limit:
            raise Refused(TOO_LARGE if limit == MAX_BYTES else f"is larger than {limit:,} bytes")
        if packed is not None and size > SPARE + MAX_RATIO * packed:
            raise Refused(f"grows more than {MAX_RATIO} times when it is unpacked, as a zip bomb does: ask for another")
        yield piece


def _member(zipped: Found, index: int, member: zipfile.ZipInfo) -> Found:
    split = re.split(r"[/\\]", _name(member))
    kept = tuple(part for part in split if part not in ("", ".", ".."))
    folder = split[-1] == ""
    fault = _unusable(member) or ("" if folder else special(member.external_attr >> 16))
    if ".." in split or (split[0] == "" and len(split) > 1) or split[0][1:2] == ":":
        fault = "has a path that leads out of its folder, expected one below it: ask for a new zip"
    elif not kept or "\0" in member.orig_filename:
        fault = "has no name that a file can have: ask for a new zip"
    parts = kept or ("nameless",)
    year, *rest = member.date_time
    return Found(
        parts=zipped.parts or parts,
        path=zipped.path,
        members=zipped.members + ((index, member.orig_filename),),
        inner=parts if zipped.parts else (),
        modified="{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format(year, *rest),
        folder=folder,
        fault=fault,
    )


def _name(member: zipfile.ZipInfo) -> str:
    """The name as it was meant: macOS writes UTF-8 and does not say so."""
    if member.flag_bits & 0x800:
        return member.orig_filename
    try:
        return member.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.orig_filename


def _unusable(member: zipfile.ZipInfo) -> str:
    """What the header alone tells against a member; ''."""
    if member.flag_bits & 0x1:
        return "is encrypted, expected a plain zip: ask for one without a password"
    if member.compress_type not in METHODS:
        return "is compressed in an unusual way, expected deflate: ask for a new zip"
    return TOO_LARGE if member.file_size > MAX_BYTES else ""


def _archive(file: BinaryIO) -> zipfile.ZipFile:
    """The zip, once its listing is known to be short enough to make an object of each member."""
    end, length = _listing(file)
    file.seek(max(0, end - length))
    seen, before = 0, b""
    while end > file.tell() and (piece := file.read(min(PIECE, end - file.tell()))):
        seen += (before + piece).count(b"PK\1\2")
        before = piece[-3:]
        if seen > MAX_MEMBERS:
            raise Refused(f"lists more than {MAX_MEMBERS:,} files, expected one notebook: ask for a new zip")
    return zipfile.ZipFile(file)


def _listing(file: BinaryIO) -> tuple[int, int]:
    """Where a zip's listing of its members ends, and its length (APPNOTE 4.3.14 to 4.3.16)."""
    start = max(0, file.seek(0, os.SEEK_END) - (1 << 16) - 22)
    file.seek(start)
    tail = file.read()
    bare = tail[-22:-18] == b"PK\5\6" and tail[-2:] == b"\0\0"
    at = len(tail) - 22 if bare else tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < 22:
        raise Refused(DAMAGED)
    (length,) = struct.unpack("<L", tail[at + 12 : at + 16])
    file.seek(max(0, start + at - 76))
    large = file.read(76)
    if large[56:60] == b"PK\6\7" and large[:4] == b"PK\6\6":
        return start + at - 76, *struct.unpack("<Q", large[40:48])
    return start + at, length
