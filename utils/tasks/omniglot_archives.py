"""Omniglot's two archives: are they what they should be, and what is in them.

Nothing is unpacked to disk: members are recognised by their names, read one at a time, and never trusted for
their size.
"""

import hashlib
import io
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

DRAWERS = 20  # each character was drawn once by each of 20 people
SIDE = 105  # pixels of an image's side in the archives
SIZE = 28  # and after conversion
LARGEST_MEMBER = 20_000  # bytes; the largest real one has 522
LARGEST_ARCHIVE = 100_000_000  # bytes; the larger real one has 9.5 million
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error, ValueError)


class Archive(NamedTuple):
    """One of the two archives: its name without .zip, how many characters it holds, the MD5 as published."""

    name: str
    characters: int
    md5: str


ARCHIVES = (
    Archive("images_background", 964, "68d2efa1b9178cc56df9314c21c6e718"),
    Archive("images_evaluation", 659, "6b91aef0f799c5bb55b94e3f2daec811"),
)


class DataError(Exception):
    """A data set is not there or not as it should be; the message says what to do."""


def convert(folder: Path, archive: Archive) -> tuple[np.ndarray, list[str], list[str]]:
    """The characters of one archive: pixels uint8 [C, 20, 28, 28], and alphabet and name of each.

    Raises DataError, with one sentence, when the archive is missing, damaged or another one.
    """
    path = folder / f"{archive.name}.zip"
    check_file(path)
    try:
        with zipfile.ZipFile(path) as file:
            members = characters(path, archive, file)
            pixels = np.stack([shrink(np.stack([read(path, file, m) for m in drawn])) for drawn in members.values()])
    except BROKEN as error:
        raise DataError(f"{path} is damaged or incomplete ({error}); get it again.") from error
    except OSError as error:
        raise DataError(f"{path} could not be read ({error.strerror or error}); get it again.") from error
    alphabets = [key.split("/")[0].replace("_", " ") for key in members]
    return pixels, alphabets, [key.replace("_", " ").replace("/character", " ") for key in members]


def check_file(path: Path) -> None:
    """Raise DataError unless there is a file of a believable size at `path`."""
    if not path.is_file():
        both = " and ".join(f"{archive.name}.zip" for archive in ARCHIVES)
        raise DataError(f"{path} is missing: expected {both} in the folder that COURSE_DATA names; put them there, "
                        "or unset COURSE_DATA and run `course data omniglot`.")
    if path.stat().st_size > LARGEST_ARCHIVE:
        raise DataError(f"{path} has {path.stat().st_size:,} bytes, expected about 9 million; get it again.")


def characters(path: Path, archive: Archive, file: zipfile.ZipFile) -> dict[str, list[zipfile.ZipInfo]]:
    """{alphabet/character: its images} in the order of the names; raises DataError if this is another archive."""
    pattern = re.compile(re.escape(archive.name) + r"/([^/]+/character\d\d)/\d{4}_\d\d\.png")
    found: dict[str, list[zipfile.ZipInfo]] = {}
    for member in sorted(file.infolist(), key=lambda member: member.filename):
        match = pattern.fullmatch(member.filename)
        if match and match[1] not in found:
            found[match[1]] = []
        if match:
            found[match[1]].append(member)
    tops = {name.split("/")[0] for name in file.namelist()}
    other = [a.name for a in ARCHIVES if a.name in tops and a != archive]
    if other and not found:
        raise DataError(f"{path} holds {other[0]}: the two archives are swapped; rename them.")
    if len(found) != archive.characters:
        raise DataError(f"{path} holds {len(found)} characters, expected {archive.characters}; "
                        "get the official archive (`course data omniglot` says where).")
    for key, members in found.items():
        if len(members) != DRAWERS:
            raise DataError(f"{path} holds {len(members)} images of {key}, expected {DRAWERS}; get it again.")
    return found


def read(path: Path, file: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """One image, bool [105, 105], True for ink."""
    where = f"{member.filename} in {path}"
    if member.file_size > LARGEST_MEMBER:
        raise DataError(f"{where} has {member.file_size:,} bytes, expected under {LARGEST_MEMBER:,}; get it again.")
    data = file.read(member)
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            size = image.size
            pixels = np.asarray(image.convert("1")) if size == (SIDE, SIDE) else None
    except (OSError, SyntaxError, Image.DecompressionBombError, *BROKEN) as error:
        raise DataError(f"{where} is no readable PNG image; get the archive again.") from error
    if pixels is None:
        raise DataError(f"{where} has {size[0]} x {size[1]} pixels, expected {SIDE} x {SIDE}; "
                        "get the official archive.")
    return ~pixels


def shrink(ink: np.ndarray) -> np.ndarray:
    """Area average of bool [N, 105, 105] to uint8 [N, 28, 28], 255 ink.

    Exact: a small pixel is 3.75 large ones wide, so in quarters of a pixel all weights are whole numbers.
    """
    quarters = np.arange(4 * SIDE)
    weights = np.zeros((SIZE, SIDE), np.float32)
    np.add.at(weights, (quarters * SIZE // (4 * SIDE), quarters // 4), 1)
    return np.rint(weights @ ink.astype(np.float32) @ weights.T * (255 / (4 * SIDE / SIZE) ** 2)).astype(np.uint8)


def fingerprint(folder: Path) -> str | None:
    """What the archives in a folder hold, without reading the images: a hash of their tables of contents.

    A zip file's table (at its end) has the name, size and checksum of every member. None where there is none.
    """
    digest = hashlib.sha256()
    for archive in ARCHIVES:
        try:
            with open(folder / f"{archive.name}.zip", "rb") as file:
                length = file.seek(0, io.SEEK_END)
                file.seek(-min(length, 66_000), io.SEEK_END)
                tail = file.read()
                size, offset = struct.unpack_from("<II", tail, tail.rindex(b"PK\5\6") + 12)
                file.seek(offset)
                digest.update(file.read(min(size, LARGEST_ARCHIVE)))
        except (OSError, ValueError, struct.error):
            return None
    return digest.hexdigest()[:16]
