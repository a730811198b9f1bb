"""What was handed in: one notebook for each student, or the sentence that says what a person has to decide.

No notebook is parsed here and nothing is extracted. Of several attempts the newest counts, by the platform's time, then
by Canvas's numbers for uploads, then by the date in the zip or on disk; the others are named in `others`. Within an
attempt the notebook with the homework's name counts, else the only one; the same bytes twice are one notebook.
"""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from utils.grading.official.archives import in_zip, pieces
from utils.grading.official.choice import Handed, chosen, newest, opened
from utils.grading.official.found import Found, Refused, in_folder, one_file
from utils.grading.official.names import clean, safe_ids, upload_number
from utils.grading.official.platforms import Container, Owner, is_handed_in, owners

LISTED = 20  # texts in `others`


@dataclass(frozen=True)
class HandedIn:
    """Whose it is and where it came from: the fields are those of a record."""

    student: str
    identity: dict
    source: str
    submitted: str | None
    late: bool
    others: tuple[str, ...]


@dataclass(frozen=True)
class Submission(HandedIn):
    """One student's notebook, not read yet."""

    found: Found = field(repr=False)

    def read(self) -> bytes:
        """The bytes that were handed in. Raises ValueError, with a sentence for a person, if they cannot be read."""
        try:
            return b"".join(pieces(self.found))
        except Refused as error:
            raise ValueError(f"{self.source} {error}") from error


@dataclass(frozen=True)
class Problem(HandedIn):
    """What a person has to decide before this student can be graded."""

    sentence: str


def collect(paths: list[Path], homework: str) -> tuple[list[Submission], list[Problem]]:
    """Everything that was handed in below `paths`, sorted by student.

    Raises ValueError if a path is not there, or neither a notebook, a folder nor a zip.
    """
    students: dict[str, list[Handed]] = {}
    for place, container in enumerate(_containers(paths)):
        whole = Found((), Path(container.label), folder=True)
        nobody = [(whole, Owner(f"name {container.name}", container.name, ()))]
        for found, owner in list(owners(container, homework)) or nobody:
            number = upload_number(owner.rest[-1], homework)[1] if owner.upload else 0
            handed = Handed(container.label, found, owner, (place, owner.attempt), number)
            students.setdefault(owner.key, []).append(handed)
    ids = safe_ids({key: min(handed.owner.wish for handed in found) for key, found in students.items()})
    made = [_decided(ids[key], handed, homework) for key, handed in students.items()]
    made.sort(key=lambda one: one.student)
    return [m for m in made if isinstance(m, Submission)], [m for m in made if isinstance(m, Problem)]


def _decided(student: str, handed: list[Handed], homework: str) -> Submission | Problem:
    """The notebook that counts, or what keeps it from counting."""
    now, earlier = newest(handed, homework)
    inside = [one for whole in now for one in opened(whole)]
    try:
        one, left = chosen(inside, homework)
        problem = ""
    except Refused as error:
        notebooks = [one for one in inside if one.is_notebook]
        one, left, problem = (notebooks or [one for one in inside if one.why] or now)[0], [], str(error)
    others = [f"{other.source} {other.why or '(not counted)'}" for other in left]
    others += [f"{old.source} (earlier)" for old in earlier if old.is_candidate]
    others += [one.owner.note] if one.owner.note else []
    if len(others) > LISTED:
        others[LISTED:] = [f"and {len(others) - LISTED} more"]
    late = any(each.owner.late for each in now)
    fields = (student, one.owner.identity, one.source, one.owner.submitted, late, tuple(others))
    return Problem(*fields, problem) if problem else Submission(*fields, one.found)


def _containers(paths: list[Path]) -> list[Container]:
    """One for every folder and zip; notebooks, and zips that carry a student's name, count as part of their folder."""
    made, beside = [], {}
    for path in dict.fromkeys(_checked(path) for path in paths):
        if path.is_dir():
            try:
                made.append(Container(path.name or "folder", path.name, in_folder(path)))
            except Refused as error:
                raise ValueError(f"{clean(str(path))} {error}") from error
        elif path.suffix.lower() == ".ipynb" or is_handed_in(path.name):
            beside.setdefault(path.parent, []).append(one_file(path))
        else:
            made.append(_zip(path))
    made += [Container(folder.name or "folder", folder.name, found) for folder, found in beside.items()]
    return _alone(made)


def _checked(path: Path) -> Path:
    shown = clean(str(path))
    if not os.path.exists(path):
        raise ValueError(f"there is no {shown}: expected a notebook, a folder or a zip of submissions")
    if not os.path.isdir(path) and (Path(path).suffix.lower() not in (".ipynb", ".zip") or not os.path.isfile(path)):
        raise ValueError(f"{shown} is neither a notebook (.ipynb), a folder nor a zip: name one of these")
    return Path(os.path.abspath(path))


def _zip(path: Path) -> Container:
    try:
        return Container(path.stem, path.name, in_zip(Found((), path.resolve())), zipped=True)
    except Refused as error:
        return Container(path.stem, "", [Found((path.name,), path, fault=str(error))], alone=True)


def _alone(containers: list[Container]) -> list[Container]:
    """Where several folders hold one notebook each, all of the same name, the folders are the students."""
    single = []
    for container in containers:
        files = [one for one in container.found if one.is_candidate]
        top = files[0].parts if len(files) == 1 and not container.zipped and not container.alone else ()
        single.append(top[0].casefold() if len(top) == 1 and not is_handed_in(top[0]) else "")
    return [
        replace(container, alone=True) if name and single.count(name) > 1 else container
        for container, name in zip(containers, single, strict=True)
    ]
