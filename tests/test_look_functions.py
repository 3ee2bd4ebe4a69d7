"""Drawings of functions and their slopes."""

import numpy as np

from minialexnet import look


def test_values_stand_on_the_left_and_derivatives_on_the_right():
    x = np.linspace(-1, 1, 5)
    left, right = look.functions(x, {"square": (x**2, 2 * x), "cube": (x**3, 3 * x**2)}).axes
    assert [list(line.get_ydata()) for line in left.lines] == [list(x**2), list(x**3)]
    assert [list(line.get_ydata()) for line in right.lines] == [list(2 * x), list(3 * x**2)]
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["square", "cube"]
