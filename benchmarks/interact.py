"""The rival of `live` in its notebook's kernel: each live figure a second time, by ipywidgets' `interact`."""


def start() -> None:
    """Show each live figure of this notebook twice from here on."""
    from IPython import get_ipython

    import utils.live

    get_ipython().run_line_magic("matplotlib", "inline")
    ours = utils.live.live
    utils.live.live = lambda update, figure, artists=None, *, alt, **controls: both(
        ours(update, figure, artists, alt=alt, **controls), update, figure)


def both(panel, update, figure):
    """The panel with an `interact` of the same figure, callback and controls below it.

    There the figure lays itself out in each update, as `new_figure` makes it and as it does without `live`.
    """
    import ipywidgets
    from IPython.display import display

    def show(**values):
        update(**values)
        figure.set_layout_engine("constrained")
        display(figure)
        figure.set_layout_engine("none")

    settings = ("value", "min", "max", "step", "options", "description")
    twins = {name: type(control)(**{key: getattr(control, key) for key in settings if hasattr(control, key)})
             for name, control in panel.controls.items()}
    peer = ipywidgets.interactive(show, **twins).add_class("course-peer")
    panel.box = ipywidgets.VBox([panel.box, peer]).add_class("course-both")
    return panel


# `interact` as its documentation shows it: the callback makes a new pyplot figure and shows it.
DOCUMENTED = """
%matplotlib inline
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from utils.live import live, new_figure, slider
x = np.linspace(-5, 5, 200)
words = dict(title="A sinusoid", xlabel="x", ylabel="y", ylim=(-5, 5))
figure, axes = new_figure()
(line,) = axes.plot(x, np.sin(x))
axes.set(**words)
panel = live(lambda a: line.set_ydata(a * np.sin(x)), figure, [line], alt="A sine", a=slider(1.0, 0.0, 4.0, 0.1, "a"))
def anew(a):
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    axes.plot(x, a * np.sin(x))
    axes.set(**words)
    plt.show()
peer = ipywidgets.interactive(anew, a=ipywidgets.FloatSlider(1.0, min=0.0, max=4.0, step=0.1))
ipywidgets.VBox([panel.box, peer.add_class("course-peer")]).add_class("course-both")
"""
