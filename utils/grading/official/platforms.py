"""Whose a file is, as the naming of Canvas, Moodle, Gradescope, nbgrader or of plain folders has it.

Only names outside a student's own zip are looked at: what is inside it says nothing about who the student is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from utils.grading.official.archives import pieces
from utils.grading.official.found import Found, Refused, is_junk
from utils.grading.official.metadata import LARGEST, gradescope, iso_time
from utils.grading.official.names import clean, is_called, same, stem

WHO = r"(?:(?P<name>.+?)_(?P<late>LATE_)?(?P<user>\d+)|(?P<late2>LATE_)?(?P<anonymous>anon_[A-Za-z0-9]+))"
CANVAS = re.compile(rf"{WHO}_(?:(?P<upload>\d{{1,18}})_(?P<rest>.+)|(?P<text>(?:text|link)\.html))", re.DOTALL)
MOODLE = re.compile(r"(?P<name>.+)_(?P<user>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)", re.DOTALL)
GRADESCOPE = re.compile(r"submission_\d+")
METADATA = "submission_metadata.yml"


@dataclass(frozen=True)
class Container:
    """A PATH: name without a suffix, label for a person; alone: what it holds is all of the student of that name."""

    name: str
    label: str
    found: list[Found]
    zipped: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Owner:
    """A student, and what the platform says of a file. rest: its path as the student named it; upload: Canvas's id."""

    key: str
    wish: str
    rest: tuple[str, ...]
    identity: dict = field(default_factory=dict)
    late: bool = False
    submitted: str | None = None
    upload: int = 0
    attempt: str = ""
    note: str = ""


def owners(container: Container, homework: str) -> Iterator[tuple[Found, Owner]]:
    """Every file and folder that belongs to a student, once for each member of a group.

    Raises ValueError if Gradescope's metadata is there and cannot be read.
    """
    named = [(found.parts, found) for found in container.found]
    below = [(names[1:], found) for names, found in named if names[0] == "submitted" and len(names) > 1]
    submitted = named if container.name == "submitted" else below
    if any(len(names) > 2 for names, _ in submitted):
        yield from _nbgrader(submitted, homework)
        return
    named = [(names, found) for names, found in _unwrapped(named, container.name, homework) if names]
    if container.alone or (container.zipped and _is_one_students(named, homework)):
        yield from ((found, _named(container.name, names)) for names, found in named)
        return
    people = _metadata(container, named)
    for names, found in named:
        if not is_junk(names[0]):
            for owner in _moodle(names) or _canvas(names) or _gradescope(names, people) or _plain(
                names, found, container.name, homework
            ):
                yield found, owner


def is_handed_in(name: str) -> bool:
    """True for the name of one student's file in a download of Canvas or Moodle."""
    return bool(CANVAS.fullmatch(name) or MOODLE.fullmatch(name))


def _is_one_students(named: list, homework: str) -> bool:
    """True for a student's own zip: one notebook in no folder or in the only one, or the homework's in no folder."""
    files = [names for names, found in named if found.is_candidate]
    if any(_is_platforms(names[0]) for names, _ in named):
        return False
    folders = {names[0] for names, found in named if not is_junk(names[0]) and (len(names) > 1 or found.folder)}
    alone = len(files) == 1 and (len(files[0]) == 1 or len(folders) == 1)
    return alone or any(len(names) == 1 and is_called(names[0], homework) for names in files)


def _is_platforms(name: str) -> bool:
    return is_handed_in(name) or bool(GRADESCOPE.fullmatch(name))


def _unwrapped(named: list, container: str, homework: str) -> list:
    """The names below a folder that only wraps the download: assignment_1_export/, week5/ in week5.zip."""
    while True:
        tops = {names[0] for names, _ in named if names and not is_junk(names[0])}
        below = [names[1:] for names, _ in named if names[:1] and names[0] in tops and len(names) > 1]
        wrapper = tops.pop() if len(tops) == 1 else ""
        if not below or not wrapper or _is_platforms(wrapper):
            return named
        known = any(_is_platforms(names[0]) for names in below)
        if not known and wrapper != container and not is_called(wrapper, homework):
            return named
        named = [(names[1:] if names[:1] == (wrapper,) else names, found) for names, found in named]


