"""The figures show what there is to see: every filter, every picture, every curve."""

import io

import numpy as np
import pytest
from PIL import Image

from minialexnet import look


def drawn(figure):
    """The figure as the picture that is saved, to be sure that it can be drawn at all."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=60)
    with Image.open(file) as picture:
        return np.array(picture.convert("RGB"))


def history(epochs, *keys):
    return [
        {"epoch": epoch + 1, "loss": 2.0 / (epoch + 1), **dict.fromkeys(keys, 0.5 / (epoch + 1))}
        for epoch in range(epochs)
    ]


def test_curves_have_a_line_for_each_number():
    rows = history(3, "train_error", "test_error")
    left, right = look.curves(rows).axes
    assert [line.get_xydata().tolist() for line in left.lines] == [[[1, 2], [2, 1], [3, 2 / 3]]]
    assert [line.get_label() for line in right.lines] == ["training, while it learns", "test"]
    assert right.lines[1].get_ydata().tolist() == pytest.approx([50, 25, 50 / 3])
    assert left.get_ylim()[0] == right.get_ylim()[0] == 0


def test_curves_show_the_top_5_error_where_there_is_one():
    figure = look.curves(history(2, "train_error", "test_error", "test_error_top5"))
    assert [line.get_label() for line in figure.axes[1].lines][2:] == ["test, top-5"]
    assert len(figure.axes[1].get_legend().get_texts()) == 3


@pytest.mark.parametrize("epochs", [0, 1])
def test_curves_of_a_run_that_just_began_can_be_drawn(epochs):
    drawn(look.curves(history(epochs, "train_error", "test_error")))


@pytest.mark.parametrize(
    ("count", "columns", "rows"),
    [(1, 1, 1), (7, 7, 1), (24, 8, 3), (33, 16, 3), (97, 16, 7)],
)
def test_every_filter_has_a_panel(count, columns, rows):
    figure = look.filters(np.random.default_rng(0).normal(size=(3, 3, 3, count)))
    assert figure.axes[0].get_gridspec().get_geometry() == (rows, columns)
    assert [len(axes.images) for axes in figure.axes] == count * [1] + (columns * rows - count) * [
        0
    ]


def test_filters_are_scaled_one_by_one_around_grey():
    weight = np.zeros((2, 2, 3, 3))
    weight[..., 0] = -0.25
    weight[0, 0, 0, 1], weight[0, 0, 1, 1] = 8, -4
    first, second, zero = (
        np.asarray(axes.images[0].get_array()) for axes in look.filters(weight).axes
    )
    assert (first == 0).all()
    assert second[0, 0].tolist() == [1, 0.25, 0.5]
    assert (zero == 0.5).all()
    drawn(look.filters(weight))


def predictions(count, classes, names=None):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 6, 6, 3), np.uint8)
    labels = np.arange(count) % classes
    believed = rng.dirichlet(np.ones(classes), count)
    names = names or [f"class{m}" for m in range(classes)]
    return look.predictions(images, labels, believed, names), believed


@pytest.mark.parametrize(("classes", "bars"), [(2, 2), (5, 5), (12, 5)])
def test_predictions_show_the_five_most_probable_or_all(classes, bars):
    figure, believed = predictions(8, classes)
    assert len(figure.axes) == 16
    pictures = [axes for axes in figure.axes if axes.images]
    below = [axes for axes in figure.axes if axes.patches]
    assert [axes.get_title() for axes in pictures] == [f"class{n % classes}" for n in range(8)]
    for n, axes in enumerate(below):
        best = sorted(range(classes), key=lambda m: -believed[n, m])[:bars]
        widths = [bar.get_width() for bar in axes.patches]
        assert widths == [believed[n, m] for m in best]
        assert [text.get_text() for text in axes.texts] == [f"class{m}" for m in best]
        orange = [bar.get_facecolor()[0] == 1.0 for bar in axes.patches]
        assert orange == [m == n % classes for m in best]


@pytest.mark.parametrize(("count", "panels"), [(1, 8), (4, 8), (5, 16)])
def test_fewer_pictures_leave_panels_empty(count, panels):
    figure, _ = predictions(count, 3)
    assert len(figure.axes) == panels
    assert sum(len(axes.images) for axes in figure.axes) == count
    drawn(figure)


def test_names_of_classes_are_shown_as_they_are():
    figure, _ = predictions(2, 2, ["$x^$", "50 % _off_"])
    drawn(figure)
    assert figure.axes[0].get_title() == "$x^$"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cat", "cat"),
        ("n01440764 tench, Tinca tinca", "tench"),
        ("n01440764", "n01440764"),
        ("n02108551 Tibetan mastiff of the highest mountains", "Tibetan mastiff of the …"),
    ],
)
def test_names_are_shortened_where_there_is_little_room(name, expected):
    assert look.short(name) == expected
    assert len(look.short(name)) <= 24
