"""Docstrings of the course, plain text with a little Markdown, as reStructuredText."""

import re

CODE = re.compile(r"`([^`]+)`")
EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})(?=\S)([^*]+)(?<=\S)\1(?![\w*])")
SPECIAL = re.compile(r"([\\|*_`])")


def plain(text: str) -> str:
    """Words outside code and emphasis, where no character means anything to reStructuredText."""
    return SPECIAL.sub(r"\\\1", text)


def line(text: str) -> str:
    """One line: `code` and *emphasis* keep their meaning, everything else is words."""
    made, rest = "", text
    while rest:
        found = min(filter(None, (CODE.search(rest), EMPHASIS.search(rest))), key=lambda m: m.start(), default=None)
        if found is None:
            return made + plain(rest)
        mark = "``" if found.re is CODE else found[1]
        inner = found[1] if found.re is CODE else plain(found[2])
        made += plain(rest[: found.start()]) + _apart(made, found) + mark + inner + mark + r"\ "
        rest = rest[found.end() :]
    return made.removesuffix(r"\ ")


def _apart(made: str, found: re.Match) -> str:
    """The invisible space that reStructuredText wants between a word and a mark."""
    return r"\ " if found.start() or made else ""


def restructured(lines: list[str]) -> list[str]:
    """A docstring's lines; what is indented by four spaces or more becomes a block of its own, as it stands."""
    made, block = [], False
    for text in lines:
        indented = text.startswith("    ")
        if indented and not block:
            made += ["", "::", ""]
        if block and text.strip() and not indented:
            made.append("")
        block = indented or block and not text.strip()
        made.append(text if indented else line(text))
    return made
