"""What a student reads: one verdict, or the table of points, as text and as HTML for light and dark pages."""

import sys
from dataclasses import dataclass
from html import escape

from utils.grading.judge import Verdict

STATES = {  # a verdict's kind in a table; its own words where they do
    "raised": "raises an error",
    "type": "returns the wrong type",
    "names": "wrong names",
    "shape": "wrong shape",
    "dtype": "wrong dtype",
    "value": "wrong values",
    "misconception": "known misconception",
    "unavailable": "cannot be checked",
}
GREEN, ORANGE, RED, GREY = "#009E73", "#C98A00", "#D55E00", "#808080"


@dataclass(frozen=True)
class Feedback:
    """The verdict on one exercise; `points` is what it can earn, None where no exercise was meant."""

    name: str
    points: float | None
    verdict: Verdict

    @property
    def earned(self) -> float:
        return (self.points or 0) * self.verdict.credit

    @property
    def state(self) -> str:
        return STATES.get(self.verdict.kind, self.verdict.kind)

    @property
    def score(self) -> str:
        return "" if self.points is None else f"{self.earned:g}/{self.points:g}"

    def __repr__(self):
        return printable("  ".join(filter(None, (self.name, self.score, self.verdict.message))))

    def _repr_html_(self):
        message = escape(printable(self.verdict.message))
        mark, colour = sign(self.verdict)
        score = f" <b>{escape(self.score)}</b>" if self.score else ""
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 2px 10px; color: inherit">'
            f'<span style="color: {colour}; font-weight: bold">{mark}</span> '
            f"<code>{escape(printable(self.name))}</code>{score} {message}</div>"
        )


@dataclass(frozen=True)
class Summary:
    """Points per exercise and in total."""

    rows: list[Feedback]

    @property
    def total(self) -> str:
        return f"{sum(row.earned for row in self.rows):g}/{sum(row.points for row in self.rows):g}"

    def __repr__(self):
        width = max(len(row.name) for row in self.rows)
        lines = [f"{row.name:{width}}  {row.score:>5}  {row.state}" for row in self.rows]
        return "\n".join([*lines, f"{'total':{width}}  {self.total:>5}"])

    def _repr_html_(self):
        body = "".join(
            f"<tr><td><code>{escape(row.name)}</code></td><td>{escape(row.score)}</td>"
            f'<td><span style="color: {sign(row.verdict)[1]}">{sign(row.verdict)[0]}</span> '
            f"{escape(row.state)}</td></tr>"
            for row in self.rows
        )
        total = f"<tr><th>total</th><th>{escape(self.total)}</th><th></th></tr>"
        head = "<tr><th>exercise</th><th>points</th><th></th></tr>"
        return f'<table style="color: inherit"><thead>{head}</thead><tbody>{body}{total}</tbody></table>'


def printable(text: str) -> str:
    """Without control characters, line breaks or broken surrogates that an exception's text may hold."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def sign(verdict: Verdict) -> tuple[str, str]:
    """A symbol (plain type, no emoji) and a colour; the words say the same."""
    if verdict.kind == "passed":
        return "\u2713", GREEN
    if verdict.kind in ("not attempted", "missing", "unavailable", "not checked yet"):
        return "\u25cb", GREY
    return ("\u25d0", ORANGE) if verdict.credit else ("\u2717", RED)


def show(item):
    """At once: rich in a notebook, as text elsewhere."""
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        from IPython.display import display

        display(item)
    else:
        print(item)
