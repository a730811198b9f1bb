"""Glyphs: letters of real scripts, drawn by a slightly unsteady hand, from the fonts that matplotlib ships.

It has Omniglot's form (alphabets, characters, 20 instances of 28 x 28) and needs no download. A class is a
letter, its alphabet the script, and what Omniglot's twenty drawers are there are font faces here, plus a small
smooth distortion. Letters that look alike once their size is taken away (Latin A, Greek Alpha and Cyrillic A; o
and O) are one class, the one of the lowest code point.
"""

import unicodedata
import warnings

import matplotlib
import numpy as np
import torch

from utils.paths import cache_dir
from utils.tasks import cache
from utils.tasks.images import Images
from utils.tasks.letterforms import FACES, KINDS, Shapes, faces_that_are, fonts, letters, script_of, shapes
from utils.tasks.pen import SIZE, Pen, bend, place

VERSION = 1  # of the way Glyphs is made; part of the file's name and of every random number
INSTANCES = 20
ALIKE = 1.5  # pixels of ink that two letters must not have in common to be two classes
BLOT = 0.33  # stroke width, as a share of the letter's side, from which on a letter is a dot
PLAIN_STROKE = 0.12  # stroke width of the plain forms that are compared, as a share of the letter's side
# How much wider strokes may get as pens differ, as a share of their width; less thin where a face has hairlines.
THINNEST = np.array([-0.12 if name.startswith(("DejaVuSerif", "STIX")) else -0.35 for name in FACES])
THICKEST = 0.1
# Held out by the "alphabets" split: scripts of several families, a little over a fifth of the letters.
HELD_OUT = ("Armenian", "Georgian", "Georgian Khutsuri", "Hebrew", "Lao", "N'Ko", "Ogham", "Tifinagh")


def load() -> Images:
    """The Glyphs data set: from the cache folder if it is there and whole, else drawn anew (some seconds).

    characters are Unicode names: `unicodedata.lookup(images.characters[0])` is the letter itself.
    labels: "case" [C]; "face" (index of the font), "serif", "mono", "bold" and "slanted", each [C, 20].
    """
    name = f"glyphs-{VERSION}-matplotlib-{matplotlib.__version__}.safetensors"
    try:
        path = cache_dir() / name
        kept = cache.read(path)
        reason = None
    except OSError as error:
        kept, reason = None, str(error)
    if kept:
        return _images(*kept)
    tensors, notes = make()
    reason = reason or cache.keep(path, tensors, notes)
    if reason:
        warnings.warn(f"Glyphs could not be kept for the next time, so it is drawn anew on every start: {reason}. "
                      "Set COURSE_CACHE to a folder that can be written.", stacklevel=2)
    return _images(tensors, notes)


def make() -> tuple[dict[str, torch.Tensor], dict]:
    """Draw everything: the tensors of the cache file, and its notes (names)."""
    opened = fonts()
    wanted = [(code, face) for code, faces in letters(opened).items() for face in faces]
    outlines = shapes(opened, wanted)
    entries: dict[int, list[int]] = {}  # the outlines of each letter, the plainest face first
    width = np.ones(len(wanted))
    width[outlines.owner] = outlines.width
    for index in np.flatnonzero(width < BLOT).tolist():  # a few letters are nothing but a dot, or not drawn at all
        entries.setdefault(wanted[index][0], []).append(index)
    classes = distinct(list(entries), outlines.take(np.array([faces[0] for faces in entries.values()])))
    scripts = {code: script_of(chr(code)) for code in classes}
    alphabets = sorted(set(scripts.values()))
    order = sorted(classes, key=lambda code: (scripts[code], code))
    face_of = np.array([face for _, face in wanted])
    pen = Pen(INSTANCES)
    pixels, chosen = zip(*(draw(code, entries[code], outlines, face_of, pen) for code in order), strict=True)
    tensors = {
        "pixels": np.stack(pixels),
        "face": face_of[np.stack(chosen)],
        "alphabet": np.array([alphabets.index(scripts[code]) for code in order]),
        "case": np.array([case_of(code, classes[code]) for code in order]),
    }
    notes = {"alphabets": alphabets, "characters": [unicodedata.name(chr(code)) for code in order]}
    return {name: torch.from_numpy(values) for name, values in tensors.items()}, notes


