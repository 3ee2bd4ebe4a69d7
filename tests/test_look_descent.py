"""Ways down a valley."""

import io

import numpy as np
from PIL import Image

from minialexnet import look


def valley(a, b):
    return a**2 + 10 * b**2


PATHS = {"slow": np.array([[1.0, 0.5], [0.5, 0.2]]), "fast": np.array([[1.0, 0.5], [0.0, 0.0]])}


def test_every_descent_has_a_panel_with_its_steps_in_order():
    figure = look.descent(valley, PATHS, reach=2)
    assert [axes.get_title() for axes in figure.axes] == ["slow", "fast"]
    for axes, path in zip(figure.axes, PATHS.values(), strict=True):
        assert (axes.lines[0].get_xydata() == path).all()
        assert axes.get_xlim() == axes.get_ylim() == (-2, 2)


def test_lines_of_equal_height_are_of_the_valley():
    contours = look.descent(valley, PATHS).axes[0].collections[0]
    for level, line in zip(contours.levels, contours.get_paths(), strict=True):
        heights = valley(*line.vertices.T)
        assert abs(heights - level).max() < 0.05 * level


def test_it_stands_on_nothing():
    file = io.BytesIO()
    look.descent(valley, PATHS).savefig(file, format="png", dpi=60)
    picture = np.asarray(Image.open(file))
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all()
