"""What lies in a folder: names, and where the bytes are. Nothing is opened and no link is followed."""

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

MAX_MEMBERS = 100_000  # of a folder or a zip
JUNK = {"__macosx", "__pycache__"}


class Refused(ValueError):
    """Why a file cannot be used, as what follows its name in a sentence: 'is encrypted, expected ...'."""


@dataclass(frozen=True)
class Found:
    """A file or a folder, by name only.

    parts: its path below the folder or zip that was named; inner: its path inside a zip that lies at `parts`;
    path and members: where its bytes are; modified: local time as text; fault: '' or why it cannot be opened.
    """

    parts: tuple[str, ...]
    path: Path
    members: tuple[tuple[int, str], ...] = ()
    inner: tuple[str, ...] = ()
    modified: str = ""
    folder: bool = False
    fault: str = ""

    @property
    def suffix(self) -> str:
        """'.ipynb', '.zip', ... in small letters; '' for a folder."""
        return "" if self.folder else os.path.splitext((self.parts + self.inner)[-1])[1].lower()

    @property
    def is_candidate(self) -> bool:
        """True for a notebook or a zip that nobody's system left behind."""
        return self.suffix in (".ipynb", ".zip") and not any(map(is_junk, self.parts))


def is_junk(part: str) -> bool:
    """True for what systems and editors leave behind: dotfiles, checkpoints, __MACOSX."""
    return part.startswith(".") or part.casefold() in JUNK


def in_folder(root: Path) -> list[Found]:
    """Everything below `root`, sorted. Junk folders and symbolic links are named, never entered.

    Raises Refused if `root` cannot be listed or holds more than anybody hands in.
    """
    found, waiting = [], [Found((), root, folder=True)]
    while waiting:
        folder = waiting.pop()
        try:
            entries = [_on_disk(folder.parts + (entry.name,), Path(entry.path)) for entry in os.scandir(folder.path)]
        except OSError as error:
            why = f"cannot be opened: {error.strerror}"
            if not folder.parts:
                raise Refused(why) from error
            found.append(Found(folder.parts, folder.path, folder=True, fault=why))
            continue
        found += entries
        waiting += [entry for entry in entries if entry.folder and not is_junk(entry.parts[-1])]
        if len(found) > MAX_MEMBERS:
            raise Refused(f"holds more than {MAX_MEMBERS:,} files, expected submissions: name the folder they lie in")
    return sorted(found, key=lambda one: one.parts)


def one_file(path: Path) -> Found:
    """The file `path` as if it were alone in its folder; a link that a person named is followed."""
    return _on_disk((path.name,), path.resolve())


def _on_disk(parts: tuple[str, ...], path: Path) -> Found:
    try:
        about = os.lstat(path)
    except OSError as error:
        return Found(parts, path, fault=f"cannot be opened: {error.strerror}")
    modified = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(about.st_mtime))
    folder = stat.S_ISDIR(about.st_mode)
    return Found(parts, path, modified=modified, folder=folder, fault="" if folder else special(about.st_mode))


def special(mode: int) -> str:
    """Why something of this st_mode is not opened; '' for a file, and where the mode does not tell."""
    if stat.S_ISLNK(mode):
        return "is a symbolic link, which is not followed: put the file itself there"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is a device or a pipe, which is not opened: expected a file"
    return ""
