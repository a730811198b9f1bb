"""Omniglot: 1,623 handwritten characters of 50 alphabets, each drawn by 20 people (Lake et al., 2015).

`COURSE_DATA` names a folder with the two official archives; without it, those that `course data omniglot` fetched
are used. They are converted once (about 10 s) and kept in the cache folder.
"""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import torch

from utils.paths import cache_dir
from utils.tasks import cache, omniglot_archives
from utils.tasks.download import DownloadError, download
from utils.tasks.images import Images
from utils.tasks.omniglot_archives import DataError, convert, fingerprint

__all__ = ["DataError", "available", "fetch", "load"]

VERSION = 1  # of the conversion; part of the kept file's name
URL = "https://github.com/brendenlake/omniglot/raw/master/python"


def archive_folder() -> Path:
    """Where the archives are, or would be after `course data omniglot`. Raises OSError as `cache_dir` does."""
    given = os.environ.get("COURSE_DATA")
    return Path(given).expanduser() if given else cache_dir() / "omniglot"


def available() -> bool:
    """Is Omniglot here (or does COURSE_DATA claim so)? Looks, but reads nothing."""
    if os.environ.get("COURSE_DATA"):
        return True
    try:
        folder = archive_folder()
    except OSError:
        return False
    return all((folder / f"{archive.name}.zip").is_file() for archive in omniglot_archives.ARCHIVES)


def load() -> Images:
    """Omniglot at 28 x 28; held_out marks the 659 characters of the evaluation set.

    Raises DataError, saying what was expected, found and what to do, when the archives are not there or wrong.
    """
    images, reason = _load()
    if reason:
        warnings.warn(f"The converted Omniglot could not be kept, so every start converts it anew: {reason}. "
                      "Set COURSE_CACHE to a folder that can be written.", stacklevel=2)
    return images


def _load() -> tuple[Images, str | None]:
    """The images, and why their conversion could not be kept (None if it is)."""
    try:
        folder = archive_folder()
    except OSError as error:
        raise DataError(f"Omniglot is not here, and the cache folder cannot be used ({error}); "
                        "set COURSE_DATA to a folder with the archives.") from error
    if not available():
        raise DataError("Omniglot is not on this machine; run `course data omniglot`, or set COURSE_DATA to a "
                        "folder with its archives.")
    key = fingerprint(folder)
    try:
        path = cache_dir() / f"omniglot-{VERSION}-{key}.safetensors"
    except OSError as error:
        return _images(*_convert_both(folder)), str(error)
    if key and (kept := cache.read(path)):
        return _images(*kept), None
    kept = _convert_both(folder)
    reason = cache.keep(path, *kept) if key else "the archives have no plain table of contents"
    return _images(*kept), reason


def _convert_both(folder: Path) -> tuple[dict[str, torch.Tensor], dict]:
    print("Converting Omniglot, once: about 10 s", file=sys.stderr, flush=True)
    parts = [convert(folder, archive) for archive in omniglot_archives.ARCHIVES]
    names = [name for _, alphabets, _ in parts for name in alphabets]
    alphabets = list(dict.fromkeys(names))
    tensors = {
        "pixels": np.concatenate([pixels for pixels, _, _ in parts]),
        "alphabet": np.array([alphabets.index(name) for name in names]),
        "held_out": np.arange(len(parts)).repeat([len(pixels) for pixels, _, _ in parts]) == 1,
    }
    notes = {"alphabets": alphabets, "characters": [name for _, _, characters in parts for name in characters]}
    return {name: torch.from_numpy(values) for name, values in tensors.items()}, notes


def _images(tensors: dict[str, torch.Tensor], notes: dict) -> Images:
    return Images("Omniglot", tensors["pixels"], tuple(notes["alphabets"]), tensors["alphabet"],
                  tuple(notes["characters"]), tensors["held_out"])


def fetch() -> int:
    """`course data omniglot`: download what is missing, check it, convert it. Exit status 0 if Omniglot is ready."""
    try:
        folder = archive_folder()
        if not os.environ.get("COURSE_DATA"):
            folder.mkdir(parents=True, exist_ok=True)
            for archive in omniglot_archives.ARCHIVES:
                download(f"{URL}/{archive.name}.zip", folder / f"{archive.name}.zip", archive.md5)
        images, reason = _load()
    except DownloadError as error:
        print(f"{error}\n{by_hand(folder)}")
        return 1
    except DataError as error:
        print(error)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Run `course data omniglot` again to go on.")
        return 130
    except OSError as error:
        print(f"The cache folder cannot be used ({error}); set COURSE_CACHE to a folder that can be written.")
        return 1
    if reason:
        print(f"Omniglot is complete, but its conversion could not be kept ({reason}); free some space "
              "(about 40 MB), or set COURSE_CACHE to another folder.")
        return 1
    print(f"Omniglot is ready: {len(images):,} characters of {len(images.alphabets)} alphabets.")
    return 0


def by_hand(folder: Path) -> str:
    """How to go on when the download fails."""
    urls = "\n  ".join(f"{URL}/{archive.name}.zip" for archive in omniglot_archives.ARCHIVES)
    return (f"Until then the notebooks use Glyphs. Run `course data omniglot` again to go on where it stopped, or get\n"
            f"  {urls}\nby hand and put them in {folder}, or in a folder that COURSE_DATA names.")
