"""Live figures: the picture is right, cheap, described in words, and strict where tests run."""

import base64
import io
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from utils.live import choice, live, new_figure, slider, still, toggle
from utils.live.drive import is_blank, stops
from utils.live.figure import Picture, pack, pack_small

X = np.linspace(-5, 5, 200)
ALT = "A sine wave whose height the slider sets"


@pytest.fixture(autouse=True)
def lenient(monkeypatch):
    monkeypatch.delenv("COURSE_STRICT", raising=False)


def sine(update=None, artists=True, alt=ALT, **more):
    figure, axes = new_figure(size=(7, 3))
    (line,) = axes.plot(X, np.sin(X), label="sine")
    axes.plot(X, np.cos(X), label="cosine")
    axes.set(xlabel="x", ylabel="y", ylim=(-5, 5))
    axes.legend()

    def move(a, **_):
        line.set_ydata(a * np.sin(X))
        axes.set_title(f"height {a:.1f}")
        return f"height {a:.1f}"

    controls = {"a": slider(1.0, 0.0, 4.0, 0.1, "height a"), **more}
    return live(update or move, figure, [line] if artists else None, alt=alt, **controls)


def full_redraw(picture):
    for artist in picture._moving:
        artist.set_animated(False)
    picture.figure.canvas.draw()
    for artist in picture._moving:
        artist.set_animated(True)
    return np.asarray(picture.figure.canvas.buffer_rgba())[..., :3]


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def many_artists():
    figure, axes = new_figure(1, 3, size=(9, 3))
    kinds = [*axes[0].plot(X, np.sin(X)), axes[0].scatter(X[::9], np.cos(X[::9])), axes[0].text(0, 0, "here")]
    kinds += [axes[1].bar([1, 2, 3], [3, 1, 2]), axes[1].fill_between([1, 3], 0, 1), axes[1].axhline(2)]
    kinds += [axes[2].imshow(np.eye(9)), axes[2].quiver([4], [4], [1], [1]), figure.suptitle("all kinds")]
    axes[0].plot(X, 0 * X, zorder=4)
    axes[1].plot([1, 3], [1, 3])
    axes[0].legend(["a", "b"])
    return figure, axes, kinds


def test_blit_equals_full_redraw_for_every_kind_of_artist():
    figure, axes, kinds = many_artists()
    picture = Picture(figure, kinds)
    picture.pixels()
    kinds[0].set_ydata(np.cos(X))
    kinds[3][1].set_height(2.5)
    kinds[6].set_data(np.ones((9, 9)) * 0.4)
    axes[0].set_title("a new title")
    assert np.array_equal(picture.pixels(), full_redraw(picture))


def test_axes_without_a_grid_stay_in_the_background():
    figure, axes = new_figure()
    heat = axes.imshow(np.outer(X, X), aspect="auto", extent=(-5, 5, 0, 4))
    axes.set(xlabel="x", ylabel="y")
    axes.grid(False)
    picture = Picture(figure, [heat])
    picture.pixels()
    assert axes.xaxis not in picture._moving and axes.spines["left"] in picture._moving
    heat.set_data(-np.outer(X, X))
    assert np.array_equal(picture.pixels(), full_redraw(picture))
    axes.grid(True)
    picture.pixels()
    assert axes.xaxis in picture._moving


@pytest.mark.parametrize(
    "change",
    [
        lambda axes: axes.set_xlim(-2, 2),
        lambda axes: axes.set_ylabel("another label"),
        lambda axes: axes.set_yscale("symlog"),
        lambda axes: axes.plot(X, X),
        lambda axes: axes.lines[1].set_ydata(X),
    ],
    ids=["limits", "label", "scale", "new artist", "static artist"],
)
def test_background_follows_changes(change):
    panel = sine()
    before = panel.picture.pixels()
    change(panel.picture.figure.axes[0])
    after = panel.picture.pixels()
    assert not np.array_equal(before, after)
    assert np.array_equal(after, full_redraw(panel.picture))


def test_moving_a_slider_moves_the_picture_and_the_reading():
    panel = sine()
    before = panel.image.value
    panel.controls["a"].value = 3.0
    assert panel.image.value != before
    assert "height 3.0" in panel.below.value
    panel.controls["a"].value = 1.0
    assert panel.image.value == before


def test_new_artists_in_each_update_need_no_artists_argument():
    figure, axes = new_figure()
    grid = np.add.outer(X, X)

    def update(k):
        for old in list(axes.collections):
            old.remove()
        axes.contour(np.sin(k * grid))

    panel = live(update, figure, alt="contours", k=slider(1, 1, 5, 1, "k"))
    first = panel.pixels
    panel.controls["k"].value = 2
    assert not np.array_equal(first, panel.pixels)


def test_output_holds_widget_picture_and_words():
    data, metadata = sine()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == f"{ALT}\nheight 1.0"
    assert metadata["image/png"]["alt"] == data["text/plain"]
    assert decoded(base64.b64decode(data["image/png"])).shape == (300, 700, 3)


def test_alt_text_is_on_the_picture_and_escaped():
    panel = sine(alt='5 < 6 & "so on"')
    assert 'alt="5 &lt; 6 &amp; &quot;so on&quot;"' in panel.image.value


def test_stills_are_the_same_bytes_each_time_and_small():
    first, second = sine()._repr_mimebundle_(), sine()._repr_mimebundle_()
    assert first[0]["image/png"] == second[0]["image/png"]
    assert len(base64.b64decode(first[0]["image/png"])) < 30_000


