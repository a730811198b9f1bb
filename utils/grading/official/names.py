"""Names from strangers, as text for a person and as ids that every file system can hold."""

import hashlib
import re
import unicodedata

LONGEST = 80  # characters of an id
MARK = 16  # hex digits that keep two ids apart
MARKED = re.compile(rf"-[0-9a-f]{{{MARK}}}$", re.IGNORECASE)
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|conin|conout|clock)(?:\.|$)", re.IGNORECASE)
COPY = re.compile(r"(?:-\d+| ?\(\d+\)|-Copy\d*)$")


def clean(text: str, longest: int = 160) -> str:
    """`text` on one line and not too long; what is invisible, turns text around or is no character is replaced."""
    shown = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"


def same(name: str) -> str:
    """The one form of a name that file systems spell in several ways."""
    return unicodedata.normalize("NFC", name)


def safe_id(text: str) -> str:
    """Letters, digits, '.', '_' and '-' of ASCII; never empty, hidden, reserved by Windows or over 80 characters."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c) and unicodedata.category(c)[0] != "C")
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._-")[:LONGEST].rstrip(".")
    if not plain:
        return "student"
    return f"student_{plain}"[:LONGEST].rstrip(".") if RESERVED.match(plain) else plain


def safe_ids(wishes: dict[str, str]) -> dict[str, str]:
    """{key of a student: id} for {key: the id wished for}, whatever the order; equal keys are one student.

    Where two ids would be the same, also where capitals do not count, every one of them carries a mark of its key.
    """
    plain = {key: safe_id(wish) for key, wish in wishes.items()}
    often = {}
    for name in plain.values():
        often[name.casefold()] = often.get(name.casefold(), 0) + 1
    return {
        key: _marked(name, key) if often[name.casefold()] > 1 or name == "student" or MARKED.search(name) else name
        for key, name in plain.items()
    }


def _marked(name: str, key: str) -> str:
    mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:MARK]
    return f"{name[: LONGEST - MARK - 1]}-{mark}"


def stem(name: str) -> str:
    """A file's name without .ipynb or .zip."""
    return re.sub(r"\.(?:ipynb|zip)$", "", name, flags=re.IGNORECASE)


def is_called(name: str, homework: str) -> bool:
    """True if a file or folder carries the homework's name, also as a copy: hw2-1.ipynb, hw2 (1).ipynb."""
    bare, wanted = same(stem(name)).casefold(), same(homework).casefold()
    return wanted in (bare, COPY.sub("", bare), COPY.sub("", same(stem(name))).casefold())


def upload_number(name: str, homework: str) -> tuple[str, int]:
    """('hw2', 1) for hw2-1.ipynb, which is what Canvas makes of a second upload of hw2.ipynb."""
    bare = same(stem(name)).casefold()
    match = re.fullmatch(r"(.+)-(\d{1,9})", bare)
    if not match or bare == same(homework).casefold():
        return bare, 0
    return match[1], int(match[2])