def _named(name: str, rest: tuple[str, ...], **more) -> Owner:
    return Owner(key=f"name {same(name)}", wish=name, rest=rest, **more)


def _moodle(names: tuple[str, ...]) -> list[Owner]:
    match = MOODLE.fullmatch(names[0])
    if not match:
        return []
    rest = ((match["rest"],) if match["rest"] else ()) + names[1:]
    identity = {"name": clean(match["name"])}
    return [Owner(f"moodle {match['user']}", f"{match['name']}_{match['user']}", rest, identity)]


def _canvas(names: tuple[str, ...]) -> list[Owner]:
    match = CANVAS.fullmatch(names[0]) if len(names) == 1 else None
    if not match:
        return []
    user = match["user"] or match["anonymous"]
    identity = {"name": clean(match["name"]), "canvas_id": user} if match["user"] else {}
    wish = f"{match['name']}_{user}" if match["user"] else user
    late = bool(match["late"] or match["late2"])
    rest = (match["rest"] or match["text"],)
    return [Owner(f"canvas {user}", wish, rest, identity, late, upload=int(match["upload"] or 0), attempt="canvas")]


def _metadata(container: Container, named: list) -> dict:
    for names, found in named:
        if names == (METADATA,):
            try:
                return gradescope(b"".join(pieces(found, limit=LARGEST)))
            except Refused as error:
                raise ValueError(f"{METADATA} in {clean(container.label)} {error}") from error
            except ValueError as error:
                raise ValueError(
                    f"{METADATA} in {clean(container.label)} cannot be read ({clean(str(error))}): "
                    "it says who handed in what; export the submissions again"
                ) from error
    return {}


def _gradescope(names: tuple[str, ...], people: dict) -> list[Owner]:
    if not GRADESCOPE.fullmatch(names[0]):
        return []
    submitters, submitted = people.get(names[0], ([], None))
    submitters = [{key: clean(text) for key, text in person.items() if text.strip()} for person in submitters]
    made = []
    for person in filter(None, submitters):
        others = ", ".join(o.get("name", "somebody") for o in submitters if o is not person)
        note = f"handed in together with {others}" if others else ""
        key = person.get("sid") or person.get("email") or person["name"]
        wish = "_".join(text for text in (person.get("name"), person.get("sid")) if text) or key
        made.append(Owner(f"gradescope {key}", wish, names[1:], person, False, submitted, 0, names[0], note))
    return made or [_named(names[0], names[1:], attempt=names[0])]


def _nbgrader(named: list, homework: str) -> Iterator[tuple[Found, Owner]]:
    """STUDENT/ASSIGNMENT/...: if an assignment carries the homework's name, the others are not looked at."""
    named = [(names, found) for names, found in named if not is_junk(names[0]) and (len(names) > 1 or found.folder)]
    if any(len(names) > 1 and is_called(names[1], homework) for names, _ in named):
        named = [(names, found) for names, found in named if len(names) > 1 and is_called(names[1], homework)]
    times = {}
    for names, found in named:
        if len(names) == 3 and names[2] == "timestamp.txt" and not found.fault:
            try:
                times[names[:2]] = iso_time(b"".join(pieces(found, limit=200)).decode("ascii", "replace"))
            except Refused:
                times[names[:2]] = None
    for names, found in named:
        yield found, _named(names[0], names[2:], submitted=times.get(names[:2]))


def _plain(names: tuple[str, ...], found: Found, container: str, homework: str) -> list[Owner]:
    """STUDENT.ipynb or STUDENT/...; what carries the homework's name belongs to the one whose folder this is."""
    top = names[0]
    if len(names) == 1 and not found.folder and found.suffix not in (".ipynb", ".zip") and not found.fault:
        return []
    if is_called(top, homework):
        return [_named(container, names)]
    return [_named(stem(top) if len(names) == 1 and not found.folder else top, names[1:] or names)]