def test_png_packing():
    pixels = sine().pixels
    assert np.array_equal(decoded(pack(pixels)), pixels)
    assert np.abs(decoded(pack_small(pixels)).astype(int) - pixels).mean() < 0.5


def test_still_in_the_same_look():
    figure, axes = new_figure()
    axes.plot(X, X)
    data, metadata = still(figure, alt="a straight line")._repr_mimebundle_()
    assert data["text/plain"] == "a straight line" == metadata["image/png"]["alt"]
    assert axes.lines[0].get_color() == "#0072B2"


def test_error_shows_and_the_last_good_picture_stays():
    def update(a):
        if a > 2:
            raise ValueError("a < 2 expected")

    panel = sine(update)
    before = panel.image.value
    panel.controls["a"].value = 3.0
    assert "ValueError: a &lt; 2 expected" in panel.below.value
    assert panel.image.value == before
    panel.controls["a"].value = 1.5
    assert panel.below.value == ""


def test_strict_raises_in_callbacks(monkeypatch):
    panel = sine(lambda a: 1 / (a - 3.0))
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(ZeroDivisionError):
        panel.controls["a"].value = 3.0


@pytest.mark.parametrize("bad", [0.0, 2.0, 4.0])
def test_strict_drives_to_both_ends_and_the_middle(monkeypatch, bad):
    monkeypatch.setenv("COURSE_STRICT", "1")

    def update(a):
        if abs(a - bad) < 1e-6:
            raise RuntimeError("this place is broken")

    with pytest.raises(RuntimeError, match="this place is broken"):
        sine(update)


@pytest.mark.parametrize("bad", [(0, 0), (10, 5)])
def test_strict_drives_all_controls_to_their_ends_at_once(monkeypatch, bad):
    monkeypatch.setenv("COURSE_STRICT", "1")
    figure, axes = new_figure()
    (dot,) = axes.plot([2], [2], "o")
    axes.set(xlim=(-1, 11), ylim=(-1, 6))

    def update(x, y):
        assert (x, y) != bad, "together"
        dot.set_data([x], [y])

    with pytest.raises(AssertionError, match="together"):
        live(update, figure, [dot], alt="A dot", x=slider(2, 0, 10, 1, "x"), y=slider(2, 0, 5, 1, "y"))


def test_strict_comes_back_to_the_first_picture(monkeypatch):
    calm = sine()._repr_mimebundle_()[0]["image/png"]
    monkeypatch.setenv("COURSE_STRICT", "1")
    panel = sine()
    assert panel.controls["a"].value == 1.0
    assert panel._repr_mimebundle_()[0]["image/png"] == calm


def test_strict_finds_a_control_that_changes_nothing(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(ValueError, match="control 'idle' changes nothing"):
        sine(idle=toggle(False, "nothing"))


def test_strict_accepts_a_control_that_another_switches_on(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    figure, axes = new_figure()
    (line,) = axes.plot(X, X)

    def update(on, k):
        line.set_ydata(k * X if on else X)

    live(update, figure, [line], alt="a line", on=toggle(False, "on"), k=slider(2, 2, 4, 1, "slope"))


def test_strict_finds_a_blank_picture(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    figure, axes = new_figure()
    (line,) = axes.plot(X, X)
    axes.set(xlim=(-5, 5), ylim=(-5, 5))
    with pytest.raises(ValueError, match="shows no data with {'a': 4}"):
        live(lambda a: line.set_ydata(X + (np.nan if a > 2 else a)), figure, [line], alt="", a=slider(0, 0, 4, 1, "a"))


def test_strict_finds_a_callback_that_remembers(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    figure, axes = new_figure()
    (line,) = axes.plot(X, X)
    calls = []

    def update(a):
        calls.append(a)
        line.set_ydata(len(calls) * X / 50)

    with pytest.raises(ValueError, match="the values alone"):
        live(update, figure, [line], alt="a line", a=slider(0, 0, 4, 1, "a"))


def test_blank_is_noticed_without_artists_too():
    panel = sine(artists=False)
    assert not is_blank(panel)
    for line in panel.picture.figure.axes[0].lines:
        line.set_data([], [])
    panel.refresh = None
    panel.pixels = panel.picture.pixels()
    assert is_blank(panel)


def test_controls():
    whole, real = slider(3, 0, 10, 1, "steps"), slider(0.4, 0.0, 1.0, 0.05, "rate")
    assert isinstance(whole.value, int) and real.readout_format == ".2f" and real.description == "rate"
    assert stops(whole) == [0, 5, 10] and stops(real) == [0.0, 0.5, 1.0]
    few, many = choice("b", ["a", "b"], "which"), choice(3, {str(i): i for i in range(13)}, "which")
    assert (type(few).__name__, type(many).__name__) == ("ToggleButtons", "SelectionSlider")  # keyboards move both
    assert stops(few) == ["a", "b"] and stops(many) == list(range(8))
    assert stops(toggle(True, "on")) == [False, True]


def test_kernel_time_of_an_update():
    panel = sine()
    times = []
    for i in range(60):
        start = time.process_time()
        panel.controls["a"].value = 0.5 + i * 0.05
        times.append(time.process_time() - start)
    assert np.median(times) <= 0.015, f"median {1000 * np.median(times):.1f} ms"


def test_import_is_light():
    code = "import sys, utils.live; print([m for m in ('torch', 'matplotlib.pyplot') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
