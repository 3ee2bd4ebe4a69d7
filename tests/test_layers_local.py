"""Locally connected: filters of its own at every place."""

import numpy as np
import pytest

from minialexnet import check
from minialexnet.layers import Conv2D, LocallyConnected2D


def local(*args, **kwargs):
    """A LocallyConnected2D with weights and biases that matter, in float64."""
    rng = np.random.default_rng(1)
    layer = LocallyConnected2D(*args, std=1, rng=rng, **kwargs)
    bias = rng.standard_normal(layer.params["bias"].shape)
    layer.params = {"weight": layer.params["weight"].astype(float), "bias": bias}
    return layer


def pictures(*shape):
    return np.random.default_rng(3).standard_normal(shape)


def by_definition(x, weight, bias, stride, pad):
    """Pixel by pixel; those outside the picture are zero."""
    _, height, width, _ = x.shape
    rows, columns, kernel, _, channels, filters = weight.shape
    (top, _), (left, _) = pad
    y = np.zeros((len(x), rows, columns, filters))
    for image, i, j, o in np.ndindex(y.shape):
        total = bias[i, j, o]
        for k, l, c in np.ndindex(kernel, kernel, channels):  # noqa: E741
            row, column = i * stride + k - top, j * stride + l - left
            if 0 <= row < height and 0 <= column < width:
                total += x[image, row, column, c] * weight[i, j, k, l, c, o]
        y[image, i, j, o] = total
    return y


# (height, width, channels, filters, kernel), the settings, and the places (OH, OW).
GEOMETRIES = {
    "plain": ((4, 6, 2, 3, 3), {}, (2, 4)),
    "one place": ((3, 3, 2, 4, 3), {}, (1, 1)),
    "padded": ((3, 5, 3, 2, 3), {"pad": 1}, (3, 5)),
    "stride that does not divide": ((6, 8, 2, 3, 3), {"stride": 2}, (2, 3)),
    "each side padded differently": ((4, 3, 2, 3, 2), {"pad": ((0, 1), (2, 0))}, (4, 4)),
}
geometries = pytest.mark.parametrize(
    ("numbers", "settings", "places"), GEOMETRIES.values(), ids=GEOMETRIES
)


@geometries
def test_value(numbers, settings, places):
    layer = local(*numbers, **settings)
    x = pictures(3, layer.height, layer.width, layer.channels)
    expected = by_definition(x, **layer.params, stride=layer.stride, pad=layer.pad)
    y, _ = layer.forward(x)
    assert y.shape == (3, *places, layer.filters)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)


@geometries
def test_gradient(numbers, settings, places):
    layer = local(*numbers, **settings)
    check.layer(layer, pictures(2, layer.height, layer.width, layer.channels))


def test_with_the_same_filters_everywhere_it_is_a_convolution():
    shared = Conv2D(2, 3, 3, stride=2, pad=1, std=1, rng=np.random.default_rng(0))
    layer = local(5, 7, 2, 3, 3, stride=2, pad=1)
    layer.params = {
        name: np.broadcast_to(shared.params[name], array.shape).copy()
        for name, array in layer.params.items()
    }
    x = pictures(2, 5, 7, 2).astype(np.float32)
    np.testing.assert_allclose(layer(x), shared(x), rtol=0, atol=1e-5)


def test_initial_weights():
    layer = LocallyConnected2D(8, 9, 8, 16, 3, bias=1, std=0.04, rng=np.random.default_rng(0))
    weight, bias = layer.params["weight"], layer.params["bias"]
    assert (weight.shape, bias.shape) == ((6, 7, 3, 3, 8, 16), (6, 7, 16))
    assert weight.dtype == bias.dtype == np.float32
    assert weight.std() == pytest.approx(0.04, rel=0.02)
    assert (bias == 1).all()


def test_pictures_of_another_size():
    layer = LocallyConnected2D(5, 7, 2, 3, 3, rng=np.random.default_rng(0))
    with pytest.raises(ValueError) as error:
        layer.forward(np.zeros((2, 7, 5, 2), np.float32))
    assert str(error.value) == "LocallyConnected2D expects (N, 5, 7, 2), got (2, 7, 5, 2)"


def test_a_window_that_does_not_fit():
    with pytest.raises(ValueError, match="a window of 5 pixels does not fit into 4 pixels"):
        LocallyConnected2D(8, 2, 2, 3, 5, pad=1, rng=np.random.default_rng(0))
