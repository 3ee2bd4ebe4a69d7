"""The drawing of what bounds a machine."""

import numpy as np

from minialexnet import look


def test_a_layer_is_bound_by_memory_left_of_the_corner_and_by_arithmetic_right_of_it():
    (axes,) = look.roofline(100.0, 10.0, {"few": {"fc": 0.5, "conv": 40.0}}, "G/s").axes
    roof, points = axes.lines
    assert list(points.get_xdata()) == [0.5, 40.0]
    assert list(points.get_ydata()) == [5.0, 100.0]
    assert np.max(roof.get_ydata()) == 100
    assert [text.get_text() for text in axes.texts] == ["fc", "conv"]


def test_layers_that_lie_together_share_a_label():
    (axes,) = look.roofline(100.0, 10.0, {"few": {"a": 1.0, "b": 30.0, "c": 1.01}}, "G/s").axes
    assert [text.get_text() for text in axes.texts] == ["a, c", "b"]
