"""`live`: a figure that answers to sliders, and shows a still picture where no kernel runs."""

import html
from collections.abc import Callable, Mapping, Sequence

import ipywidgets as widgets
import numpy as np

from utils.live.drive import drive, strict
from utils.live.figure import Picture, bundle, img, pack, pack_small

CSS = """<style>
.course-live { --jp-widgets-font-size: 16px; --jp-widgets-inline-height: 32px; max-width: 100%; }
.course-live .widget-label, .course-live .widget-readout, .course-live button { font-size: 16px; }
.course-live .widget-readout { min-width: 58px; }
.course-live .widget-toggle-buttons { display: flex; flex-wrap: wrap; align-items: center; column-gap: 8px; }
.course-live .widget-slider .noUi-target .noUi-handle { background: #0072b2; border-color: #0072b2; }
.course-live .noUi-handle:focus { outline: 2px solid #0072b2; outline-offset: 3px; border-radius: 50%; }
.course-controls { column-gap: 28px; align-items: center; }
.course-live img { display: block; background: white; max-width: 100%; }
.course-reading { font-size: 16px; line-height: 1.4; }
.course-error { font-size: 15px; color: #9a0000; background: #fff4f4; padding: 6px;
  white-space: pre-wrap; }
</style>"""


def slider(value, low, high, step, label: str):
    """A slider over numbers; whole numbers throughout give whole numbers to the callback."""
    whole = all(isinstance(v, int | np.integer) for v in (value, low, high, step))
    kind = widgets.IntSlider if whole else widgets.FloatSlider
    decimals = len(f"{step:.6f}".rstrip("0").split(".")[1])
    return kind(
        value=value, min=low, max=high, step=step, description=label,
        readout_format="d" if whole else f".{decimals}f", **_look("430px"),
    )  # fmt: skip


def choice(value, options: Sequence | Mapping, label: str):
    """One of several options (a list, or {name: value}): buttons, or a slider when there are more than twelve.

    No menu: JupyterLab takes the arrow keys for itself while one has the focus.
    """
    if len(options) > 12:
        return widgets.SelectionSlider(options=options, value=value, description=label, **_look("430px"))
    return widgets.ToggleButtons(
        options=options, value=value, description=label,
        style={"description_width": "initial", "button_width": "auto"}, layout={"width": "auto"},
    )  # fmt: skip


def toggle(value: bool, label: str):
    """A box to tick."""
    return widgets.Checkbox(value=value, description=label, indent=False, layout={"width": "auto"})


def _look(width: str) -> dict:
    return {"style": {"description_width": "initial"}, "layout": {"width": width}}


class Panel:
    """Controls, picture and reading; made by `live`, shown as the last expression of a cell."""

    def __init__(self, update: Callable, figure, artists, alt: str, controls: dict):
        self.update, self.alt, self.controls = update, alt, controls
        self.reading = self._call()
        self.picture = Picture(figure, artists)
        self.pixels = self.picture.pixels()
        self.image = widgets.HTML(img(pack(self.pixels), alt))
        self.below = widgets.HTML()
        row = widgets.HBox(list(controls.values()), layout={"flex_flow": "row wrap"}).add_class("course-controls")
        self.box = widgets.VBox([widgets.HTML(CSS), row, self.image, self.below])
        self.box.add_class("course-live")
        self._say()
        for control in controls.values():
            control.observe(self._changed, "value")

    def values(self) -> dict:
        """What the controls say now, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _call(self) -> str:
        said = self.update(**self.values())
        return said if isinstance(said, str) else ""

    def refresh(self):
        """Run the callback on the present values and repaint; raises what the callback raises."""
        self.reading = self._call()
        self.pixels = self.picture.pixels()
        self.image.value = img(pack(self.pixels), self.alt)
        self._say()

    def _changed(self, _):
        try:
            self.refresh()
        except Exception as error:
            if strict():
                raise
            self._say(f"{type(error).__name__}: {error}")

    def _say(self, error: str = ""):
        kind, text = ("error", f"{error}\nThe picture is the last good one.") if error else ("reading", self.reading)
        text = html.escape(text)
        self.below.value = f'<div class="course-{kind}" role="status">{text}</div>' if text else ""

    def _repr_mimebundle_(self, **kwargs):
        text = f"{self.alt}\n{self.reading}" if self.reading else self.alt
        data, metadata = bundle(pack_small(self.pixels), text)
        return {**self.box._repr_mimebundle_(), **data}, metadata


def live(update: Callable, figure, artists=None, *, alt: str, **controls) -> Panel:
    """Call `update(**values)` now and whenever a control moves, and repaint the figure.

    update moves the artists and may return one line of text, shown under the picture. It must depend on
    the values alone. `artists` are those that it moves; without them all is redrawn (slower, needed only
    where it makes new artists, such as contours). alt says what one sees.
    """
    panel = Panel(update, figure, artists, alt, controls)
    if strict():
        drive(panel)
    return panel
