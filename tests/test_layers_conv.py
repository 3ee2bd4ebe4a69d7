"""Convolution: the sum in its docstring, number by number, and its gradients."""

import numpy as np
import pytest

from minialexnet import check
from minialexnet.layers import Conv2D, Parallel


def convolution(*args, **kwargs):
    """A Conv2D with weights and biases that matter, in float64."""
    layer = Conv2D(*args, std=1, rng=np.random.default_rng(1), **kwargs)
    bias = np.random.default_rng(2).standard_normal(layer.filters)
    layer.params = {"weight": layer.params["weight"].astype(float), "bias": bias}
    return layer


def pictures(*shape):
    return np.random.default_rng(3).standard_normal(shape)


def by_definition(x, weight, bias, stride, pad):
    """Pixel by pixel; those outside the picture are zero."""
    n, height, width, channels = x.shape
    kernel, _, _, filters = weight.shape
    (top, bottom), (left, right) = pad
    rows = (height + top + bottom - kernel) // stride + 1
    columns = (width + left + right - kernel) // stride + 1
    y = np.zeros((n, rows, columns, filters))
    for image, i, j, o in np.ndindex(y.shape):
        total = bias[o]
        for k, l, c in np.ndindex(kernel, kernel, channels):  # noqa: E741
            row, column = i * stride + k - top, j * stride + l - left
            if 0 <= row < height and 0 <= column < width:
                total += x[image, row, column, c] * weight[k, l, c, o]
        y[image, i, j, o] = total
    return y


# (channels, filters, kernel), the settings, and the picture's (H, W).
GEOMETRIES = {
    "plain": ((2, 3, 3), {}, (5, 7)),
    "one pixel": ((3, 2, 1), {}, (3, 4)),
    "padded": ((3, 4, 3), {"pad": 1}, (4, 6)),
    "stride that does not divide": ((2, 3, 3), {"stride": 2}, (6, 8)),
    "stride and pad": ((2, 3, 3), {"stride": 3, "pad": 2}, (6, 7)),
    "stride beyond the kernel": ((2, 2, 2), {"stride": 3}, (7, 6)),
    "each side padded differently": ((2, 3, 4), {"pad": ((0, 1), (2, 3))}, (6, 5)),
    "cuda-convnet's last window": ((2, 3, 3), {"stride": 2, "pad": ((0, 1), (0, 1))}, (6, 6)),
    "padded beyond the kernel": ((2, 3, 2), {"pad": 3}, (3, 4)),
    "padded beyond the kernel, one side": ((2, 3, 2), {"pad": ((0, 2), (1, 0))}, (3, 4)),
    "kernel as big as the picture": ((2, 3, 4), {}, (4, 4)),
    "conv1 of AlexNet, reduced": ((2, 3, 11), {"stride": 4}, (15, 20)),
    "conv2 of AlexNet, reduced": ((2, 3, 5), {"pad": 2}, (5, 6)),
    "conv3 of AlexNet, reduced": ((4, 5, 3), {"pad": 1}, (4, 3)),
}
geometries = pytest.mark.parametrize(
    ("numbers", "settings", "size"), GEOMETRIES.values(), ids=GEOMETRIES
)


@geometries
def test_value(numbers, settings, size):
    layer = convolution(*numbers, **settings)
    x = pictures(2, *size, layer.channels)
    expected = by_definition(x, **layer.params, stride=layer.stride, pad=layer.pad)
    y, _ = layer.forward(x)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)


@geometries
def test_gradient(numbers, settings, size):
    layer = convolution(*numbers, **settings)
    check.layer(layer, pictures(2, *size, layer.channels))


def test_gradient_in_the_towers_of_conv2():
    towers = Parallel({name: convolution(2, 3, 5, pad=2) for name in "ab"})
    check.layer(towers, pictures(2, 5, 4, 4))


def test_it_is_no_mirrored_convolution():
    """One pixel answers with the filter turned round, so the filter itself is not turned."""
    layer = Conv2D(1, 1, 2, rng=np.random.default_rng(0))
    layer.params = {"weight": np.arange(1.0, 5).reshape(2, 2, 1, 1), "bias": np.zeros(1)}
    y = layer(np.array([[1.0, 0, 0], [0, 0, 0], [0, 0, 0]]).reshape(1, 3, 3, 1))
    np.testing.assert_array_equal(y[0, :, :, 0], [[1, 0], [0, 0]])


def test_pictures_get_no_gradient():
    settings = {"stride": 2, "pad": 1}
    with_dx, without = convolution(3, 2, 3, **settings), convolution(3, 2, 3, **settings)
    without.input_grad = False
    x = pictures(2, 5, 6, 3)
    y, cache = without.forward(x)
    dx, grads = without.backward(y, cache)
    assert dx is None
    for name, grad in with_dx.backward(y, cache)[1].items():
        np.testing.assert_array_equal(grads[name], grad)
    check.layer(Conv2D(3, 2, 3, rng=np.random.default_rng(0), input_grad=False), x)


def test_initial_weights():
    layer = Conv2D(16, 64, 3, bias=1, std=0.02, rng=np.random.default_rng(0))
    weight, bias = layer.params["weight"], layer.params["bias"]
    assert weight.shape == (3, 3, 16, 64)
    assert weight.dtype == bias.dtype == np.float32
    assert weight.std() == pytest.approx(0.02, rel=0.02)
    assert abs(weight.mean()) < 0.001
    np.testing.assert_array_equal(bias, np.ones(64))
    again = Conv2D(16, 64, 3, bias=1, std=0.02, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(again.params["weight"], weight)


def test_the_cache_is_the_padded_picture():
    """Not the unrolled matrix, which would be nine times as big."""
    _, cache = convolution(2, 3, 3, pad=1).forward(pictures(2, 8, 8, 2))
    assert cache.shape == (2, 10, 10, 2)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 13, 13, 96), "Conv2D expects (N, H, W, 48), got (2, 13, 13, 96)"),
        ((2, 13, 48), "Conv2D expects (N, H, W, 48), got (2, 13, 48)"),
        ((2, 1, 13, 48), "a window of 3 pixels does not fit into 1 pixels"),
    ],
)
def test_pictures_that_do_not_fit(shape, message):
    layer = Conv2D(48, 2, 3, rng=np.random.default_rng(0))
    with pytest.raises(ValueError) as error:
        layer.forward(np.zeros(shape, np.float32))
    assert str(error.value) == message


def test_what_is_no_array():
    layer = Conv2D(3, 2, 3, rng=np.random.default_rng(0))
    layer.params = {name: array.tolist() for name, array in layer.params.items()}
    with pytest.raises(TypeError, match="expected a NumPy or CuPy array, got list"):
        layer.forward(pictures(1, 4, 4, 3))
