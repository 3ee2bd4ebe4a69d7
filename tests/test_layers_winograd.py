"""Winograd's convolution: the results of the plain one, to float32's rounding."""

import numpy as np
import pytest

from minialexnet import check
from minialexnet.layers import Conv2D, Winograd


def convolution(channels, filters, kernel, pad=0, dtype=np.float64, **settings):
    rng = np.random.default_rng(1)
    conv = Conv2D(channels, filters, kernel, pad=pad, std=1, rng=rng, **settings)
    bias = rng.standard_normal(filters)
    conv.params = {
        "weight": conv.params["weight"].astype(dtype),
        "bias": bias.astype(dtype),
    }
    return conv


def both(conv, x):
    """What the plain convolution and Winograd's return, by name."""
    found = []
    for layer in (conv, Winograd(conv)):
        y, cache = layer.forward(x)
        dy = np.random.default_rng(4).standard_normal(y.shape).astype(x.dtype)
        dx, grads = layer.backward(dy, cache)
        found.append({"y": y, "dx": dx, "called": layer(x), **grads})
    return found


# Sizes below, at and above whole tiles; more columns than rows; a frame wider than the picture.
GEOMETRIES = [
    (3, 0, (3, 4)),
    (3, 1, (4, 8)),
    (3, 1, (13, 5)),
    (3, 2, (2, 1)),
    (3, ((0, 1), (2, 3)), (6, 5)),
    (5, 0, (8, 12)),
    (5, 2, (8, 7)),
    (5, 2, (3, 10)),
    (5, ((4, 0), (1, 3)), (6, 9)),
]
geometries = pytest.mark.parametrize(("kernel", "pad", "size"), GEOMETRIES)


@geometries
def test_it_is_the_plain_convolution(kernel, pad, size):
    conv = convolution(3, 4, kernel, pad)
    x = np.random.default_rng(3).standard_normal((2, *size, 3))
    plain, fast = both(conv, x)
    for name, expected in plain.items():
        assert fast[name].shape == expected.shape
        scale = abs(expected).max()
        np.testing.assert_allclose(fast[name], expected, rtol=0, atol=1e-12 * scale, err_msg=name)


@geometries
def test_gradient(kernel, pad, size):
    layer = Winograd(convolution(2, 3, kernel, pad))
    check.layer(layer, np.random.default_rng(3).standard_normal((2, *size, 2)))


@pytest.mark.parametrize(
    ("kernel", "channels", "filters", "size"), [(3, 256, 96, 13), (5, 48, 128, 27)]
)
def test_float32_loses_little(kernel, channels, filters, size):
    """At the size of AlexNet's layers; the plain convolution's own error is about 1e-6."""
    conv = convolution(channels, filters, kernel, kernel // 2, np.float32)
    x = np.random.default_rng(3).standard_normal((2, size, size, channels), dtype=np.float32)
    plain, fast = both(conv, x)
    for name, expected in plain.items():
        assert fast[name].dtype == np.float32
        scale = abs(expected).max()
        np.testing.assert_allclose(fast[name], expected, rtol=0, atol=3e-5 * scale, err_msg=name)


def test_it_lends_the_parameters_of_the_convolution():
    conv = convolution(2, 3, 3)
    layer = Winograd(conv)
    layer.params = {name: array + 1 for name, array in layer.params.items()}
    assert all(conv.params[name] is array for name, array in layer.params.items())


def test_pictures_get_no_gradient():
    layer = Winograd(convolution(3, 2, 3, input_grad=False))
    y, cache = layer.forward(np.ones((2, 6, 6, 3)))
    assert not layer.input_grad
    assert layer.backward(y, cache)[0] is None


def test_an_error_names_the_convolution():
    with pytest.raises(ValueError) as error:
        Winograd(convolution(3, 2, 3)).forward(np.ones((2, 6, 6, 4)))
    assert str(error.value) == "Conv2D expects (N, H, W, 3), got (2, 6, 6, 4)"
    with pytest.raises(ValueError, match="a window of 5 pixels does not fit into 4 pixels"):
        Winograd(convolution(3, 2, 5)).forward(np.ones((2, 6, 4, 3)))


@pytest.mark.parametrize("numbers", [{"kernel": 3, "stride": 2}, {"kernel": 4}])
def test_convolutions_it_cannot_do(numbers):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="expects stride 1 and a kernel of 3 or 5, got Conv2D"):
        Winograd(Conv2D(3, 2, **numbers, rng=rng))
