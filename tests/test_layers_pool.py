"""Pooling: windows one by one, with those that hang over the edge and with ties."""

import numpy as np
import pytest

from minialexnet import check
from minialexnet.layers import AveragePool, MaxPool


def pictures(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def windows_by_definition(x, kernel, stride, ceil):
    """For each place of the output its (row, column) and the pixels of its window on the picture.

    Without ceil the window must be whole; with it, it must reach pixels that no window before does.
    """

    def starts(size):
        count = 0
        while True:
            first = count * stride
            whole = first + kernel <= size
            before = (count - 1) * stride + kernel if count else 0
            if not (whole or (ceil and first < size and before < size)):
                return [index * stride for index in range(count)]
            count += 1

    for i, top in enumerate(starts(x.shape[1])):
        for j, left in enumerate(starts(x.shape[2])):
            yield i, j, x[:, top : top + kernel, left : left + kernel]


# kernel, stride, ceil, and the picture's (H, W).
GEOMETRIES = [
    (3, 2, False, (7, 5)),
    (3, 2, False, (6, 8)),
    (3, 2, True, (6, 8)),
    (3, 2, True, (7, 5)),
    (2, 2, False, (4, 6)),
    (2, 2, True, (5, 3)),
    (2, 1, False, (4, 3)),
    (4, 3, True, (6, 9)),
    (2, 3, False, (7, 9)),
    (2, 3, True, (7, 9)),
    (1, 2, True, (4, 5)),
    (3, 3, False, (3, 3)),
    (3, 5, True, (9, 4)),
]
geometries = pytest.mark.parametrize(("kernel", "stride", "ceil", "size"), GEOMETRIES)


@geometries
@pytest.mark.parametrize(("kind", "summary"), [(MaxPool, np.max), (AveragePool, np.mean)])
def test_value(kind, summary, kernel, stride, ceil, size):
    x = pictures(2, *size, 3)
    y = kind(kernel, stride, ceil)(x)
    places = set()
    for i, j, window in windows_by_definition(x, kernel, stride, ceil):
        np.testing.assert_allclose(y[:, i, j], summary(window, axis=(1, 2)), rtol=0, atol=1e-14)
        places.add((i, j))
    assert places == set(np.ndindex(y.shape[1:3]))


@geometries
@pytest.mark.parametrize("kind", [MaxPool, AveragePool])
def test_gradient(kind, kernel, stride, ceil, size):
    check.layer(kind(kernel, stride, ceil), pictures(2, *size, 2))


@pytest.mark.parametrize("kind", [MaxPool, AveragePool])
def test_defaults_are_the_papers(kind):
    layer = kind()
    assert (layer.kernel, layer.stride, layer.ceil) == (3, 2, False)


def test_an_overhanging_window_averages_over_what_it_covers():
    x = np.arange(1.0, 17).reshape(1, 4, 4, 1)
    y, cache = AveragePool(3, 2, ceil=True).forward(x)
    np.testing.assert_array_equal(y[0, :, :, 0], [[6, 7.5], [12, 13.5]])
    dx, _ = AveragePool(3, 2, ceil=True).backward(np.full_like(y, 36), cache)
    corner = [[4, 4, 10, 6], [4, 4, 10, 6], [10, 10, 25, 15], [6, 6, 15, 9]]
    np.testing.assert_allclose(dx[0, :, :, 0], corner)


def test_an_overhanging_maximum_of_negative_numbers():
    """Nothing outside the picture, no zero above all, may win."""
    x = -np.arange(1.0, 17).reshape(1, 4, 4, 1)
    y = MaxPool(3, 2, ceil=True)(x)
    np.testing.assert_array_equal(y[0, :, :, 0], [[-1, -3], [-9, -11]])


def gradient_of_the_maximum(x, kernel, stride):
    """Where a dy of 1, 2, 3, ... ends up."""
    layer = MaxPool(kernel, stride)
    y, cache = layer.forward(x)
    return layer.backward(np.arange(1.0, 1 + y.size).reshape(y.shape), cache)[0]


def test_among_equals_the_first_in_reading_order_counts():
    x = np.zeros((1, 3, 3, 1))
    dx = gradient_of_the_maximum(x, 2, 1)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[1, 2, 0], [3, 4, 0], [0, 0, 0]])
    x[0, 1, 1] = x[0, 2, 0] = 1
    dx = gradient_of_the_maximum(x, 3, 1)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 0, 0], [0, 1, 0], [0, 0, 0]])


def test_ties_by_definition():
    """Small whole numbers, so that most windows hold their largest number more than once."""
    x = np.random.default_rng(0).integers(0, 3, (2, 7, 9, 3)).astype(float)
    expected = np.zeros_like(x)
    dy = iter(range(1, 1000))
    for n, i, j, c in np.ndindex(2, 3, 4, 3):
        window = x[n, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3, c]
        row, column = np.unravel_index(window.ravel().tolist().index(window.max()), (3, 3))
        expected[n, 2 * i + row, 2 * j + column, c] += next(dy)
    np.testing.assert_array_equal(gradient_of_the_maximum(x, 3, 2), expected)


def test_a_pixel_that_wins_twice_gets_both_gradients():
    x = np.zeros((1, 3, 5, 1))
    x[0, 1, 2] = 1
    assert gradient_of_the_maximum(x, 3, 2)[0, 1, 2, 0] == 1 + 2


def test_a_kernel_with_more_places_than_a_byte_counts():
    x = np.zeros((1, 17, 17, 1))
    x[0, 16, 16] = 1
    dx = gradient_of_the_maximum(x, 17, 1)
    assert dx[0, 16, 16, 0] == dx.sum() == 1


def test_not_a_number_is_passed_on():
    """A run that has diverged should show it."""
    x = pictures(1, 3, 3, 1)
    x[0, 1, 1] = np.nan
    assert np.isnan(MaxPool(3)(x)).all()
    assert np.isnan(AveragePool(3)(x)).all()


@pytest.mark.parametrize("kind", [MaxPool, AveragePool])
def test_pictures_that_do_not_fit(kind):
    with pytest.raises(ValueError) as error:
        kind().forward(np.zeros((2, 9), np.float32))
    assert str(error.value) == f"{kind.__name__} expects (N, H, W, C), got (2, 9)"
    with pytest.raises(ValueError, match="a window of 3 pixels does not fit into 2 pixels"):
        kind().forward(np.zeros((2, 2, 9, 3), np.float32))
