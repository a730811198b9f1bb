"""How learning is shown: figures that answer to sliders, curves that grow while a network trains.

    import numpy as np
    from utils.live import LossPlot, choice, live, new_figure, slider, still, toggle

    x = np.linspace(-5, 5, 200)
    figure, axes = new_figure(size=(7, 3))
    (task,) = axes.plot(x, np.sin(x), label="task")
    (guess,) = axes.plot(x, 0 * x, label="your guess")
    axes.set(xlabel="x", ylabel="y", ylim=(-5.5, 5.5), title="Find the amplitude")
    axes.legend(loc="upper right")

    def update(a, shape, shift):
        y = a * getattr(np, shape)(x - 1.0 * shift)
        guess.set_ydata(y)
        axes.set_title(f"Your guess has amplitude {a:.1f}")       # titles may change at no cost
        return f"mean squared error {np.mean((y - np.sin(x)) ** 2):.2f}"   # shown below the picture

    live(
        update, figure, artists=[guess],
        alt="A sine wave and your guess, which the sliders move",
        a=slider(2.0, 0.0, 5.0, 0.1, "amplitude a"),      # value, lowest, highest, step, label
        shape=choice("sin", ["sin", "cos"], "shape"),     # value, options (list or {label: value}), label
        shift=toggle(False, "shift by 1"),                # value, label
    )

    with LossPlot(1000, alt="The loss falls to 0.3", limit=0.25, limit_label="noise") as plot:
        for step in range(1000):
            plot(loss)                  # or plot(maml=loss_a, joint=loss_b)

    still(figure, alt="...")            # a figure that does not move, in the same look

Leave `artists` out where update makes new artists each time (contours): all is redrawn, five times slower.
Changing limits or labels in update redraws the background too, so set limits once, wide enough for the
slider's ends. While a slow callback runs, JupyterLab keeps only the latest place of a slider: nothing queues.
With COURSE_STRICT=1 callbacks raise, and each figure moves its own controls when it is made (see drive.py).
`utils.live.plots` holds `band`, `tile`, `image_grid` and `episode_figure`.
"""

from utils.live.figure import new_figure, still
from utils.live.lossplot import LossPlot
from utils.live.panel import choice, live, slider, toggle

__all__ = ["LossPlot", "choice", "live", "new_figure", "slider", "still", "toggle"]
