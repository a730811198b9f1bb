"""What strict mode does to a live figure: move every control and look at what comes out."""

import os

import ipywidgets as widgets
import numpy as np


def strict() -> bool:
    """COURSE_STRICT=1: callbacks raise, and each live figure drives itself when it is made."""
    return os.environ.get("COURSE_STRICT", "0") not in ("", "0")


def stops(control) -> list:
    """The values that a test gives to a control: both ends and the middle, or up to 8 options."""
    if isinstance(control, widgets.Checkbox):
        return [False, True]
    if hasattr(control, "options"):
        return [value for _, value in control._options_full[:8]]
    middle = control.min + round((control.max - control.min) / control.step / 2) * control.step
    return [control.min, middle, control.max]


def drive(panel):
    """Move each control of a panel to its stops and put it back; then all of them to their ends, at once.

    Raises ValueError for a picture without data, a control that changes nothing, and a figure that does
    not come back when the controls do; and whatever the callback raises.
    """
    first = _seen(panel)
    for name, control in panel.controls.items():
        if not _moves(panel, control, first) and not _moves_with_another(panel, control):
            raise ValueError(f"the control {name!r} changes nothing in the picture, at any of {stops(control)}")
    _to_the_corners(panel)
    panel.refresh()
    if _seen(panel) != first:
        raise ValueError(
            "with the same control values as at first the picture differs: the callback must depend on the "
            "values alone (draw random numbers outside it, or from a seed)"
        )


def _to_the_corners(panel):
    """Give all controls their first value, then their last, as a reader does who pushes one after the other."""
    start = panel.values()
    for end in (0, -1):
        for control in panel.controls.values():
            control.value = stops(control)[end]
    for name, value in start.items():
        panel.controls[name].value = value


def _moves(panel, control, before) -> bool:
    """Whether the picture changes at any stop; all stops are tried."""
    start, seen = control.value, set()
    for value in stops(control):
        control.value = value
        if is_blank(panel):
            raise ValueError(f"the picture shows no data with {panel.values()}")
        seen.add(_seen(panel))
    control.value = start
    return seen != {before}


def _moves_with_another(panel, control) -> bool:
    """Whether the control matters at another setting of a second control (a toggle that switches it on)."""
    for other in panel.controls.values():
        start = other.value
        for value in stops(other) if other is not control else ():
            other.value = value
            moved = _moves(panel, control, _seen(panel))
            other.value = start
            if moved:
                return True
    return False


def _seen(panel) -> tuple[bytes, str]:
    return panel.pixels.tobytes(), panel.reading


def is_blank(panel) -> bool:
    """Whether the figure looks the same with its data hidden."""
    shown = [artist for artist in _data(panel.picture) if artist.get_visible()]
    for artist in shown:
        artist.set_visible(False)
    empty = panel.picture.pixels()
    for artist in shown:
        artist.set_visible(True)
    return np.array_equal(empty, panel.pixels)


def _data(picture) -> list:
    if picture.artists is not None:
        return picture.artists
    kinds = ("lines", "collections", "images", "patches", "texts")
    return [artist for axes in picture.figure.axes for kind in kinds for artist in getattr(axes, kind)]
