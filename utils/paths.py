"""Where the course keeps what it makes or downloads."""

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """The cache folder: `COURSE_CACHE` if set, else the user's own cache folder. Made when missing."""
    folder = Path(os.environ.get("COURSE_CACHE") or platformdirs.user_cache_dir("metalearning-course"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def course_root() -> Path:
    """The checkout: the folder that holds lectures/, homework/ and utils/."""
    return Path(__file__).resolve().parent.parent


def short(path: Path) -> str:
    """A path as people read it: from the checkout, or from the home folder (`~`), where it lies in one of them."""
    path = Path(path)
    for folder, name in ((course_root(), ""), (Path.home(), "~")):
        if path.is_relative_to(folder):
            return (Path(name) / path.relative_to(folder)).as_posix()
    return str(path)
