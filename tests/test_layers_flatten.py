"""Flattening, and what every layer has from its base."""

import numpy as np
import pytest

from minialexnet import check
from minialexnet.layers import Conv2D, Flatten, Layer, Linear


def test_value():
    """The channels change fastest, then the columns."""
    x = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    y = Flatten()(x)
    assert y.shape == (2, 60)
    for n, h, w, c in np.ndindex(x.shape):
        assert y[n, (h * 4 + w) * 5 + c] == x[n, h, w, c]


@pytest.mark.parametrize("shape", [(2, 3, 4, 2), (3, 5), (2, 3, 4)])
def test_gradient(shape):
    check.layer(Flatten(), np.random.default_rng(0).standard_normal(shape))


# -------------------------------------------------------------------------------- every layer


class Scale(Layer):
    """A layer as a student may begin it."""

    def __init__(self):
        super().__init__(factor=np.ones(1, np.float32))
        self.start = 1
        self._hidden = 2


def test_parameters_are_what_the_base_is_given():
    assert list(Scale().params) == ["factor"]
    assert Layer().params == {}


def test_a_layer_shows_its_settings():
    assert repr(Scale()) == "Scale(start=1)"
    assert repr(Flatten()) == "Flatten()"
    assert repr(Linear(4, 3, rng=np.random.default_rng(0))) == "Linear(features=4, units=3)"
    conv = Conv2D(3, 4, 5, pad=2, rng=np.random.default_rng(0))
    assert repr(conv) == (
        "Conv2D(channels=3, filters=4, kernel=5, stride=1, pad=((2, 2), (2, 2)), input_grad=True)"
    )


def test_a_layer_that_is_not_written_yet_says_so():
    with pytest.raises(NotImplementedError, match="Scale has no forward yet"):
        Scale()(np.ones(3))
    with pytest.raises(NotImplementedError, match="Scale has no backward yet"):
        Scale().backward(np.ones(3), None)
