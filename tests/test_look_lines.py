"""Functions over one axis."""

import io

import numpy as np
from PIL import Image

from minialexnet import look

X = np.linspace(0, 2, 5)


def test_every_function_is_a_line_with_its_name():
    axes = look.lines(X, {"square": X**2, "cube": X**3}, "x", "powers").axes[0]
    assert [line.get_label() for line in axes.lines] == ["square", "cube"]
    assert (axes.lines[1].get_ydata() == X**3).all() and (axes.lines[1].get_xdata() == X).all()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "powers")


def test_it_stands_on_nothing():
    file = io.BytesIO()
    look.lines(X, {"square": X**2}).savefig(file, format="png", dpi=60)
    picture = np.asarray(Image.open(file))
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all()
