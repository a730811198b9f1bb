"""Which letters the fonts of matplotlib hold, and their outlines: the raw material of Glyphs."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font, LoadFlags

# The font files in order: the first that has a letter shows its plain form.
FACES = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
    "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta",
)
# Parts of their names that tell which faces are of a kind.
KINDS = {
    "serif": ("Serif", "STIX"),
    "mono": ("Mono",),
    "bold": ("Bold", "Bol"),
    "slanted": ("Oblique", "Italic", "Ita"),
}
# First word of a letter's Unicode name -> the name of its script.
SCRIPTS = {
    "LATIN": "Latin", "GREEK": "Greek", "COPTIC": "Coptic", "CYRILLIC": "Cyrillic", "ARMENIAN": "Armenian",
    "HEBREW": "Hebrew", "ARABIC": "Arabic", "NKO": "N'Ko", "LAO": "Lao", "GEORGIAN": "Georgian",
    "CANADIAN": "Canadian syllabics", "OGHAM": "Ogham", "TIFINAGH": "Tifinagh", "LISU": "Lisu",
    "OLD": "Old Italic",
}
PIECES = 3  # each curve or line of an outline becomes so many short lines


@dataclass(frozen=True)
class Shapes:
    """The outlines of many letters as closed polygons: P corners, polygon after polygon, letter after letter.

    points: [P, 2], y upwards; ends: [P] bool, the last corner of each polygon; owner: [P], the letter's index;
    width: [P], the mean width of the letter's strokes; outward: [P, 2], the move of each corner when all edges
    move outwards by 1.
    """

    points: np.ndarray
    ends: np.ndarray
    owner: np.ndarray
    width: np.ndarray
    outward: np.ndarray

    def take(self, letters: np.ndarray) -> "Shapes":
        """Some of the letters, each of which may come several times; they are numbered from 0 again."""
        start = np.searchsorted(self.owner, letters)
        count = np.searchsorted(self.owner, letters, side="right") - start
        owner = np.arange(len(letters)).repeat(count)
        corner = np.arange(count.sum()) + (start - np.append(0, count.cumsum()[:-1]))[owner]
        return Shapes(self.points[corner], self.ends[corner], owner, self.width[corner], self.outward[corner])

    def bolder(self, share: np.ndarray) -> np.ndarray:
        """The corners [P, 2] when the strokes get wider by this share [P] of their width (or thinner, below 0)."""
        return self.points + self.outward * (self.width * share / 2)[:, None]


def faces_that_are(kind: str) -> np.ndarray:
    """1 for each face of FACES that is of this kind of KINDS, else 0: int64 [16]."""
    return np.array([int(any(part in name for part in KINDS[kind])) for name in FACES])


def script_of(character: str) -> str | None:
    """The script of a letter, or None if this is not a letter that Glyphs uses.

    Accented letters and compatibility forms (all that Unicode decomposes) are left out, but for the shapes that
    Arabic letters take within a word, and two old hands of Latin that are alphabets of their own to the eye.
    """
    if unicodedata.category(character) not in ("Ll", "Lu", "Lo"):
        return None
    name = unicodedata.name(character, "")
    decomposition = unicodedata.decomposition(character).split(" ")[0]
    if name.startswith(("MATHEMATICAL FRAKTUR ", "BLACK-LETTER ")):
        return "Fraktur"
    if name.startswith(("MATHEMATICAL SCRIPT ", "SCRIPT ")):
        return "Roundhand"
    if decomposition and not (name.startswith("ARABIC LETTER") and decomposition in ("<initial>", "<medial>")):
        return None
    if "\u10a0" <= character <= "\u10cf" or "\u2d00" <= character <= "\u2d2f":
        return "Georgian Khutsuri"  # the old capitals and their small letters, unlike today's alphabet
    return SCRIPTS.get(name.split(" ")[0])


def fonts() -> list[FT2Font]:
    """The faces of FACES, opened at a size where rounding to 1/64 pixel does not matter."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    opened = [FT2Font(str(folder / f"{face}.ttf")) for face in FACES]
    for font in opened:
        font.set_size(500, 72)
    return opened


def letters(opened: list[FT2Font]) -> dict[int, list[int]]:
    """{code point: the faces that have it}, in the order of the code points, for every letter of SCRIPTS."""
    maps = [set(font.get_charmap()) for font in opened]
    codes = [code for code in sorted(set().union(*maps)) if script_of(chr(code))]
    return {code: [face for face, there in enumerate(maps) if code in there] for code in codes}


def shapes(opened: list[FT2Font], wanted: list[tuple[int, int]]) -> Shapes:
    """The outlines of (code point, face) pairs, each centred on 0 and scaled to a longest side of 1.

    A pair whose font draws nothing owns no corner.
    """
    points, codes, count = [np.empty((0, 2))], [np.empty(0, np.uint8)], []
    for code, face in wanted:
        opened[face].load_char(code, flags=LoadFlags.NO_HINTING)
        path = opened[face].get_path()
        points.append(path[0])
        codes.append(path[1])
        count.append(len(path[1]))
    owner = np.arange(len(wanted)).repeat(count)
    points, ends, corner = flatten(np.concatenate(points), np.concatenate(codes))
    owner = owner[corner]
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    low, high = np.minimum.reduceat(points, first), np.maximum.reduceat(points, first)
    nth = np.unique(owner, return_inverse=True)[1]
    points = (points - ((low + high) / 2)[nth]) / (high - low).max(1)[nth, None]
    return Shapes(points, ends, owner, *strokes(points, ends, owner))


def flatten(points: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paths of matplotlib's codes (1 move, 2 line, 3 curve through a control point, 79 close) as polygons.

    Returns the corners [P, 2], a mark [P] on the last corner of each polygon, and the row that each came from [P].
    """
    controls = np.flatnonzero(codes == 3)[::2]  # a curve is two rows: its control point, then its end
    is_stop = np.ones(len(codes), bool)
    is_stop[controls] = False
    rows = np.flatnonzero(is_stop)
    kind, stop = codes[rows], points[rows]
    stop[kind == 79] = stop[kind == 1]  # a closing line leads back to where its polygon began
    start = np.roll(stop, 1, axis=0)
    middle = (start + stop) / 2
    middle[kind == 3] = points[controls]
    t = np.arange(1, PIECES + 1)[:, None] / PIECES
    flat = (1 - t) ** 2 * start[:, None] + 2 * t * (1 - t) * middle[:, None] + t**2 * stop[:, None]
    drawn = (kind != 1) & (start != stop).any(1)
    polygon = np.cumsum(kind == 1)[drawn].repeat(PIECES)
    ends = np.append(polygon[1:] != polygon[:-1], True)
    return flat[drawn].reshape(-1, 2), ends, rows[drawn].repeat(PIECES)


def strokes(points: np.ndarray, ends: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The width and the outward move of Shapes. The width is twice the area over the perimeter."""
    follow = np.arange(1, len(ends) + 1)  # the next corner of the same polygon
    follow[ends] = np.append(0, follow[ends][:-1])
    x, y = points.T
    step_x, step_y = (points[follow] - points).T
    length = np.hypot(step_x, step_y)
    area = np.bincount(owner, x * step_y - y * step_x)[owner] / 2
    width = 2 * np.abs(area) / np.bincount(owner, length)[owner]
    normal = np.stack([step_y, -step_x], 1) * (np.sign(area) / length)[:, None]
    both = normal.copy()
    both[follow] += normal  # the edges before and after a corner; each corner follows exactly one
    return width, both / np.maximum(0.5, (both**2).sum(1) / 2)[:, None]