def distinct(codes: list[int], plain: Shapes) -> dict[int, list[int]]:
    """{code point of a class: the code points of all letters that look like it, itself first}.

    Two letters look alike if next to no ink of either lies more than a pixel away from the other's, when both
    are drawn straight, at the same size and with the same stroke width.
    """
    ink = plain_forms(plain).astype(np.int16)
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    near = np.maximum.reduce([padded[:, i : i + SIZE, j : j + SIZE] for i in range(3) for j in range(3)])
    coarse = near.reshape(len(ink), SIZE // 2, 2, SIZE // 2, 2).mean((2, 4), dtype=np.float32).reshape(len(ink), -1)
    coarse -= coarse.mean(1, keepdims=True)
    coarse /= np.linalg.norm(coarse, axis=1, keepdims=True)
    correlation = coarse @ coarse.T
    first, members = [], {}
    for i, code in enumerate(codes):
        rivals = np.array(first, int)
        rivals = rivals[correlation[i, rivals] > 0.8]  # quick: most pairs differ at first sight
        mine = np.maximum(ink[i] - near[rivals], 0).sum((1, 2))
        theirs = np.maximum(ink[rivals] - near[i], 0).sum((1, 2))
        alike = rivals[np.maximum(mine, theirs) <= ALIKE * 255]
        if len(alike):
            members[codes[alike[0]]].append(code)
        else:
            first.append(i)
            members[code] = [code]
    return members


def plain_forms(plain: Shapes) -> np.ndarray:
    """Letters drawn straight and with strokes of much the same width for all, uint8 [C, 28, 28]."""
    points = plain.bolder(np.clip(PLAIN_STROKE / plain.width - 1, -0.4, 0.6))
    count = plain.owner[-1] + 1
    points = place(points, plain.owner, np.zeros((count, 2)))
    pen, images = Pen(INSTANCES), []
    for begin in range(0, count, INSTANCES):
        these = slice(*np.searchsorted(plain.owner, (begin, begin + INSTANCES)))
        images.append(pen.fill(points[these], plain.ends[these], plain.owner[these] - begin))
    return np.concatenate(images)[:count]


def draw(
    code: int, entries: list[int], outlines: Shapes, face_of: np.ndarray, pen: Pen
) -> tuple[np.ndarray, np.ndarray]:
    """All instances of one letter: uint8 [20, 28, 28], and which of its `entries` in `outlines` each shows, [20].

    The random numbers depend on the letter alone, so that one letter more or less changes no other.
    """
    rng = np.random.default_rng([VERSION, code])
    chosen = np.resize(rng.permutation(entries), INSTANCES)  # every face about equally often
    letter = outlines.take(chosen)
    weight = rng.uniform(THINNEST[face_of[chosen]], THICKEST)
    points = bend(letter.bolder(weight[letter.owner]), letter.owner, INSTANCES, rng)
    points = place(points, letter.owner, rng.normal(0, 0.8, (INSTANCES, 2)))
    return pen.fill(points, letter.ends, letter.owner), chosen


def case_of(code: int, members: list[int]) -> int:
    """0 lower, 1 upper, 2 caseless: a letter without case, or one whose two cases are `members` of one class."""
    category = unicodedata.category(chr(code))
    if category == "Lo" or ord(chr(code).swapcase()[0]) in members[1:]:
        return 2
    return int(category == "Lu")


def _images(tensors: dict[str, torch.Tensor], notes: dict) -> Images:
    alphabets = tuple(notes["alphabets"])
    labels = {"case": tensors["case"], "face": tensors["face"]}
    for kind in KINDS:
        labels[kind] = torch.from_numpy(faces_that_are(kind))[tensors["face"]]
    held_out = torch.tensor([name in HELD_OUT for name in alphabets])
    names = {"case": ("lower", "upper", "caseless"), "face": FACES} | {kind: ("no", "yes") for kind in KINDS}
    return Images("Glyphs", tensors["pixels"], alphabets, tensors["alphabet"], tuple(notes["characters"]),
                  held_out[tensors["alphabet"]], labels, names)
