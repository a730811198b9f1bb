"""Which of the files that one student handed in is the notebook that counts."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from utils.grading.official.archives import MAX_BYTES, in_zip, pieces
from utils.grading.official.found import Found, Refused, is_junk
from utils.grading.official.names import clean, is_called, upload_number
from utils.grading.official.platforms import Owner

MAX_NOTEBOOKS = 20  # that are compared for one student
MAX_COMPARED = 2 * MAX_BYTES  # bytes that are read for it
SHOWN = 5  # names in a sentence


@dataclass(frozen=True)
class Handed:
    """A file or folder of a student, or a file inside their zip. attempt: what was handed in with it; why: a doubt."""

    label: str
    found: Found
    owner: Owner
    attempt: tuple
    number: int = 0
    why: str = ""

    @property
    def source(self) -> str:
        """Where it lies, for a person."""
        return clean("/".join(clean(name) for name in (self.label, *self.found.parts, *self.found.inner) if name), 300)

    @property
    def name(self) -> str:
        """As the student named it, without the platform's prefix."""
        return (self.found.inner or self.owner.rest or ("",))[-1]

    @property
    def is_notebook(self) -> bool:
        return self.found.suffix == ".ipynb" and not self.is_junk

    @property
    def is_candidate(self) -> bool:
        return self.found.suffix in (".ipynb", ".zip") and not self.is_junk

    @property
    def is_junk(self) -> bool:
        return any(map(is_junk, self.owner.rest + self.found.inner))

    @property
    def age(self) -> tuple:
        """Larger is newer: the platform's time, Canvas's numbers for uploads, the date in the zip or on disk."""
        dated = not self.is_junk and not self.found.folder
        return self.owner.submitted or "", self.owner.upload, self.number, self.found.modified if dated else ""


def newest(handed: list[Handed], homework: str) -> tuple[list[Handed], list[Handed]]:
    """(the newest attempt, what came before): attempts of one age are one."""
    ages = {}
    for one in handed:
        ages[one.attempt] = max(ages.get(one.attempt, one.age), one.age)
    last = max(ages.values())
    now = [one for one in handed if ages[one.attempt] == last]
    replaced = {id(one) for one in _replaced(now, homework)}
    counting = [one for one in now if id(one) not in replaced]
    return counting, [one for one in handed if id(one) in replaced or ages[one.attempt] != last]


def _replaced(now: list[Handed], homework: str) -> list[Handed]:
    """Uploads to Canvas that a later one of the same name replaces: hw2.ipynb, where there is hw2-1.ipynb.

    Canvas counts from the bare name, so part-1 and part-2 without it are two notebooks and stay.
    """
    series = {}
    for one in now:
        if one.owner.upload:
            base, number = upload_number(one.name, homework)
            series.setdefault((base, one.found.suffix), {}).setdefault(number, []).append(one)
    replaced = []
    for (base, _), numbers in series.items():
        if 0 in numbers or is_called(base, homework):
            last = max((one for several in numbers.values() for one in several), key=lambda one: one.age)
            kept = numbers[upload_number(last.name, homework)[1]]
            replaced += [one for several in numbers.values() if several is not kept for one in several]
    return replaced


def opened(handed: Handed) -> list[Handed]:
    """The file itself, or what is in it where it is a zip: one level deep. What cannot be opened carries its doubt."""
    if handed.is_junk or handed.is_notebook:
        return [handed]
    if handed.found.suffix != ".zip":
        return [replace(handed, why=handed.found.fault)]
    if handed.found.inner:
        return [replace(handed, why="is a zip within a zip, which is not opened: ask for the notebook itself")]
    try:
        members = [replace(handed, found=found) for found in in_zip(handed.found)]
    except Refused as error:
        return [replace(handed, why=str(error))]
    return [one for member in members for one in ([member] if member.found.folder else opened(member))]


def chosen(inside: list[Handed], homework: str) -> tuple[Handed, list[Handed]]:
    """(the notebook that counts, other notebooks and doubts that do not).

    Raises Refused, with a whole sentence, if a person has to decide.
    """
    notebooks = [one for one in inside if one.is_notebook]
    doubts = [one for one in inside if one.why and not one.is_junk]
    if not notebooks:
        raise Refused(_no_notebook(inside, doubts, homework))
    pool = [one for one in notebooks if is_called(one.name, homework)] or notebooks
    different = _different(pool, homework)
    if len(different) > 1:
        raise Refused(_several([same[0] for same in different], homework))
    (same,) = different
    return same[0], [one for one in notebooks if one not in same] + doubts


def _different(pool: list[Handed], homework: str) -> list[list[Handed]]:
    """The notebooks, those with the same bytes together. Raises Refused if the only one cannot be read."""
    if len(pool) > MAX_NOTEBOOKS:
        raise Refused(_several(pool, homework))
    spend, same = _allowance(MAX_COMPARED), {}
    for one in pool:
        digest = hashlib.sha256()
        try:
            for piece in pieces(one.found, spend):
                digest.update(piece)
        except Refused as error:
            if len(pool) == 1:
                raise Refused(f"{one.source} {error}") from error
            same[one.source, len(same)] = [one]
        else:
            same.setdefault(digest.digest(), []).append(one)
    return list(same.values())


def _allowance(left: int) -> Callable[[int], None]:
    """A function that takes away from `left` bytes and raises Refused when they are used up."""

    def spend(size: int) -> None:
        nonlocal left
        left -= size
        if left < 0:
            raise Refused("and what lies beside it are too large to compare: ask for the one notebook that counts")

    return spend


def _no_notebook(inside: list[Handed], doubts: list[Handed], homework: str) -> str:
    if doubts:
        return "; ".join(f"{one.source} {one.why}" for one in doubts[:3])
    names = [clean(one.name, 60) for one in inside if not one.found.folder and one.name and not one.is_junk]
    listed = ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "") or "nothing"
    return f"expected a notebook, best called {homework}.ipynb; found {listed}: ask for it, or put it there"


def _several(notebooks: list[Handed], homework: str) -> str:
    listed = ", ".join(clean(one.name, 60) for one in notebooks[:SHOWN]) + (" ..." if len(notebooks) > SHOWN else "")
    return (
        f"expected one notebook, best called {homework}.ipynb; found {len(notebooks)} that differ: {listed}. "
        "Find out which one counts and leave only that one there"
    )
