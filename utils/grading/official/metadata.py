"""What a platform writes beside the files: Gradescope's submission_metadata.yml, nbgrader's timestamp.txt."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import yaml

DEEPEST = 40
LARGEST = 50 * 1000 * 1000  # bytes of submission_metadata.yml, which holds the output of every test as well
TIME = re.compile(r"\s*(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s*([A-Za-z0-9:+_/-]*)\s*")


def iso_time(text: str | None) -> str | None:
    """A time as '2026-02-03T12:05:06+00:00', which sorts; None where it is none. Without a zone it is UTC."""
    match = TIME.fullmatch(text or "")
    if not match:
        return None
    day, clock, zone = match.groups()
    try:
        if re.fullmatch(r"[+-]\d\d:?\d\d", zone):
            moment = datetime.fromisoformat(f"{day}T{clock}{zone}")
        else:
            place = UTC if zone in ("", "Z", "UTC") else ZoneInfo(zone)
            moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=place)
        return moment.astimezone(UTC).isoformat()
    except (ValueError, LookupError, OverflowError, OSError):
        return None


def gradescope(content: bytes) -> dict[str, tuple[list[dict], str | None]]:
    """{submission folder: ([{"name", "sid", "email"}], time)}. The document is walked, no object is made of it.

    Raises ValueError if it is not YAML or not a mapping.
    """
    submitters, times = {}, {}
    for path, value in _scalars(content):
        if len(path) == 4 and path[1] == "submitters" and path[3] in ("name", "sid", "email"):
            submitters.setdefault(path[0], {}).setdefault(path[2], {})[path[3]] = value
        elif len(path) == 2 and path[1] == "created_at":
            times[path[0]] = iso_time(value)
    return {folder: (list(people.values()), times.get(folder)) for folder, people in submitters.items()}


def _scalars(content: bytes):
    """(keys and positions that lead to it, text) of every scalar that is a value; Ruby's ':name' is 'name'."""
    path, lists = [], []  # the key or position in every open mapping or list, None where a key comes next
    try:
        for event in yaml.parse(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                path.append(0 if isinstance(event, yaml.SequenceStartEvent) else None)
                lists.append(isinstance(event, yaml.SequenceStartEvent))
                if len(path) > DEEPEST:
                    raise ValueError("it is nested too deeply")
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                path.pop()
                lists.pop()
                _next(path, lists, "?")
            elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
                value = getattr(event, "value", None) or ""
                if path and path[-1] is not None:
                    yield tuple(path), value
                _next(path, lists, value.removeprefix(":"))
    except (yaml.YAMLError, UnicodeError) as error:
        raise ValueError(" ".join(str(error).split())[:200]) from error


def _next(path: list, lists: list, key: str) -> None:
    """After a key or a value: what comes next in the innermost mapping or list."""
    if path and lists[-1]:
        path[-1] += 1
    elif path:
        path[-1] = key if path[-1] is None else None
